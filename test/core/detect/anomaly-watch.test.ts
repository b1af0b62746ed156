import assert from 'node:assert/strict'
import { ManualClock } from '../../../core/base/clock.ts'
import { countingIds } from '../../../core/base/id.ts'
import { AnomalyWatch, type WatchSetting } from '../../../core/detect/anomaly-watch.ts'
import { recordAnomaly, standingAnomalies } from '../../../core/detect/record-anomaly.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import { selection } from '../../../core/detect/selection.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { MachineState } from '../../../core/messages/machine-state.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { validateDocument } from '../../../core/messages/validate.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { openStore } from '../../../core/store/open-store.ts'

const UNIT = 'acme/mill-1'

function sample(time: number, value: Sample['value'], signal = 'vibration', equipment = UNIT): Sample {
  return { kind: 'sample', equipment, signal, value, quality: 'good', time, received: time }
}

function machineState(since: number, state: MachineState['state'], mode: MachineState['mode'] = 'Produce'): MachineState {
  return { kind: 'machine-state', equipment: UNIT, state, mode, since, element: null, reason: null, jobOrder: 'jo-7', time: since }
}

interface Made {
  readonly watch: AnomalyWatch
  readonly running: RunningUnits
  readonly forgotten: number[]
  /** Judges a value; the anomaly if one is to be told. */
  readonly judge: (sample: Sample) => Anomaly | undefined
}

function make(setting: Partial<WatchSetting> = {}, saved?: unknown): Made {
  const running = new RunningUnits(['Execute'], 0)
  const forgotten: number[] = []
  const watch = new AnomalyWatch(
    {
      method: { name: 'limits', high: 10 },
      latch: { holdOffMs: 0, clearAfterMs: 0, persistMs: 1e12 },
      maxSignals: 1000,
      running,
      ids: countingIds(),
      select: () => ({}),
      forgotten: (signals) => forgotten.push(signals),
      ...setting,
    },
    saved,
  )
  const judge = (given: Sample): Anomaly | undefined => {
    const track = watch.trackOf(given)
    return track === undefined ? undefined : watch.judge(track, given)
  }
  return { watch, running, forgotten, judge }
}

