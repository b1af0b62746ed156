import { TaktError } from '../base/error.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Procedure } from '../messages/procedure.ts'
import type { ProcedureRun } from '../messages/procedure-run.ts'
import type { StoreReader, StoreTransaction } from '../store/store.ts'
import type { Because } from './change-job-order.ts'
import { isOpen } from './job-order-states.ts'

/** What of a job order must wait for steps of its procedure. */
export type Before = 'start' | 'end'

/** Event of a job order that began or ended although steps of its procedure were open: a machine does not ask. */
export const STEPS_MISSING = 'procedure-run.missing'

/** The procedure in force: of `name` the approved version, of `name@2` that one if it is or was in force. */
export async function procedureInForce(reader: StoreReader, reference: string): Promise<Procedure | undefined> {
  const exact = await reader.get('procedure', reference)
  if (exact !== undefined) return exact.state === 'approved' || exact.state === 'replaced' ? exact : undefined
  const [approved] = await reader.list('procedure', { where: { name: reference, state: 'approved' }, orderBy: 'version', descending: true, limit: 1 })
  return approved
}

/** Why a job order may not start, or end, yet: a sentence about its procedure; undefined: nothing is open. */
export async function openProcedure(reader: StoreReader, job: JobOrder, before: Before): Promise<string | undefined> {
  if (job.procedure === undefined) return undefined
  const run = await reader.get('procedure-run', job.id)
  if (run === undefined) return openWithoutRun(reader, job.procedure, before)
  if (before === 'start') {
    if (hasMoved(run, job)) return `it was prepared at ${run.equipment}, and is planned on ${job.equipment} now`
    return run.phase === 'start' ? `step '${run.step}' of ${run.procedure} comes before its start` : undefined
  }
  return run.phase === 'done' ? undefined : `step '${run.step}' of ${run.procedure} is open`
}

/** Steps were done for another unit than the one that it would begin on now. */
export function hasMoved(run: ProcedureRun, job: JobOrder): boolean {
  return isOpen(job) && job.equipment !== run.equipment && (run.phase === 'start' || run.done.length > 0)
}

/** Throws TAKT_PROCEDURE_OPEN. */
export async function assertProcedure(reader: StoreReader, job: JobOrder, before: Before): Promise<void> {
  const what = await openProcedure(reader, job, before)
  if (what !== undefined) throw new TaktError('TAKT_PROCEDURE_OPEN', { what, where: `job order ${job.id}` })
}

/** Writes down that a job order began, or ended, with steps open. */
export async function reportMissing(tx: StoreTransaction, job: JobOrder, before: Before, { actor }: Because): Promise<void> {
  const what = await openProcedure(tx, job, before)
  if (what === undefined) return
  const { id: jobOrder, workOrder, equipment, lot, procedure } = job
  await tx.record({ type: STEPS_MISSING, subject: job.id, actor, why: what, after: { jobOrder, workOrder, equipment, lot, procedure, before, what } })
}

async function openWithoutRun(reader: StoreReader, reference: string, before: Before): Promise<string | undefined> {
  const procedure = await procedureInForce(reader, reference)
  if (procedure === undefined) return `its procedure ${reference} has no approved version`
  if (before === 'start' && procedure.steps[0]?.before !== 'start') return undefined
  return `its procedure ${procedure.id} has not been begun`
}
