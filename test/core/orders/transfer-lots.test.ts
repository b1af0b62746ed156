import assert from 'node:assert/strict'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { readUnitView } from '../../../core/orders/dispatch/read-unit-view.ts'
import { releaseWorkOrder } from '../../../core/orders/release-work-order.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import type { Store } from '../../../core/store/store.ts'
import { count, jobStates, memoryStore, PLANT, show, tester } from './fixture.ts'

const [saw, mill] = ['jo-wo-1-10-saw', 'jo-wo-1-20-mill']

/** The saw hands on four pieces at a time. */
const plant = checkPlant(
  {
    ...PLANT,
    workMasters: PLANT.workMasters?.map((master) => ({
      ...master,
      operations: master.operations.map((operation) => (operation.id === '10-saw' ? { ...operation, transferLot: 4 } : operation)),
    })),
  },
  'test',
)

describe('transfer lots', () => {
  let store: Store
  beforeEach(async () => {
    store = memoryStore().store
    await store.transaction(async (tx) => {
      const { order } = await createWorkOrder(tx, plant, { id: 'wo-1', product: 'shaft', quantity: 10 }, tester)
      await releaseWorkOrder(tx, plant, order.id, tester)
    })
    await show(store, 'p/saw', 'Execute', saw)
  })
  afterEach(() => store.close())

  it('let what follows begin when the first was made by the count, and not before', async () => {
    await count(store, 'p/saw', saw, 3)
    assert.deepEqual(await jobStates(store), [`${saw} Running 3+0 of 10`, `${mill} NotAllowedToStart/Waiting 0+0 of 10`])
    await count(store, 'p/saw', saw, 3, 2)
    assert.deepEqual((await jobStates(store))[1], `${mill} NotAllowedToStart/Waiting 0+0 of 10`, 'scrap is not handed on')
    await count(store, 'p/saw', saw, 4, 2)
    assert.deepEqual(await jobStates(store), [`${saw} Running 4+2 of 10`, `${mill} NotAllowedToStart/Ready 0+0 of 8`], 'and two will never come')
    const events = await store.events(0, 1000)
    assert.equal(events.find((event) => event.type === 'job-order.ready' && event.subject === mill)?.why, 'the first transfer lot was made before it')
  })

  it('take the permission back when what makes them fails before it was used', async () => {
    await count(store, 'p/saw', saw, 5)
    await store.transaction(async (tx) => {
      const job = (await tx.get('job-order', mill))!
      await tx.save<'job-order'>({ ...job, state: 'AllowedToStart', equipment: 'p/mill-1' }, { type: 'job-order.allowed', ...tester })
    })
    await show(store, 'p/saw', 'Aborted', saw, { since: 2_000_500 })
    assert.deepEqual(await jobStates(store), [
      `${saw} Aborted 5+0 of 10`,
      `${saw}.2 NotAllowedToStart/Ready 0+0 of 5`,
      `${mill} NotAllowedToStart/Waiting 0+0 of 10`,
    ])
  })

  it('end with the parts that came: a part scrapped while the next operation ran is missed by nobody', async () => {
    await count(store, 'p/saw', saw, 4)
    await show(store, 'p/mill-1', 'Execute', mill)
    await count(store, 'p/saw', saw, 9, 1)
    await show(store, 'p/saw', 'Complete', saw, { since: 2_001_000 })
    await count(store, 'p/mill-1', mill, 7, 1)
    assert.deepEqual(await jobStates(store), [`${saw} Ended/Completed 9+1 of 10`, `${mill} Running 7+1 of 10`])
    await count(store, 'p/mill-1', mill, 8, 1)
    assert.deepEqual(await jobStates(store), [`${saw} Ended/Completed 9+1 of 10`, `${mill} Ended/Completed 8+1 of 10`])
    const order = await store.get('work-order', 'wo-1')
    assert.deepEqual([order?.state, order?.progress], ['Completed', { good: 8, scrap: 2 }])
    assert.equal((await store.get('lot', 'lot-wo-1'))?.quantity.value, 8)
    const response = await store.get('job-response', `jr-${mill}`)
    assert.deepEqual([response?.state, response?.good, response?.scrap], ['Completed', 8, 1])
  })

  it('end it also when it had worked on all of them before the last was scrapped', async () => {
    await count(store, 'p/saw', saw, 4)
    await show(store, 'p/mill-1', 'Execute', mill)
    await count(store, 'p/saw', saw, 9, 0)
    await count(store, 'p/mill-1', mill, 9, 0)
    assert.equal((await jobStates(store))[1], `${mill} Running 9+0 of 10`)
    await count(store, 'p/saw', saw, 9, 1)
    await show(store, 'p/saw', 'Complete', saw, { since: 2_001_000 })
    assert.equal((await jobStates(store))[1], `${mill} Ended/Completed 9+0 of 10`)
  })

  it('free the next unit when what makes them fails: the rest is another job order', async () => {
    await count(store, 'p/saw', saw, 5)
    await show(store, 'p/mill-1', 'Execute', mill)
    await show(store, 'p/saw', 'Aborted', saw, { since: 2_000_500 })
    await count(store, 'p/mill-1', mill, 4)
    assert.deepEqual((await jobStates(store)).slice(2), [`${mill} Running 4+0 of 10`], 'a part is left')
    await count(store, 'p/mill-1', mill, 5)
    const rest = `${mill}.2`
    assert.deepEqual(await jobStates(store), [
      `${saw} Aborted 5+0 of 10`,
      `${saw}.2 NotAllowedToStart/Ready 0+0 of 5`,
      `${mill} Ended/Completed 5+0 of 10`,
      `${rest} NotAllowedToStart/Waiting 0+0 of 5`,
    ])
    assert.deepEqual((await store.get('job-order', rest))?.after, [`${saw}.2`])
    // and the loop closes: 10 in all, none twice
    await show(store, 'p/saw', 'Execute', `${saw}.2`, { since: 2_002_000 })
    await count(store, 'p/saw', `${saw}.2`, 4, 0, 2_002_100)
    assert.equal((await jobStates(store))[3], `${rest} NotAllowedToStart/Ready 0+0 of 5`)
    await count(store, 'p/saw', `${saw}.2`, 5, 0, 2_002_200)
    await show(store, 'p/saw', 'Complete', `${saw}.2`, { since: 2_002_300 })
    await show(store, 'p/mill-2', 'Execute', rest, { since: 2_002_400 })
    await count(store, 'p/mill-2', rest, 5, 0, 2_002_500)
    await show(store, 'p/mill-2', 'Complete', rest, { since: 2_002_600 })
    const order = await store.get('work-order', 'wo-1')
    assert.deepEqual([order?.state, order?.progress], ['Completed', { good: 10, scrap: 0 }])
  })

  it('are known to dispatch: what began on them is not begun before its planned time', async () => {
    await count(store, 'p/saw', saw, 4)
    await store.transaction(async (tx) => {
      const job = (await tx.get('job-order', mill))!
      await tx.save<'job-order'>({ ...job, equipment: 'p/mill-1', plannedStart: 3_000_000 }, { type: 'job-order.planned', ...tester })
    })
    const during = await readUnitView(store, new Map(), 'p/mill-1')
    assert.deepEqual([...(during.overlapping ?? [])], [mill])
    await count(store, 'p/saw', saw, 10)
    await show(store, 'p/saw', 'Complete', saw, { since: 2_001_000 })
    const after = await readUnitView(store, new Map(), 'p/mill-1')
    assert.deepEqual([...(after.overlapping ?? [])], [])
  })
})
