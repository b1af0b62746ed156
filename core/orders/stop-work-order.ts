import { TaktError } from '../base/error.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder } from './change-job-order.ts'
import { resumeWorkOrder } from './control-work-order.ts'
import { endJobOrder } from './end-job-order.ts'
import { isOpen, isUnderWay } from './job-order-states.ts'
import { assertProcedure } from './procedure-gate.ts'
import { jobOrdersOf, settleWorkOrder } from './settle-work-order.ts'

/**
 * Ends an order that has begun with what it has made: what runs is stopped, what has not begun is given up, and the order is Completed.
 * Throws TAKT_ORDER_UNKNOWN, TAKT_ORDER_STATE when nothing of it has begun or it is over, and TAKT_PROCEDURE_OPEN while steps of what runs are open.
 */
export async function stopWorkOrder(tx: StoreTransaction, id: string, because: Because): Promise<WorkOrder> {
  const order = await orderOf(tx, id)
  const jobs = await jobOrdersOf(tx, id)
  if ((order.state !== 'Running' && order.state !== 'Held') || jobs.every((job) => job.actualStart === null))
    throw new TaktError('TAKT_ORDER_STATE', { what: `it is ${order.state} and nothing of it runs`, where: `work order ${id}` })
  for (const job of jobs) if (isUnderWay(job)) await assertProcedure(tx, job, 'end')
  // what waits first, so that an operation that is stopped readies none behind it
  for (const job of jobs) if (isOpen(job)) await changeJobOrder(tx, job, 'Cancel', because)
  for (const job of jobs) if (isUnderWay(job)) await endJobOrder(tx, job, 'Stop', tx.now, because)
  if (order.state === 'Held') return resumeWorkOrder(tx, id, because)
  return (await settleWorkOrder(tx, id, because)) ?? order
}

/**
 * Gives an order up, also while units work on it: what runs is aborted and keeps its job response, the order is Canceled.
 * Throws TAKT_ORDER_UNKNOWN, and TAKT_ORDER_STATE when it is over.
 */
export async function abortWorkOrder(tx: StoreTransaction, id: string, because: Because): Promise<WorkOrder> {
  const order = await orderOf(tx, id)
  if (order.state === 'Completed' || order.state === 'Closed' || order.state === 'Canceled')
    throw new TaktError('TAKT_ORDER_STATE', { what: `it is ${order.state} and cannot be aborted`, where: `work order ${id}` })
  // canceled first: an order that is only waited for to end would be completed by its last job order
  const canceled = await tx.save<'work-order'>({ ...order, state: 'Canceled' }, { type: 'work-order.canceled', ...because })
  for (const job of await jobOrdersOf(tx, id)) {
    if (isOpen(job)) await changeJobOrder(tx, job, 'Cancel', because)
    else if (isUnderWay(job)) await endJobOrder(tx, job, 'Abort', tx.now, because)
  }
  return canceled
}

async function orderOf(tx: StoreTransaction, id: string): Promise<WorkOrder> {
  const order = await tx.get('work-order', id)
  if (order === undefined) throw new TaktError('TAKT_ORDER_UNKNOWN', { what: `there is no work order '${id}'`, where: `work order ${id}` })
  return order
}