describe('anomaly watch', () => {
  it('tells raised, updated and cleared with one id, as valid documents', () => {
    const { judge, running } = make()
    running.told(machineState(0, 'Execute'))
    const told = [1, 11, 12, 14, 13, 2, 3].map((value, at) => judge(sample(1000 + at, value))).filter((anomaly) => anomaly !== undefined)
    assert.deepEqual(
      told.map(({ state, id, severity, since, time }) => [state, id, severity, since, time]),
      [
        ['raised', 'an-1', 'medium', 1001, 1001],
        ['updated', 'an-1', 'high', 1001, 1002],
        ['cleared', 'an-1', 'high', 1001, 1005],
      ],
    )
    for (const anomaly of told) validateDocument(anomaly, 'anomaly', 'test')
    assert.deepEqual(told[0]?.context, { jobOrder: 'jo-7' })
    assert.deepEqual(told[0]?.evidence, [{ source: 'limits', value: 11, upper: 10 }])
  })

  it('gives every sample its score and band for charts', () => {
    const { watch, judge } = make()
    judge(sample(1, 10))
    assert.deepEqual(watch.trackOf(sample(1, 10))?.scored(), { score: 0.5, expected: null, lower: null, upper: 10, raised: true })
  })

  it('passes over what is no finite number, bad, late or a repetition', () => {
    const { judge, watch } = make()
    judge(sample(1000, 1))
    for (const given of [
      sample(1001, Number.NaN),
      sample(1002, Number.POSITIVE_INFINITY),
      sample(1003, 'broken'),
      sample(1004, true),
      sample(999, 99),
      sample(1000, 1),
      { ...sample(1005, 99), quality: 'bad' as const },
    ]) {
      assert.equal(judge(given), undefined)
      assert.equal(watch.trackOf(given)?.scored().score, 0)
    }
    assert.equal(judge(sample(1000, 99))?.state, 'raised')
  })

  it('goes on when a clock was set back', () => {
    const { judge } = make()
    judge(sample(1e9, 1))
    const told = Array.from({ length: 20 }, (_, at) => judge(sample(1000 + at, 99)))
    assert.equal(told.filter((anomaly) => anomaly !== undefined).length, 1)
  })

  it('neither learns nor judges while the unit does not run, nor under repair', () => {
    const { judge, running } = make()
    running.told(machineState(0, 'Idle'))
    assert.equal(judge(sample(10, 99)), undefined)
    running.told(machineState(20, 'Execute', 'Maintenance'))
    assert.equal(judge(sample(30, 99)), undefined)
    running.told(machineState(40, 'Execute'))
    assert.equal(judge(sample(35, 99)), undefined)
    assert.equal(judge(sample(50, 99))?.state, 'raised')
    assert.equal(judge(sample(60, 99, 'vibration', 'acme/other'))?.state, 'raised', 'a unit that tells no state is judged always')
  })

  it('learns anew after a repair, and clears the alarm that the repair has answered', () => {
    const { judge, running, watch } = make({ method: { name: 'auto' } })
    running.told(machineState(0, 'Execute'))
    const level = (from: number, count: number, centre: number): Anomaly[] =>
      Array.from({ length: count }, (_, at) => judge(sample((from + at) * 1000, centre + ((at * 37) % 11) / 20))).filter((anomaly) => anomaly !== undefined)
    assert.deepEqual(level(1, 60, 3), [])
    const worn = level(61, 60, 6)
    assert.equal(worn[0]?.state, 'raised')
    running.told(machineState(200_000, 'Execute', 'Maintenance'))
    assert.deepEqual(level(201, 10, 0.3), [])
    running.told(machineState(300_000, 'Execute'))
    const [cleared, ...others] = level(301, 200, 2)
    assert.deepEqual([cleared?.state, cleared?.id, cleared?.evidence[0]?.source], ['cleared', worn[0]?.id, 'repair'])
    validateDocument(cleared, 'anomaly', 'test')
    assert.deepEqual(others, [], 'what is normal now is not held against what was normal when it was worn')
    assert.equal(watch.alarms, 0)
    // and once only: a restart does not learn anew again
    const again = make({ method: { name: 'auto' } }, structuredClone(watch.state))
    const track = again.watch.trackOf(sample(502_000, 2))
    assert.equal(track?.begun, 300_000)
    assert.equal(again.judge(sample(502_000, 2)), undefined)
    assert.notEqual(track?.scored().expected, null)
  })

  it('does not forget a unit that stands still but is heard of', () => {
    const { judge, running, watch, forgotten } = make()
    running.told(machineState(0, 'Idle'))
    judge(sample(1_000_000, 1))
    watch.forgetIdle(999_999)
    assert.deepEqual(forgotten, [])
    assert.equal(watch.signals, 1)
    watch.forgetIdle(1_000_001)
    assert.deepEqual(forgotten, [1])
  })

  it('waits for the unit to settle', () => {
    const running = new RunningUnits(['Execute'], 100)
    running.told(machineState(1000, 'Execute'))
    assert.equal(running.runs(UNIT, 1099), false)
    assert.equal(running.runs(UNIT, 1100), true)
    running.told({ ...machineState(5000, 'Execute'), jobOrder: 'jo-8' })
    assert.equal(running.runs(UNIT, 5001), true, 'it ran all the time')
  })

  it('keeps alarms and what it learned through a restart', () => {
    const first = make({ method: { name: 'auto' } })
    for (let n = 0; n < 400; n++) first.judge(sample(n * 1000, 50 + ((n * 37) % 11) / 5))
    let raised: Anomaly | undefined
    let n = 400
    for (; raised === undefined; n++) raised = first.judge(sample(n * 1000, 90))
    const second = make({ method: { name: 'auto' }, ids: () => 'new' }, JSON.parse(JSON.stringify(first.watch.state)))
    const later = Array.from({ length: 30 }, (_, at) => second.judge(sample((n + at) * 1000, 50))).filter((anomaly) => anomaly !== undefined)
    assert.deepEqual(
      later.map(({ id, state }) => [id, state]),
      [[raised.id, 'cleared']],
    )
  })

  it('begins anew where the saved state is of another method or no state at all', () => {
    const first = make()
    first.judge(sample(1, 99))
    for (const saved of [first.watch.state, 7, null, 'x', { format: 1 }, { format: 2, tracks: [] }]) {
      const other = make({ method: { name: 'rate', maxPerSecond: 1 } }, saved)
      assert.equal(other.judge(sample(2, 0)), undefined)
      assert.equal(other.watch.alarms, 0)
    }
  })

  it('watches thousands of signals and forgets those heard of longest ago, but none in alarm', () => {
    const { watch, judge, forgotten } = make({ maxSignals: 1000 })
    judge(sample(0, 99, 'alarming'))
    for (let n = 0; n < 5000; n++) judge(sample(n + 1, 1, `s${n}`))
    assert.ok(watch.signals <= 1000)
    assert.equal(watch.alarms, 1)
    assert.ok(forgotten.reduce((sum, some) => sum + some, 0) >= 4000)
    assert.equal(judge(sample(9000, 1, 'alarming'))?.state, 'cleared')
  })

  it('stays bounded when a million names come once each, and keeps what has learned and what is in alarm', () => {
    const said = { room: 0, idle: 0 }
    const { watch, judge } = make({ maxSignals: 10_000, forgotten: (signals, why) => void (said[why] += signals) })
    judge(sample(1, 99, 'alarming'))
    for (let round = 0; round < 10; round++) for (let n = 0; n < 5000; n++) judge(sample(round * 1000 + n, 1, `real${n}`))
    for (let n = 0; n < 1_000_000; n++) judge(sample(20_000 + n, 1, `s${n}`, `unit${n % 100}`))
    assert.ok(watch.signals <= 10_000 && watch.signals > 9000)
    assert.equal(said.room, 1_005_001 - watch.signals)
    assert.equal(said.idle, 0)
    const kept = new Set((watch.state as { tracks: [string, [string, unknown][]][] }).tracks.find(([unit]) => unit === UNIT)?.[1].map(([signal]) => signal))
    assert.equal(kept.size, 5001)
    assert.equal(judge(sample(2e6, 1, 'alarming'))?.state, 'cleared')
    const { put, drop } = watch.changes(1e9)
    assert.ok(put.size <= 10_001 && drop.length === 0, 'what was never written needs no removal')
  }).timeout(20_000)

  it('says so when all that it watches is in alarm, and takes on others when an alarm ends', () => {
    const refused: string[] = []
    const { watch, judge } = make({ maxSignals: 3, refused: (equipment, signal) => refused.push(`${equipment}/${signal}`) })
    for (const signal of ['a', 'b', 'c']) assert.equal(judge(sample(1, 99, signal))?.state, 'raised')
    assert.equal(judge(sample(2, 99, 'd')), undefined)
    for (let n = 0; n < 1000; n++) judge(sample(3, 99, `e${n}`))
    assert.deepEqual([watch.isFull, watch.signals, refused.length, refused[0]], [true, 3, 1001, `${UNIT}/d`])
    assert.equal(judge(sample(4, 1, 'b'))?.state, 'cleared')
    assert.equal(judge(sample(5, 99, 'd'))?.state, 'raised')
    assert.deepEqual([watch.isFull, watch.signals, watch.alarms], [false, 3, 3])
    assert.equal(judge(sample(6, 1, 'a'))?.state, 'cleared')
  })

  it('ignores signals that are not selected, without growing', () => {
    let asked = 0
    const select = (): undefined => void asked++
    const { watch, judge } = make({ maxSignals: 100, select })
    for (let n = 0; n < 10_000; n++) assert.equal(judge(sample(n, 99, `s${n}`)), undefined)
    assert.equal(watch.signals, 0)
    assert.ok(watch.ignored <= 100)
    for (let n = 0; n < 100; n++) judge(sample(n, 99, 's9999'))
    assert.equal(asked, 10_000, 'a name is asked for once')
  })

  it('goes on with what it learned when limits or roles change, and clears the alarm of what is watched no more', () => {
    let high: number | undefined = 10
    const ewma = { name: 'auto' } as const
    const { watch, judge } = make({ method: ewma, select: () => (high === undefined ? undefined : { alarm: { high } }) })
    for (let n = 0; n < 100; n++) judge(sample(n, 5 + (n % 7) / 7))
    high = 5.1
    assert.deepEqual(watch.reselect(), [])
    const told = Array.from({ length: 10 }, (_, n) => judge(sample(1000 + n, 5.9))).filter((anomaly) => anomaly !== undefined)
    assert.equal(told[0]?.state, 'raised')
    assert.ok(told[0]?.evidence.some(({ source, upper }) => source === 'limits' && upper === 5.1))
    assert.ok((watch.trackOf(sample(0, 0))?.state.detector.n as number) >= 100)
    high = undefined
    const [cleared] = watch.reselect()
    assert.deepEqual([cleared?.id, cleared?.state, watch.signals], [told[0]?.id, 'cleared', 0])
    validateDocument(cleared, 'anomaly', 'test')
    assert.equal(judge(sample(2000, 99)), undefined)
  })

  it('is not harmed by names that objects have', () => {
    const { judge, watch } = make()
    assert.equal(judge(sample(1, 99, '__proto__', '__proto__'))?.state, 'raised')
    const saved = JSON.parse(JSON.stringify(watch.state))
    assert.equal(make({}, saved).judge(sample(2, 1, '__proto__', '__proto__'))?.state, 'cleared')
    assert.equal(({} as Record<string, unknown>).latch, undefined)
  })
})

