import assert from 'node:assert/strict'
import { groupSet } from '../../../bench/support/group-sets.ts'
import { GroupRows } from '../../../core/detect/group/group-rows.ts'
import { GroupWatch, type GroupWatchSetting } from '../../../core/detect/group/group-watch.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { Sample } from '../../../core/messages/sample.ts'

const UNIT = 'acme/pump-1'
const NAMES = ['flow', 'pressure', 'current', 'speed']

describe('rows of a group', () => {
  const rows = (everyMs = 0, holdMs = 5000): GroupRows => new GroupRows({ size: 2, everyMs, holdMs })
  const taken = (row: Float64Array | undefined): number[] | undefined => (row === undefined ? undefined : [...row])

  it('has one of each signal, whatever their order', () => {
    const group = rows()
    assert.equal(group.take(1, 1000, 10), undefined)
    assert.equal(group.take(0, 1000, 1), undefined)
    assert.deepEqual(taken(group.take(0, 2000, 2)), [1, 10])
    assert.equal(group.time, 1000)
    assert.equal(group.take(1, 2000, 20), undefined)
    assert.deepEqual(taken(group.take(1, 3000, 30)), [2, 20])
  })

  it('holds the last value of the slower one, not longer than it may', () => {
    const group = rows()
    group.take(1, 1000, 10)
    group.take(0, 1000, 1)
    assert.deepEqual(taken(group.take(0, 4000, 2)), [1, 10])
    assert.deepEqual(taken(group.take(0, 6000, 3)), [2, 10])
    assert.deepEqual(taken(group.take(0, 6500, 4)), [3, 10])
    assert.deepEqual(taken(group.take(0, 7000, 5)), [4, Number.NaN])
  })

  it('gathers over an interval', () => {
    const group = rows(10_000, 60_000)
    for (let at = 0; at < 10; at++) assert.equal(group.take(at % 2, 1000 * at, at), undefined)
    assert.deepEqual(taken(group.take(0, 10_000, 99)), [8, 9])
  })

  it('passes over what is late, repeated or no number, until a clock was set back for good', () => {
    const group = rows()
    group.take(0, 100_000, 1)
    group.take(1, 100_000, 1)
    for (const [time, value] of [
      [100_000, 5],
      [90_000, 5],
      [Number.NaN, 5],
      [101_000, Number.NaN],
      [101_000, 'x' as never],
    ] as const)
      assert.equal(group.take(0, time, value), undefined)
    assert.deepEqual(taken(group.take(0, 101_000, 2)), [1, 1])
    let row: number[] | undefined
    for (let at = 0; at < 300 && row === undefined; at++) {
      row = taken(group.take(0, 1000 + at, at))
      group.take(1, 1000 + at, at)
    }
    assert.ok(row !== undefined && group.time < 2000)
  })

  it('goes on from its state', () => {
    const group = rows()
    group.take(0, 1000, 1)
    group.take(1, 1000, 10)
    group.take(0, 2000, 2)
    const again = new GroupRows({ size: 2, everyMs: 0, holdMs: 5000 }, JSON.parse(JSON.stringify(group.state)))
    for (const one of [group, again]) {
      one.take(1, 2000, 20)
      assert.deepEqual(taken(one.take(0, 3000, 3)), [2, 20])
    }
  })
})

describe('group watch', () => {
  const set = groupSet({ seed: 14, size: 4, rows: 400, from: 300, to: 400, fault: 'level', strength: 8, memory: [0.2, 0.6], warming: 0 })
  let ids = 0
  const setting = (): GroupWatchSetting => ({
    equipment: UNIT,
    topics: NAMES.map((name) => `${UNIT}/${name}`),
    caution: 1.3,
    everyMs: 0,
    holdMs: 60_000,
    latch: { holdOffMs: 0, clearAfterMs: 0, persistMs: 3_600_000 },
    running: new RunningUnits(['Execute'], 0),
    ids: () => `an-${++ids}`,
  })
  const feed = (watch: GroupWatch, from: number, to: number, again?: () => GroupWatch): Array<Anomaly | number | null> => {
    const said: Array<Anomaly | number | null> = []
    let current = watch
    for (let at = from; at < to; at++) {
      NAMES.forEach((signal, i) => {
        const sample: Sample = { kind: 'sample', equipment: UNIT, signal, value: set[at]?.values[i] ?? 0, quality: 'good', time: 1000 * (at + 1), received: 0 }
        const judged = current.take(sample)
        if (judged === undefined) return
        said.push(judged.scored.score)
        if (judged.anomaly !== undefined) said.push({ ...judged.anomaly, id: '' })
      })
      if (again !== undefined) current = again()
    }
    return said
  }

  it('says the same after a restart at any row', () => {
    const whole = feed(new GroupWatch(setting()), 0, 400)
    assert.ok(whole.some((said) => typeof said === 'object' && said?.state === 'raised'))
    let watch = new GroupWatch(setting())
    const parts: unknown[] = []
    for (let at = 0; at < 400; at++) {
      parts.push(...feed(watch, at, at + 1))
      watch = new GroupWatch(setting(), JSON.parse(JSON.stringify(watch.state)))
    }
    assert.deepEqual(parts, whole)
  })

  it('takes on an alarm that stands in the store, drops one that does not, and leaves those of others alone', () => {
    const watch = new GroupWatch(setting())
    feed(watch, 0, 330)
    assert.ok(watch.raised)
    const saved = watch.state
    const dropped = new GroupWatch(setting(), saved)
    dropped.reconcile([])
    assert.equal(dropped.raised, false)
    const lost: Anomaly = {
      kind: 'anomaly',
      id: 'an-lost',
      equipment: UNIT,
      signals: ['flow'],
      state: 'raised',
      method: 'group',
      score: 0.9,
      severity: 'low',
      since: 1,
      time: 1,
      evidence: [],
    }
    const others = new GroupWatch(setting())
    others.reconcile([
      { ...lost, method: 'auto' },
      { ...lost, equipment: 'acme/pump-2' },
      { ...lost, signals: ['torque'] },
    ])
    assert.equal(others.raised, false)
    const taken = new GroupWatch(setting())
    taken.reconcile([lost])
    assert.ok(taken.raised)
    assert.equal(taken.forget(5, 'retrain', 'x')?.anomaly?.id, 'an-lost')
  })

  it('has no use for the memory of other signals', () => {
    const watch = new GroupWatch(setting())
    feed(watch, 0, 100)
    assert.ok(watch.learned > 50)
    assert.equal(new GroupWatch({ ...setting(), topics: NAMES.slice(1).map((name) => `${UNIT}/${name}`) }, watch.state).learned, 0)
  })
})
