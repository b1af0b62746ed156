import { TaktError } from '../base/error.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder } from './change-job-order.ts'
import { isOpen } from './job-order-states.ts'
import { jobOrdersOf } from './settle-work-order.ts'
import { readTime } from './times.ts'

/** Whose material is there from `at` on, epoch ms; null: nothing is known of it any more. */
export type MaterialTime = ({ readonly workOrder: string; readonly operation?: string } | { readonly jobOrder: string }) & { readonly at: number | null }

/** `{ workOrder | jobOrder, operation?, at }`; `at` is epoch ms, text, or null. Throws TAKT_MESSAGE_INVALID and TAKT_ORDER_TIME. */
export function readMaterialTime(payload: unknown, plant: Plant, where: string): MaterialTime {
  const { workOrder, operation, jobOrder, at } = (typeof payload === 'object' ? (payload ?? {}) : {}) as Record<string, unknown>
  const isId = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 500
  if (isId(workOrder) === isId(jobOrder) || (operation !== undefined && !(isId(operation) && isId(workOrder))))
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'material is for either a workOrder, with or without its operation, or a jobOrder', where })
  const moment = at === null ? null : readTime(at, plant.timeZone)
  if (moment === undefined) throw new TaktError('TAKT_ORDER_TIME', { what: `'${String(at)}' is not a time at which material can be there`, where })
  if (isId(jobOrder)) return { jobOrder, at: moment }
  return { workOrder: workOrder as string, at: moment, ...(operation === undefined ? {} : { operation: operation as string }) }
}

/**
 * Sets when the material of a work order (of its first operations), of one of its operations, or of a job order is there. What a unit was told and has not loaded is
 * taken back when the material is yet to come. Gives what it is about as it stands then.
 * Throws TAKT_ORDER_UNKNOWN, TAKT_JOB_ORDER_UNKNOWN, and TAKT_ORDER_STATE for what has begun or is over.
 */
export async function setMaterialTime(tx: StoreTransaction, time: MaterialTime, because: Because): Promise<WorkOrder | JobOrder> {
  if ('jobOrder' in time) {
    const job = await tx.get('job-order', time.jobOrder)
    if (job === undefined) throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `there is no job order '${time.jobOrder}'`, where: 'material' })
    return setOnJob(tx, job, time.at, because)
  }
  const where = `work order ${time.workOrder}`
  const order = await tx.get('work-order', time.workOrder)
  if (order === undefined) throw new TaktError('TAKT_ORDER_UNKNOWN', { what: `there is no work order '${time.workOrder}'`, where: 'material' })
  if (order.state === 'Completed' || order.state === 'Closed' || order.state === 'Canceled')
    throw new TaktError('TAKT_ORDER_STATE', { what: `it is ${order.state} and waits for no material`, where })
  const jobs = await jobOrdersOf(tx, order.id)
  if (time.operation !== undefined) {
    const job = jobs.findLast(({ operation }) => operation === time.operation)
    if (job === undefined) throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `it has no job order of operation '${time.operation}'`, where })
    return setOnJob(tx, job, time.at, because)
  }
  for (const job of jobs) if (isOpen(job) && job.after.length === 0) await setOnJob(tx, job, time.at, because)
  if ((order.materialAt ?? null) === time.at) return order
  // setting it on job orders may have settled the order anew
  const present = (await tx.get('work-order', order.id)) ?? order
  return tx.save<'work-order'>({ ...present, materialAt: time.at }, { type: 'work-order.updated', ...because })
}

async function setOnJob(tx: StoreTransaction, job: JobOrder, at: number | null, because: Because): Promise<JobOrder> {
  if (!isOpen(job)) throw new TaktError('TAKT_ORDER_STATE', { what: `it is ${job.state} and waits for no material`, where: `job order ${job.id}` })
  if ((job.materialAt ?? null) === at) return job
  const takenBack = at !== null && at > tx.now && job.state === 'AllowedToStart' && job.substate !== 'Loaded'
  const present = takenBack ? await changeJobOrder(tx, job, 'RevokeStart', because) : job
  return tx.save<'job-order'>({ ...present, materialAt: at }, { type: 'job-order.material', ...because })
}
