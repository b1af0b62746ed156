import type { Plan } from '../../core/messages/plan.ts'
import type { LedgerRow } from '../../core/simulate/happenings.ts'
import type { Store } from '../../core/store/store.ts'
import { HOUR_MS } from './loop-world.ts'

/** What a plant's owner counts, of one run. Hours are of one unit each. */
export interface Outcome {
  /** from a failure to the end of its repair */
  readonly downHours: number
  readonly failures: number
  /** of repairs that came before the failure */
  readonly plannedHours: number
  readonly plannedRepairs: number
  /** through their last operation and within specification */
  readonly goodParts: number
  readonly ordersFinished: number
  /** hours × weight × priority / 5, of orders that were due; those that are not finished count up to the end */
  readonly tardiness: number
  /** parts of any operation that are scrap, or out of specification unnoticed */
  readonly scrap: number
  /** job orders that had a place in the plan and got another, every time that a plan did that */
  readonly moved: number
  /** those of them that went to another unit */
  readonly toOtherUnit: number
  /** what people would have been told to look at */
  readonly problems: number
}

export interface Lived {
  readonly store: Store
  readonly rows: readonly LedgerRow[]
  readonly plans: readonly Plan[]
  readonly from: number
  readonly to: number
  readonly problems: number
}

/** Downtime, repairs and parts by the plant's own ledger; orders and plans by Takt's store. */
export async function outcomeOf({ store, rows, plans, to, problems }: Lived): Promise<Outcome> {
  const orders = await store.list('work-order', { where: { type: 'production' } })
  const jobs = await store.list('job-order')
  const ends = new Map<string, number>()
  const successors = new Set(jobs.flatMap(({ after }) => after))
  for (const { workOrder, actualEnd } of jobs) ends.set(workOrder, Math.max(ends.get(workOrder) ?? 0, actualEnd ?? 0))
  const finished = orders.filter(({ state }) => state === 'Completed' || state === 'Closed')
  const done = new Set(finished.map(({ id }) => id))
  const tardiness = orders.reduce((sum, { id, due, weight, priority }) => {
    const end = done.has(id) ? (ends.get(id) ?? to) : to
    return due === null ? sum : sum + (Math.max(0, end - due) / HOUR_MS) * weight * (priority / 5)
  }, 0)
  const last = new Set(jobs.flatMap(({ id }) => (successors.has(id) ? [] : [id])))
  const parts = rows.filter((row) => row.kind === 'part')
  const moves = plans.flatMap(({ changes }) => changes.filter(({ from }) => from !== null))
  return {
    ...downtimeOf(rows, to),
    goodParts: parts.filter(({ job, result, bad }) => result === 'good' && !bad && last.has(job)).length,
    ordersFinished: finished.length,
    tardiness,
    scrap: parts.filter(({ result, bad }) => result === 'scrap' || bad).length,
    moved: moves.length,
    toOtherUnit: moves.filter(({ from, to: place }) => place !== null && from?.equipment !== place.equipment).length,
    problems,
  }
}

function downtimeOf(rows: readonly LedgerRow[], to: number): Pick<Outcome, 'downHours' | 'failures' | 'plannedHours' | 'plannedRepairs'> {
  const failed = new Map<string, number>()
  const repair = new Map<string, number>()
  const sums = { down: 0, failures: 0, planned: 0, repairs: 0 }
  for (const row of rows) {
    if (row.kind === 'stop' && row.cause === 'failure') {
      failed.set(row.unit, row.time)
      sums.failures++
    } else if (row.kind === 'repair-started' && !row.unplanned) {
      repair.set(row.unit, row.time)
      sums.repairs++
    } else if (row.kind === 'repair-ended') {
      const since = failed.get(row.unit)
      if (since !== undefined) sums.down += row.time - since
      else sums.planned += row.time - (repair.get(row.unit) ?? row.time)
      failed.delete(row.unit)
      repair.delete(row.unit)
    }
  }
  for (const since of failed.values()) sums.down += to - since
  for (const since of repair.values()) sums.planned += to - since
  return { downHours: sums.down / HOUR_MS, failures: sums.failures, plannedHours: sums.planned / HOUR_MS, plannedRepairs: sums.repairs }
}
