import assert from 'node:assert/strict'
import type { ManualClock } from '../../../core/base/clock.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { Autonomy } from '../../../core/messages/common.ts'
import type { Disruption } from '../../../core/messages/disruption.ts'
import type { Prognosis } from '../../../core/messages/prognosis.ts'
import { commandJobOrder } from '../../../core/orders/control-work-order.ts'
import { DisruptionDesk } from '../../../core/orders/disruption/disruption-desk.ts'
import { DISRUPTION_DEFAULTS, type DisruptionSettings } from '../../../core/orders/disruption/settings.ts'
import type { UnitState } from '../../../core/orders/follow-machine.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, memoryStore, plant, show, tester } from './fixture.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.parse('2026-03-02T10:00:00+01:00')

describe('disruptions', () => {
  let store: Store
  let clock: ManualClock
  let desk: DisruptionDesk
  let told: Disruption[]
  let failures: unknown[]

  function open(autonomy: Autonomy = 'auto', settings: Partial<DisruptionSettings> = {}): DisruptionDesk {
    return new DisruptionDesk({
      store,
      plant: () => plant,
      clock,
      settings: { ...DISRUPTION_DEFAULTS, persistMs: 10 * MINUTE, ...settings },
      autonomy,
      actor: 'test',
      changed: (disruption) => told.push(disruption),
      failed: (thrown) => failures.push(thrown),
    })
  }
  beforeEach(() => {
    ;({ store, clock } = memoryStore(START))
    told = []
    failures = []
    desk = open()
  })
  afterEach(async () => {
    desk.stop()
    await store.close()
    assert.deepEqual(failures, [])
  })

  const anomaly = (more: Partial<Anomaly> = {}): Anomaly => ({
    kind: 'anomaly',
    id: 'an-1',
    equipment: 'p/mill-1',
    signals: ['vibration'],
    state: 'raised',
    method: 'auto',
    score: 0.97,
    severity: 'high',
    since: START - 12 * MINUTE,
    time: START,
    evidence: [{ source: 'range', value: 5.9, expected: 3.1, lower: 2.2, upper: 4 }],
    ...more,
  })
  const unit = (state: UnitState['state'], more: Partial<UnitState> = {}): UnitState => ({
    equipment: 'p/mill-1',
    state,
    mode: 'Produce',
    jobOrder: null,
    since: START,
    ...more,
  })
  const repairs = () => store.list('work-order', { where: { type: 'maintenance' }, orderBy: 'id' })
  const repairJob = async () => (await store.list('job-order', { where: { operation: 'maintenance' }, orderBy: 'id' })).at(-1)!
  const stored = () => store.list('disruption', { orderBy: 'time' })
  const statuses = async () => (await stored()).map(({ action, status }) => `${action} ${status}`)
  /** The repair is done, and ended at the present time. */
  async function repaired(): Promise<void> {
    const { id } = await repairJob()
    await show(store, 'p/mill-1', 'Execute', id, { mode: 'Maintenance', since: clock.now() })
    await show(store, 'p/mill-1', 'Complete', id, { since: clock.now() })
  }

  it('ask for a repair, in one sentence with its numbers', async () => {
    await desk.anomaly(anomaly())
    const [disruption] = told
    assert.equal(disruption?.status, 'acted')
    assert.equal(disruption.why, 'vibration of mill-1 is 5.9 against 2.2–4 expected, for 12 min (score 0.97, severity high): repair mill-1 before 14:00')
    assert.equal(disruption.deadline, START + 4 * HOUR)
    const [order] = await repairs()
    assert.equal(disruption.maintenanceOrder, order?.id)
    assert.deepEqual([(await repairJob()).deadline, (await repairJob()).maintenance], [START + 4 * HOUR, 'planned'])
  })

  it('ask for one repair however many alarms there are', async () => {
    for (let alarm = 0; alarm < 20; alarm++) await desk.anomaly(anomaly({ id: `an-${alarm}`, signals: [`signal-${alarm}`] }))
    await desk.anomaly(anomaly({ state: 'updated' }))
    await desk.machineState(unit('Aborted'))
    await desk.machineState(unit('Aborted', { since: START + 1 }))
    await desk.anomaly(anomaly({ id: 'an-99' }))
    assert.equal((await repairs()).length, 1)
    assert.deepEqual((await statuses()).sort(), ['maintain-before acted', 'repair-now acted'])
    assert.equal((await repairJob()).maintenance, 'unplanned')
    const [first, second] = await stored()
    assert.equal(first?.maintenanceOrder, second?.maintenanceOrder)
    const stop = (await stored()).find(({ action }) => action === 'repair-now')
    assert.deepEqual(stop?.unavailable, { from: START, to: null })
  })

  it('pass over what is not severe or not certain enough', async () => {
    await desk.anomaly(anomaly({ severity: 'low' }))
    await desk.anomaly(anomaly({ score: 0.4 }))
    assert.deepEqual(await stored(), [])
  })

  it('wait until an anomaly has stood for long enough', async () => {
    await desk.anomaly(anomaly({ since: START }))
    assert.equal(told.length, 0)
    clock.advance(10 * MINUTE - 1)
    await store.transaction(async () => {})
    assert.equal(told.length, 0)
    clock.advance(1)
    await store.transaction(async () => {})
    assert.equal(told.length, 1)
  })

  it('forget an anomaly that clears before that', async () => {
    await desk.anomaly(anomaly({ since: START }))
    await desk.anomaly(anomaly({ state: 'cleared', time: START + MINUTE }))
    clock.advance(HOUR)
    await store.transaction(async () => {})
    assert.deepEqual(await stored(), [])
  })

  it('become more urgent with their anomaly', async () => {
    await desk.anomaly(anomaly({ severity: 'medium' }))
    assert.equal(told.at(-1)?.deadline, START + 8 * HOUR)
    clock.advance(MINUTE)
    await desk.anomaly(anomaly({ state: 'updated', severity: 'high' }))
    assert.equal(told.at(-1)?.deadline, START + MINUTE + 4 * HOUR)
    assert.equal((await repairJob()).deadline, START + MINUTE + 4 * HOUR)
    assert.equal((await stored()).length, 1)
  })

  describe('with autonomy approve', () => {
    beforeEach(() => {
      desk = open('approve')
    })

    it('are proposed, and acted on when a person accepts', async () => {
      await desk.anomaly(anomaly())
      assert.equal(told[0]?.status, 'proposed')
      assert.deepEqual(await repairs(), [])
      await desk.answer('dis-an-1-high', 'accept', 'Anna')
      assert.deepEqual([told[1]?.status, told[1]?.decidedBy], ['acted', 'Anna'])
      assert.equal((await repairs()).length, 1)
      await desk.answer('dis-an-1-high', 'accept', 'Ben')
      assert.equal((await repairs()).length, 1)
      const types = (await store.events(0, 100)).map(({ type }) => type).filter((type) => type.startsWith('disruption'))
      assert.deepEqual(types, ['disruption.proposed', 'disruption.accepted', 'disruption.acted'])
      assert.equal(await code(desk.answer('dis-an-1-high', 'refuse', 'Ben')), 'TAKT_DISRUPTION_DECIDED')
      assert.equal(await code(desk.answer('dis-0', 'accept', 'Ben')), 'TAKT_DISRUPTION_UNKNOWN')
    })

    it('that were refused come again only when it gets worse', async () => {
      await desk.anomaly(anomaly({ severity: 'medium' }))
      await desk.answer('dis-an-1-medium', 'refuse', 'Anna', 'it always sounds like that')
      await desk.anomaly(anomaly({ severity: 'medium', state: 'updated' }))
      assert.deepEqual(await statuses(), ['maintain-before refused'])
      await desk.anomaly(anomaly({ severity: 'high', state: 'updated' }))
      assert.deepEqual((await statuses()).sort(), ['maintain-before proposed', 'maintain-before refused'])
    })

    it('are withdrawn when the anomaly clears before anybody answered; another one that stands takes their place', async () => {
      await desk.anomaly(anomaly())
      await desk.anomaly(anomaly({ id: 'an-2', signals: ['load'] }))
      assert.equal(told.length, 1)
      clock.advance(5 * MINUTE)
      await desk.anomaly(anomaly({ state: 'cleared', time: clock.now() }))
      assert.deepEqual(
        told.map(({ id, status }) => `${id} ${status}`),
        ['dis-an-1-high proposed', 'dis-an-1-high withdrawn', 'dis-an-2-high proposed'],
      )
      assert.match(told[1]?.why ?? '', /withdrawn: the anomaly cleared at 10:05$/)
    })

    it('are overtaken by a failure', async () => {
      await desk.anomaly(anomaly())
      await desk.machineState(unit('Aborted', { since: START + MINUTE, jobOrder: 'jo-1' }))
      assert.deepEqual(
        told.map(({ action, status }) => `${action} ${status}`),
        ['maintain-before proposed', 'maintain-before withdrawn', 'repair-now proposed'],
      )
      assert.equal(told[2]?.why, 'mill-1 fell into Aborted with jo-1 at 10:01: repair it now; it takes no work until then')
    })

    it('need no second approval when the unit fails before its agreed repair', async () => {
      await desk.anomaly(anomaly())
      await desk.answer('dis-an-1-high', 'accept', 'Anna')
      await desk.machineState(unit('Aborted'))
      assert.deepEqual((await statuses()).sort(), ['maintain-before acted', 'repair-now acted'])
      assert.equal((await repairJob()).maintenance, 'unplanned')
    })
  })

  it('act on nothing in shadow, and are looked at again when that ends', async () => {
    desk = open('shadow')
    await desk.anomaly(anomaly())
    assert.deepEqual([told[0]?.status, told[0]?.autonomy], ['proposed', 'shadow'])
    assert.equal(await code(desk.answer('dis-an-1-high', 'accept', 'Anna')), 'TAKT_DISRUPTION_SHADOW')
    assert.deepEqual(await repairs(), [])
    await desk.setAutonomy('auto')
    assert.deepEqual(await statuses(), ['maintain-before acted'])
    assert.equal((await repairs()).length, 1)
  })

  describe('that came of an alarm which a person calls false', () => {
    const refused = (more: Partial<Anomaly> = {}) => anomaly({ verdict: { decision: 'refused', by: 'eva', time: START, why: 'a fork lift' }, ...more })

    it('are refused where they were only proposed', async () => {
      desk = open('approve')
      await desk.anomaly(anomaly())
      await desk.anomaly(refused())
      const [disruption] = await stored()
      assert.deepEqual([disruption?.status, disruption?.decidedBy], ['refused', 'eva'])
      const event = (await store.events(0, 100)).findLast(({ type }) => type === 'disruption.refused')
      assert.equal(event?.why, 'refused by eva: the alarm is false: a fork lift')
      await desk.anomaly(refused({ state: 'updated' }))
      assert.equal(told.length, 2)
    })

    it('are withdrawn with their repair as long as that has not begun', async () => {
      await desk.anomaly(anomaly())
      await desk.anomaly(refused())
      assert.deepEqual(await statuses(), ['maintain-before withdrawn'])
      assert.equal((await repairs())[0]?.state, 'Canceled')
      assert.match((await stored())[0]?.why ?? '', /withdrawn: eva says that the alarm is false: a fork lift$/)
    })

    it('stay when the repair has begun', async () => {
      await desk.anomaly(anomaly())
      const { id } = await repairJob()
      await store.transaction((tx) => commandJobOrder(tx, id, 'Start', { actor: 'dispatch' }))
      await show(store, 'p/mill-1', 'Execute', id, { mode: 'Maintenance', since: clock.now() })
      await desk.anomaly(refused())
      assert.deepEqual(await statuses(), ['maintain-before acted'])
      assert.equal((await repairs())[0]?.state, 'Running')
    })

    it('make room for another alarm that had stood back', async () => {
      await desk.anomaly(anomaly())
      await desk.anomaly(anomaly({ id: 'an-2', signals: ['load'] }))
      await desk.anomaly(refused())
      assert.deepEqual((await stored()).map(({ cause, status }) => [cause.anomaly, status]).sort(), [
        ['an-1', 'withdrawn'],
        ['an-2', 'acted'],
      ])
    })

    it('count against the budget, unless somebody confirms the alarm', async () => {
      const say = (id: string, type: string) => store.transaction((tx) => tx.record({ type, subject: id, actor: 'test' }).then(() => {}))
      desk = open('auto', { falseAlarmBudget: 2 })
      await say('an-7', 'anomaly.refused')
      await say('an-8', 'anomaly.refused')
      await say('an-8', 'anomaly.confirmed')
      await desk.anomaly(anomaly())
      assert.equal(told.at(-1)?.status, 'acted')
      await say('an-1', 'anomaly.refused')
      await desk.anomaly(refused())
      await desk.anomaly(anomaly({ id: 'an-9' }))
      assert.deepEqual([told.at(-1)?.status, told.at(-1)?.cause.anomaly], ['proposed', 'an-9'])
      assert.match(told.at(-1)?.why ?? '', /2 alarms of the last week were false/)
    })
  })

  it('only propose when too many alarms of the week were false; a failure is no alarm', async () => {
    desk = open('approve', { falseAlarmBudget: 2 })
    for (const id of ['an-1', 'an-2']) {
      await desk.anomaly(anomaly({ id }))
      await desk.answer(`dis-${id}-high`, 'refuse', 'Anna')
    }
    await desk.setAutonomy('auto')
    await desk.anomaly(anomaly({ id: 'an-3', equipment: 'p/mill-2' }))
    assert.deepEqual([told.at(-1)?.status, told.at(-1)?.autonomy], ['proposed', 'approve'])
    assert.match(told.at(-1)?.why ?? '', /Only proposed: 2 alarms of the last week were false, the budget is 2$/)
    await desk.machineState(unit('Aborted', { equipment: 'p/saw' }))
    assert.equal(told.at(-1)?.status, 'acted')
    clock.advance(8 * 24 * HOUR)
    await desk.anomaly(anomaly({ id: 'an-4', equipment: 'p/saw', signals: ['load'] }))
    await desk.anomaly(anomaly({ id: 'an-5' }))
    assert.deepEqual([told.at(-1)?.id, told.at(-1)?.status], ['dis-an-5-high', 'acted'])
  })

  it('leave a unit in peace after its repair for a while', async () => {
    await desk.anomaly(anomaly())
    clock.advance(HOUR)
    await repaired()
    const id = 'an-2'
    await desk.anomaly(anomaly({ id, since: START, time: clock.now() }))
    assert.equal((await repairs()).length, 1)
    clock.advance(30 * MINUTE)
    await store.transaction(async () => {})
    await store.transaction(async () => {})
    assert.deepEqual(
      (await repairs()).map((order) => [order.id, order.state]),
      [
        ['mo-mill-1-1', 'Completed'],
        ['mo-mill-1-2', 'Released'],
      ],
    )
  })

  it('take a stop back that somebody cleared without a repair', async () => {
    await desk.machineState(unit('Aborted'))
    await desk.machineState(unit('Clearing', { since: START + 1 }))
    await desk.machineState(unit('Idle', { since: START + MINUTE }))
    assert.deepEqual(await statuses(), ['repair-now withdrawn'])
    assert.deepEqual(
      (await repairs()).map(({ state }) => state),
      ['Canceled'],
    )
  })

  it('leave the repair that was planned before, when its unit fails and is cleared', async () => {
    await desk.anomaly(anomaly())
    await desk.machineState(unit('Aborted', { since: START + 1 }))
    await desk.machineState(unit('Idle', { since: START + MINUTE }))
    assert.deepEqual((await statuses()).sort(), ['maintain-before acted', 'repair-now withdrawn'])
    const { state, maintenance, deadline, alternatives } = await repairJob()
    assert.deepEqual([state, maintenance, deadline, alternatives[0]?.perPieceMs], ['NotAllowedToStart', 'planned', START + 4 * HOUR, 1000])
  })

  it('do not take back a repair that was begun, and do not take it for a stop', async () => {
    await desk.machineState(unit('Aborted'))
    const { id } = await repairJob()
    await store.transaction((tx) => commandJobOrder(tx, id, 'Start', tester))
    // not everything a unit says of itself changes in one moment
    await desk.machineState(unit('Aborted', { since: START + 1, jobOrder: id }))
    await desk.machineState(unit('Starting', { since: START + 2, jobOrder: id }))
    await desk.machineState(unit('Execute', { since: START + 3, jobOrder: id, mode: 'Maintenance' }))
    await repaired()
    await desk.machineState(unit('Complete', { since: START + 4, jobOrder: id }))
    await desk.machineState(unit('Aborted'))
    assert.deepEqual(await statuses(), ['repair-now acted'])
    assert.deepEqual(
      (await repairs()).map(({ state }) => state),
      ['Completed'],
    )
  })

  it('keep work from a unit that is silent for long, until it is heard again', async () => {
    await desk.machineState(unit('NoSignal'))
    assert.equal(told.length, 0)
    clock.advance(10 * MINUTE)
    await store.transaction(async () => {})
    assert.deepEqual(
      told.map(({ action, status, unavailable }) => [action, status, unavailable]),
      [['block', 'acted', { from: START, to: null }]],
    )
    await desk.machineState(unit('Execute', { since: clock.now() }))
    assert.equal(told.at(-1)?.status, 'withdrawn')
    await desk.machineState(unit('NoSignal', { since: clock.now() }))
    await desk.machineState(unit('Execute', { since: clock.now() + 1 }))
    clock.advance(HOUR)
    await store.transaction(async () => {})
    assert.equal((await stored()).length, 1)
  })

  it('ask for a repair before a prognosis comes true', async () => {
    const prognosis = (hours: number, more: Partial<Prognosis> = {}): Prognosis => ({
      kind: 'prognosis',
      equipment: 'p/mill-1',
      indicator: 'wear',
      threshold: 1,
      remainingMs: { lower: hours * HOUR, median: (hours + 2) * HOUR, upper: (hours + 5) * HOUR, confidence: 0.9 },
      trend: 'exponential',
      time: clock.now(),
      ...more,
    })
    await desk.prognosis(prognosis(31))
    assert.equal(told.length, 0)
    await desk.prognosis(prognosis(20))
    assert.equal(
      told[0]?.why,
      'mill-1 will probably reach its limit of wear in 22 h, with 90 % confidence not before 20 h and not after 25 h: repair mill-1 before 3 Mar 02:00',
    )
    assert.equal(told[0]?.deadline, START + 16 * HOUR)
    assert.equal((await repairs()).length, 1)
  })

  describe('of a prognosis', () => {
    const prognosis = (lower: number | null, more: Partial<Prognosis> = {}): Prognosis => ({
      kind: 'prognosis',
      equipment: 'p/mill-1',
      indicator: 'vibration',
      threshold: 7.1,
      remainingMs: lower === null ? null : { lower: lower * HOUR, median: (lower + 2) * HOUR, upper: (lower + 5) * HOUR, confidence: 0.9 },
      trend: lower === null ? 'none' : 'exponential',
      time: clock.now(),
      ...more,
    })
    const deadlineH = async () => ((await stored())[0]!.deadline! - START) / HOUR

    it('move with it, sooner and later, but not for every tremble', async () => {
      await desk.prognosis(prognosis(10))
      for (const hours of [9.5, 10.5, 11, 8.5]) await desk.prognosis(prognosis(hours))
      assert.deepEqual([told.length, await deadlineH()], [1, 8])
      await desk.prognosis(prognosis(5))
      assert.deepEqual([told.length, await deadlineH(), (await repairJob()).deadline], [2, 4, START + 4 * HOUR])
      await desk.prognosis(prognosis(15))
      assert.deepEqual([told.length, await deadlineH(), (await repairJob()).deadline, (await repairJob()).maintenance], [3, 12, START + 12 * HOUR, 'planned'])
      assert.equal((await repairs()).length, 1)
      // beyond what is planned ahead: less pressing, but still to be done
      await desk.prognosis(prognosis(60))
      assert.equal(await deadlineH(), 48)
    })

    it('are one with those of an anomaly of the same unit: the earlier deadline counts, and the sentence names both', async () => {
      await desk.anomaly(anomaly({ severity: 'medium' }))
      await desk.prognosis(prognosis(5))
      for (let again = 0; again < 3; again++) await desk.prognosis(prognosis(5, { indicator: 'load' }))
      assert.deepEqual(await statuses(), ['maintain-before acted'])
      const [one] = await stored()
      assert.deepEqual(one?.cause, { anomaly: 'an-1', prognosis: 'vibration' })
      assert.deepEqual(
        one.asks?.map(({ deadline }) => (deadline - START) / HOUR),
        [8, 4],
      )
      assert.equal(
        one.why,
        'vibration of mill-1 is 5.9 against 2.2–4 expected, for 12 min (score 0.97, severity medium); mill-1 will probably reach its limit of vibration in 7 h, with 90 % confidence not before 5 h and not after 10 h: repair mill-1 before 14:00',
      )
      assert.deepEqual([(await repairs()).length, (await repairJob()).deadline], [1, START + 4 * HOUR])
      // the other way round, and with the later one the deadline stays
      await desk.prognosis(prognosis(6, { equipment: 'p/saw' }))
      await desk.anomaly(anomaly({ id: 'an-2', equipment: 'p/saw', severity: 'medium' }))
      const other = (await stored()).find(({ equipment }) => equipment === 'p/saw')
      assert.deepEqual([other?.cause, other?.deadline], [{ prognosis: 'vibration', anomaly: 'an-2' }, START + 4.8 * HOUR])
    })

    it('are withdrawn with their repair when the trend goes away, what an anomaly asks for stays', async () => {
      await desk.prognosis(prognosis(5))
      clock.advance(HOUR)
      await desk.prognosis(prognosis(null))
      assert.deepEqual(await statuses(), ['maintain-before withdrawn'])
      assert.match(told.at(-1)?.why ?? '', /withdrawn: vibration rises no longer since 11:00$/)
      assert.equal((await repairs())[0]?.state, 'Canceled')
      // it comes back: a new decision
      await desk.prognosis(prognosis(5))
      assert.deepEqual((await statuses()).sort(), ['maintain-before acted', 'maintain-before withdrawn'])
      await desk.anomaly(anomaly({ severity: 'medium' }))
      await desk.prognosis(prognosis(null))
      const standing = (await stored()).find(({ status }) => status === 'acted')
      assert.deepEqual([standing?.cause, standing?.deadline], [{ anomaly: 'an-1' }, clock.now() + 8 * HOUR])
      assert.equal((await repairJob()).deadline, clock.now() + 8 * HOUR)
    })

    it('are left alone once their repair may begin', async () => {
      await desk.prognosis(prognosis(5))
      const { id } = await repairJob()
      await store.transaction((tx) => commandJobOrder(tx, id, 'Start', { actor: 'test', why: 'test' }))
      await desk.prognosis(prognosis(null))
      await desk.prognosis(prognosis(20))
      assert.deepEqual([await statuses(), await deadlineH()], [['maintain-before acted'], 4])
    })

    it('are proposed where a person decides; a no holds until it is more urgent, or repaired', async () => {
      desk = open('approve')
      await desk.prognosis(prognosis(15))
      await desk.prognosis(prognosis(10))
      assert.deepEqual([told.map(({ status }) => status), await deadlineH()], [['proposed', 'proposed'], 8])
      await desk.answer(told[0]!.id, 'refuse', 'Anna', 'it has done so for years')
      await desk.prognosis(prognosis(9))
      assert.deepEqual(await statuses(), ['maintain-before refused'])
      clock.advance(MINUTE)
      await desk.prognosis(prognosis(4))
      assert.deepEqual((await statuses()).sort(), ['maintain-before proposed', 'maintain-before refused'])
    })

    it('act on nothing in shadow, and are looked at again when that ends', async () => {
      desk = open('shadow')
      await desk.prognosis(prognosis(5))
      assert.deepEqual([await statuses(), (await repairs()).length], [['maintain-before proposed'], 0])
      await desk.setAutonomy('auto')
      assert.deepEqual([await statuses(), (await repairs()).length], [['maintain-before acted'], 1])
    })

    it('count as false alarms when they go away, and only propose beyond the budget', async () => {
      desk = open('auto', { falseAlarmBudget: 2 })
      for (let time = 0; time < 2; time++) {
        await desk.prognosis(prognosis(5))
        clock.advance(MINUTE)
        await desk.prognosis(prognosis(null))
      }
      await desk.prognosis(prognosis(5))
      assert.equal(told.at(-1)?.status, 'proposed')
      assert.match(told.at(-1)?.why ?? '', /Only proposed: 2 alarms of the last week were false, the budget is 2$/)
    })

    it('wait for the rest after a repair', async () => {
      await desk.prognosis(prognosis(5))
      clock.advance(HOUR)
      await repaired()
      await desk.prognosis(prognosis(2, { time: clock.now() - MINUTE }))
      clock.advance(MINUTE)
      await desk.prognosis(prognosis(3))
      assert.equal((await repairs()).length, 1)
      clock.advance(HOUR)
      await store.transaction(async () => {})
      assert.equal((await repairs()).length, 2)
    })
  })

  it('are taken up again after a restart', async () => {
    desk = open('approve')
    await store.transaction((tx) => tx.save(anomaly({ since: START - MINUTE }), { type: 'anomaly.raised', actor: 'test' }))
    await store.transaction((tx) => tx.save(anomaly({ id: 'an-2', equipment: 'p/saw' }), { type: 'anomaly.raised', actor: 'test' }))
    await desk.anomaly(anomaly({ id: 'an-2', equipment: 'p/saw' }))
    desk.stop()
    told = []
    desk = open('approve')
    await desk.resume()
    assert.deepEqual(
      told.map(({ id, status }) => `${id} ${status}`),
      ['dis-an-2-high proposed'],
    )
    clock.advance(9 * MINUTE)
    await store.transaction(async () => {})
    assert.deepEqual(
      told.map(({ id, status }) => `${id} ${status}`),
      ['dis-an-2-high proposed', 'dis-an-1-high proposed'],
    )
  })
})
