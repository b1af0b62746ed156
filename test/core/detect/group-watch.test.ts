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
    learnFor: { rows: 200, ms: 0 },
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

  describe('while it learns, and when it is young', () => {
    const UNITS = 3
    /** Signals that wander over hundreds of rows, where a judgement after twenty rows is a guess; a step of 8 standard deviations for all that is after `stepAt`. */
    const slowly = (seed: number, rows: number, stepAt = rows, memory: readonly [number, number] = [0.95, 0.998]): number[][] =>
      groupSet({ seed, size: UNITS, rows, from: stepAt, to: rows, fault: 'level', strength: 8, memory, warming: 0 }).map(({ values }) => values)
    const young = (learnRows: number, ms = 0): GroupWatch =>
      new GroupWatch({ ...setting(), topics: NAMES.slice(0, UNITS).map((name) => `${UNIT}/${name}`), learnFor: { rows: learnRows, ms } })
    const live = (watch: GroupWatch, rows: readonly number[][], from = 0): Anomaly[] =>
      rows.flatMap((values, at) =>
        values.flatMap((value, i) => {
          const time = 1000 * (from + at + 1)
          const judged = watch.take({ kind: 'sample', equipment: UNIT, signal: NAMES[i] ?? '', value, quality: 'good', time, received: 0 })
          return judged?.anomaly === undefined ? [] : [judged.anomaly]
        }),
      )

    it('raises nothing, says how far it is, and is wrong less often afterwards', () => {
      const raised = { early: 0, ripe: 0 }
      for (let seed = 500; seed < 508; seed++) {
        const rows = slowly(seed, 3000)
        const watch = young(300)
        assert.equal(watch.learning, '0/300')
        assert.deepEqual(live(watch, rows.slice(0, 300)), [])
        assert.equal(watch.learning, '299/300')
        raised.ripe += live(watch, rows.slice(300), 300).filter(({ state }) => state === 'raised').length
        assert.equal(watch.learning, '')
        raised.early += live(young(20), rows).filter(({ state }) => state === 'raised').length
      }
      assert.ok(raised.ripe <= 6, `${raised.ripe} false alarms in 21,600 rows`)
      assert.ok(raised.early >= 2 * raised.ripe, `${raised.early} without a learning time, ${raised.ripe} with one`)
    })

    it('learns for a time that the unit ran, where it is told so', () => {
      const watch = young(60, 200_000)
      live(watch, slowly(1, 100))
      assert.equal(watch.learning, '1.6/3.3 min')
      // a pause teaches no more than the time that a value is held
      live(watch, slowly(1, 2), 100_000)
      assert.equal(watch.learning, '2.7/3.3 min')
    })

    it('does not let an alarm stand for ever on little that was learned: what stays is learned anew, and said so', () => {
      const watch = young(100)
      const said = live(watch, slowly(3, 1200, 200))
      const [raised, cleared] = said
      assert.equal(raised?.state, 'raised')
      const anew = said.findIndex(({ evidence }) => evidence[0]?.source === 'learned-anew')
      assert.ok(anew > 0 && cleared !== undefined, JSON.stringify(said.map(({ state, time }) => [state, time])))
      assert.equal(said[anew]?.state, 'cleared')
      const stood = (said[anew]!.time - said[anew]!.since) / 1000
      assert.ok(stood >= 300 && stood <= 450, `it stood for ${stood} rows`)
      assert.equal(watch.raised, false)
    })

    it('keeps an alarm on what is well known, and asks a person', () => {
      const watch = young(60)
      const rows = slowly(4, 3000, 900, [0.2, 0.6])
      live(watch, rows.slice(0, 1000))
      assert.deepEqual([watch.raised, watch.asksPerson], [true, false])
      live(watch, rows.slice(1000), 1000)
      assert.deepEqual([watch.raised, watch.asksPerson], [true, true])
      assert.equal(watch.forget(1, 'retrain', 'x')?.anomaly?.state, 'cleared')
      assert.deepEqual([watch.raised, watch.asksPerson, watch.learning], [false, false, '0/60'])
    })
  })
})
