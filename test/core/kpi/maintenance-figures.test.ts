import assert from 'node:assert/strict'
import { maintenanceFigures } from '../../../core/kpi/maintenance-figures.ts'
import type { JobOrder } from '../../../core/messages/job-order.ts'
import { requestMaintenance } from '../../../core/orders/maintenance.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, memoryStore, PLANT } from '../orders/fixture.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 10, 23, 6)
const at = (minutes: number): number => START + minutes * MINUTE
const minutes = (ms: number | null | undefined): number | null => (ms == null ? null : ms / MINUTE)
const plant = checkPlant({ ...PLANT, timeZone: 'UTC' }, 'test')
const MILL = 'p/mill-1'

describe('maintenance figures', () => {
  let store: Store
  beforeEach(() => {
    store = memoryStore(START).store
  })
  afterEach(() => store.close())

  /** A unit was in a state from one minute to another. */
  async function stay(from: number, to: number | null, state: string, element: 'APT' | 'ADET' | 'PDOT', job: string | null = null, unit = MILL): Promise<void> {
    const mode = job === null ? 'Produce' : 'Maintenance'
    await store.transaction(async (tx) => {
      const row = { equipment: unit, state, mode, element, reason: null, job_order: job, since: at(from), until: to === null ? null : at(to) }
      await tx.db.insertInto('machine_state').values(row).execute()
    })
  }
  async function repaired(kind: 'planned' | 'unplanned', from: number, to: number, unit = MILL): Promise<{ order: string; job: string }> {
    return store.transaction(async (tx) => {
      const { jobOrder, workOrder } = await requestMaintenance(tx, plant, { equipment: unit, kind, deadline: null, cause: 'test', actor: 'test' })
      const done: JobOrder = { ...jobOrder, state: 'Ended', substate: 'Completed', actualStart: at(from), actualEnd: at(to) }
      await tx.save<'job-order'>(done as JobOrder & { kind: 'job-order' }, { type: 'job-order.completed', actor: 'test' })
      const order = (await tx.get('work-order', workOrder.id)) ?? workOrder
      await tx.save<'work-order'>({ ...order, state: 'Completed' }, { type: 'work-order.completed', actor: 'test' })
      return { order: workOrder.id, job: jobOrder.id }
    })
  }

  it('are those reckoned by hand, each with the orders behind it', async () => {
    // worked 0–100, failed at 100, repaired 130–160; worked 160–260, planned repair 260–280; worked 280–330, stopped 330–340 without a repair; worked 340–400
    await stay(0, 100, 'Execute', 'APT')
    await stay(100, 130, 'Aborted', 'ADET')
    const corrective = await repaired('unplanned', 130, 160)
    await stay(130, 160, 'Execute', 'PDOT', corrective.job)
    await stay(160, 260, 'Execute', 'APT')
    const planned = await repaired('planned', 260, 280)
    await stay(260, 280, 'Execute', 'PDOT', planned.job)
    await stay(280, 330, 'Execute', 'APT')
    await stay(330, 340, 'Aborted', 'ADET')
    await stay(340, null, 'Execute', 'APT')
    const { values, elements, lineage } = await maintenanceFigures(store, plant, MILL, START, at(400))
    assert.deepEqual(
      [elements.failures, minutes(elements.operatingMs), minutes(elements.downMs), minutes(elements.CMT), minutes(elements.PMT)],
      [2, 310, 70, 30, 20],
    )
    assert.equal(minutes(values.MTBF), 155, '310 min of work, 2 failures')
    assert.equal(minutes(values.MTTF), 75, '100 min from the first hour on, 50 since the planned repair')
    assert.equal(minutes(values.MTTR), 35, '60 min and 10 min')
    assert.equal(minutes(values.repairTime), 30)
    assert.deepEqual([values.correctiveMaintenance, values.plannedRepairs, values.firstTimeFix], [0.6, 0.5, null])
    assert.ok(Math.abs((values.availability ?? 0) - 310 / 380) < 1e-12)
    assert.deepEqual(
      [lineage.orders?.MTTR, lineage.orders?.MTBF, lineage.orders?.correctiveMaintenance],
      [[corrective.order], [corrective.order], [corrective.order, planned.order]],
    )
    assert.equal(lineage.states.length, 2)

    // the second half: one failure, which lived since the planned repair before it; the repairs had ended
    const later = await maintenanceFigures(store, plant, MILL, at(300), at(400))
    assert.deepEqual([minutes(later.values.MTBF), minutes(later.values.MTTF), minutes(later.values.MTTR)], [90, 50, 10])
    assert.deepEqual([later.values.correctiveMaintenance, later.values.repairTime], [null, null])
  })

  it('are null where nothing was counted to divide by, and a failure that lasts has not been restored', async () => {
    const none = await maintenanceFigures(store, plant, 'p', START, at(60))
    assert.deepEqual(
      Object.values(none.values),
      Object.values(none.values).map(() => null),
    )
    await stay(0, 10, 'Execute', 'APT')
    await stay(10, null, 'Aborted', 'ADET')
    const { values, elements } = await maintenanceFigures(store, plant, 'p', START, at(60))
    assert.deepEqual([minutes(values.MTBF), values.MTTR, minutes(elements.downMs), elements.failures], [10, null, 50, 1])
  })

  it('add up for a line, also with units of which only a log tells', async () => {
    await stay(0, 50, 'Execute', 'APT')
    await stay(50, 60, 'Aborted', 'ADET')
    await stay(60, 100, 'Execute', 'APT')
    const logged = await repaired('unplanned', 20, 40, 'p/saw')
    const { values, elements, lineage } = await maintenanceFigures(store, plant, 'p', START, at(100))
    assert.deepEqual([elements.failures, minutes(values.MTTR), minutes(elements.operatingMs)], [2, 15, 90])
    assert.deepEqual(lineage.orders?.MTTR, [logged.order])
  })

  it('are refused for what is no part of the plant', async () => {
    assert.equal(await code(maintenanceFigures(store, plant, 'p/nowhere', START, at(1))), 'TAKT_EQUIPMENT_UNKNOWN')
  })
})
