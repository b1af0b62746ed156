import { TaktError } from '../base/error.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Procedure, ProcedureStep } from '../messages/procedure.ts'
import type { DoneStep, ProcedureRun } from '../messages/procedure-run.ts'
import { refreshResponse } from '../orders/end-job-order.ts'
import { isOpen, isOver } from '../orders/job-order-states.ts'
import { hasMoved, procedureInForce } from '../orders/procedure-gate.ts'
import type { Actor, StoreReader, StoreTransaction } from '../store/store.ts'
import { END, followerOf } from './step-graph.ts'

/** A run with what it is about. */
export interface RunView {
  readonly run: ProcedureRun
  readonly job: JobOrder
  readonly procedure: Procedure
  /** The present step; undefined: nothing is left. */
  readonly step: ProcedureStep | undefined
}

/** What is known of a step that was done, besides who did it when. */
export type Done = Omit<DoneStep, 'step' | 'type' | 'by' | 'time'>

/** Throws TAKT_JOB_ORDER_UNKNOWN, TAKT_PROCEDURE_NOT_BEGUN. */
export async function viewRun(reader: StoreReader, jobOrder: string): Promise<RunView> {
  const where = `job order ${jobOrder}`
  const job = await jobOf(reader, jobOrder)
  const run = await reader.get('procedure-run', jobOrder)
  if (run === undefined) throw new TaktError('TAKT_PROCEDURE_NOT_BEGUN', { where })
  return withStep(reader, run, job)
}

/**
 * Begins the procedure of a job order in the version that is in force, which it keeps. Begun before, it is given as it stands. `reference`: for a job order whose operation names
 * none. Throws TAKT_JOB_ORDER_UNKNOWN, TAKT_PROCEDURE_NONE, TAKT_PROCEDURE_NOT_IN_FORCE, TAKT_PROCEDURE_OVER, TAKT_PROCEDURE_NO_UNIT.
 */
export async function beginRun(tx: StoreTransaction, jobOrder: string, reference: string | undefined, by: Actor): Promise<RunView> {
  const where = `job order ${jobOrder}`
  const job = await jobOf(tx, jobOrder)
  const known = await tx.get('procedure-run', jobOrder)
  if (known !== undefined) return withStep(tx, known, job)
  assertGoesOn(job)
  const wanted = job.procedure ?? reference
  if (wanted === undefined) throw new TaktError('TAKT_PROCEDURE_NONE', { what: `neither its operation '${job.operation}' nor the message names one`, where })
  if (reference !== undefined && reference !== wanted)
    throw new TaktError('TAKT_PROCEDURE_NONE', { what: `its procedure is ${wanted}, not ${reference}`, where })
  const procedure = await procedureInForce(tx, wanted)
  if (procedure === undefined) throw new TaktError('TAKT_PROCEDURE_NOT_IN_FORCE', { what: `'${wanted}' has no approved version`, where })
  const { equipment, workOrder, operation, lot } = job
  if (equipment === null) throw new TaktError('TAKT_PROCEDURE_NO_UNIT', { where })
  // from now on the job order waits for it, whatever named it; its document says so
  const bound =
    job.procedure === procedure.id ? job : await tx.save<'job-order'>({ ...job, procedure: procedure.id }, { type: 'job-order.procedure', actor: by })
  const first = procedure.steps[0]
  const run = await tx.save<'procedure-run'>(
    {
      kind: 'procedure-run',
      id: jobOrder,
      procedure: procedure.id,
      workOrder,
      operation,
      equipment,
      lot,
      phase: phaseOf(first),
      step: first?.id ?? null,
      since: tx.now,
      refused: 0,
      done: [],
      by,
    },
    { type: 'procedure-run.begun', actor: by },
  )
  return { run, job: bound, procedure, step: first }
}

/** A job order that was moved to another unit before it began is prepared there from the first step on, in the same version. Throws TAKT_PROCEDURE_NOT_MOVED. */
export async function restartRun(tx: StoreTransaction, jobOrder: string, by: Actor, why: string): Promise<RunView> {
  const { run, job, procedure } = await viewRun(tx, jobOrder)
  if (job.equipment === null || !hasMoved(run, job)) throw new TaktError('TAKT_PROCEDURE_NOT_MOVED', { where: `job order ${jobOrder}` })
  const step = procedure.steps[0]
  const fresh = { ...run, equipment: job.equipment, phase: phaseOf(step), step: step?.id ?? null, since: tx.now, refused: 0, done: [], by }
  return { run: await tx.save<'procedure-run'>(fresh, { type: 'procedure-run.restarted', actor: by, why }), job, procedure, step }
}

