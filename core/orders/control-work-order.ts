import { TaktError } from '../base/error.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { WorkOrder, WorkOrderState } from '../messages/work-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder } from './change-job-order.ts'
import { assertWithinTolerance } from './change-work-order.ts'
import { endJobOrder, recordResponse } from './end-job-order.ts'
import { assertUnitNotHeld } from './holds/held-unit.ts'
import { isJobOrderCommand, isOpen, isOver, isUnderWay } from './job-order-states.ts'
import { assertBack } from './maintenance/service.ts'
import { assertProcedure } from './procedure-gate.ts'
import { jobOrdersOf, settleWorkOrder } from './settle-work-order.ts'

/** What people do to a work order after it was created and released. Each throws TAKT_ORDER_UNKNOWN, and TAKT_ORDER_STATE where the state does not allow it. */

/** No job order of it begins any more; those that run come to their end. */
export async function holdWorkOrder(tx: StoreTransaction, id: string, because: Because): Promise<WorkOrder> {
  const order = await orderOf(tx, id)
  if (order.state === 'Held') return order
  return go(tx, order, ['Planned', 'Released', 'Running'], 'Held', 'work-order.held', because)
}

/** Takes up a held order where it was. */
export async function resumeWorkOrder(tx: StoreTransaction, id: string, because: Because): Promise<WorkOrder> {
  const order = await orderOf(tx, id)
  if (order.state === 'Released' || order.state === 'Running') return order
  const jobs = await jobOrdersOf(tx, id)
  const back = jobs.length === 0 ? 'Planned' : jobs.some((job) => job.actualStart !== null) ? 'Running' : 'Released'
  return go(tx, order, ['Held'], back, 'work-order.resumed', because)
}

/** Gives an order up; refused while a unit works on it. */
export async function cancelWorkOrder(tx: StoreTransaction, id: string, because: Because): Promise<WorkOrder> {
  const order = await orderOf(tx, id)
  if (order.state === 'Canceled') return order
  const jobs = await jobOrdersOf(tx, id)
  const busy = jobs.find((job) => isUnderWay(job) || (isOpen(job) && job.substate === 'Loaded'))
  if (busy !== undefined)
    throw new TaktError('TAKT_ORDER_STATE', { what: `${busy.equipment ?? 'a unit'} works on ${busy.id}: stop or abort that first`, where: `work order ${id}` })
  const canceled = await go(tx, order, ['Planned', 'Released', 'Running', 'Held'], 'Canceled', 'work-order.canceled', because)
  for (const job of jobs) if (isOpen(job)) await changeJobOrder(tx, job, 'Cancel', because)
  return canceled
}

/** Settles a completed order: its job orders are closed too, and nothing may be added. Throws TAKT_PROCEDURE_OPEN while steps are open. */
export async function closeWorkOrder(tx: StoreTransaction, id: string, because: Because): Promise<WorkOrder> {
  const order = await orderOf(tx, id)
  if (order.state === 'Closed') return order
  for (const job of await jobOrdersOf(tx, id)) if (job.state === 'Ended') await assertProcedure(tx, job, 'end')
  assertWithinTolerance(order, because)
  const closed = await go(tx, order, ['Completed'], 'Closed', 'work-order.closed', because)
  for (const job of await jobOrdersOf(tx, id)) {
    if (job.state === 'Ended' && job.substate !== 'Closed') await recordResponse(tx, await changeJobOrder(tx, job, 'Clear', because), because)
  }
  return closed
}

/**
 * A command of OPC 10031-4 to one job order. Store, StoreAndStart and Update belong to the order and are refused here.
 * Throws TAKT_JOB_ORDER_UNKNOWN, TAKT_JOB_ORDER_TRANSITION, TAKT_JOB_ORDER_NOT_READY,
 * TAKT_UNIT_HELD, TAKT_PROCEDURE_OPEN while steps of its procedure come before, and TAKT_UNIT_NOT_BACK on a repaired unit that may not have it yet.
 */
export async function commandJobOrder(tx: StoreTransaction, id: string, command: unknown, because: Because): Promise<JobOrder> {
  const where = `job order ${id}`
  const job = await tx.get('job-order', id)
  if (job === undefined) throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `there is no job order '${id}'`, where })
  if (!isJobOrderCommand(command) || command === 'Store' || command === 'StoreAndStart' || command === 'Update')
    throw new TaktError('TAKT_JOB_ORDER_TRANSITION', { what: `'${String(command)}' is no command to a job order that is there`, where })
  if (command === 'Start' && job.state === 'NotAllowedToStart' && job.substate === 'Waiting')
    throw new TaktError('TAKT_JOB_ORDER_NOT_READY', { what: 'an operation before it has not ended, or its lot or order is held', where })
  if (command === 'Start' && job.state === 'NotAllowedToStart') {
    await assertUnitNotHeld(tx, job)
    await assertProcedure(tx, job, 'start')
    await assertBack(tx, job)
  }
  if ((command === 'Stop' && isUnderWay(job)) || (command === 'Clear' && job.state === 'Ended')) await assertProcedure(tx, job, 'end')
  if (command === 'Stop' || command === 'Abort' || command === 'Cancel') return endJobOrder(tx, job, command, tx.now, because)
  const changed = await changeJobOrder(tx, job, command, because)
  if (isOver(changed) && changed.actualStart !== null) await recordResponse(tx, changed, because)
  await settleWorkOrder(tx, job.workOrder, because)
  return changed
}

async function orderOf(tx: StoreTransaction, id: string): Promise<WorkOrder> {
  const order = await tx.get('work-order', id)
  if (order === undefined) throw new TaktError('TAKT_ORDER_UNKNOWN', { what: `there is no work order '${id}'`, where: `work order ${id}` })
  return order
}

async function go(
  tx: StoreTransaction,
  order: WorkOrder,
  from: readonly WorkOrderState[],
  to: WorkOrderState,
  type: string,
  because: Because,
): Promise<WorkOrder> {
  if (!from.includes(order.state))
    throw new TaktError('TAKT_ORDER_STATE', { what: `it is ${order.state} and cannot become ${to}`, where: `work order ${order.id}` })
  const saved = await tx.save<'work-order'>({ ...order, state: to }, { type, ...because })
  return (await settleWorkOrder(tx, order.id, because)) ?? saved
}
