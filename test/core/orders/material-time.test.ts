import assert from 'node:assert/strict'
import { changeJobOrder } from '../../../core/orders/change-job-order.ts'
import { OrderDesk } from '../../../core/orders/order-desk.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, jobStates, memoryStore, plant, released, show, tester } from './fixture.ts'

const [saw, mill] = ['jo-wo-1-10-saw', 'jo-wo-1-20-mill']
const NOON = Date.UTC(2026, 10, 24, 11)

describe('when material is there', () => {
  let store: Store
  let desk: OrderDesk
  beforeEach(async () => {
    store = memoryStore().store
    desk = new OrderDesk(store, () => plant, { autoRelease: true, mapping: {}, importFolder: undefined, where: 'test' })
  })
  afterEach(() => store.close())
  const materialAt = async (id: string) => (await store.get('job-order', id))?.materialAt

  it('comes with the order, and holds for what waits for nothing else', async () => {
    await desk.handle('create', { id: 'wo-1', product: 'shaft', quantity: 10, materialAt: '2026-11-24 12:00' }, tester)
    assert.equal((await store.get('work-order', 'wo-1'))?.materialAt, NOON)
    assert.deepEqual([await materialAt(saw), await materialAt(mill)], [NOON, undefined])
  })

  it('is set, moved and taken away by message, with who and why in the ledger', async () => {
    await released(store)
    const ask = (payload: unknown) => desk.handle('material', payload, tester)
    const { documents } = await ask({ workOrder: 'wo-1', at: '2026-11-24T12:00+01:00', why: 'the truck is late' })
    assert.deepEqual(
      documents.map(({ kind, id }) => `${kind} ${id}`),
      ['work-order wo-1'],
    )
    assert.deepEqual([await materialAt(saw), await materialAt(mill)], [NOON, undefined])
    await ask([
      { workOrder: 'wo-1', operation: '20-mill', at: NOON + 1 },
      { jobOrder: saw, at: NOON + 2 },
    ])
    assert.deepEqual([await materialAt(saw), await materialAt(mill)], [NOON + 2, NOON + 1])
    await ask({ workOrder: 'wo-1', at: null })
    assert.deepEqual([await materialAt(saw), (await store.get('work-order', 'wo-1'))?.materialAt], [null, null])
    const events = (await store.events(0, 1000)).filter(({ type }) => type === 'job-order.material' || type === 'work-order.updated')
    assert.deepEqual(
      events.map(({ type, subject, why }) => `${type} ${subject} ${why ?? ''}`.trim()),
      [
        `job-order.material ${saw} the truck is late`,
        'work-order.updated wo-1 the truck is late',
        `job-order.material ${mill}`,
        `job-order.material ${saw}`,
        `job-order.material ${saw}`,
        'work-order.updated wo-1',
      ],
    )
    const before = (await store.events(0, 1000)).length
    await ask({ workOrder: 'wo-1', at: null })
    assert.equal((await store.events(0, 1000)).length, before, 'the same again changes nothing')
  })

  it('takes back what a unit was told and has not loaded, and leaves what has begun', async () => {
    await released(store)
    const allow = () => store.transaction(async (tx) => changeJobOrder(tx, (await tx.get('job-order', saw))!, 'Start', tester, { equipment: 'p/saw' }))
    await allow()
    await desk.handle('material', { jobOrder: saw, at: NOON }, tester)
    assert.equal((await jobStates(store))[0], `${saw} NotAllowedToStart/Ready 0+0 of 10`)
    await allow()
    await show(store, 'p/saw', 'Execute', saw)
    assert.equal(await code(desk.handle('material', { jobOrder: saw, at: NOON + 1 }, tester)), 'TAKT_ORDER_STATE')
  })

  it('is refused with a code when it makes no sense', async () => {
    await released(store)
    const ask = (payload: unknown) => code(desk.handle('material', payload, tester))
    assert.equal(await ask({ workOrder: 'wo-1', at: 'soon' }), 'TAKT_ORDER_TIME')
    assert.equal(await ask({ workOrder: 'wo-1' }), 'TAKT_ORDER_TIME')
    assert.equal(await ask({ at: NOON }), 'TAKT_MESSAGE_INVALID')
    assert.equal(await ask({ workOrder: 'wo-1', jobOrder: saw, at: NOON }), 'TAKT_MESSAGE_INVALID')
    assert.equal(await ask('wo-1'), 'TAKT_MESSAGE_INVALID')
    assert.equal(await ask({ workOrder: 'wo-9', at: NOON }), 'TAKT_ORDER_UNKNOWN')
    assert.equal(await ask({ jobOrder: 'jo-9', at: NOON }), 'TAKT_JOB_ORDER_UNKNOWN')
    assert.equal(await ask({ workOrder: 'wo-1', operation: '30', at: NOON }), 'TAKT_JOB_ORDER_UNKNOWN')
    assert.equal(await materialAt(saw), undefined)
  })
})
