import assert from 'node:assert/strict'
import { cancelWorkOrder, closeWorkOrder, commandJobOrder, holdWorkOrder, resumeWorkOrder } from '../../../core/orders/control-work-order.ts'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { COMMAND_NAMES, commandFor } from '../../../core/orders/dispatch/job-command.ts'
import { checkOrderRequest, type OrderRequest } from '../../../core/orders/order-request.ts'
import { releaseWorkOrder } from '../../../core/orders/release-work-order.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, count, jobStates, memoryStore, plant, released, show, tester } from './fixture.ts'

describe('work orders', () => {
  let store: Store
  beforeEach(() => {
    store = memoryStore().store
  })
  afterEach(() => store.close())

  const create = (request: OrderRequest) => store.transaction((tx) => createWorkOrder(tx, plant, request, tester))
  const stateOf = async (id = 'wo-1') => (await store.get('work-order', id))?.state

  it('are created once by their external id, whatever how often they are sent', async () => {
    const request = { external: { system: 'erp', id: '47 11' }, product: 'shaft', quantity: 10, due: '2026-12-01 14:00' }
    const first = await create(request)
    assert.equal(first.created, true)
    assert.equal(first.order.id, 'wo-47-11')
    assert.equal(first.order.workMaster, 'shaft@1')
    assert.deepEqual(first.order.quantity, { value: 10, unit: 'pcs' })
    assert.equal(first.order.due, Date.parse('2026-12-01T14:00:00+01:00'))
    const second = await create(request)
    assert.equal(second.created, false)
    assert.deepEqual(second.order, first.order)
    assert.equal(await code(create({ ...request, quantity: 11 })), 'TAKT_ORDER_EXISTS_DIFFERENT')
    assert.equal((await store.list('work-order')).length, 1)
    const alike = await create({ ...request, external: { system: 'erp', id: '47-11' } })
    assert.equal(alike.order.id, 'wo-47-11-2')
  })

  it('are created once by id', async () => {
    const request = { id: 'a', product: 'shaft', quantity: 1 }
    assert.equal((await create(request)).created, true)
    assert.equal((await create(request)).created, false)
    assert.equal(await code(create({ ...request, due: 5 })), 'TAKT_ORDER_EXISTS_DIFFERENT')
  })

  it('are refused when they make no sense, and then nothing is there', async () => {
    assert.equal(await code(create({ id: 'a', product: 'unicorn', quantity: 1 })), 'TAKT_WORK_MASTER_UNKNOWN')
    assert.equal(await code(create({ id: 'a', quantity: 1 })), 'TAKT_WORK_MASTER_UNKNOWN')
    assert.equal(await code(create({ id: 'a', product: 'shaft', quantity: Number.POSITIVE_INFINITY })), 'TAKT_ORDER_QUANTITY')
    assert.equal(await code(create({ id: 'a', product: 'shaft', quantity: 1, due: 'soon' })), 'TAKT_ORDER_TIME')
    const operations = [{ id: '1', alternatives: [{ equipment: 'p/nowhere', durationMs: 5 }] }]
    assert.equal(await code(create({ id: 'a', quantity: 1, operations })), 'TAKT_EQUIPMENT_UNKNOWN')
    const circle = [
      { id: '1', after: ['2'], alternatives: [{ equipment: 'p/saw', durationMs: 5 }] },
      { id: '2', after: ['1'], alternatives: [{ equipment: 'p/saw', durationMs: 5 }] },
    ]
    assert.equal(await code(create({ id: 'a', quantity: 1, operations: circle })), 'TAKT_ORDER_ROUTING')
    assert.deepEqual(await store.list('work-order'), [])
    assert.equal((await store.head()).sequence, 0)
  })

  it('bring job orders and a lot when they are released, once', async () => {
    await released(store)
    const first = (await store.head()).sequence
    await store.transaction((tx) => releaseWorkOrder(tx, plant, 'wo-1', tester))
    assert.equal((await store.head()).sequence, first)
    const [saw, mill] = await store.list('job-order', { orderBy: 'id' })
    assert.deepEqual(
      [saw?.id, saw?.substate, saw?.after, saw?.alternatives],
      ['jo-wo-1-10-saw', 'Ready', [], [{ equipment: 'p/saw', setupMs: 100, perPieceMs: 10 }]],
    )
    assert.deepEqual([mill?.id, mill?.substate, mill?.after, mill?.setupFamily], ['jo-wo-1-20-mill', 'Waiting', ['jo-wo-1-10-saw'], 'shaft'])
    assert.deepEqual(
      mill?.alternatives.map(({ equipment }) => equipment),
      ['p/mill-1', 'p/mill-2'],
    )
    assert.equal((await store.get('lot', 'lot-wo-1'))?.material, 'shaft')
  })

  it('may bring their own routing', async () => {
    const operations = [
      { id: 'cut', alternatives: [{ equipment: 'p/saw', durationMs: 600 }] },
      { id: 'mill', alternatives: [{ equipment: 'p/mill-2', perPieceMs: 7 }] },
    ]
    await create({ id: 'wo-1', quantity: 6, operations, product: 'odd' })
    await store.transaction((tx) => releaseWorkOrder(tx, plant, 'wo-1', tester))
    const [cut, mill] = await store.list('job-order', { orderBy: 'id' })
    assert.deepEqual(cut?.alternatives, [{ equipment: 'p/saw', setupMs: 0, perPieceMs: 100 }])
    assert.deepEqual(mill?.after, ['jo-wo-1-cut'])
    assert.equal((await store.get('lot', 'lot-wo-1'))?.material, 'odd')
  })

  it('carry parameters to the units that make them; other parameters are another order', async () => {
    const parameters = { temperature: 180.5, programme: 'P-7', deburr: true, operation: 'not this one' }
    const order = await released(store, { parameters })
    assert.deepEqual(order.parameters, parameters)
    await released(store, { parameters: { deburr: true, operation: 'not this one', programme: 'P-7', temperature: 180.5 } })
    assert.equal(await code(released(store, { parameters: { ...parameters, temperature: 181 } })), 'TAKT_ORDER_EXISTS_DIFFERENT')
    assert.throws(() => checkOrderRequest({ quantity: 1, product: 'shaft', parameters: { a: [1] } }, 'test'), { code: 'TAKT_MESSAGE_INVALID' })
    const job = (await store.get('job-order', 'jo-wo-1-10-saw'))!
    const { arguments: told } = await commandFor(store, job, 'p/saw', { names: COMMAND_NAMES, attempt: 1, expires: 1 })
    assert.deepEqual([told.temperature, told.programme, told.deburr, told.operation], [180.5, 'P-7', true, '10-saw'])
  })

  it('run from operation to operation with the good parts of the one before', async () => {
    await released(store)
    await show(store, 'p/saw', 'Execute', 'jo-wo-1-10-saw')
    assert.equal(await stateOf(), 'Running')
    await count(store, 'p/saw', 'jo-wo-1-10-saw', 8, 2)
    await show(store, 'p/saw', 'Complete', 'jo-wo-1-10-saw', { since: 2_000_200 })
    assert.deepEqual(await jobStates(store), ['jo-wo-1-10-saw Ended/Completed 8+2 of 10', 'jo-wo-1-20-mill NotAllowedToStart/Ready 0+0 of 8'])
    await show(store, 'p/mill-2', 'Execute', 'jo-wo-1-20-mill')
    await count(store, 'p/mill-2', 'jo-wo-1-20-mill', 7, 1)
    await show(store, 'p/mill-2', 'Complete', 'jo-wo-1-20-mill', { since: 2_000_300 })
    const order = await store.get('work-order', 'wo-1')
    assert.equal(order?.state, 'Completed')
    assert.deepEqual(order?.progress, { good: 7, scrap: 3 })
    assert.equal((await store.get('lot', 'lot-wo-1'))?.quantity.value, 7)
    const response = await store.get('job-response', 'jr-jo-wo-1-20-mill')
    assert.deepEqual([response?.equipment, response?.start, response?.end, response?.good, response?.scrap], ['p/mill-2', 2_000_000, 2_000_300, 7, 1])
    await store.transaction((tx) => closeWorkOrder(tx, 'wo-1', tester))
    assert.equal((await store.get('job-order', 'jo-wo-1-10-saw'))?.substate, 'Closed')
  })

  it('end when nothing good is left', async () => {
    await released(store)
    await show(store, 'p/saw', 'Execute', 'jo-wo-1-10-saw')
    await count(store, 'p/saw', 'jo-wo-1-10-saw', 0, 10)
    await show(store, 'p/saw', 'Complete', 'jo-wo-1-10-saw')
    assert.deepEqual(await jobStates(store), ['jo-wo-1-10-saw Ended/Completed 0+10 of 10', 'jo-wo-1-20-mill Aborted 0+0 of 10'])
    assert.equal(await stateOf(), 'Completed')
  })

  it('wait while they are held', async () => {
    await released(store)
    await store.transaction((tx) => commandJobOrder(tx, 'jo-wo-1-10-saw', 'Start', tester))
    await store.transaction((tx) => holdWorkOrder(tx, 'wo-1', tester))
    assert.match((await jobStates(store))[0] ?? '', /NotAllowedToStart\/Waiting/)
    assert.equal(await code(store.transaction((tx) => commandJobOrder(tx, 'jo-wo-1-10-saw', 'Start', tester))), 'TAKT_JOB_ORDER_NOT_READY')
    await store.transaction((tx) => resumeWorkOrder(tx, 'wo-1', tester))
    assert.match((await jobStates(store))[0] ?? '', /NotAllowedToStart\/Ready/)
    assert.equal(await stateOf(), 'Released')
  })

  it('are cancelled only while no unit works on them', async () => {
    await released(store)
    await show(store, 'p/saw', 'Execute', 'jo-wo-1-10-saw')
    assert.equal(await code(store.transaction((tx) => cancelWorkOrder(tx, 'wo-1', tester))), 'TAKT_ORDER_STATE')
    await store.transaction((tx) => commandJobOrder(tx, 'jo-wo-1-10-saw', 'Abort', tester))
    await store.transaction((tx) => cancelWorkOrder(tx, 'wo-1', tester)).catch(() => {})
    assert.deepEqual(
      (await jobStates(store)).map((line) => line.split(' ')[1]),
      ['Aborted', 'Aborted'],
    )
  })

  it('refuse what their state does not allow, and change nothing', async () => {
    await released(store)
    const { sequence } = await store.head()
    assert.equal(await code(store.transaction((tx) => closeWorkOrder(tx, 'wo-1', tester))), 'TAKT_ORDER_STATE')
    assert.equal(await code(store.transaction((tx) => commandJobOrder(tx, 'jo-wo-1-10-saw', 'Pause', tester))), 'TAKT_JOB_ORDER_TRANSITION')
    assert.equal(await code(store.transaction((tx) => commandJobOrder(tx, 'jo-wo-1-10-saw', 'Explode', tester))), 'TAKT_JOB_ORDER_TRANSITION')
    assert.equal(await code(store.transaction((tx) => commandJobOrder(tx, 'nobody', 'Start', tester))), 'TAKT_JOB_ORDER_UNKNOWN')
    assert.equal(await code(store.transaction((tx) => holdWorkOrder(tx, 'nobody', tester))), 'TAKT_ORDER_UNKNOWN')
    assert.equal((await store.head()).sequence, sequence)
  })
})
