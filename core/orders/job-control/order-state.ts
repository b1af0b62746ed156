import type { JobState } from '../../connect/job-control/job-states.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import { isUnderWay } from '../job-order-states.ts'

/**
 * The state that a whole order has for who gave it, in the states of OPC 10031-4. Running from the first operation's begin to the last one's end, also while
 * it waits between two; Interrupted when people hold it after its begin, or when all units that work on it are.
 */
export function stateOfOrder(order: WorkOrder, jobs: readonly JobOrder[]): JobState {
  switch (order.state) {
    case 'Closed':
      return { state: 'Ended', substate: 'Closed' }
    case 'Completed':
      return { state: 'Ended', substate: 'Completed' }
    case 'Canceled':
      return { state: 'Aborted', substate: null }
    case 'Planned':
      return { state: 'NotAllowedToStart', substate: 'Ready' }
    default:
      return jobs.some((job) => job.actualStart !== null) ? begun(order, jobs) : toBegin(order, jobs)
  }
}

function toBegin(order: WorkOrder, jobs: readonly JobOrder[]): JobState {
  if (order.state === 'Held') return { state: 'NotAllowedToStart', substate: 'Ready' }
  if (jobs.some((job) => job.substate === 'Loaded')) return { state: 'AllowedToStart', substate: 'Loaded' }
  return { state: 'AllowedToStart', substate: jobs.some((job) => job.substate === 'Ready') ? 'Ready' : 'Waiting' }
}

function begun(order: WorkOrder, jobs: readonly JobOrder[]): JobState {
  if (order.state === 'Held') return { state: 'Interrupted', substate: 'Held' }
  const underWay = jobs.filter(isUnderWay)
  if (underWay.length === 0 || underWay.some((job) => job.state === 'Running')) return { state: 'Running', substate: null }
  return { state: 'Interrupted', substate: underWay.every((job) => job.substate === 'Suspended') ? 'Suspended' : 'Held' }
}
