import { TaktError } from '../base/error.ts'
import { kept } from '../base/quantity.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder } from './change-job-order.ts'
import { isOpen } from './job-order-states.ts'
import { jobOrdersOf, settleWorkOrder } from './settle-work-order.ts'

/** What may be changed of an order that is there. */
export interface OrderChange {
  readonly priority?: number
  readonly weight?: number
  readonly due?: number | null
  /** in the order's own unit; only while nothing of it has begun */
  readonly quantity?: number
}

const OPEN: readonly WorkOrder['state'][] = ['Planned', 'Released', 'Running', 'Held']

/**
 * Changes the terms of an order, with a reason. What was asked for at first is kept in `asked`, so that the same request from the ERP again still finds the order.
 * Throws TAKT_ORDER_UNKNOWN, TAKT_ORDER_STATE, TAKT_ORDER_REASON, TAKT_ORDER_QUANTITY, TAKT_ORDER_IN_PROGRESS.
 */
export async function changeWorkOrder(tx: StoreTransaction, id: string, change: OrderChange, because: Because): Promise<WorkOrder> {
  const where = `work order ${id}`
  assertReason(because, where)
  const order = await orderNamed(tx, id)
  if (!OPEN.includes(order.state)) throw new TaktError('TAKT_ORDER_STATE', { what: `it is ${order.state}: nothing of it can be changed`, where })
  const { quantity: value = order.quantity.value, priority = order.priority, weight = order.weight, due = order.due } = change
  for (const [name, number] of Object.entries({ priority, weight }))
    if (!Number.isFinite(number) || number < 0) throw new TaktError('TAKT_MESSAGE_INVALID', { what: `the ${name} is ${number}`, where })
  const same = value === order.quantity.value && priority === order.priority && weight === order.weight && due === order.due
  if (same) return order
  const quantity = { ...order.quantity, value }
  if (value === order.quantity.value) return rewrite(tx, order, { priority, weight, due }, because)
  if (!(value > 0) || !Number.isFinite(value)) throw new TaktError('TAKT_ORDER_QUANTITY', { what: `the quantity is ${value}`, where })
  await assertNotBegun(tx, order)
  return rewrite(tx, order, { priority, weight, due, quantity }, because)
}

/** Writes changed terms, and gives a changed quantity to the job orders. */
export async function rewrite(tx: StoreTransaction, order: WorkOrder, change: Partial<WorkOrder>, because: Because): Promise<WorkOrder> {
  const { quantity, due, priority, weight } = order
  const asked = order.asked ?? { quantity, due, priority, weight }
  const saved = await tx.save<'work-order'>({ ...order, ...change, asked }, { type: 'work-order.updated', ...because })
  if (change.quantity === undefined) return saved
  for (const job of await jobOrdersOf(tx, order.id)) {
    if (isOpen(job)) await changeJobOrder(tx, job, 'Update', because, { quantity: change.quantity })
  }
  return (await settleWorkOrder(tx, order.id, because)) ?? saved
}

/**
 * The job orders of an order of which nothing has begun and nothing is on its way to a unit. Throws TAKT_ORDER_STATE for one that is neither Planned nor Released, or
 * that is no production order or another system's list of job orders, and TAKT_ORDER_IN_PROGRESS.
 */
export async function assertNotBegun(tx: StoreTransaction, order: WorkOrder): Promise<JobOrder[]> {
  const where = `work order ${order.id}`
  const jobs = await jobOrdersOf(tx, order.id)
  const begun = jobs.find((job) => job.actualStart !== null || job.state !== 'NotAllowedToStart' || job.substate === 'Loaded')
  if (begun !== undefined && OPEN.includes(order.state))
    throw new TaktError('TAKT_ORDER_IN_PROGRESS', { what: `${begun.id} is ${begun.state}${begun.substate === null ? '' : ` (${begun.substate})`}`, where })
  if (order.state !== 'Planned' && order.state !== 'Released') throw new TaktError('TAKT_ORDER_STATE', { what: `it is ${order.state}`, where })
  if (order.type !== 'production' || order.jobControl !== undefined)
    throw new TaktError('TAKT_ORDER_STATE', {
      what: order.type === 'production' ? 'it belongs to the system that stored it' : `it is a ${order.type} order`,
      where,
    })
  return jobs
}

export function assertReason({ why }: Because, where: string): void {
  if (why === undefined || why.trim() === '') throw new TaktError('TAKT_ORDER_REASON', { where })
}

export async function orderNamed(tx: StoreTransaction, id: string): Promise<WorkOrder> {
  const order = await tx.get('work-order', id)
  if (order === undefined) throw new TaktError('TAKT_ORDER_UNKNOWN', { what: `there is no work order '${id}'`, where: `work order ${id}` })
  return order
}

/** Refused where an order that is closed has made less or more than its tolerance allows, and nobody says why. */
export function assertWithinTolerance(order: WorkOrder, because: Because): void {
  const { tolerance, quantity, progress } = order
  if (tolerance === undefined || (because.why ?? '').trim() !== '') return
  const [least, most] = [kept(quantity.value - tolerance.under), kept(quantity.value + tolerance.over)]
  if (progress.good >= least && progress.good <= most) return
  const what = `${progress.good} ${quantity.unit} were made where ${least} to ${most} are allowed`
  throw new TaktError('TAKT_ORDER_TOLERANCE', { what, where: `work order ${order.id}` })
}
