import assert from 'node:assert/strict'
import { ManualClock } from '../../../core/base/clock.ts'
import { countingIds } from '../../../core/base/id.ts'
import { AnomalyWatch, type WatchSetting } from '../../../core/detect/anomaly-watch.ts'
import { AlarmLog } from '../../../core/detect/challenger/alarm-log.ts'
import { Challenger, type ChallengerSetting } from '../../../core/detect/challenger/challenger.ts'
import { settleChallenger } from '../../../core/detect/challenger/challenger-record.ts'
import { withVerdicts } from '../../../core/detect/challenger/verdicts.ts'
import { storeRecords } from '../../../core/detect/record-memory.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import { WatchKeeper } from '../../../core/detect/watch-keeper.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'
import { AT, BEGIN, END, keepKnownHistory, MILL, timeOf, vibration } from './support/known-history.ts'

const LATCH = { holdOffMs: 0, clearAfterMs: 60_000, persistMs: 1e12 }

function sample(at: number, value: number): Sample {
  const time = timeOf(at)
  return { kind: 'sample', equipment: MILL, signal: 'vibration', value, quality: 'good', time, received: time }
}

describe('a challenger in shadow', () => {
  let store: Store
  let clock: ManualClock
  beforeEach(() => {
    clock = new ManualClock(BEGIN)
    store = openStore({ file: ':memory:', clock })
  })
  afterEach(() => store.close())

  const ids = countingIds()
  const own = (): ReturnType<typeof storeRecords> => storeRecords(store, 'n1')
  const memory = (): ReturnType<typeof storeRecords> => storeRecords(store, 'n1/shadow')
  const setting = (high: number): ChallengerSetting => ({
    ...{ method: { name: 'limits', high }, latch: LATCH, maxSignals: 100, select: () => ({}), context: 'none', judgeOnlyIn: ['Execute'], settleMs: 0 },
    ...{ key: `limits ${high}`, memory: memory(), ids, failed: (thrown: unknown) => assert.fail(String(thrown)), now: () => clock.now() },
  })
  const open = async (made: ChallengerSetting): Promise<Challenger> => {
    const challenger = new Challenger(made, await settleChallenger(own(), memory(), 'limits 3.9', made.key))
    await challenger.open()
    return challenger
  }
  const auto = (key: string): ChallengerSetting => ({ ...setting(0), method: { name: 'auto', caution: 1, warmup: 30 }, key })
  /** the running detector: limits at 3.9 */
  const incumbent = (high = 3.9, other: Partial<WatchSetting> = {}): AnomalyWatch =>
    new AnomalyWatch({
      ...{ method: { name: 'limits', high }, latch: LATCH, maxSignals: 100, running: new RunningUnits(['Execute'], 0) },
      ...{ ids: (prefix) => `run-${prefix}-${high}`, select: () => ({}), forgotten: () => {} },
      ...other,
    })
  const feed = (challenger: Challenger, watch: AnomalyWatch, from: number, to: number): void => {
    for (const [index, value] of vibration().slice(from, to).entries()) {
      const given = sample(from + index, value)
      clock.advance(given.time - clock.now())
      challenger.judge(given)
      const told = watch.judge(watch.trackOf(given)!, given)
      if (told !== undefined) challenger.incumbent([told])
    }
  }

  it('judges the same values, raises nothing in the store, and is scored against the same stops', async () => {
    await keepKnownHistory(store)
    const challenger = await open(setting(2.75))
    feed(challenger, incumbent(), 0, AT.end)
    assert.deepEqual(challenger.judge(sample(AT.end, 5)), { score: 1, raised: true })
    assert.deepEqual(challenger.judge({ ...sample(AT.end + 1, 2), signal: 'text', value: 'on' }), undefined)
    const { running, shadow, from, to } = await challenger.duel(store)
    assert.deepEqual([from, to], [BEGIN, END])
    // the running one knows of the fault, the challenger of the bump too, of which nothing came
    assert.deepEqual([running.alarms, running.confirmed, running.refused, running.recall], [1, 1, 0, 1])
    assert.equal(shadow.recall, 1)
    assert.ok(shadow.refused >= 1 && shadow.alarms > running.alarms)
    assert.ok(shadow.leadMs!.median > running.leadMs!.median)
    assert.deepEqual(await store.list('anomaly'), [])
  })

  it('goes on after a restart as if there had been none', async () => {
    const whole = await open(auto('a'))
    const watch = incumbent()
    feed(whole, watch, 0, AT.stop)
    const expected = await whole.duel(undefined)
    await memory().remove()

    clock = new ManualClock(BEGIN)
    const first = await open(auto('a'))
    const again = incumbent()
    feed(first, again, 0, 1590)
    await first.saveAll()
    const second = await open(auto('a'))
    feed(second, again, 1590, AT.stop)
    assert.deepEqual(await second.duel(undefined), expected)
    assert.ok(expected.shadow.alarms > 0)
  })

  it('begins anew with other settings, and leaves nothing when there is none any more', async () => {
    const first = await open(auto('a'))
    feed(first, incumbent(), 0, 100)
    await first.saveAll()
    assert.ok((await memory().load()).size > 0)
    const other = await open(setting(2.75))
    assert.equal((await other.duel(undefined)).from, timeOf(99))
    await other.saveAll()
    assert.equal((await settleChallenger(own(), memory(), 'limits 3.9', undefined)).size, 0)
    assert.equal((await memory().load()).size, 0)
  })

  it('takes over with what it has learned, and raises what only it knew of', async () => {
    const challenger = await open(auto('a'))
    feed(challenger, incumbent(), 0, AT.stop - 5)
    await challenger.saveAll()
    // the running one has records of its own, and others keep theirs beside
    await own().write({
      put: new Map<string, unknown>([
        ['detector', 1],
        ['["old","signal"]', {}],
        ['about', { format: 2, method: 'limits' }],
      ]),
      drop: [],
    })

    assert.equal((await settleChallenger(own(), memory(), 'a', undefined)).size, 0)
    assert.equal((await memory().load()).size, 0)
    assert.deepEqual([...(await own().load()).keys()].sort(), [JSON.stringify([MILL, 'vibration']), 'about', 'detector'].sort())
    const keeper = new WatchKeeper({
      memory: own(),
      make: (saved) =>
        new AnomalyWatch(
          {
            method: { name: 'auto', caution: 1, warmup: 30 },
            latch: LATCH,
            maxSignals: 10,
            running: new RunningUnits([], 0),
            ids: countingIds(),
            select: () => ({}),
            forgotten: () => {},
          },
          saved,
        ),
      failed: (thrown) => assert.fail(String(thrown)),
      now: () => clock.now(),
    })
    const watch = await keeper.open()
    const told: Array<Anomaly | undefined> = []
    for (let at = AT.stop - 5; at < AT.stop; at++) {
      const given = sample(at, vibration()[at]!)
      told.push(watch.judge(watch.trackOf(given)!, given))
    }
    // three values in a row, and no warm-up
    assert.equal(
      told.findIndex((anomaly) => anomaly?.state === 'raised'),
      2,
    )
  })

  it('obeys what the running one is told', async () => {
    const challenger = await open(setting(2.75))
    challenger.judge(sample(0, 9))
    challenger.command({ command: 'retrain' })
    assert.deepEqual(challenger.judge(sample(1, 2)), { score: 0, raised: false })
    challenger.told({
      kind: 'machine-state',
      equipment: MILL,
      state: 'Held',
      mode: 'Produce',
      since: timeOf(2),
      element: null,
      reason: null,
      jobOrder: null,
      time: timeOf(2),
    })
    assert.deepEqual(challenger.judge(sample(3, 9)), { score: 0, raised: false })
  })

  it('learns from what people say of the alarms of the running one', async () => {
    const after = async (id: string): Promise<number> => {
      await memory().remove()
      clock = new ManualClock(BEGIN)
      const challenger = await open({ ...auto(`of ${id}`), falseAlarmsAWeek: 1 })
      feed(challenger, incumbent(), 0, 300)
      for (let at = 300; at < 320; at++) challenger.judge(sample(at, 3.9))
      const { time } = sample(320, 0)
      const theirs = { kind: 'anomaly', id: 'theirs', equipment: MILL, state: 'raised', method: 'limits', score: 1, severity: 'low' } as const
      challenger.incumbent([{ ...theirs, signals: ['vibration'], since: time, time, evidence: [] }])
      challenger.said(id, 'confirmed')
      return challenger.judge(sample(321, 3.9))!.score
    }
    // an alarm that was right spends nothing of the budget, so the threshold is lower again

    assert.ok((await after('theirs')) > (await after('another')) + 0.01)
  })

  it('is compared only over the time of which both are whole', async () => {
    const log = new AlarmLog({ alarms: [], from: 10 })
    for (let at = 0; at < 510; at++)
      log.take({
        ...{ kind: 'anomaly', id: `a${at}`, equipment: MILL, signals: ['x'], state: 'cleared', method: 'limits', score: 1, severity: 'low' },
        ...{ since: 100 + at, time: 101 + at, evidence: [] },
      })
    assert.deepEqual([log.alarms.length, log.from, log.alarms[0]?.since], [500, 110, 110])
  })
})

describe('what people said of alarms', () => {
  const alarm = { id: 'x', equipment: MILL, signal: 'a', since: 100, cleared: 200 as number | null }
  const verdict = { equipment: MILL, signal: 'a', since: 150, cleared: 250 as number | null, decision: 'refused' as const }
  const decided = (alarms: (typeof alarm)[], verdicts: (typeof verdict)[]): unknown[] => withVerdicts(alarms, verdicts).map((found) => found.verdict)

  it('is taken on where alarms overlap, on the same signal', () => {
    assert.deepEqual(decided([alarm], [verdict]), ['refused'])
    assert.deepEqual(decided([alarm], [{ ...verdict, since: 201 }]), [undefined])
    assert.deepEqual(decided([{ ...alarm, cleared: null }], [{ ...verdict, since: 999 }]), ['refused'])
    assert.deepEqual(decided([{ ...alarm, since: 300, cleared: null }], [verdict]), [undefined])
    assert.deepEqual(decided([alarm], [{ ...verdict, signal: 'b' }]), [undefined])
    assert.deepEqual(decided([alarm], []), [undefined])
  })
})
