import assert from 'node:assert/strict'
import { seededRandom } from '../../../core/base/random.ts'
import type { Method } from '../../../core/detect/methods.ts'
import { assertLearnsNothing, assertQuietOnConstants, assertRestarts, assertSturdy, make, noisy, normal, rowsOut, series } from './support/series.ts'

const VARIANCE: Method = { name: 'variance', window: 30, factor: 2.5, warmup: 100 }

function changing(seed: number, sigma: number, shift = 0): number[] {
  const random = seededRandom(seed)
  return series(1500, (n) => 50 + (n >= 1000 ? shift : 0) + (n >= 1000 ? sigma : 1) * normal(random))
}

describe('variance', () => {
  it('sees that a signal grows restless, and that it grows too quiet', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const [restless = 0] = rowsOut(make(VARIANCE), changing(seed, 5))
      const [quiet = 0] = rowsOut(make(VARIANCE), changing(seed, 0.1))
      assert.ok(restless > 1000 && restless < 1040, `seed ${seed}: ${restless}`)
      assert.ok(quiet > 1000 && quiet < 1080, `seed ${seed}: ${quiet}`)
    }
    const detector = make(VARIANCE)
    rowsOut(detector, changing(1, 5).slice(0, 1100))
    assert.match(detector.evidence()[0]?.text ?? '', /restless/)
  })

  it('sees nothing in noise, in another level and in single spikes', () => {
    for (let seed = 1; seed <= 10; seed++) {
      assert.deepEqual(rowsOut(make(VARIANCE), changing(seed, 1, 100)), [], `seed ${seed}, level`)
      assert.deepEqual(
        rowsOut(
          make(VARIANCE),
          noisy(seed, 3000, (n) => (n % 250 === 249 ? 100 : 0)),
        ),
        [],
        `seed ${seed}, spikes`,
      )
    }
  })

  it('learns nothing while an alarm stands', () => {
    assertLearnsNothing(
      VARIANCE,
      noisy(4, 400, () => 5),
      noisy(5, 400, () => 5),
      ['n', 'last', 'short'],
    )
  })

  it('is quiet on constants, sturdy, and goes on after a restart at any row', () => {
    assertQuietOnConstants(VARIANCE)
    assertSturdy(VARIANCE)
    assertRestarts(VARIANCE, [...noisy(6, 400, () => 0), ...noisy(7, 100, () => 0, 6), ...noisy(8, 300, () => 0)])
  })
})
