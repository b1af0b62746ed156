import { sql } from 'kysely'
import type { Anomaly } from '../../messages/anomaly.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { Plan } from '../../messages/plan.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader } from '../../store/store.ts'
import { LONGEST_REASON } from '../holds/held-unit.ts'
import { holdReasons } from '../holds/hold-reasons.ts'
import { limitIn, returning, type UnitLimit } from '../maintenance/service.ts'
import { lastRepairEnd } from '../maintenance.ts'
import { inParts, knownFactsOf, type Revision } from './known-documents.ts'

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
  /** Why lots and orders are held, by id, where somebody said it. */
  readonly holdReasons?: ReadonlyMap<string, string>
  /** Accepted or acted on, oldest first. */
  readonly disruptions: readonly Disruption[]
  /** Proposed to a person who has not answered: they say what may fail, and change nothing else. */
  readonly proposals?: readonly Disruption[]
  /** Those that stand. */
  readonly anomalies?: readonly Anomaly[]
  /** When units of which something is said last came back from a repair, epoch ms. */
  readonly renewedAt?: ReadonlyMap<string, number>
  /** Repaired units that are not back to full work. */
  readonly limits?: ReadonlyMap<string, UnitLimit>
  /** What a unit last worked on, for its set-up. */
  readonly lastFamily: ReadonlyMap<string, string>
  readonly plan: Plan | undefined
  /** Released work orders that have no operations at all. */
  readonly withoutOperations?: readonly string[]
  /** How much more there is than can be planned at once; absent when everything was read. */
  readonly leftOut?: { readonly jobs: number; readonly orders: number }
}

/** So many job orders are planned at once at most; of more, those of the work orders that are due first. */
export const MOST_JOBS = 20_000
const OPEN_STATES = ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted'] as const

export async function readFacts(reader: StoreReader, plant: Plant, now: number, most = MOST_JOBS): Promise<PlanningFacts> {
  const { among, leftOut } = await mostUrgent(reader, most)
  const [chosen, begun, withoutOperations, states, held, disruptions, proposals, anomalies, plan, lastFamily, returns] = await Promise.all([
    openJobs(reader, among),
    // what has begun occupies its unit, whatever is planned
    among === undefined ? [] : reader.list('job-order', { where: { state: ['Running', 'Interrupted'] } }),
    ordersWithoutOperations(reader),
    reader.db.selectFrom('machine_state').select(['equipment', 'state', 'since']).where('until', 'is', null).execute(),
    reader.list('lot', { where: { disposition: 'held' } }),
    reader.list('disruption', { where: { status: ['accepted', 'acted'] }, orderBy: 'time' }),
    reader.list('disruption', { where: { status: 'proposed', action: 'maintain-before' }, orderBy: 'time' }),
    reader.list('anomaly', { where: { state: ['raised', 'updated'] } }),
    knownFactsOf(reader).planInForce(reader),
    lastFamilies(reader, plant),
    returning(reader),
  ])
  const known = new Set(chosen.map((job) => job.id))
  const jobs = begun.length === 0 ? chosen : [...chosen, ...begun.filter((job) => !known.has(job.id))]
  const ids = [...new Set(jobs.map((job) => job.workOrder))]
  const underWay = jobs.filter((job) => job.state === 'Running' || job.state === 'Interrupted').map((job) => job.id)
  const proposed = proposals.filter(({ autonomy }) => autonomy !== 'shadow')
  const [renewedAt, workOrders, counts] = await Promise.all([
    lastRepairs(reader, new Set([...anomalies, ...proposed, ...disruptions.filter(({ deadline }) => deadline !== null)].map(({ equipment }) => equipment))),
    workOrdersOf(reader, ids),
    underWay.length === 0 ? [] : reader.db.selectFrom('job_count').select(['job_order', 'last']).where('job_order', 'in', underWay).execute(),
  ])
  return {
    now,
    jobs,
    workOrders: new Map(workOrders.map((order) => [order.id, order])),
    states: new Map(states.map(({ equipment, state, since }) => [equipment, { state: state as MachineState['state'], since }])),
    lastCounted: new Map(counts.map(({ job_order, last }) => [job_order, last])),
    heldLots: new Set(held.map((lot) => lot.id)),
    holdReasons: new Map([
      ...(await holdReasons(reader, workOrders)),
      ...held.flatMap(({ id, reason }) => (reason === undefined ? [] : [[id, reason.slice(0, LONGEST_REASON)] as const])),
    ]),
    disruptions,
    proposals: proposed,
    anomalies,
    renewedAt,
    limits: new Map(
      returns.flatMap((order) => [[order.equipment, limitIn(order)] as const]).filter((entry): entry is [string, UnitLimit] => entry[1] !== undefined),
    ),
    lastFamily,
    plan,
    withoutOperations,
    ...(leftOut === undefined ? {} : { leftOut }),
  }
}