describe('selection of signals', () => {
  const plant = checkPlant(
    {
      plant: 'acme',
      equipment: [
        {
          id: UNIT,
          level: 'workUnit',
          signals: [
            { name: 'vibration', role: 'condition', alarm: { high: 7 } },
            { name: 'good', role: 'good-count' },
          ],
        },
      ],
    },
    'test',
  )

  it('is by role, by pattern, or everything', () => {
    const condition = selection({ roles: ['condition'], patterns: [] }, () => plant)
    assert.deepEqual(condition(UNIT, 'vibration'), { alarm: { high: 7 } })
    assert.equal(condition(UNIT, 'good'), undefined)
    assert.equal(condition(UNIT, 'unknown'), undefined)
    assert.ok(selection({ roles: ['all'], patterns: [] }, () => plant)(UNIT, 'good'))
    const pattern = selection({ roles: ['all'], patterns: ['acme/*/vib*', 'acme/mill-1/g.od'] }, undefined)
    assert.ok(pattern('acme/mill-9', 'vibration'))
    assert.equal(pattern('acme/mill-1', 'good'), undefined)
  })
})

describe('anomalies in the store', () => {
  it('are recorded once each, and taken on after a restart', async () => {
    const store = openStore({ file: ':memory:', clock: new ManualClock(5000) })
    const first = make()
    const raised = first.judge(sample(1, 11))
    assert.ok(raised)
    const stored = await recordAnomaly(store, raised, 'node:a')
    assert.deepEqual(await recordAnomaly(store, raised, 'node:a'), stored)
    const updated = first.judge(sample(2, 14))
    assert.ok(updated)
    await recordAnomaly(store, updated, 'node:a')
    // the process ended before its memory was saved
    const second = make({ ids: () => 'other' })
    second.watch.reconcile(await standingAnomalies(store))
    const cleared = second.judge(sample(3, 1))
    assert.ok(cleared)
    assert.equal(cleared.id, raised.id)
    await recordAnomaly(store, cleared, 'node:a')
    assert.deepEqual(await standingAnomalies(store), [])
    assert.deepEqual(
      (await store.events(0, 10)).map(({ type }) => type),
      ['anomaly.raised', 'anomaly.updated', 'anomaly.cleared'],
    )
    // and one whose memory is older than the clearing drops it
    const third = make({ ids: () => 'other' }, JSON.parse(JSON.stringify(first.watch.state)))
    third.watch.reconcile(await standingAnomalies(store))
    assert.equal(third.judge(sample(4, 1)), undefined)
    await store.close()
  })
})
