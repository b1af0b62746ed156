import assert from 'node:assert/strict'
import { type AlarmScore, type PastAlarm, type PastStop, scoreAlarms } from '../../../../core/detect/scorecard/score-alarms.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const WEEK = { from: 0, to: 7 * DAY, horizonMs: 8 * HOUR }
const MILL = 'acme/line-1/mill-1'

let ids = 0
/** Times in hours; without an end it stands. */
const alarm = (since: number, cleared: number | null = null, verdict?: PastAlarm['verdict'], equipment = MILL): PastAlarm => ({
  id: `an-${++ids}`,
  equipment,
  since: since * HOUR,
  cleared: cleared === null ? null : cleared * HOUR,
  verdict,
})
const failure = (at: number, equipment = MILL): PastStop => ({ equipment, at: at * HOUR, kind: 'failure' })
const repair = (at: number, equipment = MILL): PastStop => ({ equipment, at: at * HOUR, kind: 'repair' })
const counts = ({ confirmed, refused, undecided, stops, foreseen }: AlarmScore): number[] => [confirmed, refused, undecided, stops, foreseen]

describe('scoring alarms', () => {
  it('counts by hand: a week of one mill', () => {
    const score = scoreAlarms(
      [alarm(10, 14), alarm(30, 31), alarm(50, 58, 'refused'), alarm(80, 83, 'confirmed'), alarm(120, 121)],
      // foreseen 4 h before; repaired; averted 2 h after the confirmed alarm; seen by nobody
      [failure(14), repair(15), repair(82), failure(150), repair(151)],
      WEEK,
    )
    // 10: failed. 30: nothing came of it. 50: refused. 80: confirmed. 120: nothing within 8 h
    assert.deepEqual(counts(score), [2, 3, 0, 3, 2])
    assert.equal(score.alarms, 5)
    assert.equal(score.precision, 2 / 5)
    assert.equal(score.recall, 2 / 3)
    assert.deepEqual(score.leadMs, { median: 3 * HOUR, least: 2 * HOUR, most: 4 * HOUR })
    assert.equal(score.falsePerWeek, 3)
  })

  it('says nothing where there is nothing to say', () => {
    const score = scoreAlarms([], [], WEEK)
    assert.deepEqual([score.precision, score.recall, score.leadMs, score.falsePerWeek], [null, null, null, 0])
    assert.equal(scoreAlarms([], [], { ...WEEK, to: 0 }).falsePerWeek, null)
  })

  it('lets a person have the last word, whatever happened', () => {
    assert.deepEqual(counts(scoreAlarms([alarm(10, 11, 'refused')], [failure(12)], WEEK)), [0, 1, 0, 1, 0])
    assert.deepEqual(counts(scoreAlarms([alarm(10, 11, 'confirmed')], [], WEEK)), [1, 0, 0, 0, 0])
  })

  it('does not take the repair that an alarm caused for a proof of it', () => {
    const score = scoreAlarms([alarm(10, 13)], [repair(12)], WEEK)
    assert.deepEqual(counts(score), [0, 0, 1, 0, 0])
    assert.deepEqual([score.precision, score.recall, score.leadMs], [null, null, null])
    assert.deepEqual([score.repaired, score.beforeRepairMs], [1, { median: 2 * HOUR, least: 2 * HOUR, most: 2 * HOUR }])
    // nor does what comes after the repair belong to it
    assert.deepEqual(counts(scoreAlarms([alarm(10, 13)], [repair(12), failure(14)], WEEK)), [0, 0, 1, 1, 0])
  })

  it('takes the repair of a failure for no second stop', () => {
    assert.deepEqual(counts(scoreAlarms([alarm(10, 13, 'confirmed')], [failure(12), repair(12.5)], WEEK)), [1, 0, 0, 1, 1])
  })

  it('knows how far an alarm reaches: the horizon, or as long as it stands', () => {
    assert.deepEqual(counts(scoreAlarms([alarm(10, 11)], [failure(18)], WEEK)), [1, 0, 0, 1, 1])
    assert.deepEqual(counts(scoreAlarms([alarm(10, 11)], [failure(18.1)], WEEK)), [0, 1, 0, 1, 0])
    assert.deepEqual(counts(scoreAlarms([alarm(10, 40)], [failure(40)], WEEK)), [1, 0, 0, 1, 1])
    assert.deepEqual(counts(scoreAlarms([alarm(10)], [failure(100)], WEEK)), [1, 0, 0, 1, 1])
    // one that begins with the failure has foreseen nothing
    assert.deepEqual(counts(scoreAlarms([alarm(10, 11)], [failure(10)], WEEK)), [0, 1, 0, 1, 0])
  })

  it('waits before it calls an alarm false', () => {
    const span = (to: number) => ({ from: 0, to: to * HOUR, horizonMs: 8 * HOUR })
    assert.deepEqual(counts(scoreAlarms([alarm(10, 11)], [], span(18))), [0, 0, 1, 0, 0])
    assert.deepEqual(counts(scoreAlarms([alarm(10, 11)], [], span(18.1))), [0, 1, 0, 0, 0])
    assert.deepEqual(counts(scoreAlarms([alarm(10)], [], span(100))), [0, 0, 1, 0, 0])
    // what came after the span decides about what is in it
    assert.deepEqual(counts(scoreAlarms([alarm(10, 11)], [failure(17)], { ...span(12), knownTo: 20 * HOUR })), [1, 0, 0, 0, 0])
  })

  it('counts alarms that began in the span, and stops that happened in it; an earlier alarm may still have foreseen one', () => {
    const span = { from: 100 * HOUR, to: 124 * HOUR, horizonMs: 8 * HOUR }
    const score = scoreAlarms([alarm(98, 99), alarm(124)], [failure(99.5), repair(99.6), failure(103), failure(124)], span)
    assert.deepEqual(counts(score), [0, 0, 0, 1, 0])
    const earlier = scoreAlarms([alarm(98, 99)], [failure(103)], span)
    assert.deepEqual(counts(earlier), [0, 0, 0, 1, 1])
    assert.deepEqual(earlier.leadMs, { median: 5 * HOUR, least: 5 * HOUR, most: 5 * HOUR })
    assert.equal(scoreAlarms([alarm(101, 102, 'refused')], [], span).falsePerWeek, 7)
  })

  it('measures the lead from the first of several alarms, and keeps units apart', () => {
    const other = 'acme/line-1/mill-10'
    const score = scoreAlarms([alarm(11, 13), alarm(10, 13), alarm(12, 13, undefined, other)], [failure(13), failure(30, other)], WEEK)
    assert.deepEqual(counts(score), [2, 1, 0, 2, 1])
    assert.equal(score.leadMs?.median, 3 * HOUR)
  })
})
