import type { JobOrder } from '../messages/job-order.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { StoreReader } from '../store/store.ts'
import { openProcedure } from './procedure-gate.ts'

/** A job order that has worked on a lot and whose procedure is not done. */
export interface OpenStep {
  readonly code: 'TAKT_PROCEDURE_OPEN'
  readonly jobOrder: string
  readonly procedure: string
  /** The present step; null when its procedure was never begun. */
  readonly step: string | null
  /** The same as a sentence. */
  readonly what: string
}

/**
 * What is open of the procedures by which a lot was made: of its job orders that have begun, and of the rework of its parts. One that was aborted counts, too: it has made
 * parts, and its steps can be done no more. `reworks`: all rework orders, where the caller has them already.
 */
export async function openSteps(reader: StoreReader, lot: string, reworks?: readonly WorkOrder[]): Promise<readonly OpenStep[]> {
  const open: OpenStep[] = []
  for (const job of await jobsOn(reader, lot, reworks ?? (await reworkOrders(reader)))) {
    const step = await openStep(reader, job)
    if (step !== undefined) open.push(step)
  }
  return open
}

/** What is open of the procedure of a job order that has begun. */
export async function openStep(reader: StoreReader, job: JobOrder): Promise<OpenStep | undefined> {
  if (job.procedure === undefined || job.actualStart === null) return undefined
  const what = await openProcedure(reader, job, 'end')
  if (what === undefined) return undefined
  const run = await reader.get('procedure-run', job.id)
  const { procedure = job.procedure, step = null } = run ?? {}
  return { code: 'TAKT_PROCEDURE_OPEN', jobOrder: job.id, procedure, step, what: `${job.id}: ${what}` }
}

export function reworkOrders(reader: StoreReader): Promise<WorkOrder[]> {
  return reader.list('work-order', { where: { type: 'rework' } })
}

async function jobsOn(reader: StoreReader, lot: string, reworks: readonly WorkOrder[]): Promise<readonly JobOrder[]> {
  const sublots = reworks.filter((order) => order.of?.lot === lot && order.state !== 'Canceled').flatMap(({ lots }) => lots)
  return reader.list('job-order', { where: { lot: [lot, ...sublots] }, orderBy: 'id' })
}
