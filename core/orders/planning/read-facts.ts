import type { Disruption } from '../../messages/disruption.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { Plan } from '../../messages/plan.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader } from '../../store/store.ts'

/** What a plan is made from, read from the store at one moment. */
export interface PlanningFacts {
  readonly now: number
  /** Open and under-way job orders, whatever their work order's state. */
  readonly jobs: readonly JobOrder[]
  readonly workOrders: ReadonlyMap<string, WorkOrder>
  /** Present state by unit. */
  readonly states: ReadonlyMap<string, { readonly state: MachineState['state']; readonly since: number }>
  /** When the unit last counted a part for a job order. */
  readonly lastCounted: ReadonlyMap<string, number>
  readonly heldLots: ReadonlySet<string>
  /** Accepted or acted on, oldest first. */
  readonly disruptions: readonly Disruption[]
  /** What a unit last worked on, for its set-up. */
  readonly lastFamily: ReadonlyMap<string, string>
  readonly plan: Plan | undefined
}

export async function readFacts(reader: StoreReader, plant: Plant, now: number): Promise<PlanningFacts> {
  const [jobs, states, held, disruptions, plan, lastFamily] = await Promise.all([
    reader.list('job-order', { where: { state: ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted'] } }),
    reader.db.selectFrom('machine_state').select(['equipment', 'state', 'since']).where('until', 'is', null).execute(),
    reader.list('lot', { where: { disposition: 'held' } }),
    reader.list('disruption', { where: { status: ['accepted', 'acted'] }, orderBy: 'time' }),
    latestPlan(reader),
    lastFamilies(reader, plant),
  ])
  const ids = [...new Set(jobs.map((job) => job.workOrder))]
  const underWay = jobs.filter((job) => job.state === 'Running' || job.state === 'Interrupted').map((job) => job.id)
  const [workOrders, counts] = await Promise.all([
    ids.length === 0 ? [] : reader.list('work-order', { where: { id: ids } }),
    underWay.length === 0 ? [] : reader.db.selectFrom('job_count').select(['job_order', 'last']).where('job_order', 'in', underWay).execute(),
  ])
  return {
    now,
    jobs,
    workOrders: new Map(workOrders.map((order) => [order.id, order])),
    states: new Map(states.map(({ equipment, state, since }) => [equipment, { state: state as MachineState['state'], since }])),
    lastCounted: new Map(counts.map(({ job_order, last }) => [job_order, last])),
    heldLots: new Set(held.map((lot) => lot.id)),
    disruptions,
    lastFamily,
    plan,
  }
}

/** The plan in force. */
export async function latestPlan(reader: StoreReader): Promise<Plan | undefined> {
  const [plan] = await reader.list('plan', { orderBy: 'version', descending: true, limit: 1 })
  return plan
}

async function lastFamilies(reader: StoreReader, plant: Plant): Promise<Map<string, string>> {
  const families = new Map<string, string>()
  await Promise.all(
    plant.units.map(async ({ id }) => {
      const [job] = await reader.list('job-order', { where: { equipment: id, state: ['Ended', 'Aborted'] }, orderBy: 'actual_end', descending: true, limit: 1 })
      if (job?.setupFamily !== undefined && job.actualEnd !== null) families.set(id, job.setupFamily)
    }),
  )
  return families
}
