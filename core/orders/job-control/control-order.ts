import { createHash } from 'node:crypto'
import { TaktError } from '../../base/error.ts'
import type { JobOrderRecord } from '../../connect/job-control/job-record.ts'
import type { JobMethod } from '../../connect/job-control/vocabulary.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { JobControl, WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { type Because, changeJobOrder } from '../change-job-order.ts'
import { cancelWorkOrder, closeWorkOrder, holdWorkOrder, resumeWorkOrder } from '../control-work-order.ts'
import { createWorkOrder } from '../create-work-order.ts'
import { isOpen } from '../job-order-states.ts'
import { orderTerms } from '../order-request.ts'
import { releaseWorkOrder } from '../release-work-order.ts'
import { jobOrdersOf, settleWorkOrder } from '../settle-work-order.ts'
import { abortWorkOrder, stopWorkOrder } from '../stop-work-order.ts'
import { stateOfOrder } from './order-state.ts'
import { systemOf } from './receivers.ts'
import { requestOfRecord } from './request-of-record.ts'

/** The states from which each command is legal (OPC 10031-4, 6.2.1). */
const LEGAL: Readonly<Record<JobMethod | 'Update', readonly string[]>> = {
  Update: ['NotAllowedToStart', 'AllowedToStart'],
  Start: ['NotAllowedToStart'],
  RevokeStart: ['AllowedToStart'],
  Pause: ['Running'],
  Resume: ['Interrupted'],
  Stop: ['Running', 'Interrupted'],
  Abort: ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted'],
  Cancel: ['NotAllowedToStart', 'AllowedToStart'],
  Clear: ['Ended', 'Aborted'],
}

/**
 * Store and StoreAndStart. The same request again finds what it made and changes nothing; the id with another request, and the id of a job order that was
 * taken off the list, are refused with TAKT_JOB_CONTROL_EXISTS. Throws also what `requestOfRecord` does.
 */
export async function storeOrder(
  tx: StoreTransaction,
  plant: Plant,
  receiver: string,
  record: JobOrderRecord,
  start: boolean,
  because: Because,
): Promise<WorkOrder> {
  const request = hashOf(record, start)
  const found = await find(tx, receiver, record.id)
  if (found !== undefined) {
    const known = found.jobControl
    if (known?.request === request && known.listed) return found
    const what =
      known?.request === request ? `${record.id} was there, and was taken off the list` : `${record.id} is there already, and this is another request`
    throw new TaktError('TAKT_JOB_CONTROL_EXISTS', { what, where: `job order ${record.id}` })
  }
  const { order } = await createWorkOrder(tx, plant, requestOfRecord(record, receiver, systemOf(receiver), plant), because)
  const marked = await mark(tx, order, { receiver, request, terms: record, listed: true }, because)
  return start ? releaseWorkOrder(tx, plant, marked.id, because) : marked
}

/** Update: replaces what was asked for, as long as nothing has begun. After its release only quantity, times and priority may change. */
export async function updateOrder(tx: StoreTransaction, plant: Plant, receiver: string, record: JobOrderRecord, because: Because): Promise<WorkOrder> {
  const { order, jobs, control } = await listed(tx, receiver, record.id, 'Update')
  const where = `job order ${record.id}`
  if (JSON.stringify(control.terms) === JSON.stringify(record)) return order
  const { id: _, release = order.release, ...terms } = orderTerms(requestOfRecord(record, receiver, systemOf(receiver), plant), plant, where)
  const sameRoute = order.workMaster === terms.workMaster && JSON.stringify(order.operations) === JSON.stringify(terms.operations)
  if (jobs.length > 0 && !sameRoute) throw busy(where, 'it is released: its work master and equipment stand')
  refuseLoaded(jobs, where)
  const { operations: _operations, product: _product, ...rest } = order
  const changed = { ...rest, ...terms, release, jobControl: { ...control, terms: record } }
  const saved = await tx.save<'work-order'>(changed, { type: 'work-order.updated', ...because })
  for (const job of jobs) if (isOpen(job)) await changeJobOrder(tx, job, 'Update', because, { quantity: saved.quantity })
  return (await settleWorkOrder(tx, saved.id, because)) ?? saved
}

