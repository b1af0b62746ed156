import assert from 'node:assert/strict'
import { ManualClock } from '../../../core/base/clock.ts'
import { countingIds } from '../../../core/base/id.ts'
import { AnomalyWatch } from '../../../core/detect/anomaly-watch.ts'
import type { Method } from '../../../core/detect/methods.ts'
import { DEFAULT_BOUNDS, type Preview, preview } from '../../../core/detect/preview/preview.ts'
import type { DetectionSettings } from '../../../core/detect/preview/replay.ts'
import { storedSignals } from '../../../core/detect/preview/stored-signals.ts'
import { type PreviewPoint, thin } from '../../../core/detect/preview/thin.ts'
import { recordAnomaly } from '../../../core/detect/record-anomaly.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { closeSampleRing, sampleRingOf } from '../../../core/store/sample-ring.ts'
import type { Store } from '../../../core/store/store.ts'
import { AT, BEGIN, END, keepKnownHistory, MILL, STEP_MS, timeOf, vibration } from './support/known-history.ts'

const LATCH = { holdOffMs: 0, clearAfterMs: 60_000, persistMs: 1_800_000 }
const ALL = { equipment: MILL, signal: 'vibration', from: BEGIN, to: END }

function auto(caution = 1): DetectionSettings {
  return { ...limits(undefined), method: { name: 'auto', caution, warmup: 30 } }
}

function limits(high: number | undefined): DetectionSettings {
  return { method: { name: 'limits', high }, latch: LATCH, context: 'none', roles: ['all'], patterns: [], judgeOnlyIn: ['Execute'], settleMs: 0 }
}

