import type { JobOrder } from '../messages/job-order.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'

/** Name of what an order makes; for maintenance the unit's. */
export function productOf(order: WorkOrder, plant: Plant): string {
  if (order.type === 'maintenance') return order.equipment === undefined ? 'maintenance' : plant.nameOf(order.equipment)
  const master = order.workMaster === null ? undefined : plant.workMaster(order.workMaster)
  return materialName(master?.produces ?? order.product ?? order.workMaster ?? order.id, plant)
}

export function materialName(id: string, plant: Plant): string {
  return plant.model.materials?.find((material) => material.id === id)?.name ?? id
}

/** `Mill`, as the work master names the operation, else its id. */
export function operationName(order: WorkOrder | undefined, job: Pick<JobOrder, 'operation'>, plant: Plant): string {
  const operation = order?.workMaster ? plant.operation(order.workMaster, job.operation) : undefined
  return operation?.name ?? job.operation
}

export function unitName(equipment: string | null, plant: Plant): string | null {
  return equipment === null ? null : plant.nameOf(equipment)
}

/** When an order is expected to be finished: when it was, else the end of its last planned job order; null while one of them is unplanned. */
export function expectedEnd(order: WorkOrder, jobs: readonly JobOrder[]): number | null {
  if (order.completed !== undefined) return order.completed
  let end: number | null = null
  for (const job of jobs) {
    const jobEnd = job.actualEnd ?? job.plannedEnd
    if (job.state === 'Aborted') continue
    if (jobEnd === null) return null
    end = Math.max(end ?? jobEnd, jobEnd)
  }
  return end
}

/** When what is due of an order happens: its end; of maintenance its begin, because that must come before the unit fails. Null while it is unplanned. */
export function expectedByDue(order: WorkOrder, jobs: readonly JobOrder[]): number | null {
  if (order.type !== 'maintenance') return expectedEnd(order, jobs)
  const begins = jobs.flatMap((job) => (job.state === 'Aborted' ? [] : [job.actualStart ?? job.plannedStart ?? Number.POSITIVE_INFINITY]))
  const first = Math.min(...begins)
  return Number.isFinite(first) ? first : null
}

/** Above 0 is late; null where it cannot be said. `at`: see `expectedByDue`. */
export function lateness(order: WorkOrder, at: number | null): number | null {
  return order.due === null || at === null ? null : at - order.due
}
