import assert from 'node:assert/strict'
import { commandJobOrder } from '../../../core/orders/control-work-order.ts'
import { endUnseen, reconcile } from '../../../core/orders/follow-machine.ts'
import { requestMaintenance } from '../../../core/orders/maintenance.ts'
import type { Store } from '../../../core/store/store.ts'
import { count, jobStates, memoryStore, plant, released, show, tester } from './fixture.ts'

const SAW = 'jo-wo-1-10-saw'
const MILL = 'jo-wo-1-20-mill'

describe('following machines', () => {
  let store: Store
  beforeEach(async () => {
    store = memoryStore().store
    await released(store)
  })
  afterEach(() => store.close())

  const job = async (id = SAW) => (await jobStates(store)).find((line) => line.startsWith(`${id} `))
  const allow = (id = SAW) => store.transaction((tx) => commandJobOrder(tx, id, 'Start', tester))
  const changesNothing = async (work: () => Promise<unknown>) => {
    const { sequence } = await store.head()
    await work()
    assert.equal((await store.head()).sequence, sequence)
  }

  it('goes from loaded through running and interrupted to completed', async () => {
    await allow()
    await show(store, 'p/saw', 'Idle', SAW)
    assert.equal(await job(), `${SAW} AllowedToStart/Loaded 0+0 of 10`)
    await show(store, 'p/saw', 'Starting', SAW)
    await show(store, 'p/saw', 'Execute', SAW)
    assert.equal(await job(), `${SAW} Running 0+0 of 10`)
    await show(store, 'p/saw', 'Held', SAW)
    assert.equal(await job(), `${SAW} Interrupted/Held 0+0 of 10`)
    await show(store, 'p/saw', 'Suspended', SAW)
    assert.equal(await job(), `${SAW} Interrupted/Suspended 0+0 of 10`)
    await show(store, 'p/saw', 'NoSignal', SAW)
    await show(store, 'p/saw', 'Execute', SAW)
    assert.equal(await job(), `${SAW} Running 0+0 of 10`)
    await count(store, 'p/saw', SAW, 9, 1)
    await show(store, 'p/saw', 'Complete', SAW)
    assert.equal(await job(), `${SAW} Ended/Completed 9+1 of 10`)
  })

  it('changes nothing when the same is seen again', async () => {
    await show(store, 'p/saw', 'Execute', SAW)
    await changesNothing(() => show(store, 'p/saw', 'Execute', SAW))
    await count(store, 'p/saw', SAW, 4)
    await changesNothing(() => count(store, 'p/saw', SAW, 4))
    await show(store, 'p/saw', 'Aborted', SAW)
    await changesNothing(() => show(store, 'p/saw', 'Aborted', SAW))
    await changesNothing(() => show(store, 'p/saw', 'Execute', SAW))
  })

  it('does not believe the end of another job order for the end of one that was just given', async () => {
    await allow()
    for (const state of ['Complete', 'Stopped'] as const) await changesNothing(() => show(store, 'p/saw', state, SAW))
    assert.equal(await job(), `${SAW} AllowedToStart/Ready 0+0 of 10`)
  })

  it('does not believe it either when parts were counted since, as after a restart that finds the unit at work', async () => {
    await allow()
    await count(store, 'p/saw', SAW, 1, 0, 2_000_500)
    await show(store, 'p/saw', 'Complete', SAW, { since: 2_000_100 })
    assert.equal(await job(), `${SAW} AllowedToStart/Ready 1+0 of 10`)
    await show(store, 'p/saw', 'Execute', SAW, { since: 2_000_200 })
    assert.equal(await job(), `${SAW} Running 1+0 of 10`)
  })

  it('believes the end of one that began unseen when its parts were counted', async () => {
    await allow()
    await count(store, 'p/saw', SAW, 10, 0, 1_999_000)
    await show(store, 'p/saw', 'Complete', SAW)
    assert.equal(await job(), `${SAW} Ended/Completed 10+0 of 10`)
    assert.equal((await store.get('job-order', SAW))?.actualStart, 1_999_000)
  })

  it('believes it without parts when somebody has waited long enough', async () => {
    await allow()
    await store.transaction((tx) => endUnseen(tx, SAW, { equipment: 'p/saw', state: 'Complete', mode: 'Produce', jobOrder: SAW, since: 2_000_000 }, tester))
    assert.equal(await job(), `${SAW} Ended/Completed 0+0 of 10`)
  })

  it('makes one job order for what a failed unit left, and the next operation waits for that', async () => {
    await show(store, 'p/saw', 'Execute', SAW)
    await count(store, 'p/saw', SAW, 3, 1)
    await show(store, 'p/saw', 'Aborted', SAW)
    await show(store, 'p/saw', 'Aborted', SAW)
    assert.deepEqual(await jobStates(store), [
      `${SAW} Aborted 3+1 of 10`,
      `${SAW}.2 NotAllowedToStart/Ready 0+0 of 6`,
      `${MILL} NotAllowedToStart/Waiting 0+0 of 10`,
    ])
    assert.equal((await store.get('job-order', `${SAW}.2`))?.continues, SAW)
    assert.deepEqual((await store.get('work-order', 'wo-1'))?.jobOrders, [SAW, MILL, `${SAW}.2`])
    assert.equal((await store.get('job-response', `jr-${SAW}`))?.state, 'Aborted')

    await show(store, 'p/saw', 'Execute', `${SAW}.2`)
    await count(store, 'p/saw', `${SAW}.2`, 2)
    await show(store, 'p/saw', 'Aborted', `${SAW}.2`)
    await show(store, 'p/saw', 'Execute', `${SAW}.3`)
    await count(store, 'p/saw', `${SAW}.3`, 4)
    await show(store, 'p/saw', 'Complete', `${SAW}.3`)
    assert.equal(await job(MILL), `${MILL} NotAllowedToStart/Ready 0+0 of 9`)
  })

  it('needs no other job order when the last part was made before the unit failed', async () => {
    await show(store, 'p/saw', 'Execute', SAW)
    await count(store, 'p/saw', SAW, 10)
    await show(store, 'p/saw', 'Aborted', SAW)
    assert.deepEqual(await jobStates(store), [`${SAW} Aborted 10+0 of 10`, `${MILL} NotAllowedToStart/Ready 0+0 of 10`])
  })

  it('takes counts that come after the end', async () => {
    await show(store, 'p/saw', 'Execute', SAW)
    await count(store, 'p/saw', SAW, 9)
    await show(store, 'p/saw', 'Complete', SAW)
    await count(store, 'p/saw', SAW, 10)
    assert.deepEqual(await jobStates(store), [`${SAW} Ended/Completed 10+0 of 10`, `${MILL} NotAllowedToStart/Ready 0+0 of 10`])
    assert.equal((await store.get('job-response', `jr-${SAW}`))?.good, 10)
  })

  it('records what a unit runs without having been allowed to', async () => {
    await show(store, 'p/saw', 'Execute', SAW)
    const types = (await store.events(0, 100)).filter((event) => event.subject === SAW).map((event) => event.type)
    assert.deepEqual(types, ['job-order.created', 'job-order.ready', 'job-order.allowed', 'job-order.running'])
  })

  it('ends what a unit left unseen, by what was counted', async () => {
    await released(store, { id: 'wo-2' })
    await show(store, 'p/saw', 'Execute', SAW)
    await count(store, 'p/saw', SAW, 10)
    await show(store, 'p/saw', 'Execute', 'jo-wo-2-10-saw', { since: 2_000_500 })
    assert.equal(await job(), `${SAW} Ended/Completed 10+0 of 10`)
    await show(store, 'p/saw', 'Idle', null)
    assert.match((await jobStates(store, 'wo-2'))[0] ?? '', /Running/)
  })

  it('ends a job order that a unit went idle under', async () => {
    await show(store, 'p/saw', 'Execute', SAW)
    await show(store, 'p/saw', 'Idle', SAW)
    assert.equal(await job(), `${SAW} Running 0+0 of 10`)
    await count(store, 'p/saw', SAW, 4)
    await show(store, 'p/saw', 'Idle', SAW)
    assert.equal(await job(), `${SAW} Aborted 4+0 of 10`)
    assert.equal(await job(`${SAW}.2`), `${SAW}.2 NotAllowedToStart/Ready 0+0 of 6`)
  })

  it('says when a unit works on what nobody knows', async () => {
    const error = await show(store, 'p/saw', 'Execute', 'mystery')
    assert.equal((error as { code: string }).code, 'TAKT_JOB_ORDER_UNKNOWN')
  })

  it('follows a repair by its mode', async () => {
    const { jobOrder } = await store.transaction((tx) =>
      requestMaintenance(tx, plant, { equipment: 'p/saw', kind: 'unplanned', deadline: null, cause: 'it failed', actor: 'test' }),
    )
    const repair = async () => {
      const found = await store.get('job-order', jobOrder.id)
      return [found?.state, found?.substate]
    }
    await store.transaction((tx) => commandJobOrder(tx, jobOrder.id, 'Start', tester))
    await show(store, 'p/saw', 'Aborted', jobOrder.id)
    await show(store, 'p/saw', 'Complete', jobOrder.id)
    assert.deepEqual(await repair(), ['AllowedToStart', 'Ready'])
    await show(store, 'p/saw', 'Execute', jobOrder.id, { mode: 'Maintenance' })
    assert.deepEqual(await repair(), ['Running', null])
    await show(store, 'p/saw', 'Stopped', jobOrder.id, { mode: 'Maintenance' })
    assert.deepEqual(await repair(), ['Running', null])
    await show(store, 'p/saw', 'Complete', jobOrder.id, { since: 2_000_900 })
    assert.deepEqual(await repair(), ['Ended', 'Completed'])
    assert.equal((await store.get('work-order', jobOrder.workOrder))?.state, 'Completed')
  })

  it('catches up with what was recorded before a crash', async () => {
    await allow()
    await store.transaction(async (tx) => {
      await tx.db
        .insertInto('job_count')
        .values({ equipment: 'p/saw', job_order: SAW, good: 3, scrap: 0, first: 2_000_010, last: 2_000_020, ledger: 1 })
        .execute()
      await tx.db
        .insertInto('machine_state')
        .values({ equipment: 'p/saw', state: 'Aborted', mode: 'Produce', element: 'ADET', reason: null, job_order: SAW, since: 2_000_030, until: null })
        .execute()
    })
    await store.transaction((tx) => reconcile(tx, tester))
    assert.equal(await job(), `${SAW} Aborted 3+0 of 10`)
    assert.equal(await job(`${SAW}.2`), `${SAW}.2 NotAllowedToStart/Ready 0+0 of 7`)
    await changesNothing(() => store.transaction((tx) => reconcile(tx, tester)))
  })
})