describe('preview: what settings would have given', () => {
  let store: Store
  before(async () => {
    store = openStore({ file: ':memory:', clock: new ManualClock(END) })
    await keepKnownHistory(store)
  })
  after(async () => {
    await closeSampleRing(store)
    await store.close()
  })
  const look = (settings: DetectionSettings, view: Partial<typeof ALL> = {}): Promise<Preview> => preview(store, undefined, settings, { ...ALL, ...view })

  it('sees the fault before the stop, and what would have been a false alarm', async () => {
    const { alarms, cost, samples, learned, tooFew, unit, isCut } = await look(auto())
    assert.equal(alarms.length, 2)
    const [bump, fault] = alarms
    assert.ok(bump && bump.since >= timeOf(AT.bump) && bump.since < timeOf(AT.bump + 8) && bump.severity === 'low')
    assert.ok(fault && fault.since > timeOf(AT.fault) && fault.since < timeOf(AT.stop) && fault.severity === 'high')
    // after the repair it is learned anew, and the alarm is over
    assert.equal(fault.until, timeOf(AT.works))
    assert.match(fault.evidence[0] ?? '', /^level \d\.\d+ against \d\.\d+–\d\.\d+$/)
    assert.deepEqual([cost.alarms, cost.beforeStop, cost.stops, cost.score.refused], [2, 1, 2, 1])
    assert.deepEqual([samples, unit, tooFew, isCut], [AT.end, 'mm/s', null, false])
    // it stands still for 80 values, and the first after the repair ends the alarm: they are neither learned nor judged
    assert.equal(learned.all, AT.end - (AT.works - AT.stop) - 1)
  })

  it('counts what a more careful setting saves', async () => {
    const { alarms, cost } = await look(auto(1.5))
    assert.deepEqual([alarms.length, cost.beforeStop, cost.score.refused, cost.score.falsePerWeek], [1, 1, 0, 0])
    assert.ok(cost.alarmsPerWeek !== null && Math.abs(cost.alarmsPerWeek - (7 * 86_400_000) / (END - BEGIN)) < 1e-9)
  })

  it('gives what the running watch gives, score by score', async () => {
    const { points } = await look(auto(), { from: timeOf(AT.fault), to: timeOf(AT.stop) - 1 })
    const watch = new AnomalyWatch({
      method: auto().method,
      latch: LATCH,
      maxSignals: 10,
      running: new RunningUnits(['Execute'], 0),
      ids: countingIds(),
      select: () => ({}),
      forgotten: () => {},
    })
    const scores = vibration()
      .slice(0, AT.stop)
      .map((value, at) => {
        const sample = { kind: 'sample', equipment: MILL, signal: 'vibration', value, quality: 'good', time: timeOf(at), received: timeOf(at) } as const
        const track = watch.trackOf(sample)!
        watch.judge(track, sample)
        return track.scored().score
      })
    assert.deepEqual(
      points.map(({ score }) => score),
      scores.slice(AT.fault),
    )
  })

  it('learns from what lies before the view, and draws only the view', async () => {
    const { learned, points, from, judged } = await look(auto(), { from: timeOf(AT.fault) })
    assert.equal(learned.before, AT.fault)
    assert.deepEqual([points[0]?.time, from], [timeOf(AT.fault), timeOf(AT.fault)])
    assert.equal(judged, points.filter((point) => point.judged).length)
  })

  it('judges only in the states that count', async () => {
    const always = await look({ ...auto(), judgeOnlyIn: ['Execute', 'Aborted'] })
    assert.equal(always.learned.all, AT.end - (AT.works - AT.repair) - 1)
    const settled = await look({ ...auto(), settleMs: 10 * STEP_MS })
    assert.equal(settled.learned.all, AT.end - (AT.works - AT.stop) - 21)
  })

  it('keeps baselines by what was made, as the states say', async () => {
    await store.transaction(async (tx) => {
      for (const [id, product] of [
        ['1', 'shaft'],
        ['2', 'flange'],
      ] as const) {
        const order = {
          kind: 'work-order' as const,
          id: `wo-${id}`,
          type: 'production' as const,
          state: 'Running' as const,
          product,
          due: null,
          quantity: 5,
          unit: 'pcs',
        }
        await tx.save({ ...order, created: BEGIN, updated: BEGIN } as never, { type: 'work-order.created', actor: 'test' })
        const job = { kind: 'job-order' as const, id: `jo-${id}`, workOrder: `wo-${id}`, operation: '10', state: 'Ended' as const, substate: null, quantity: 5 }
        const unset = { equipment: null, lot: null, plannedStart: null, actualStart: null, actualEnd: null }
        await tx.save({ ...job, ...unset, updated: BEGIN } as never, { type: 'job-order.created', actor: 'test' })
      }
    })
    const view = { from: timeOf(AT.nextJob), to: timeOf(AT.nextJob + 100) }
    const judged = async (context: DetectionSettings['context']): Promise<number> => (await look({ ...auto(), context }, view)).judged
    // another product makes it learn anew
    assert.deepEqual([await judged('none'), await judged('state'), await judged('product')], [101, 101, 71])
  })

  it('keeps to a budget of false alarms', async () => {
    const { alarms } = await look({ ...auto(), falseAlarmsAWeek: 1 })
    // the bump is not worth an alarm any more
    assert.equal(alarms.length, 1)
    assert.match(alarms[0]?.evidence.at(-1) ?? '', /^budget 2\.5: threshold 2\.50 times .* for 1\.0 false alarms a week/)
    const shared = await look({ ...auto(), falseAlarmsAWeek: 1 }, { signals: 10 } as never)
    assert.match(shared.alarms[0]?.evidence.at(-1) ?? '', /for 0\.1 false alarms a week/)
  })

  it('hears of cycles from a signal beside it', async () => {
    const other = openStore({ file: ':memory:', clock: new ManualClock(END) })
    const ring = sampleRingOf(other)
    // cycles of 40 s, begun by a counter; in two of them the stroke is missing, which no band around all values would show
    for (let at = 0; at < 1600; at++) {
      const time = BEGIN + at * 1000
      const cycle = Math.floor(at / 40)
      const sample = { kind: 'sample', equipment: MILL, quality: 'good', time, received: time } as const
      const stroke = at % 40 >= 20 && at % 40 < 30 && cycle !== 30 && cycle !== 35
      ring.append({ ...sample, signal: 'force', value: (stroke ? 50 : 20) + Math.sin(at * 1.7) })
      if (at % 40 === 0) ring.append({ ...sample, signal: 'parts', value: cycle })
    }
    const method: Method = { name: 'seasonal', periodMs: 0, bins: 32, threshold: 6, cycle: { signal: 'parts', begins: 'change' } }
    const { alarms } = await preview(other, undefined, { ...auto(), method, latch: { ...LATCH, clearAfterMs: 0 } }, { ...ALL, signal: 'force' })
    await closeSampleRing(other)
    await other.close()
    assert.deepEqual([...new Set(alarms.map(({ since }) => Math.floor((since - BEGIN) / 40_000)))], [30, 35])
  })

  it('says that there is too little to go by', async () => {
    assert.equal((await look(auto(), { signal: 'load', to: timeOf(400) })).tooFew, 'values')
    const seasonal: Method = { name: 'seasonal', periodMs: 86_400_000, bins: 48, threshold: 6 }
    assert.equal((await look({ ...auto(), method: seasonal })).tooFew, 'seasons')
  })

  it('takes on what people said of alarms at that time', async () => {
    const other = openStore({ file: ':memory:', clock: new ManualClock(END) })
    await keepKnownHistory(other)
    const time = timeOf(AT.bump)
    const said: Anomaly = {
      ...{ kind: 'anomaly', id: 'an-1', equipment: MILL, signals: ['vibration'], state: 'cleared', method: 'ewma', score: 0.6, severity: 'low' },
      ...{ since: time, time: time + 10 * STEP_MS, evidence: [], verdict: { decision: 'confirmed', by: 'Ada', time: END } },
    }
    await recordAnomaly(other, said, 'test')
    const scored = async (settings: DetectionSettings): Promise<Preview['cost']['score']> => (await preview(other, undefined, settings, ALL)).cost.score
    // nothing came of it, and yet it was right
    assert.deepEqual([(await look(auto())).cost.score.refused, (await scored(auto())).refused, (await scored(auto())).confirmed], [1, 0, 2])
    await closeSampleRing(other)
    await other.close()
  })

  it('leaves out the oldest values when there is no time for all', async () => {
    let now = 0
    // each look at the clock is 50 ms later: a go of 256 values costs 50 ms
    const slow = { ...DEFAULT_BOUNDS, budgetMs: 200, tick: () => (now += 50) }
    const { isCut, samples, learned } = await preview(store, undefined, auto(), ALL, slow)
    assert.equal(isCut, true)
    assert.equal(samples, AT.end)
    assert.ok(learned.all < 600 && learned.all > 300, String(learned.all))
  })

  it('ends when nobody waits any more', async () => {
    const gone = { ...DEFAULT_BOUNDS, rest: () => Promise.reject(new Error('gone')) }
    await assert.rejects(preview(store, undefined, auto(), ALL, gone), /gone/)
  })

  it('says what is wrong with a question', async () => {
    const code = (expected: string, what: RegExp) => (error: { code: string; what: string }) => error.code === expected && what.test(error.what)
    await assert.rejects(look(auto(), { signal: 'no such' }), code('TAKT_SIGNAL_UNKNOWN', /no numbers of 'no such'/))
    await assert.rejects(look(auto(), { signal: 'program' }), code('TAKT_SIGNAL_UNKNOWN', /no numbers/))
    await assert.rejects(look({ ...auto(), patterns: ['acme/*/load'] }), code('TAKT_SIGNAL_UNKNOWN', /leave 'vibration' out/))
    await assert.rejects(look(limits(undefined)), code('TAKT_CONFIG_INVALID', /no limit is given/))
  })

  it('goes by the limits of the plant model', async () => {
    const equipment = [
      { id: 'acme', level: 'enterprise' },
      { id: 'acme/line-1', level: 'workCenter' },
      { id: MILL, level: 'workUnit', signals: [{ name: 'vibration', role: 'condition', alarm: { high: 3.5 } }] },
    ]
    const plant = checkPlant({ plant: 'acme', equipment } as never, 'test')
    const { alarms, points } = await preview(store, plant, { ...limits(undefined), roles: ['condition'] }, ALL)
    assert.ok(alarms.length >= 1 && alarms.every(({ since }) => since > timeOf(AT.fault)))
    assert.equal(points[0]?.upper, 3.5)
  })

  it('lists the signals that have numbers and are watched', async () => {
    const all = await storedSignals(store, () => true)
    assert.deepEqual(all, {
      signals: [
        { equipment: MILL, signal: 'load' },
        { equipment: MILL, signal: 'vibration' },
      ],
      isMore: false,
    })
    assert.deepEqual((await storedSignals(store, (_unit, signal) => signal === 'load')).signals, [{ equipment: MILL, signal: 'load' }])
    let now = 0
    assert.equal(
      (
        await storedSignals(
          store,
          () => true,
          () => (now += 700),
        )
      ).isMore,
      true,
    )
  })
})

describe('thinning', () => {
  const point = (time: number, value: number, score = 0): PreviewPoint => ({ time, value, expected: null, lower: null, upper: null, score, judged: true })

  it('keeps every extreme and the most unusual value, in order', () => {
    const many = Array.from({ length: 20_000 }, (_value, at) => point(at * 1000, Math.sin(at / 50)))
    many[7777] = point(7777_000, 99)
    many[12_345] = point(12_345_000, -99)
    many[15_000] = point(15_000_000, 0, 0.99)
    const kept = thin(many, 1500)
    assert.ok(kept.length <= 1500 && kept.length > 900, String(kept.length))
    for (const at of [7777, 12_345, 15_000]) assert.ok(kept.includes(many[at]!))
    assert.deepEqual(
      kept,
      kept.toSorted((a, b) => a.time - b.time),
    )
  })

  it('leaves few, equal times and nothing as they are', () => {
    const same = Array.from({ length: 10 }, (_value, at) => point(5, at))
    assert.deepEqual(thin(same, 20), same)
    assert.deepEqual(
      thin(same, 3).map(({ value }) => value),
      [0, 9],
    )
    assert.deepEqual(thin([], 10), [])
  })
})
