import type { Alternative, JobOrder } from '../../messages/job-order.ts'
import type { PlanProblem } from '../../messages/plan.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { PlanningFacts } from './read-facts.ts'

/** Nothing is planned for later than this, ms from now: calendars are looked at for twice as long, and what comes later is planned when it is nearer. */
export const FARTHEST_MS = 365 * 86_400_000
/** Weights and priorities beyond are typing errors, and sums of them no longer numbers that can be compared. */
const LARGEST_WEIGHT = 1e6

/** What the search is told of a work order: always numbers that it can use. */
export interface OrderTerms {
  readonly release: number
  readonly due: number | null
  readonly weight: number
}

/** A number of a work order that cannot be used is left out of the plan, and what is wrong with it is in `faults`. */
export function orderTermsOf(order: WorkOrder): OrderTerms & { readonly faults: readonly string[] } {
  const faults: string[] = []
  const usable = (name: string, value: number, fallback: number, most: number, least = -most): number => {
    if (value >= least && value <= most) return value
    faults.push(`its ${name} is ${value}`)
    return fallback
  }
  const release = usable('release', order.release, 0, LATEST_TIME)
  const due = order.due === null ? Number.NaN : usable('due time', order.due, Number.NaN, LATEST_TIME)
  const weight = usable('weight', order.weight, 1, LARGEST_WEIGHT, 0)
  const priority = usable('priority', order.priority, 5, LARGEST_WEIGHT)
  return { release, due: Number.isNaN(due) ? null : due, weight: weight * Math.max(0.1, priority / 5), faults }
}

/** Work of a job order on one alternative, ms without set-up; undefined when the times there cannot be times of anything. */
export function workOn({ setupMs, perPieceMs }: Alternative, quantity: number): number | undefined {
  const work = Math.round(perPieceMs * quantity)
  return setupMs >= 0 && work >= 0 && setupMs + work > 0 && Number.isFinite(setupMs + work) ? work : undefined
}

/** Is it a moment that a plan can be made with? */
export function isTime(value: number | null | undefined): value is number {
  return typeof value === 'number' && Math.abs(value) <= LATEST_TIME
}

/** The last moment of a JavaScript date. */
const LATEST_TIME = 8.64e15

/** What is wrong with work orders as wholes; nothing of it keeps them out of the plan, but for those without operations, which have nothing to plan. */
export function orderProblems({ jobs, workOrders, withoutOperations, leftOut }: PlanningFacts): PlanProblem[] {
  const problems: PlanProblem[] = []
  const seen = new Set(jobs.map((job) => job.workOrder))
  for (const order of workOrders.values()) {
    if (!seen.has(order.id) || !isOpen(order)) continue
    const { release, due, faults } = orderTermsOf(order)
    if (faults.length > 0)
      problems.push({ workOrder: order.id, code: 'TAKT_PLAN_TIME_INVALID', why: `${order.id}: ${faults.join(', ')}; it is planned without` })
    if (due !== null && order.type !== 'maintenance' && due < release)
      problems.push({ workOrder: order.id, code: 'TAKT_PLAN_DUE_BEFORE_RELEASE', why: `${order.id} is due ${iso(due)}, before its release ${iso(release)}` })
  }
  for (const id of withoutOperations ?? []) problems.push({ workOrder: id, code: 'TAKT_PLAN_NO_OPERATIONS', why: `${id} is released and has no operations` })
  if (leftOut !== undefined)
    problems.push({
      workOrder: null,
      code: 'TAKT_PLAN_TOO_MANY',
      why: `${leftOut.jobs} job orders of ${leftOut.orders} work orders are not planned: the ${jobs.length} most urgent are`,
    })
  return problems
}

export function isOpen(order: WorkOrder): boolean {
  return order.state === 'Released' || order.state === 'Running'
}

/** Job orders that wait for themselves, however long the way round, by id with one such way; what only waits for a circle is not among them. */
export function circles(jobs: ReadonlyMap<string, JobOrder>): ReadonlyMap<string, readonly string[]> {
  if (isInOrder(jobs)) return new Map()
  const waitsFor = new Map([...jobs.values()].map((job) => [job.id, new Set(job.after.filter((id) => jobs.has(id)))]))
  peel(waitsFor)
  peel(turned(waitsFor), (id) => {
    for (const others of waitsFor.values()) others.delete(id)
    waitsFor.delete(id)
  })
  const found = new Map<string, readonly string[]>()
  for (const start of waitsFor.keys()) {
    const way: string[] = []
    for (let at: string | undefined = start; at !== undefined && !way.includes(at) && way.length < SHOWN; [at] = waitsFor.get(at) ?? []) way.push(at)
    found.set(start, way)
  }
  return found
}

/** Does each come after what it waits for? So job orders are listed nearly always, and then there is no circle. */
function isInOrder(jobs: ReadonlyMap<string, JobOrder>): boolean {
  const seen = new Set<string>()
  for (const { id, after } of jobs.values()) {
    if (after.some((before) => jobs.has(before) && !seen.has(before))) return false
    seen.add(id)
  }
  return true
}

/** As many of a circle as a reader wants to see. */
const SHOWN = 6

/** Takes away, again and again, what waits for nothing. */
function peel(waitsFor: Map<string, Set<string>>, gone: (id: string) => void = () => {}): void {
  const followers = turned(waitsFor)
  const free = [...waitsFor].flatMap(([id, before]) => (before.size === 0 ? [id] : []))
  for (let id = free.pop(); id !== undefined; id = free.pop()) {
    waitsFor.delete(id)
    gone(id)
    for (const follower of followers.get(id) ?? []) {
      const before = waitsFor.get(follower)
      before?.delete(id)
      if (before?.size === 0) free.push(follower)
    }
  }
}

function turned(waitsFor: ReadonlyMap<string, ReadonlySet<string>>): Map<string, Set<string>> {
  const followers = new Map([...waitsFor.keys()].map((id) => [id, new Set<string>()]))
  for (const [id, before] of waitsFor) for (const other of before) followers.get(other)?.add(id)
  return followers
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
