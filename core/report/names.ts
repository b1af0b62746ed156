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

/** Above 0 is late; null where it cannot be said. */
export function lateness(order: WorkOrder, end: number | null): number | null {
  return order.due === null || end === null ? null : end - order.due
}
