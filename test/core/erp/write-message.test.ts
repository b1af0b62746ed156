import assert from 'node:assert/strict'
import type { ManualClock } from '../../../core/base/clock.ts'
import { checkChannel, type ErpChannel } from '../../../core/erp/channel.ts'
import { type Concern, messageIdOf, type Outbound, writeMessages } from '../../../core/erp/write-message.ts'
import type { ErpMessage } from '../../../core/messages/erp-message.ts'
import { validateDocument } from '../../../core/messages/validate.ts'
import type { WorkPerformance } from '../../../core/messages/work-performance.ts'
import { cancelWorkOrder, closeWorkOrder } from '../../../core/orders/control-work-order.ts'
import { splitWorkOrder } from '../../../core/orders/split-work-order.ts'
import type { Store } from '../../../core/store/store.ts'
import { recordEvent } from '../../../core/trace/record-event.ts'
import { count, memoryStore, plant, released, show, tester } from '../orders/fixture.ts'
import { b2mmlFaults } from './support/b2mml-structure.ts'

const ERP = { system: 'erp', id: '4711' }
const SAW = 'jo-wo-1-10-saw'
const MILL = 'jo-wo-1-20-mill'

describe('what the ERP is told', () => {
  let store: Store
  let clock: ManualClock

  beforeEach(() => {
    ;({ store, clock } = memoryStore())
  })
  afterEach(() => store.close())

  const write = (concern: Concern, channel: Partial<ErpChannel> = {}): Promise<ErpMessage[]> =>
    store.transaction((tx) => writeMessages(tx, concern, plant, checkChannel({ format: 'json', ...channel }, 'test'), { actor: 'node:erp' }))
  const outbox = async (): Promise<Array<{ topic: string; id: string; told: any }>> =>
    (await store.db.selectFrom('outbox').select(['topic', 'body']).orderBy('id').execute()).map(({ topic, body }) => {
      const { id, body: text } = JSON.parse(body) as Outbound
      return { topic, id, told: JSON.parse(text) }
    })
  async function saw(good = 9, scrap = 1): Promise<void> {
    await show(store, 'p/saw', 'Execute', SAW, { since: 2_000_000 })
    await count(store, 'p/saw', SAW, good, scrap)
    await show(store, 'p/saw', 'Complete', SAW, { since: 2_060_000 })
  }
  async function mill(good: number): Promise<void> {
    await show(store, 'p/mill-1', 'Execute', MILL, { since: 2_100_000 })
    await count(store, 'p/mill-1', MILL, good, 0, 2_100_100)
    await show(store, 'p/mill-1', 'Complete', MILL, { since: 2_160_000 })
  }

  it('is the end of each job order, once, with all that is known of it', async () => {
    await released(store, { external: ERP })
    assert.deepEqual(await write({ jobOrder: SAW }), [])
    await saw()
    const [message] = await write({ jobOrder: SAW })
    assert.deepEqual([message?.id, message?.state, message?.version], [`erp:${SAW}:1`, 'waiting', 1])
    assert.deepEqual(await write({ jobOrder: SAW }), [])
    const [only, none] = await outbox()
    assert.equal(none, undefined)
    const told = validateDocument(only!.told, 'work-performance', 'test')
    assert.deepEqual(told, {
      kind: 'work-performance',
      id: `erp:${SAW}:1`,
      version: 1,
      of: { kind: 'job-order', id: SAW },
      plant: 'p',
      time: 1_000_000,
      workOrder: { id: 'wo-1', external: ERP, type: 'production', workMaster: 'shaft@1', product: 'shaft', ordered: { value: 10, unit: 'pcs' } },
      jobs: [
        {
          id: `jr-${SAW}`,
          jobOrder: SAW,
          operation: '10-saw',
          equipment: 'p/saw',
          state: 'Completed',
          start: 2_000_000,
          end: 2_060_000,
          setupMs: null,
          runMs: null,
          good: 9,
          scrap: 1,
          unit: 'pcs',
          materials: [{ lot: 'lot-wo-1', quantity: { value: 9, unit: 'pcs' }, use: 'produced', material: 'shaft' }],
          personnel: [],
          data: [],
        },
      ],
    } satisfies WorkPerformance)
  })

  it('is corrected when a count comes late or material is written down later, and not when only the order goes on', async () => {
    await released(store, { external: ERP })
    await saw()
    await write({ jobOrder: SAW })
    await mill(5)
    assert.deepEqual(await write({ jobOrder: SAW }), [])
    await count(store, 'p/saw', SAW, 9, 2)
    const [second] = await write({ jobOrder: SAW })
    assert.deepEqual([second?.id, second?.version], [`erp:${SAW}:2`, 2])
    await store.transaction(async (tx) => {
      const options = { actor: 'test', heldLots: 'refuse', unknownLots: 'open' } as const
      const steel = { lot: 'bar', quantity: { value: 4, unit: 'pcs' }, material: 'shaft' }
      await recordEvent(tx, plant, { kind: 'genealogy', event: 'consume', inputs: [steel], outputs: [], jobOrder: SAW, time: 5, people: ['Anna'] }, options)
    })
    const [third] = await write({ jobOrder: SAW })
    assert.equal(third?.version, 3)
    const all = await outbox()
    assert.deepEqual(
      all.map(({ topic, told }) => [topic, told.version, told.jobs[0].scrap, told.jobs[0].materials.length, told.jobs[0].personnel.length]),
      [
        ['wo-1', 1, 1, 1, 0],
        ['wo-1', 2, 2, 1, 0],
        ['wo-1', 3, 2, 2, 1],
      ],
    )
  })

  it('is a whole work order when it is completed, or when it is closed, and nothing new when a completed one is closed', async () => {
    await released(store, { external: ERP })
    await saw()
    await mill(9)
    const completed = { orders: 'completed', jobs: false } as const
    const [whole] = await write({ workOrder: 'wo-1' }, completed)
    assert.deepEqual(whole?.of, { kind: 'work-order', id: 'wo-1' })
    assert.deepEqual(await write({ workOrder: 'wo-1' }, { ...completed, name: 'two', orders: 'closed' }), [])
    await store.transaction((tx) => closeWorkOrder(tx, 'wo-1', { actor: 'test', why: 'one was scrap' }))
    assert.deepEqual(await write({ workOrder: 'wo-1' }, completed), [])
    assert.equal((await write({ workOrder: 'wo-1' }, { ...completed, name: 'two', orders: 'closed' })).length, 1)
    const told: WorkPerformance = (await outbox())[0]!.told
    const { state, good, scrap, start, end } = told.workOrder
    assert.deepEqual({ state, good, scrap, start, end }, { state: 'Completed', good: 9, scrap: 1, start: 2_000_000, end: 2_160_000 })
    assert.deepEqual(
      told.jobs.map(({ jobOrder }) => jobOrder),
      [SAW, MILL],
    )
  })

  it('is that an order was given up', async () => {
    await released(store, { external: ERP })
    await store.transaction((tx) => cancelWorkOrder(tx, 'wo-1', tester))
    const [message] = await write({ workOrder: 'wo-1' }, { orders: 'closed', format: 'b2mml' })
    const told = (await outbox())[0]!.told
    assert.equal(message?.of.id, 'wo-1')
    assert.deepEqual(b2mmlFaults(told), [])
    const [response] = told.SyncWorkPerformance.DataArea.WorkPerformance[0].WorkResponse
    assert.deepEqual([response.ResponseState, response.JobResponse[0].JobState], ['Aborted', 'Aborted'])
  })

  it('is of the orders of the ERP alone, also of what was split from them; of all where that is asked for', async () => {
    await released(store)
    await saw()
    assert.deepEqual(await write({ jobOrder: SAW }), [])
    assert.deepEqual(await write({ jobOrder: SAW }, { system: 'sap' }), [])
    assert.equal((await write({ jobOrder: SAW }, { system: '*' })).length, 1)

    await released(store, { id: 'wo-2', external: { system: 'sap', id: '9' } })
    await store.transaction((tx) => splitWorkOrder(tx, plant, 'wo-2', { quantity: 4 }, { actor: 'test', why: 'some first' }))
    const job = 'jo-wo-2-s1-10-saw'
    await show(store, 'p/saw', 'Execute', job, { since: 3_000_000 })
    await count(store, 'p/saw', job, 4, 0, 3_000_100)
    await show(store, 'p/saw', 'Complete', job, { since: 3_060_000 })
    assert.deepEqual(await write({ jobOrder: job }, { system: 'erp' }), [])
    assert.equal((await write({ jobOrder: job }, { system: 'sap' })).length, 1)
    assert.deepEqual((await outbox()).at(-1)?.told.workOrder.external, { system: 'sap', id: '9' })
  })

  it('is B2MML of version 7, with the action Change for a correction of what the ERP has', async () => {
    await released(store, { external: ERP })
    await store.transaction((tx) =>
      tx.db
        .insertInto('machine_state')
        .values([
          { equipment: 'p/saw', state: 'Starting', mode: null, element: 'AUST', reason: null, job_order: SAW, since: 1_990_000, until: 2_000_000 },
          { equipment: 'p/saw', state: 'Execute', mode: null, element: 'APT', reason: null, job_order: SAW, since: 2_000_000, until: 2_060_000 },
        ])
        .execute(),
    )
    await store.transaction(async (tx) => {
      const steel = { lot: 'bar', quantity: { value: 4.5, unit: 'pcs' }, material: 'shaft' }
      const event = { kind: 'genealogy', event: 'consume', inputs: [steel], outputs: [], jobOrder: SAW, time: 2_000_500, people: ['person:eva'] } as const
      await recordEvent(
        tx,
        plant,
        { ...event, inputs: [...event.inputs], outputs: [], people: [...event.people] },
        { actor: 'x', heldLots: 'refuse', unknownLots: 'open' },
      )
    })
    await saw()
    await write({ jobOrder: SAW }, { format: 'b2mml' })
    await count(store, 'p/saw', SAW, 9, 2)
    await write({ jobOrder: SAW }, { format: 'b2mml' })
    const [first, second] = await outbox()
    assert.deepEqual([b2mmlFaults(first!.told), b2mmlFaults(second!.told)], [[], []])
    const { ApplicationArea, DataArea } = first!.told.SyncWorkPerformance
    assert.deepEqual(ApplicationArea, {
      Sender: { LogicalID: 'p', ComponentID: 'Takt' },
      CreationDateTime: '1970-01-01T01:16:40.000+01:00',
      BODID: `erp:${SAW}:1`,
    })
    assert.equal(DataArea.Sync.ActionCriteria[0].ActionExpression[0]['@actionCode'], 'Add')
    assert.equal(second!.told.SyncWorkPerformance.DataArea.Sync.ActionCriteria[0].ActionExpression[0]['@actionCode'], 'Change')
    const [performance] = DataArea.WorkPerformance
    assert.deepEqual([performance.WorkScheduleID, performance.WorkResponse[0].WorkRequestID], ['erp', '4711'])
    assert.deepEqual(performance.WorkResponse[0].JobResponse, [
      {
        ID: `jr-${SAW}`,
        Description: ['10-saw'],
        WorkType: 'Production',
        JobOrderID: SAW,
        WorkMasterID: 'shaft',
        WorkMasterVersion: '1',
        StartTime: '1970-01-01T01:33:20.000+01:00',
        EndTime: '1970-01-01T01:34:20.000+01:00',
        JobState: 'Completed',
        JobResponseData: [
          { ID: 'Good', Value: [{ ValueString: '9', DataType: 'decimal', UnitOfMeasure: 'pcs' }] },
          { ID: 'Scrap', Value: [{ ValueString: '1', DataType: 'decimal', UnitOfMeasure: 'pcs' }] },
          { ID: 'SetupTime', Value: [{ ValueString: 'PT10S', DataType: 'duration' }] },
          { ID: 'RunTime', Value: [{ ValueString: 'PT1M', DataType: 'duration' }] },
        ],
        PersonnelActual: [
          {
            ID: '1',
            PersonID: ['eva'],
            PersonnelActualProperty: [
              { ID: 'FirstSeen', Value: [{ ValueString: '1970-01-01T01:33:20.500+01:00', DataType: 'dateTime' }] },
              { ID: 'LastSeen', Value: [{ ValueString: '1970-01-01T01:33:20.500+01:00', DataType: 'dateTime' }] },
            ],
          },
        ],
        EquipmentActual: [{ ID: 'p/saw', EquipmentID: ['p/saw'] }],
        MaterialActual: [
          {
            ID: '1',
            MaterialDefinitionID: ['shaft'],
            MaterialLotID: ['lot-wo-1'],
            MaterialUse: 'Produced',
            Quantity: [{ QuantityString: '9', DataType: 'decimal', UnitOfMeasure: 'pcs' }],
          },
          {
            ID: '2',
            MaterialDefinitionID: ['shaft'],
            MaterialLotID: ['bar'],
            MaterialUse: 'Consumed',
            Quantity: [{ QuantityString: '4.5', DataType: 'decimal', UnitOfMeasure: 'pcs' }],
          },
        ],
      },
    ])
  })

  it('names nobody where that is not wanted', async () => {
    await released(store, { external: ERP })
    await saw()
    await store.transaction(async (tx) => {
      const response = (await tx.get('job-response', `jr-${SAW}`))!
      await tx.save<'job-response'>({ ...response, people: ['Anna'], personnel: [] }, { type: 'job-response.recorded', actor: 'x' })
    })
    await write({ jobOrder: SAW }, { people: false })
    assert.deepEqual((await outbox())[0]?.told.jobs[0].personnel, [])
    await write({ jobOrder: SAW }, { name: 'two' })
    assert.deepEqual((await outbox())[1]?.told.jobs[0].personnel, [{ person: 'Anna', from: null, to: null }])
  })

  it('has ids that are fit for a header, each its own', () => {
    const long = 'jo-'.padEnd(200, 'x')
    const ids = [messageIdOf('erp', 'jo-1', 1), messageIdOf('erp', 'jo-ä/1', 1), messageIdOf('erp', 'jo-a-1', 1), messageIdOf('erp', long, 12)]
    assert.equal(new Set(ids).size, 4)
    for (const id of ids) assert.match(id, /^[\w.:~-]{1,200}$/)
  })

  it('needs a channel that makes sense', () => {
    for (const wrong of [{ name: 'a b' }, { orders: 'never' }, { format: 'xml' }, { jobs: false, orders: 'none' }])
      assert.throws(() => checkChannel(wrong, 'test'), { code: 'TAKT_CONFIG_INVALID' })
    assert.equal(clock.now(), 1_000_000)
  })
})
