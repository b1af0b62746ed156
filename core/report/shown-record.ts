import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Lot } from '../messages/lot.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import { type OpenStep, openStep, openSteps } from '../orders/open-steps.ts'
import { assertText } from '../orders/order-text.ts'
import { signaturesAbout } from '../sign/check-signature.ts'
import type { StoreReader } from '../store/store.ts'
import type { OverviewSignature } from './overview.ts'
import { shownSignature } from './overview-signatures.ts'

/** A record as it stands, with what belongs to it wherever it is shown. */
export interface ShownRecord {
  readonly topic: string
  readonly record: WorkOrder | JobOrder | Lot
  /** Of it and of what it is made of: job orders, procedures, lots, measurements; each checked. */
  readonly signatures: readonly OverviewSignature[]
  /** Steps of procedures that keep it from being closed, or released. */
  readonly open: readonly OpenStep[]
}

/**
 * What is asked to be shown: a work order by its id or `{ id }`, a job order by `{ jobOrder }`, a lot by `{ lot }`.
 * Throws TAKT_MESSAGE_INVALID, TAKT_ORDER_TEXT, TAKT_ORDER_UNKNOWN, TAKT_JOB_ORDER_UNKNOWN, TAKT_LOT_UNKNOWN.
 */
export async function shownRecord(reader: StoreReader, payload: unknown, where: string): Promise<ShownRecord> {
  assertSafe(payload, where)
  const { id, jobOrder, lot } = (typeof payload === 'string' ? { id: payload } : (payload ?? {})) as Readonly<Record<string, unknown>>
  const named = [id, jobOrder, lot].filter((value) => value !== undefined)
  const [name] = named
  if (named.length !== 1 || typeof name !== 'string' || name === '' || name.length > 500)
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'one record is to be named: the id of an order, { jobOrder } or { lot }', where })
  assertText(name, where)
  if (lot !== undefined) return shownLot(reader, name)
  return jobOrder === undefined ? shownOrder(reader, name) : shownJob(reader, name)
}

async function shownOrder(reader: StoreReader, id: string): Promise<ShownRecord> {
  const record = found(await reader.get('work-order', id), 'TAKT_ORDER_UNKNOWN', `work order ${id}`)
  const jobs = await reader.list('job-order', { where: { work_order: id } })
  const ids = jobs.map((job) => job.id)
  const results = await reader.list('quality-result', { where: { job_order: ids } })
  const about = { 'work-order': [id], 'job-order': ids, 'procedure-run': ids, lot: record.lots, 'quality-result': results.map((result) => result.id) }
  const open = await Promise.all(jobs.map((job) => openStep(reader, job)))
  return { topic: `orders/${id}`, record, signatures: await signed(reader, about), open: open.filter((step) => step !== undefined) }
}

async function shownJob(reader: StoreReader, id: string): Promise<ShownRecord> {
  const record = found(await reader.get('job-order', id), 'TAKT_JOB_ORDER_UNKNOWN', `job order ${id}`)
  const results = await reader.list('quality-result', { where: { job_order: id } })
  const open = await openStep(reader, record)
  const about = { 'job-order': [id], 'procedure-run': [id], 'job-response': [`jr-${id}`], 'quality-result': results.map((result) => result.id) }
  return { topic: `jobs/${id}`, record, signatures: await signed(reader, about), open: open === undefined ? [] : [open] }
}

async function shownLot(reader: StoreReader, id: string): Promise<ShownRecord> {
  const record = found(await reader.get('lot', id), 'TAKT_LOT_UNKNOWN', `lot ${id}`)
  const jobs = (await reader.list('job-order', { where: { lot: id } })).map((job) => job.id)
  const results = await reader.list('quality-result', { where: { lot: id } })
  const about = { lot: [id], 'procedure-run': jobs, 'quality-result': results.map((result) => result.id) }
  return { topic: `lots/${id}`, record, signatures: await signed(reader, about), open: await openSteps(reader, id) }
}

async function signed(reader: StoreReader, about: Readonly<Record<string, readonly string[]>>): Promise<readonly OverviewSignature[]> {
  return (await signaturesAbout(reader, about)).map(shownSignature)
}

function found<T>(record: T | undefined, code: 'TAKT_ORDER_UNKNOWN' | 'TAKT_JOB_ORDER_UNKNOWN' | 'TAKT_LOT_UNKNOWN', where: string): T {
  if (record === undefined) throw new TaktError(code, { what: `there is no ${where}`, where })
  return record
}
