import { TaktError } from '../base/error.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder, storeJobOrder } from './change-job-order.ts'
import { jobOrderIdOf, lotIdOf } from './ids.ts'
import { isOpen } from './job-order-states.ts'
import { openLot } from './lots.ts'
import { jobOrdersOf, settleWorkOrder } from './settle-work-order.ts'

export interface ReworkRequest {
  /** the lot that the bad parts are in */
  readonly lot: string
  /** the job order that made them; its operation is done again */
  readonly jobOrder: string
  /** parts to make good */
  readonly quantity: number
  readonly why: string
  readonly actor: string
}

/**
 * An order that does one operation again for parts found bad, released at once. The parts travel in a lot of their own (a sublot), so that the suspect lot may
 * stay held. A job order has at most one rework order that has not begun: asking again raises its quantity where more is asked.
 * Throws TAKT_JOB_ORDER_UNKNOWN, and TAKT_ORDER_QUANTITY for a quantity that is not positive.
 */
export async function createRework(tx: StoreTransaction, _plant: Plant, request: ReworkRequest): Promise<WorkOrder> {
  const where = `rework of ${request.jobOrder}`
  const because: Because = { actor: request.actor, why: request.why }
  const origin = await tx.get('job-order', request.jobOrder)
  const parent = origin === undefined ? undefined : await tx.get('work-order', origin.workOrder)
  if (origin === undefined || parent === undefined)
    throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `there is no job order '${request.jobOrder}'`, where })
  if (!(request.quantity > 0)) throw new TaktError('TAKT_ORDER_QUANTITY', { what: `the quantity is ${request.quantity}`, where })

  const earlier = await reworksOf(tx, request.jobOrder)
  const open = await raise(tx, earlier.at(-1), request, because)
  if (open !== undefined) return open

  const id = `rw-${request.jobOrder}${earlier.length === 0 ? '' : `-${earlier.length + 1}`}`
  const unit = origin.quantity.unit
  const quantity = { value: request.quantity, unit }
  const jobId = jobOrderIdOf(id, origin.operation)
  const suspect = await tx.get('lot', request.lot)
  await tx.save<'work-order'>(
    {
      kind: 'work-order',
      id,
      type: 'rework',
      workMaster: parent.workMaster,
      quantity,
      release: tx.now,
      due: parent.due,
      priority: parent.priority,
      weight: parent.weight,
      state: 'Released',
      progress: { good: 0, scrap: 0 },
      lots: [lotIdOf(id)],
      jobOrders: [jobId],
      cause: request.why.slice(0, 500),
      of: { workOrder: parent.id, jobOrder: origin.id, lot: request.lot },
      created: tx.now,
    },
    { type: 'work-order.created', ...because },
  )
  await openLot(tx, { id: lotIdOf(id), material: suspect?.material ?? parent.workMaster ?? parent.id, workOrder: id, unit }, because)
  const { operation, alternatives } = origin
  const family = origin.setupFamily === undefined ? {} : { setupFamily: origin.setupFamily }
  const procedure = origin.procedure === undefined ? {} : { procedure: origin.procedure }
  await storeJobOrder(
    tx,
    { id: jobId, workOrder: id, operation, sequence: 0, after: [], alternatives, quantity, lot: lotIdOf(id), ...family, ...procedure },
    because,
  )
  const order = await settleWorkOrder(tx, id, because)
  if (order === undefined) throw new TaktError('TAKT_INTERNAL', { where })
  return order
}

/** The rework orders of a job order, oldest first. */
async function reworksOf(tx: StoreTransaction, jobOrder: string): Promise<WorkOrder[]> {
  const orders = await tx.list('work-order', { where: { type: 'rework' } })
  return orders.filter((order) => order.of?.jobOrder === jobOrder).sort((a, b) => a.created - b.created || a.id.length - b.id.length || (a.id < b.id ? -1 : 1))
}

/** The latest rework order, with its quantity raised, while its job has not begun. */
async function raise(tx: StoreTransaction, order: WorkOrder | undefined, request: ReworkRequest, because: Because): Promise<WorkOrder | undefined> {
  if (order === undefined) return undefined
  const [job] = await jobOrdersOf(tx, order.id)
  if (job === undefined || !isOpen(job)) return undefined
  if (job.state === 'AllowedToStart' || order.quantity.value >= request.quantity) return order
  const quantity = { ...order.quantity, value: request.quantity }
  await changeJobOrder(tx, job, 'Update', because, { quantity })
  return tx.save<'work-order'>({ ...order, quantity }, { type: 'work-order.progress', ...because })
}
