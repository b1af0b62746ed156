import type { JobOrder } from '../messages/job-order.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { StoreReader } from '../store/store.ts'

/** Finds a job order and its work order in the store; fewer where there are none. */
export function ordersOf(store: Pick<StoreReader, 'get'>): (jobOrder: string) => Promise<ReadonlyArray<JobOrder | WorkOrder>> {
  return async (jobOrder) => {
    const job = await store.get('job-order', jobOrder)
    const order = job === undefined ? undefined : await store.get('work-order', job.workOrder)
    return [job, order].filter((found) => found !== undefined)
  }
}
