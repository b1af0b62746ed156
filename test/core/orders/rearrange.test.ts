import assert from 'node:assert/strict'
import { commandJobOrder } from '../../../core/orders/control-work-order.ts'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { checkOrderMapping } from '../../../core/orders/import/order-mapping.ts'
import { type DeskTopic, OrderDesk } from '../../../core/orders/order-desk.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, count, jobStates, memoryStore, plant, released, show, tester } from './fixture.ts'

const SAW = 'jo-wo-1-10-saw'
const MILL = 'jo-wo-1-20-mill'
const settings = { autoRelease: true, mapping: checkOrderMapping({}, 'test'), importFolder: undefined, where: 'test' }

describe('orders that are changed, split and merged', () => {
  let store: Store
  let desk: OrderDesk
  beforeEach(async () => {
    store = memoryStore().store
    desk = new OrderDesk(store, () => plant, settings)
    await released(store)
  })
  afterEach(() => store.close())
  const ask = async (topic: DeskTopic, payload: unknown) => (await desk.handle(topic, payload, tester)).documents
  const order = async (id: string) => store.get('work-order', id)
  const open = async (): Promise<number> =>
    (await store.list('work-order')).reduce((sum, { state, quantity }) => sum + (state === 'Canceled' ? 0 : quantity.value), 0)

  it('a split conserves the quantity, and both parts run', async () => {
    await ask('split', { id: 'wo-1', quantity: 4, why: 'the customer wants some first' })
    assert.deepEqual([(await order('wo-1'))?.quantity.value, (await order('wo-1-s1'))?.quantity.value, await open()], [6, 4, 10])
    assert.deepEqual((await order('wo-1-s1'))?.from, [{ workOrder: 'wo-1', quantity: { value: 4, unit: 'pcs' }, by: 'split' }])
    assert.deepEqual(await jobStates(store), [`${SAW} NotAllowedToStart/Ready 0+0 of 6`, `${MILL} NotAllowedToStart/Waiting 0+0 of 6`])
    assert.match((await jobStates(store, 'wo-1-s1'))[0] ?? '', /NotAllowedToStart\/Ready 0\+0 of 4/)
    const event = await store.db
      .selectFrom('ledger')
      .selectAll()
      .where('subject', '=', 'wo-1')
      .where('type', '=', 'work-order.updated')
      .executeTakeFirstOrThrow()
    assert.deepEqual(
      [event.why, JSON.parse(event.before ?? '').quantity.value, JSON.parse(event.after ?? '').quantity.value],
      ['the customer wants some first', 10, 6],
    )
    assert.ok((await store.verify()).ok)
  })

  it('the same split again is one, another with its id is refused', async () => {
    const split = { id: 'wo-1', quantity: 4, as: 'wo-part', why: 'first' }
    await ask('split', split)
    await ask('split', split)
    assert.equal(await open(), 10)
    assert.equal(await code(ask('split', { ...split, quantity: 3 })), 'TAKT_ORDER_EXISTS_DIFFERENT')
  })

  it('quantities that are no pieces are split and merged without a rest', async () => {
    await released(store, { id: 'wo-kg', quantity: { value: 0.3, unit: 'kg' }, tolerance: { under: 0.03, over: 0.06 } })
    await ask('split', { id: 'wo-kg', quantity: 0.1, as: 'wo-a', why: 'w' })
    const [left, part] = [await order('wo-kg'), await order('wo-a')]
    assert.deepEqual([left?.quantity.value, left?.tolerance, part?.tolerance], [0.2, { under: 0.02, over: 0.04 }, { under: 0.01, over: 0.02 }])
    await ask('merge', { orders: ['wo-kg', 'wo-a'], why: 'back' })
    assert.deepEqual([(await order('wo-kg'))?.quantity.value, (await order('wo-kg'))?.tolerance], [0.3, { under: 0.03, over: 0.06 }])
  })

  it('a merge adds up, keeps where it came from, and is done once', async () => {
    await released(store, { id: 'wo-2', quantity: 5, priority: 7, due: 9_000_000, external: { system: 'erp', id: '2' } })
    await ask('merge', { orders: ['wo-1', 'wo-2'], why: 'one set-up' })
    await ask('merge', { orders: ['wo-1', 'wo-2'], why: 'one set-up' })
    const into = await order('wo-1')
    assert.deepEqual([into?.quantity.value, into?.priority, into?.due, await open()], [15, 7, 9_000_000, 15])
    assert.deepEqual(into?.from, [{ workOrder: 'wo-2', quantity: { value: 5, unit: 'pcs' }, by: 'merge' }])
    assert.deepEqual([(await order('wo-2'))?.state, (await order('wo-2'))?.into], ['Canceled', 'wo-1'])
    assert.match((await jobStates(store))[0] ?? '', /of 15$/)
  })

  it('nothing that has begun or was allowed to is split, merged or made more; urgency may change', async () => {
    await released(store, { id: 'wo-2' })
    await store.transaction((tx) => commandJobOrder(tx, SAW, 'Start', tester))
    assert.equal(await code(ask('split', { id: 'wo-1', quantity: 4, why: 'w' })), 'TAKT_ORDER_IN_PROGRESS')
    await show(store, 'p/saw', 'Execute', SAW)
    const { sequence } = await store.head()
    assert.equal(await code(ask('split', { id: 'wo-1', quantity: 4, why: 'w' })), 'TAKT_ORDER_IN_PROGRESS')
    assert.equal(await code(ask('merge', { orders: ['wo-2', 'wo-1'], why: 'w' })), 'TAKT_ORDER_IN_PROGRESS')
    assert.equal(await code(ask('change', { id: 'wo-1', quantity: 12, why: 'w' })), 'TAKT_ORDER_IN_PROGRESS')
    assert.equal((await store.head()).sequence, sequence)
    await ask('rush', { id: 'wo-1', due: 3_000_000, why: 'line down at the customer' })
    assert.deepEqual([(await order('wo-1'))?.priority, (await order('wo-1'))?.due], [10, 3_000_000])
  })

  it('refuses what cannot be, with a code, and changes nothing', async () => {
    await released(store, { id: 'wo-kg', quantity: { value: 2, unit: 'kg' } })
    const { sequence } = await store.head()
    for (const [topic, payload, refused] of [
      ['split', { id: 'wo-1', quantity: 4 }, 'TAKT_ORDER_REASON'],
      ['split', { id: 'wo-1', quantity: 10, why: 'w' }, 'TAKT_ORDER_QUANTITY'],
      ['split', { id: 'wo-1', quantity: -1, why: 'w' }, 'TAKT_ORDER_QUANTITY'],
      ['split', { id: 'wo-1', quantity: 2.5, why: 'w' }, 'TAKT_ORDER_QUANTITY'],
      ['split', { id: 'wo-1', quantity: 'some', why: 'w' }, 'TAKT_ORDER_QUANTITY'],
      ['split', { id: 'wo-9', quantity: 1, why: 'w' }, 'TAKT_ORDER_UNKNOWN'],
      ['merge', { orders: ['wo-1'], why: 'w' }, 'TAKT_ORDER_MERGE'],
      ['merge', { orders: ['wo-1', 'wo-kg'], why: 'w' }, 'TAKT_ORDER_MERGE'],
      ['merge', { orders: 'wo-1', why: 'w' }, 'TAKT_MESSAGE_INVALID'],
      ['change', { id: 'wo-1', why: 'w' }, 'TAKT_MESSAGE_INVALID'],
      ['change', { id: 'wo-1', quantity: -3, why: 'w' }, 'TAKT_ORDER_QUANTITY'],
      ['change', { id: 'wo-1', priority: -3, why: 'w' }, 'TAKT_MESSAGE_INVALID'],
      ['change', { id: 'wo-1', due: 'soon', why: 'w' }, 'TAKT_ORDER_TIME'],
      ['rush', { id: 'wo-1' }, 'TAKT_ORDER_REASON'],
      ['complete', { id: 'wo-1', why: 'w' }, 'TAKT_ORDER_STATE'],
    ] as const)
      assert.equal(await code(ask(topic, payload)), refused, `${topic} ${JSON.stringify(payload)}`)
    assert.equal((await store.head()).sequence, sequence)
  })

  it('what people changed is still the order that the ERP asked for', async () => {
    const request = { external: { system: 'erp', id: '7' }, product: 'shaft', quantity: 10, due: 9_000_000 }
    const create = () => store.transaction((tx) => createWorkOrder(tx, plant, request, tester))
    await create()
    await ask('change', { external: request.external, quantity: 8, due: 8_000_000, why: 'agreed by phone' })
    assert.equal((await create()).created, false)
    assert.equal(await code(store.transaction((tx) => createWorkOrder(tx, plant, { ...request, quantity: 8 }, tester))), 'TAKT_ORDER_EXISTS_DIFFERENT')
  })

  it('an order that ends with what it has made is closed with a reason when that is outside its tolerance', async () => {
    await released(store, { id: 'wo-t', tolerance: { under: 1, over: 2 } })
    const saw = 'jo-wo-t-10-saw'
    await show(store, 'p/saw', 'Execute', saw)
    await count(store, 'p/saw', saw, 8)
    await ask('complete', { id: 'wo-t', why: 'enough for this week' })
    assert.equal((await order('wo-t'))?.state, 'Completed')
    assert.equal(await code(ask('close', 'wo-t')), 'TAKT_ORDER_TOLERANCE')
    await ask('close', { id: 'wo-t', why: 'customer takes what there is' })
    assert.equal((await order('wo-t'))?.state, 'Closed')
  })

  it('a unit that fails within the tolerance leaves nothing behind, one that fails earlier leaves the exact rest', async () => {
    await released(store, { id: 'wo-f', quantity: { value: 10.5, unit: 'kg' }, tolerance: { under: 0.5 } })
    const saw = 'jo-wo-f-10-saw'
    await show(store, 'p/saw', 'Execute', saw)
    await count(store, 'p/saw', saw, 3.2, 0.1)
    await show(store, 'p/saw', 'Aborted', saw, { since: 2_000_200 })
    assert.deepEqual((await store.get('job-order', `${saw}.2`))?.quantity, { value: 7.2, unit: 'kg' })
    await show(store, 'p/saw', 'Execute', `${saw}.2`, { since: 2_000_300 })
    await count(store, 'p/saw', `${saw}.2`, 6.9, 0, 2_000_400)
    await show(store, 'p/saw', 'Aborted', `${saw}.2`, { since: 2_000_500 })
    assert.equal(await store.get('job-order', `${saw}.3`), undefined)
    assert.equal((await store.get('job-order', 'jo-wo-f-20-mill'))?.quantity.value, 10.1)
  })
})