/** Open job orders in the order of their ids; read are only those that have changed. */
async function openJobs(reader: StoreReader, among: readonly string[] | undefined): Promise<JobOrder[]> {
  const state = [...OPEN_STATES]
  const revisions: Revision[] = []
  for (let after = ''; ; ) {
    let query = reader.db.selectFrom('job_order').select(['id', 'revision']).where('state', 'in', state).where('id', '>', after)
    if (among !== undefined) query = query.where('work_order', 'in', among)
    const page = await query.orderBy('id').limit(REVISIONS_AT_ONCE).execute()
    revisions.push(...page)
    if (page.length < REVISIONS_AT_ONCE) break
    after = page.at(-1)?.id ?? ''
  }
  return knownFactsOf(reader).jobs.at(revisions, (id) => reader.list('job-order', { where: { id, state } }))
}

async function workOrdersOf(reader: StoreReader, ids: readonly string[]): Promise<WorkOrder[]> {
  const revisions = await inParts(ids, (some) => reader.db.selectFrom('work_order').select(['id', 'revision']).where('id', 'in', some).execute())
  return knownFactsOf(reader).orders.at(revisions, (id) => reader.list('work-order', { where: { id } }))
}

const REVISIONS_AT_ONCE = 1000

/** Which work orders to plan when there is more open work than can be planned at once: what runs and repairs, then what is due first. Whole orders, never parts of one. */
async function mostUrgent(reader: StoreReader, most: number): Promise<{ among?: string[]; leftOut?: PlanningFacts['leftOut'] }> {
  const open = reader.db.selectFrom('job_order').where('job_order.state', 'in', OPEN_STATES)
  const counted = await open.select(({ fn }) => fn.countAll<number>().as('jobs')).executeTakeFirst()
  const jobs = Number(counted?.jobs ?? 0)
  if (jobs <= most) return {}
  const rows = await open
    .innerJoin('work_order', 'work_order.id', 'job_order.work_order')
    .select(({ fn, case: when }) => [
      'work_order.id as id',
      fn.countAll<number>().as('jobs'),
      fn.min(when().when('work_order.type', '=', 'maintenance').then(0).when('work_order.state', '=', 'Running').then(1).else(2).end()).as('rank'),
      fn.min('work_order.due').as('due'),
    ])
    .where('work_order.state', 'in', ['Released', 'Running'])
    .groupBy('work_order.id')
    .orderBy('rank')
    .orderBy(({ fn }) => fn.coalesce('work_order.due', sql<number>`${Number.MAX_SAFE_INTEGER}`))
    .orderBy('work_order.id')
    // every work order here has a job order at least
    .limit(most)
    .execute()
  const among: string[] = []
  let taken = 0
  for (const row of rows) {
    if (taken + Number(row.jobs) > most) continue
    taken += Number(row.jobs)
    among.push(row.id)
  }
  const orders = await open.select(({ fn }) => fn.count<number>('work_order').distinct().as('orders')).executeTakeFirst()
  return { among, leftOut: { jobs: jobs - taken, orders: Number(orders?.orders ?? 0) - among.length } }
}

async function ordersWithoutOperations(reader: StoreReader): Promise<string[]> {
  const rows = await reader.db
    .selectFrom('work_order')
    .select('id')
    .where('state', 'in', ['Released', 'Running'])
    .where(({ not, exists, selectFrom }) => not(exists(selectFrom('job_order').select('job_order.id').whereRef('job_order.work_order', '=', 'work_order.id'))))
    .limit(MOST_NAMED)
    .execute()
  return rows.map(({ id }) => id)
}

/** So many orders of a kind are named at most. */
const MOST_NAMED = 100

async function lastRepairs(reader: StoreReader, units: ReadonlySet<string>): Promise<Map<string, number>> {
  const ends = new Map<string, number>()
  await Promise.all([...units].map(async (unit) => ends.set(unit, await lastRepairEnd(reader, unit))))
  return ends
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
