import assert from 'node:assert/strict'
import { commandJobOrder } from '../../../core/orders/control-work-order.ts'
import { setLotDisposition } from '../../../core/orders/lots.ts'
import { type MaintenanceRequest, requestMaintenance } from '../../../core/orders/maintenance.ts'
import { createRework } from '../../../core/orders/rework.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, count, jobStates, memoryStore, plant, released, show, tester } from './fixture.ts'

const SAW = 'jo-wo-1-10-saw'
const MILL = 'jo-wo-1-20-mill'
const LOT = 'lot-wo-1'

describe('lots', () => {
  let store: Store
  beforeEach(async () => {
    store = memoryStore().store
    await released(store)
  })
  afterEach(() => store.close())
  const dispose = (disposition: 'held' | 'released' | 'scrapped' | 'in-process') =>
    store.transaction((tx) => setLotDisposition(tx, LOT, disposition, { actor: 'test', why: 'diameter 41.2 is above 40.05' }))

  it('that are held keep their job orders from beginning, until they are released', async () => {
    await store.transaction((tx) => commandJobOrder(tx, SAW, 'Start', tester))
    const held = await dispose('held')
    assert.equal(held.reason, 'diameter 41.2 is above 40.05')
    assert.match((await jobStates(store))[0] ?? '', /NotAllowedToStart\/Waiting/)
    const { sequence } = await store.head()
    await dispose('held')
    assert.equal((await store.head()).sequence, sequence)
    const freed = await dispose('released')
    assert.equal(freed.reason, undefined)
    assert.match((await jobStates(store))[0] ?? '', /NotAllowedToStart\/Ready/)
  })

  it('let what runs come to its end', async () => {
    await show(store, 'p/saw', 'Execute', SAW)
    await dispose('held')
    await count(store, 'p/saw', SAW, 10)
    await show(store, 'p/saw', 'Complete', SAW)
    assert.deepEqual(await jobStates(store), [`${SAW} Ended/Completed 10+0 of 10`, `${MILL} NotAllowedToStart/Waiting 0+0 of 10`])
  })

  it('that are scrapped take their job orders with them, for good', async () => {
    await dispose('scrapped')
    assert.deepEqual(
      (await jobStates(store)).map((line) => line.split(' ')[1]),
      ['Aborted', 'Aborted'],
    )
    assert.equal((await store.get('work-order', 'wo-1'))?.state, 'Canceled')
    assert.equal(await code(dispose('released')), 'TAKT_LOT_SCRAPPED')
    assert.equal(await code(store.transaction((tx) => setLotDisposition(tx, 'nothing', 'held', tester))), 'TAKT_LOT_UNKNOWN')
  })
})

describe('rework orders', () => {
  let store: Store
  beforeEach(async () => {
    store = memoryStore().store
    await released(store)
  })
  afterEach(() => store.close())
  const rework = (quantity: number) =>
    store.transaction((tx) => createRework(tx, plant, { lot: LOT, jobOrder: MILL, quantity, why: '2 of 5 too thick', actor: 'quality' }))

  it('do the operation again in a lot of their own, though the suspect lot is held', async () => {
    await store.transaction((tx) => setLotDisposition(tx, LOT, 'held', tester))
    const order = await rework(2)
    assert.deepEqual([order.type, order.state, order.of], ['rework', 'Released', { workOrder: 'wo-1', jobOrder: MILL, lot: LOT }])
    assert.deepEqual(await jobStates(store, order.id), [`jo-${order.id}-20-mill NotAllowedToStart/Ready 0+0 of 2`])
    assert.equal((await store.get('lot', `lot-${order.id}`))?.material, 'shaft')
  })

  it('are one at a time for a job order', async () => {
    const first = await rework(2)
    assert.equal((await rework(2)).id, first.id)
    assert.equal((await rework(3)).quantity.value, 3)
    assert.equal((await store.list('work-order', { where: { type: 'rework' } })).length, 1)
    await show(store, 'p/mill-1', 'Execute', `jo-${first.id}-20-mill`)
    assert.equal((await rework(1)).id, `${first.id}-2`)
    assert.equal(await code(rework(0)), 'TAKT_ORDER_QUANTITY')
    assert.equal(
      await code(store.transaction((tx) => createRework(tx, plant, { lot: LOT, jobOrder: 'x', quantity: 1, why: '', actor: '' }))),
      'TAKT_JOB_ORDER_UNKNOWN',
    )
  })
})

describe('maintenance orders', () => {
  let store: Store
  beforeEach(() => {
    store = memoryStore().store
  })
  afterEach(() => store.close())
  const request = (more: Partial<MaintenanceRequest> = {}) =>
    store.transaction((tx) =>
      requestMaintenance(tx, plant, { equipment: 'p/mill-1', kind: 'planned', deadline: 9_000_000, cause: 'vibration', actor: 'test', ...more }),
    )

  it('are one a unit, however many alarms there are', async () => {
    const first = await request()
    assert.deepEqual([first.created, first.workOrder.id, first.workOrder.state, first.jobOrder.substate], [true, 'mo-mill-1-1', 'Released', 'Ready'])
    assert.deepEqual(first.jobOrder.alternatives, [{ equipment: 'p/mill-1', setupMs: 0, perPieceMs: 1000 }])
    for (let alarm = 0; alarm < 50; alarm++) assert.equal((await request()).workOrder.id, first.workOrder.id)
    assert.equal((await request({ equipment: 'p/mill-2' })).created, true)
    assert.equal((await store.list('work-order', { where: { type: 'maintenance', equipment: 'p/mill-1' } })).length, 1)
  })

  it('become urgent when the unit fails, and take the earlier deadline', async () => {
    await request()
    const later = await request({ deadline: 9_500_000 })
    assert.equal(later.jobOrder.deadline, 9_000_000)
    const failed = await request({ kind: 'unplanned', deadline: 1_000_000 })
    assert.deepEqual([failed.jobOrder.maintenance, failed.jobOrder.deadline, failed.jobOrder.alternatives[0]?.perPieceMs], ['unplanned', 1_000_000, 5000])
    assert.equal((await request()).jobOrder.maintenance, 'unplanned')
  })

  it('are followed by another one when they are done', async () => {
    const first = await request()
    await show(store, 'p/mill-1', 'Execute', first.jobOrder.id, { mode: 'Maintenance' })
    assert.equal((await request({ kind: 'unplanned' })).created, false)
    await show(store, 'p/mill-1', 'Complete', first.jobOrder.id)
    assert.equal((await request()).workOrder.id, 'mo-mill-1-2')
  })

  it('are refused for a unit that is not there', async () => {
    assert.equal(await code(request({ equipment: 'p/nowhere' })), 'TAKT_EQUIPMENT_UNKNOWN')
  })
})
