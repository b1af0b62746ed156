import { kept } from '../../base/quantity.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { type Because, changeJobOrder, storeJobOrder } from '../change-job-order.ts'
import { recordCount } from '../count-job-order.ts'
import { recordResponse } from '../end-job-order.ts'
import { jobOrderIdOf, lotIdOf } from '../ids.ts'
import { openLot } from '../lots.ts'
import { jobOrdersOf, settleWorkOrder } from '../settle-work-order.ts'
import type { LogRecord, OperationHistory, OrderHistory } from './history.ts'

/**
 * Books what was done of a released order: every job order goes its legal way to its end, with the quantities that were recorded and a job response that holds every
 * record; breakdowns become maintenance orders that are done, rework becomes rework orders. What the records contradict is booked as recorded: a log is not corrected.
 */
export async function bookHistory(tx: StoreTransaction, order: WorkOrder, history: OrderHistory, because: Because): Promise<WorkOrder> {
  const jobs = new Map((await jobOrdersOf(tx, order.id)).map((job) => [job.operation, job]))
  for (const { operation, records } of history.operations) {
    const job = jobs.get(operation)
    if (job === undefined) continue
    await bookJob(tx, job, records, because)
    for (const record of records) if (record.activity === 'breakdown') await bookBreakdown(tx, order, record, because)
  }
  for (const again of history.rework) {
    const job = jobs.get(again.operation)
    if (job !== undefined) await bookRework(tx, order, job, again, because)
  }
  return (await settleWorkOrder(tx, order.id, because)) ?? order
}

/** From wherever it stands before its beginning to Ended (Completed). */
async function bookJob(tx: StoreTransaction, job: JobOrder, records: readonly LogRecord[], { actor }: Because): Promise<void> {
  const because: Because = { actor, why: 'as the log recorded it' }
  const span = spanOf(records)
  const made = madeOf(records)
  const equipment = records[0]?.equipment ?? job.equipment
  const allowed = await changeJobOrder(tx, job, 'Start', because)
  const running = await changeJobOrder(tx, allowed, 'Begin', because, { actualStart: span.start, equipment })
  if (equipment !== null && job.maintenance === undefined && made.good + made.scrap > 0) {
    await recordCount(tx, { kind: 'count', equipment, jobOrder: job.id, ...made, total: made, time: span.end }, because)
  }
  const quantities = job.maintenance === undefined ? made : {}
  const ended = await changeJobOrder(tx, running, 'Complete', because, { actualEnd: span.end, ...quantities })
  const people = [...new Set(records.flatMap(({ person }) => person ?? []))]
  const segments = records.map(({ order: _order, name: _name, equipment: _equipment, rework: _rework, ...segment }) => segment)
  await recordResponse(tx, ended, because, { people, segments: job.maintenance === undefined ? segments : [] })
}

/** A repair that is over, for a breakdown that the log has as a row of an order. */
async function bookBreakdown(tx: StoreTransaction, order: WorkOrder, record: LogRecord, because: Because): Promise<void> {
  const id = `mo-${order.id}-row-${record.row}`
  const { equipment, start, end } = record
  const cause = `breakdown under ${order.id}, row ${record.row} of the log`
  const quantity = { value: 1, unit: 'repair' }
  const common = { type: 'maintenance' as const, workMaster: null, due: null, weight: 1, equipment, cause }
  await bookExtra(tx, { ...common, id, quantity, priority: order.priority, lots: [] }, start, because)
  const alternatives = [{ equipment, setupMs: 0, perPieceMs: end - start }]
  const job = { id: jobOrderIdOf(id, 'maintenance'), workOrder: id, operation: 'maintenance', sequence: 0, after: [], alternatives, quantity, lot: null }
  await bookJob(tx, await storeJobOrder(tx, { ...job, equipment, maintenance: 'unplanned' }, because), [record], because)
  await settleWorkOrder(tx, id, because)
}

async function bookRework(tx: StoreTransaction, order: WorkOrder, origin: JobOrder, { records }: OperationHistory, because: Because): Promise<void> {
  const id = `rw-${origin.id}`
  const { good, scrap } = madeOf(records)
  const quantity = { ...order.quantity, value: kept(good + scrap) }
  const of = { workOrder: order.id, jobOrder: origin.id, lot: lotIdOf(order.id) }
  const { due, priority, weight } = order
  const cause = `rework, rows ${records.map(({ row }) => row).join(', ')} of the log`.slice(0, 500)
  const terms = { type: 'rework' as const, workMaster: order.workMaster, quantity, due, priority, weight, lots: [lotIdOf(id)], of, cause }
  await bookExtra(tx, { ...terms, id }, spanOf(records).start, because)
  await openLot(tx, { id: lotIdOf(id), material: order.product ?? order.workMaster ?? order.id, workOrder: id, unit: quantity.unit }, because)
  const { operation, alternatives } = origin
  const job = { id: jobOrderIdOf(id, operation), workOrder: id, operation, sequence: 0, after: [], alternatives, quantity, lot: lotIdOf(id) }
  await bookJob(tx, await storeJobOrder(tx, job, because), records, because)
  await settleWorkOrder(tx, id, because)
}

async function bookExtra(
  tx: StoreTransaction,
  terms: Omit<WorkOrder, 'kind' | 'state' | 'progress' | 'jobOrders' | 'created' | 'release'>,
  release: number,
  { actor }: Because,
): Promise<void> {
  const operation = terms.type === 'maintenance' ? 'maintenance' : (await tx.get('job-order', terms.of?.jobOrder ?? ''))?.operation
  const order = {
    ...terms,
    release,
    state: 'Released' as const,
    progress: { good: 0, scrap: 0 },
    jobOrders: [jobOrderIdOf(terms.id, operation ?? '')],
    created: tx.now,
  }
  await tx.save<'work-order'>({ kind: 'work-order', ...order }, { type: 'work-order.created', actor, why: terms.cause })
}

function madeOf(records: readonly LogRecord[]): { readonly good: number; readonly scrap: number } {
  const total = (field: 'good' | 'scrap'): number => kept(records.reduce((sum, record) => sum + record[field], 0))
  return { good: total('good'), scrap: total('scrap') }
}

function spanOf(records: readonly LogRecord[]): { readonly start: number; readonly end: number } {
  return records.reduce((span, { start, end }) => ({ start: Math.min(span.start, start), end: Math.max(span.end, end) }), {
    start: Number.POSITIVE_INFINITY,
    end: 0,
  })
}
