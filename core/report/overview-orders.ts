import type { JobOrder } from '../messages/job-order.ts'
import type { Lot } from '../messages/lot.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { OrderOutlook, PlanOutlook } from '../orders/planning/outlook.ts'
import { expectedByDue, expectedEnd, lateness, operationName, productOf, unitName } from './names.ts'
import type { OverviewOrder, OverviewSignature, OverviewStep } from './overview.ts'
import type { Known } from './overview-source.ts'

const NONE: ReadonlyMap<string, readonly OverviewSignature[]> = new Map()

/** Open orders by due time, then the finished ones, latest first. */
export function orderRows(
  { plant, now, jobs }: Known,
  orders: readonly WorkOrder[],
  lots: readonly Lot[],
  outlook?: PlanOutlook,
  signatures: ReadonlyMap<string, readonly OverviewSignature[]> = NONE,
): readonly OverviewOrder[] {
  const outlooks = new Map(outlook?.orders.map((row) => [row.workOrder, { ...row, basis: outlook.basis }]))
  const byOrder = Map.groupBy(jobs.values(), (job) => job.workOrder)
  const lotById = new Map(lots.map((lot) => [lot.id, lot]))
  return orders.map((order) => {
    const own = (byOrder.get(order.id) ?? []).sort((a, b) => a.sequence - b.sequence || a.id.length - b.id.length)
    const lot = lotById.get(order.lots[0] ?? '')
    const end = expectedEnd(order, own)
    const lateMs = lateness(order, expectedByDue(order, own))
    return {
      id: order.id,
      type: order.type,
      product: productOf(order, plant),
      quantity: order.quantity.value,
      unit: order.quantity.unit,
      good: order.progress.good,
      scrap: order.progress.scrap,
      progress: shareDone(order, own),
      state: order.state,
      priority: order.priority,
      due: order.due,
      expectedEnd: end,
      lateMs,
      late: isOverdue(order, own, now) || (lateMs ?? 0) > 0,
      outlook: order.completed === undefined && order.state !== 'Canceled' ? outlookOf(outlooks.get(order.id), order.due) : null,
      lot: lot?.id ?? null,
      disposition: lot?.disposition ?? null,
      reason: lot?.reason ?? order.cause ?? null,
      steps: own.map(
        (job): OverviewStep => ({
          jobOrder: job.id,
          operation: operationName(order, job, plant),
          status: statusOf(job),
          unit: unitName(job.equipment, plant),
        }),
      ),
      signatures: signatures.get(order.id) ?? [],
    }
  })
}

/** Has it not come to what was due by now: to its end, or, of maintenance, to its begin? */
function isOverdue(order: WorkOrder, jobs: readonly JobOrder[], now: number): boolean {
  if (order.due === null || now <= order.due || order.completed !== undefined || order.state === 'Canceled') return false
  return order.type !== 'maintenance' || jobs.every(({ actualStart }) => actualStart === null)
}

/** Its outlook; none when its due time has become another since. */
function outlookOf(outlook: (OrderOutlook & Pick<PlanOutlook, 'basis'>) | undefined, due: number | null): OverviewOrder['outlook'] {
  if (outlook === undefined || outlook.due !== due) return null
  const { onTime, p10, p50, p90, basis } = outlook
  return { onTime, p10, p50, p90, basis }
}

/** Parts worked on, of all that its operations have to work on. */
function shareDone(order: WorkOrder, jobs: readonly JobOrder[]): number {
  if (order.state === 'Completed' || order.state === 'Closed') return 1
  let done = 0
  let all = 0
  for (const job of jobs) {
    const parts = job.good + job.scrap
    done += parts
    all += job.state === 'Ended' || job.state === 'Aborted' ? parts : Math.max(parts, job.quantity.value)
  }
  return all === 0 ? 0 : done / all
}

function statusOf({ state, substate }: JobOrder): OverviewStep['status'] {
  switch (state) {
    case 'Running':
      return 'running'
    case 'Interrupted':
      return 'interrupted'
    case 'Ended':
      return 'done'
    case 'Aborted':
      return 'aborted'
    default:
      return substate === 'Waiting' ? 'waiting' : 'ready'
  }
}
