import type { Selectable } from 'kysely'
import { TaktError } from '../base/error.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Lot } from '../messages/lot.ts'
import type { ProcedureRun } from '../messages/procedure-run.ts'
import type { QualityResult } from '../messages/quality-result.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import { type SignatureCheck, signaturesAbout } from '../sign/check-signature.ts'
import { archivedUpTo } from '../store/archived-ranges.ts'
import type { Tables } from '../store/schema.ts'
import type { LedgerEvent, StoreReader } from '../store/store.ts'
import { TOLD_TYPES } from './event-text.ts'

/** Everything that one work order is about, itself and the rework of its parts. */
export interface WorkOrderFacts {
  readonly order: WorkOrder
  readonly jobs: readonly JobOrder[]
  readonly reworks: readonly WorkOrder[]
  readonly reworkJobs: readonly JobOrder[]
  readonly counts: readonly Selectable<Tables['job_count']>[]
  readonly lots: readonly Lot[]
  readonly results: readonly QualityResult[]
  readonly maintenance: readonly { readonly order: WorkOrder; readonly job: JobOrder }[]
  /** How far the jobs are with their procedures. */
  readonly runs: readonly ProcedureRun[]
  /** Of the order, its rework, their jobs, procedures, lots and measurements. */
  readonly signatures: readonly SignatureCheck[]
  /** Epoch ms up to which rows of the ledger are in the archive, so that events of before may be missing here. */
  readonly archivedUpTo: number | null
  readonly events: readonly LedgerEvent[]
}

/** Reads it all. Throws TAKT_REPORT_SUBJECT_UNKNOWN. */
export async function workOrderFacts(store: StoreReader, id: string): Promise<WorkOrderFacts> {
  const order = await store.get('work-order', id)
  if (order === undefined) throw new TaktError('TAKT_REPORT_SUBJECT_UNKNOWN', { what: `there is no work order '${id}'`, where: `report on ${id}` })
  const jobs = await jobsOf(store, [id])
  const reworks = await reworksOf(store, id)
  const reworkJobs = await jobsOf(
    store,
    reworks.map((rework) => rework.id),
  )
  const jobIds = [...jobs, ...reworkJobs].map((job) => job.id)
  const lotIds = [...new Set([...order.lots, ...reworks.flatMap(({ lots }) => lots)])]
  const counts = jobIds.length === 0 ? [] : await store.db.selectFrom('job_count').selectAll().where('job_order', 'in', jobIds).orderBy('first').execute()
  const results = await store.list('quality-result', { where: { job_order: jobIds }, orderBy: 'time' })
  return {
    order,
    jobs,
    reworks,
    reworkJobs,
    counts,
    lots: (await store.list('lot', { where: { id: lotIds } })).sort((a, b) => lotIds.indexOf(a.id) - lotIds.indexOf(b.id)),
    results,
    maintenance: order.type === 'maintenance' ? [] : await maintenanceDuring(store, jobs),
    runs: (await store.list('procedure-run', { where: { id: jobIds } })).sort((a, b) => jobIds.indexOf(a.id) - jobIds.indexOf(b.id)),
    signatures: await signaturesAbout(store, {
      'work-order': [id, ...reworks.map((rework) => rework.id)],
      'job-order': jobIds,
      'procedure-run': jobIds,
      lot: lotIds,
      'quality-result': results.map((result) => result.id),
    }),
    archivedUpTo: (await archivedUpTo(store))?.time ?? null,
    events: await eventsAbout(store, [id, ...jobIds, ...lotIds, ...reworks.map((rework) => rework.id)]),
  }
}

async function jobsOf(store: StoreReader, orders: readonly string[]): Promise<JobOrder[]> {
  const jobs = await store.list('job-order', { where: { work_order: orders } })
  return jobs.sort((a, b) => a.sequence - b.sequence || (a.actualStart ?? Number.MAX_VALUE) - (b.actualStart ?? Number.MAX_VALUE) || (a.id < b.id ? -1 : 1))
}

/** Rework orders of the order, and of these in turn. */
async function reworksOf(store: StoreReader, id: string): Promise<WorkOrder[]> {
  const all = await store.list('work-order', { where: { type: 'rework' } })
  const found: WorkOrder[] = []
  for (let level = [id]; level.length > 0; ) {
    const next = all.filter(({ of }) => of !== undefined && level.includes(of.workOrder))
    found.push(...next)
    level = next.map((order) => order.id)
  }
  return found
}

/** Repairs of the order's units while it ran. */
async function maintenanceDuring(store: StoreReader, jobs: readonly JobOrder[]): Promise<WorkOrderFacts['maintenance']> {
  const starts = jobs.map(({ actualStart }) => actualStart).filter((time) => time !== null)
  const units = new Set(jobs.map(({ equipment }) => equipment))
  if (starts.length === 0) return []
  const begin = Math.min(...starts)
  const end = jobs.some(({ actualEnd, state }) => actualEnd === null && state !== 'Aborted')
    ? Number.POSITIVE_INFINITY
    : Math.max(...jobs.map(({ actualEnd }) => actualEnd ?? 0))
  const found: WorkOrderFacts['maintenance'][number][] = []
  for (const order of await store.list('work-order', { where: { type: 'maintenance' } })) {
    if (order.equipment === undefined || !units.has(order.equipment)) continue
    for (const job of await jobsOf(store, [order.id])) {
      if (job.actualStart !== null && job.actualStart < end && (job.actualEnd ?? Number.POSITIVE_INFINITY) > begin) found.push({ order, job })
    }
  }
  return found
}

export const MOST_EVENTS = 500

async function eventsAbout(store: StoreReader, subjects: readonly string[]): Promise<LedgerEvent[]> {
  const rows = await store.db
    .selectFrom('ledger')
    .select(['sequence', 'type', 'subject', 'actor', 'why', 'before', 'after', 'time', 'hash'])
    .where('subject', 'in', subjects)
    .where('type', 'in', [...TOLD_TYPES])
    .orderBy('sequence')
    .limit(MOST_EVENTS)
    .execute()
  return rows.map((row) => ({ ...row, before: JSON.parse(row.before ?? 'null') as unknown, after: JSON.parse(row.after ?? 'null') as unknown }))
}
