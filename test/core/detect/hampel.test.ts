import assert from 'node:assert/strict'
import { seededRandom } from '../../../core/base/random.ts'
import type { Method } from '../../../core/detect/methods.ts'
import { SortedWindow } from '../../../core/detect/sorted-window.ts'
import { assertLearnsNothing, assertQuietOnConstants, assertRestarts, assertSturdy, make, noisy, rowsOut } from './support/series.ts'

const HAMPEL: Method = { name: 'hampel', reach: 5, threshold: 6 }

describe('hampel', () => {
  it('sees single wild values, so many rows later as it looks on either side', () => {
    const values = noisy(1, 600, () => 20)
    values[300] = 32
    values[450] = 8
    values[451] = 8
    const detector = make(HAMPEL)
    assert.deepEqual(rowsOut(detector, values), [305, 455, 456])
    values.slice(0, 306).forEach((value, at) => void detector.update(at, value, false))
    assert.deepEqual([detector.evidence()[0]?.source, detector.evidence()[0]?.value], ['hampel', 32])
  })

  it('sees nothing in noise, steps, ramps and slow waves', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = seededRandom(seed)
      const values = noisy(seed, 3000, (n) => 50 + (n >= 1000 ? 40 : 0) + n / 50 + 20 * Math.sin(n / 20))
      assert.ok(rowsOut(make(HAMPEL), values).length <= 1, `seed ${seed} ${random()}`)
    }
  })

  it('takes median and median absolute deviation as computed the plain way', () => {
    const window = new SortedWindow(11)
    const values = noisy(4, 200, () => 0)
    for (const [at, value] of values.entries()) {
      window.push(value)
      if (at < 10) continue
      const last = values.slice(at - 10, at + 1)
      const median = last.toSorted((a, b) => a - b)[5]!
      assert.equal(window.median(), median)
      assert.equal(window.deviationFrom(median), last.map((other) => Math.abs(other - median)).toSorted((a, b) => a - b)[5])
      assert.equal(window.ago(5), values[at - 5])
    }
  })

  it('learns no spread while an alarm stands', () => {
    assertLearnsNothing(
      HAMPEL,
      noisy(4, 400, () => 5),
      noisy(5, 400, () => 5, 30),
      ['ring', 'next'],
    )
  })

  it('is quiet on constants, sturdy, and goes on after a restart at any row', () => {
    assertQuietOnConstants(HAMPEL)
    assertSturdy(HAMPEL)
    assertRestarts(
      HAMPEL,
      noisy(6, 400, (n) => (n % 100 === 60 ? 25 : 0)),
    )
  })
})