/**
 * A command to a job order on the list. Throws TAKT_JOB_ORDER_UNKNOWN, TAKT_JOB_CONTROL_STATE where the standard has no such way, TAKT_ORDER_STATE where it has but a
 * unit works on it; then nothing has changed.
 */
export async function commandOrder(
  tx: StoreTransaction,
  plant: Plant,
  receiver: string,
  jobOrder: string,
  method: JobMethod,
  because: Because,
): Promise<WorkOrder> {
  const { order, jobs, control } = await listed(tx, receiver, jobOrder, method)
  const { id } = order
  switch (method) {
    case 'Start':
      return order.state === 'Planned' ? releaseWorkOrder(tx, plant, id, because) : resumeWorkOrder(tx, id, because)
    case 'RevokeStart':
      refuseLoaded(jobs, `job order ${jobOrder}`)
      return holdWorkOrder(tx, id, because)
    case 'Pause':
      return holdWorkOrder(tx, id, because)
    case 'Resume':
      // units that stand still by themselves go on by themselves
      if (order.state !== 'Held') throw busy(`job order ${jobOrder}`, 'a unit has interrupted it')
      return resumeWorkOrder(tx, id, because)
    case 'Stop':
      return stopWorkOrder(tx, id, because)
    case 'Abort':
      return abortWorkOrder(tx, id, because)
    case 'Cancel':
      return mark(tx, await cancelWorkOrder(tx, id, because), { ...control, listed: false }, because)
    case 'Clear':
      return mark(tx, order.state === 'Completed' ? await closeWorkOrder(tx, id, because) : order, { ...control, listed: false }, because)
  }
}

async function listed(
  tx: StoreTransaction,
  receiver: string,
  id: string,
  method: JobMethod | 'Update',
): Promise<{ readonly order: WorkOrder; readonly jobs: readonly JobOrder[]; readonly control: JobControl }> {
  const where = `job order ${id}`
  const order = await find(tx, receiver, id)
  const control = order?.jobControl
  if (order === undefined || control === undefined || !control.listed)
    throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `'${id}' is not on the list of ${receiver}`, where })
  const jobs = await jobOrdersOf(tx, order.id)
  const { state } = stateOfOrder(order, jobs)
  if (!LEGAL[method].includes(state)) throw new TaktError('TAKT_JOB_CONTROL_STATE', { what: `'${method}' is refused: the job order is ${state}`, where })
  return { order, jobs, control }
}

async function find(tx: StoreTransaction, receiver: string, id: string): Promise<WorkOrder | undefined> {
  const [order] = await tx.list('work-order', { where: { external_system: systemOf(receiver), external_id: id } })
  return order
}

function mark(tx: StoreTransaction, order: WorkOrder, jobControl: JobControl, because: Because): Promise<WorkOrder> {
  return tx.save<'work-order'>({ ...order, jobControl }, { type: jobControl.listed ? 'work-order.listed' : 'work-order.unlisted', ...because })
}

function refuseLoaded(jobs: readonly JobOrder[], where: string): void {
  const told = jobs.find((job) => isOpen(job) && (job.substate === 'Loaded' || job.state === 'AllowedToStart'))
  if (told !== undefined) throw busy(where, `${told.equipment ?? 'a unit'} was told to begin ${told.id}`)
}

function busy(where: string, what: string): TaktError {
  return new TaktError('TAKT_ORDER_STATE', { what, where })
}

/** Of records that say the same, the same: their keys stand in one order. */
function hashOf(record: JobOrderRecord, start: boolean): string {
  return createHash('sha256')
    .update(JSON.stringify([start, record]))
    .digest('hex')
}
