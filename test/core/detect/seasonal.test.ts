import assert from 'node:assert/strict'
import type { Method } from '../../../core/detect/methods.ts'
import { assertLearnsNothing, assertQuietOnConstants, assertRestarts, assertSturdy, deviations, make, noisy, rowsOut } from './support/series.ts'

const DAY_MS = 86_400_000
const STEP_MS = 900_000
const PER_DAY = DAY_MS / STEP_MS
const DAY: Method = { name: 'seasonal', periodMs: DAY_MS, bins: 48, threshold: 6 }
const CYCLE: Method = { name: 'seasonal', periodMs: 40_000, bins: 20, threshold: 6 }

/** Quiet at night, busy from eight to six. */
const office = (n: number): number => {
  const hour = ((n % PER_DAY) * 24) / PER_DAY
  return hour >= 8 && hour < 18 ? 100 : 10
}

describe('seasonal', () => {
  it('sees a busy night and a quiet noon, which are within the range of every day', () => {
    const night = 9 * PER_DAY + 8
    const noon = 11 * PER_DAY + 48
    const values = noisy(1, 14 * PER_DAY, (n) => (n === night ? 100 : n === noon ? 10 : office(n)), 2)
    const detector = make(DAY)
    assert.deepEqual(rowsOut(detector, values, STEP_MS), [night, noon])
  })

  it('judges a part of the season when it was seen three times', () => {
    const seen = deviations(make(DAY), noisy(1, 5 * PER_DAY, office, 2), STEP_MS)
    assert.equal(
      seen.findIndex((deviation) => deviation !== null),
      3 * PER_DAY,
    )
  })

  it('is quiet on days that differ as they always do, with values at any time of the day', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const wander = noisy(seed + 50, 40, () => 0, 5)
      const wave = (n: number): number => 50 + 30 * Math.sin((2 * Math.PI * n * 913) / 86_400) + (wander[Math.floor((n * 913) / 86_400)] ?? 0)
      assert.deepEqual(rowsOut(make(DAY), noisy(seed, 3500, wave, 2), 913_000), [], `seed ${seed}`)
    }
  })

  it('takes a machine cycle as well, and follows its slopes within a part', () => {
    const wave = (n: number): number => 10 * Math.sin((2 * Math.PI * (n % 40)) / 40)
    const values = noisy(2, 800, wave, 0.2)
    values[610] = -wave(610)
    const detector = make(CYCLE)
    assert.deepEqual(rowsOut(detector, values), [610])
    assert.ok(Math.abs((detector.update(800_500, wave(0.5), false).expected ?? 9) - wave(0.5)) < 0.5)
  })

  it('takes a long visit for one season, and so does not learn its error', () => {
    const values = noisy(3, 8 * 400, (n) => (n >= 7 * 400 ? 20 : 0))
    const steps = 100
    const seen = deviations(make({ ...CYCLE, bins: 4 } as Method), values, steps)
    assert.ok(seen.slice(7 * 400 + 1).every((deviation) => (deviation ?? 0) >= 1))
  })

  it('learns nothing while an alarm stands', () => {
    const measuring = ['bin', 'season', 'count', 'first', 'sum', 'sumAt', 'sumSquare']
    // from the end of a visit on, so that none is under way
    assertLearnsNothing(
      CYCLE,
      noisy(4, 401, () => 5),
      [],
      measuring,
    )
    const detector = make(CYCLE)
    noisy(4, 400, () => 5).forEach((value, at) => void detector.update(at * 1000, value, false))
    detector.update(400_000, 99, true)
    const { centre, square, visits } = detector.state
    noisy(5, 200, () => 99).forEach((value, at) => void detector.update((401 + at) * 1000, value, true))
    assert.deepEqual([detector.state.centre, detector.state.square, detector.state.visits], [centre, square, visits])
  })

  it('begins anew when the season is another', () => {
    const detector = make(CYCLE)
    noisy(4, 400, () => 5).forEach((value, at) => void detector.update(at * 1000, value, false))
    assert.equal(make({ ...CYCLE, periodMs: 20_000 } as Method, detector.state).update(401_000, 5, false).deviation, null)
    assert.notEqual(make(CYCLE, detector.state).update(401_000, 5, false).deviation, null)
  })

  it('is quiet on constants, sturdy, and goes on after a restart at any row', () => {
    assertQuietOnConstants(CYCLE)
    assertSturdy(CYCLE)
    assertRestarts(
      CYCLE,
      noisy(6, 700, (n) => 10 * Math.sin((2 * Math.PI * n) / 40) + (n > 600 && n < 620 ? 9 : 0), 0.3),
    )
  })
})