/** Writes down that the present step was done, and goes on to the next. */
export async function stepDone(tx: StoreTransaction, view: RunView, done: Done, by: Actor): Promise<RunView> {
  const { run, procedure, step } = view
  if (step === undefined) return view
  const index = procedure.steps.indexOf(step)
  const to = done.to ?? followerOf(procedure.steps, index)
  const next = to === END ? undefined : procedure.steps.find(({ id }) => id === to)
  const entry: DoneStep = { step: step.id, type: step.type, by, time: tx.now, ...done }
  const saved = await tx.save<'procedure-run'>(
    { ...run, phase: phaseOf(next), step: next?.id ?? null, since: tx.now, refused: 0, done: [...run.done, entry] },
    { type: next === undefined ? 'procedure-run.done' : 'procedure-run.step-done', actor: by, why: `${step.type} ${step.id}` },
  )
  // what is done after the end is in the job response too
  if (isOver(view.job)) await refreshResponse(tx, view.job.id, { actor: by })
  return { ...view, run: saved, step: next }
}

/** Does what needs nobody: time that is over, branches that a measured value decides. Again it changes nothing. */
export async function settleRun(tx: StoreTransaction, view: RunView, actor: Actor): Promise<RunView> {
  let now = view
  for (;;) {
    const { step, run, job } = now
    if (step === undefined || !mayGoOn(now)) return now
    if (step.type === 'wait') {
      const until = waitsUntil(now)
      if (until === undefined || until > tx.now) return now
      now = await stepDone(tx, now, { value: step.durationMs ?? 0, unit: 'ms' }, actor)
    } else if (step.type === 'branch' && step.of !== undefined) {
      const value = Number(run.done.find((done) => done.step === step.of)?.value)
      const way = step.ways?.find(({ above, below }) => (above === undefined || value > above) && (below === undefined || value < below))
      if (way === undefined) throw new TaktError('TAKT_INTERNAL', { what: `no way of '${step.id}' is for ${value}`, where: `job order ${job.id}` })
      now = await stepDone(tx, now, { value, to: way.to }, actor)
    } else return now
  }
}

/** When the time of the present step is over, plant ms; undefined: it is no such step, or its time does not run yet. */
export function waitsUntil({ step, run, job }: RunView): number | undefined {
  const from = presentFrom({ step, run, job })
  return step?.type !== 'wait' || from === undefined ? undefined : from + (step.durationMs ?? 0)
}

/** Since when the present step can be done, plant ms: what comes after the start counts from the start. Undefined: not yet. */
export function presentFrom({ step, run, job }: Pick<RunView, 'step' | 'run' | 'job'>): number | undefined {
  if (step === undefined) return undefined
  if (step.before === 'start') return run.since
  return job.actualStart === null ? undefined : Math.max(run.since, job.actualStart)
}

/** Throws when nothing can be done for the job order any more: TAKT_PROCEDURE_OVER. */
export function assertGoesOn(job: JobOrder): void {
  if (job.state === 'Aborted' || job.substate === 'Closed')
    throw new TaktError('TAKT_PROCEDURE_OVER', { what: `the job order is ${job.substate ?? job.state}`, where: `job order ${job.id}` })
}

/** Throws TAKT_PROCEDURE_OVER, TAKT_PROCEDURE_MOVED, TAKT_PROCEDURE_NOT_STARTED. */
export function assertDoable({ step, run, job }: RunView): void {
  const where = `job order ${job.id}`
  assertGoesOn(job)
  if (hasMoved(run, job))
    throw new TaktError('TAKT_PROCEDURE_MOVED', { what: `it was prepared at ${run.equipment}, and is planned on ${job.equipment ?? 'no unit'} now`, where })
  if (step !== undefined && step.before !== 'start' && isOpen(job))
    throw new TaktError('TAKT_PROCEDURE_NOT_STARTED', { what: `step '${step.id}' comes after the start of the job order, which has not begun`, where })
}

function mayGoOn(view: RunView): boolean {
  try {
    assertDoable(view)
    return true
  } catch {
    return false
  }
}

async function withStep(reader: StoreReader, run: ProcedureRun, job: JobOrder): Promise<RunView> {
  const procedure = await reader.get('procedure', run.procedure)
  if (procedure === undefined) throw new TaktError('TAKT_PROCEDURE_UNKNOWN', { what: `there is no procedure '${run.procedure}'`, where: `job order ${job.id}` })
  return { run, job, procedure, step: procedure.steps.find(({ id }) => id === run.step) }
}

async function jobOf(reader: StoreReader, id: string): Promise<JobOrder> {
  const job = await reader.get('job-order', id)
  if (job === undefined) throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `there is no job order '${id}'`, where: `job order ${id}` })
  return job
}

function phaseOf(step: ProcedureStep | undefined): ProcedureRun['phase'] {
  return step === undefined ? 'done' : (step.before ?? 'end')
}
