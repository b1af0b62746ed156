import assert from 'node:assert/strict'
import type { Method } from '../../../core/detect/methods.ts'
import { assertLearnsNothing, assertQuietOnConstants, assertRestarts, assertSturdy, make, noisy, rowsOut } from './support/series.ts'

const DRIFT: Method = { name: 'drift', size: 2, over: 200, warmup: 200 }

describe('drift', () => {
  it('sees what creeps, up and down, that no single value shows', () => {
    for (const sign of [-1, 1]) {
      const [first = 0] = rowsOut(
        make(DRIFT),
        noisy(2, 6000, (n) => 50 + (sign * Math.max(0, n - 1000)) / 1000),
      )
      assert.ok(first > 2500 && first < 3500, String(first))
    }
  })

  it('is quiet on noise, spikes and bursts that pass', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const values = noisy(seed, 5000, (n) => 50 + (n % 300 === 299 ? 1000 : 0) + (n % 1000 >= 960 ? 5 : 0))
      assert.deepEqual(rowsOut(make(DRIFT), values), [], `seed ${seed}`)
    }
  })

  it('keeps its reference whatever happens later, and says what it is', () => {
    const detector = make(DRIFT)
    assertLearnsNothing(
      DRIFT,
      noisy(4, 400, () => 5),
      noisy(5, 400, () => 9),
      ['average'],
    )
    rowsOut(
      detector,
      noisy(3, 2000, (n) => (n < 200 ? 50 : 60)),
    )
    const [evidence] = detector.evidence()
    assert.ok(Math.abs((evidence?.expected ?? 0) - 50) < 0.3 && Math.abs((evidence?.value ?? 0) - 60) < 0.5)
  })

  it('is quiet on constants, sturdy, and goes on after a restart at any row', () => {
    assertQuietOnConstants(DRIFT)
    assertSturdy(DRIFT)
    assertRestarts(
      DRIFT,
      noisy(6, 800, (n) => (n > 300 && n < 600 ? 6 : 0)),
    )
  })
})
