import assert from 'node:assert/strict'
import { ListedOrders } from '../../../../core/orders/job-control/listed-orders.ts'
import { memoryStore } from '../fixture.ts'
import { complete, jobOrder, run, type World, world } from './fixture.ts'

describe('job control desk', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.close())

  it('makes a work order of a job order: work master, quantity, times, priority, and who asked', async () => {
    const record = jobOrder('4711', {
      workMasters: [{ id: 'unknown' }, { id: 'shaft' }],
      parameters: [{ id: 'quantity', type: 'Int64', value: '25' }],
      start: 2_000_000,
      end: 9_000_000,
      priority: 8,
    })
    assert.deepEqual(await w.call('StoreAndStart', record), { bits: ['NoError'] })
    const [order] = await w.store.list('work-order')
    assert.ok(order)
    assert.equal(order.workMaster, 'shaft@1')
    assert.deepEqual(order.quantity, { value: 25, unit: 'pcs' })
    assert.deepEqual([order.release, order.due, order.priority, order.state], [2_000_000, 9_000_000, 8, 'Released'])
    assert.deepEqual(order.external, { system: 'job-control:p', id: '4711' })
    assert.equal(order.operations, undefined, 'every unit may work on it')
    const [created] = await w.store.events(0, 1)
    assert.equal(created?.actor, 'opcua:erp')
    assert.deepEqual(
      (await w.jobs('4711')).map(({ operation, state }) => [operation, state]),
      [
        ['10-saw', 'NotAllowedToStart'],
        ['20-mill', 'NotAllowedToStart'],
      ],
    )
    assert.equal(w.taken[0]?.order.id, order.id)
  })

  it('takes quantity and product from the material that is to be produced', async () => {
    const record = {
      id: 'M',
      materials: [
        { definition: 'bar', use: 'Consumed', quantity: '4' },
        { definition: 'plate', use: 'Produced', quantity: '12.5' },
      ],
    }
    assert.deepEqual(await w.call('Store', record), { bits: ['NoError'] })
    const [order] = await w.store.list('work-order')
    assert.deepEqual([order?.workMaster, order?.quantity.value, order?.state], ['plate@2', 12.5, 'Planned'])
  })

  it('keeps an order at a line, and at the equipment that is asked for, on its units', async () => {
    await w.call('StoreAndStart', 'L', 'p/line-2')
    assert.deepEqual(
      (await w.jobs('L'))[0]?.alternatives.map(({ equipment }) => equipment),
      ['p/line-2/mill-2'],
    )
    await w.call('StoreAndStart', jobOrder('E', { equipment: [{ id: 'p/line-1/mill-1' }] }))
    const [job] = await w.jobs('E')
    assert.deepEqual(
      job?.alternatives.map(({ equipment }) => equipment),
      ['p/line-1/mill-1'],
    )
    const order = await w.store.get('work-order', job!.workOrder)
    assert.deepEqual([order?.workMaster, order?.product], ['plate@2', 'plate'], 'what the work master specifies still holds')
    assert.deepEqual(
      (await w.call('Store', jobOrder('S', { workMasters: [{ id: 'shaft' }] }), 'p/line-2')).bits,
      ['UnableToAcceptJobOrder'],
      'line 2 has no saw',
    )
  })

  it('each receiver has a list of its own, and tells what may be ordered there', async () => {
    assert.deepEqual(
      w.desk.receivers.map(({ equipment, name, workMasters }) => [equipment, name, workMasters]),
      [
        ['p', 'p', ['shaft@1', 'plate@2']],
        ['p/line-1', 'Line 1', ['shaft@1', 'plate@2']],
        ['p/line-2', 'p/line-2', ['plate@2']],
      ],
    )
    await w.call('Store', 'J')
    await w.call('Store', 'J', 'p/line-2')
    assert.equal((await w.store.list('work-order')).length, 2)
    assert.equal(w.desk.list('p').length, 1)
    assert.deepEqual((await w.call('Start', 'J', 'p/line-1')).bits, ['UnknownJobOrderId'])
  })

  it('the same request again finds what it made; another under the same id is refused', async () => {
    await w.call('StoreAndStart', 'J')
    const { sequence } = await w.store.head()
    assert.deepEqual(await w.call('StoreAndStart', 'J'), { bits: ['NoError'] })
    for (const other of [jobOrder('J', { priority: 1 }), jobOrder('J', { parameters: [{ id: 'Quantity', type: 'Double', value: 11 }] })])
      assert.deepEqual((await w.call('StoreAndStart', other)).bits, ['UnableToAcceptJobOrder', 'JobOrderIdInUse'])
    assert.deepEqual((await w.call('Store', 'J')).bits, ['UnableToAcceptJobOrder', 'JobOrderIdInUse'], 'Store is another request than StoreAndStart')
    assert.equal((await w.store.head()).sequence, sequence)
    await run(w, 'J', 2)
    assert.deepEqual(await w.call('StoreAndStart', 'J'), { bits: ['NoError'] }, 'also when it runs')
    assert.equal(w.state('J'), 'Running')
  })

  it('a late repetition brings nothing back that was cleared, cancelled or revoked', async () => {
    await w.call('StoreAndStart', 'C')
    await w.call('Cancel', 'C')
    assert.deepEqual((await w.call('StoreAndStart', 'C')).bits, ['UnableToAcceptJobOrder', 'JobOrderIdInUse'])
    assert.equal(w.state('C'), undefined)
    await w.call('StoreAndStart', 'R')
    await w.call('RevokeStart', 'R')
    assert.deepEqual((await w.call('StoreAndStart', 'R')).bits, ['NoError'])
    assert.equal(w.state('R'), 'NotAllowedToStart/Ready')
  })

  it('many at once with the same id make one order', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => w.call('StoreAndStart', 'J')))
    assert.ok(outcomes.every(({ bits }) => bits[0] === 'NoError'))
    assert.equal((await w.store.list('work-order')).length, 1)
  })

  it('the list is bounded; what is cleared makes room', async () => {
    await w.close()
    w = await world(3)
    for (const id of ['1', '2', '3']) await w.call('StoreAndStart', id)
    assert.deepEqual((await w.call('StoreAndStart', '4')).bits, ['UnableToAcceptJobOrder', 'ListIsFull'])
    assert.deepEqual((await w.call('StoreAndStart', '3')).bits, ['NoError'], 'a repetition needs no room')
    assert.equal((await w.store.list('work-order')).length, 3)
    await w.call('Abort', '1')
    await w.call('Clear', '1')
    assert.deepEqual((await w.call('StoreAndStart', '4')).bits, ['NoError'])
  })

  it('Update changes quantity and times, also of what is allowed to start; what a unit was told stands', async () => {
    await w.call('StoreAndStart', 'J')
    assert.deepEqual(await w.call('Update', jobOrder('J', { parameters: [{ id: 'Quantity', type: 'Double', value: 7 }], end: 5_000_000 })), {
      bits: ['NoError'],
    })
    const [job] = await w.jobs('J')
    assert.equal(job?.quantity.value, 7)
    assert.equal((await w.store.get('work-order', job!.workOrder))?.due, 5_000_000)
    assert.deepEqual((await w.call('Update', jobOrder('J', { workMasters: [{ id: 'shaft' }] }))).bits, ['InvalidJobOrderStatus', 'UnitDecides'])
    const { changeJobOrder } = await import('../../../../core/orders/change-job-order.ts')
    await w.store.transaction((tx) => changeJobOrder(tx, job!, 'Start', { actor: 'test' }, { equipment: 'p/line-1/mill-1' }))
    for (const method of ['RevokeStart', 'Update'] as const)
      assert.deepEqual((await w.call(method, jobOrder('J', { priority: 2 }))).bits, ['InvalidJobOrderStatus', 'UnitDecides'])
  })

  it('is Running from the first operation to the last, and Ended with what was made', async () => {
    await w.call('StoreAndStart', jobOrder('J', { workMasters: [{ id: 'shaft' }] }))
    assert.equal(w.state('J'), 'AllowedToStart/Ready')
    await run(w, 'J', 4)
    await complete(w, 'J', 10)
    assert.equal(w.state('J'), 'Running', 'between two operations')
    await run(w, 'J')
    await complete(w, 'J', 9)
    assert.equal(w.state('J'), 'Ended/Completed')
    const response = w.desk.response('p', 'J')
    assert.equal(response?.data?.find(({ id }) => id === 'Good')?.value, 9)
    assert.deepEqual(response?.materials, [{ definition: 'shaft', lot: 'lot-wo-J', use: 'Produced', unit: 'pcs', quantity: '9' }])
    assert.deepEqual(
      response?.equipment?.map(({ id, quantity }) => [id, quantity]),
      [
        ['p/line-1/saw', '10'],
        ['p/line-1/mill-1', '9'],
      ],
    )
    assert.equal(response?.state, 'Ended')
    assert.ok(response.start !== undefined && response.end !== undefined && response.end >= response.start)
  })

  it('Stop ends with what is made and gives up what has not begun; Abort keeps what was made', async () => {
    await w.call('StoreAndStart', jobOrder('S', { workMasters: [{ id: 'shaft' }] }))
    await run(w, 'S', 4)
    await w.call('Stop', 'S')
    assert.deepEqual(
      (await w.jobs('S')).map(({ state, good }) => [state, good]),
      [
        ['Ended', 4],
        ['Aborted', 0],
      ],
    )
    assert.equal((await w.store.get('work-order', 'wo-S'))?.state, 'Completed')
    await w.call('StoreAndStart', 'A')
    const job = await run(w, 'A', 5)
    await w.call('Abort', 'A')
    assert.equal((await w.store.get('work-order', 'wo-A'))?.state, 'Canceled')
    assert.equal((await w.store.get('job-response', `jr-${job.id}`))?.good, 5)
    assert.equal(w.desk.response('p', 'A')?.data?.find(({ id }) => id === 'Good')?.value, 5)
  })

  it('tells every state once, in order, and the list whenever it changes', async () => {
    const told: string[] = []
    w.desk.listen({ changed: (_receiver, job) => told.push(job.substate === null ? job.state : `${job.state}/${job.substate}`), listChanged: () => {} })
    await w.call('Store', 'J')
    await w.call('Start', 'J')
    await run(w, 'J', 1)
    await w.call('Pause', 'J')
    await w.call('Resume', 'J')
    await complete(w, 'J', 10)
    await w.call('Clear', 'J')
    const tops = told.filter((state, index) => state !== told[index - 1])
    assert.deepEqual(
      tops.filter((state) => !state.endsWith('/Waiting')),
      ['NotAllowedToStart/Ready', 'AllowedToStart/Ready', 'Running', 'Interrupted/Held', 'Running', 'Ended/Completed', 'Ended/Closed'],
    )
  })

  it('knows its list again after a restart', async () => {
    const opened = memoryStore()
    const first = await world(100, opened)
    await first.call('StoreAndStart', 'J')
    await first.call('StoreAndStart', 'K')
    await run(first, 'J', 3)
    await first.call('Cancel', 'K')
    first.desk.stop()
    const again = await world(100, opened)
    assert.deepEqual(
      again.desk.list('p').map(({ record, state }) => [record.id, state]),
      [['J', 'Running']],
    )
    assert.deepEqual(again.desk.list('p')[0]?.record, jobOrder('J'), 'as it was asked for')
    await again.close()
  })

  it('what came in another way is on no list', async () => {
    const { createWorkOrder } = await import('../../../../core/orders/create-work-order.ts')
    const { LINES } = await import('./fixture.ts')
    await w.store.transaction((tx) =>
      createWorkOrder(tx, LINES, { external: { system: 'job-control:p', id: 'X' }, product: 'plate', quantity: 1 }, { actor: 'a' }),
    )
    assert.deepEqual(w.desk.list('p'), [])
    assert.deepEqual((await w.call('Start', 'X')).bits, ['UnknownJobOrderId'])
    const orders = new ListedOrders()
    assert.equal(orders.apply({ after: null }), undefined)
  })

  for (const [what, record] of [
    ['a work master that the plant does not have', jobOrder('J', { workMasters: [{ id: 'gear' }] })],
    ['neither work master nor material', { id: 'J', parameters: [{ id: 'Quantity', type: 'Double' as const, value: 1 }] }],
    ['no quantity', jobOrder('J', { parameters: [] })],
    ['a quantity of zero', jobOrder('J', { parameters: [{ id: 'Quantity', type: 'Double', value: 0 }] })],
    ['a quantity below zero', jobOrder('J', { parameters: [{ id: 'Quantity', type: 'Double', value: -3 }] })],
    ['a quantity that is a word', jobOrder('J', { parameters: [{ id: 'Quantity', type: 'String', value: 'many' }] })],
    ['equipment that the plant does not have', jobOrder('J', { equipment: [{ id: 'p/line-9' }] })],
  ] as const) {
    it(`refuses ${what}, and nothing is written`, async () => {
      const outcome = await w.call('StoreAndStart', record)
      assert.equal(outcome.bits[0], 'UnableToAcceptJobOrder')
      assert.equal((await w.store.head()).sequence, 0)
      assert.equal(w.refused.length, 1)
    })
  }

  it('says try again later when the store is away', async () => {
    await w.store.close()
    assert.deepEqual((await w.call('StoreAndStart', 'J')).bits, ['UnableToAcceptJobOrder', 'TryAgainLater'])
  })
})
