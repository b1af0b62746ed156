import assert from 'node:assert/strict'
import type { Method } from '../../../core/detect/methods.ts'
import { assertLearnsNothing, assertQuietOnConstants, assertRestarts, assertSturdy, deviations, make, noisy, rowsOut } from './support/series.ts'

const CUSUM: Method = { name: 'cusum', allowance: 0.5, decision: 12, warmup: 100 }

describe('cusum', () => {
  it('adds up what lies beyond the allowance, either side, as in the book', () => {
    const given = make({ name: 'cusum', target: 10, sigma: 1, allowance: 0.5, decision: 5, warmup: 50 })
    // sums up: 0.5, 1.5, 1, 2.5, 4, 5 of 5: one value alone brings no more than three tenths of it
    const seen = deviations(given, [11, 11.5, 10, 12.5, 99, 11.5])
    assert.deepEqual(
      seen.map((deviation) => Math.round(1000 * (deviation ?? -1)) / 1000),
      [0.1, 0.3, 0.2, 0.5, 0.8, 1],
    )
    assert.equal(given.evidence()[0]?.expected, 10)
    assert.match(given.evidence()[0]?.text ?? '', /^5\.0 standard deviations above/)
  })

  it('sees a shift of one standard deviation up and down within some dozen values', () => {
    for (const shift of [-1, 1]) {
      for (let seed = 1; seed <= 10; seed++) {
        const [first = 0] = rowsOut(
          make(CUSUM),
          noisy(seed, 1500, (n) => 50 + (n >= 1000 ? shift : 0)),
        ).filter((row) => row >= 1000)
        assert.ok(first >= 1003 && first < 1080, `seed ${seed}, ${shift}: ${first}`)
      }
    }
  })

  it('is quiet on noise and on single wild values, and back soon after the signal is', () => {
    for (let seed = 1; seed <= 10; seed++)
      assert.deepEqual(
        rowsOut(
          make(CUSUM),
          noisy(seed, 3000, (n) => (n % 500 === 499 ? 90 : 50)),
        ),
        [],
        `seed ${seed}`,
      )
    const seen = deviations(
      make(CUSUM),
      noisy(3, 1400, (n) => 50 + (n >= 1000 && n < 1200 ? 5 : 0)),
    )
    assert.ok((seen[1150] ?? 0) >= 1)
    assert.ok(seen.slice(1290).every((deviation) => (deviation ?? 9) < 0.7))
  })

  it('says from which value on it judges, and judges at once by what is given', () => {
    assert.equal(
      deviations(
        make(CUSUM),
        noisy(1, 200, () => 0),
      ).findIndex((deviation) => deviation !== null),
      100,
    )
    assert.equal(make({ ...CUSUM, target: 0, sigma: 1 } as Method).update(0, 0, false).deviation, 0)
  })

  it('learns nothing while an alarm stands', () => {
    assertLearnsNothing(
      CUSUM,
      noisy(4, 400, () => 5),
      noisy(5, 400, () => 9),
      ['up', 'down'],
    )
  })

  it('is quiet on constants, sturdy, and goes on after a restart at any row', () => {
    assertQuietOnConstants(CUSUM)
    assertSturdy(CUSUM)
    assertRestarts(
      CUSUM,
      noisy(6, 700, (n) => (n > 500 && n < 560 ? 4 : 0)),
    )
  })
})
