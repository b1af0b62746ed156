import { TaktError } from '../base/error.ts'
import type { Person } from '../messages/person.ts'
import { disposeLot } from '../quality/held-lots.ts'
import type { Actor, StoreTransaction } from '../store/store.ts'
import { assertPerson, checkStep, type Measured, measure, measuredDone } from './check-step.ts'
import { assertDoable, presentFrom, type RunView, settleRun, stepDone, viewRun } from './run.ts'
import type { StepRequest } from './step-request.ts'

export interface Performer {
  /** As the ledger names it. */
  readonly actor: Actor
  /** Undefined where nobody is known for certain. */
  readonly person: Person | undefined
  /** May accept values outside the limits. */
  readonly mayConcede: boolean
}

/** How the run stands; `refused`: the step is still open, for a reason that is written down with it. */
export interface Performed {
  readonly view: RunView
  readonly refused?: TaktError
}

/**
 * Does one step: the present one, by somebody who may, with what it asks for. Throws a coded error where it is not, and then nothing has changed. A value outside the limits is
 * written down, holds the lot where the step says so, and leaves the step open. `actor`: who does what needs nobody.
 */
export async function performStep(
  tx: StoreTransaction,
  request: StepRequest,
  who: Performer,
  measured: Measured | undefined,
  actor: Actor,
): Promise<Performed> {
  const where = `job order ${request.jobOrder}`
  const view = await settleRun(tx, await viewRun(tx, request.jobOrder), actor)
  assertPresent(view, request.step, where)
  assertDoable(view)
  const { step, run } = view
  if (step === undefined) throw new TaktError('TAKT_PROCEDURE_STEP_DONE', { what: 'nothing is left to do', where })
  // who scans a badge need not be who the badge is of: the roles of such a step are those of the badge
  if (step.scan !== 'badge' && step.type !== 'sign') assertPerson(step, who.person, run.equipment, tx.now, where)
  const outcome = await checkStep(tx, view, request, measured, tx.now)
  if ('done' in outcome) return { view: await settleRun(tx, await stepDone(tx, view, outcome.done, outcome.by ?? who.actor), actor) }
  return outside(tx, view, outcome.outside, outcome.source === undefined ? {} : { source: outcome.source }, request.concession, who, actor)
}

/**
 * A sensor's value for a step that waits for it and for nobody. Undefined where the step is not the present one any more, or the value is older than it. Further values outside
 * the limits are not written down one by one.
 */
export async function performFromSensor(
  tx: StoreTransaction,
  jobOrder: string,
  stepId: string,
  measured: Measured,
  time: number,
  actor: Actor,
): Promise<Performed | undefined> {
  const view = await settleRun(tx, await viewRun(tx, jobOrder), actor)
  const { step, run } = view
  const from = presentFrom(view)
  if (step?.id !== stepId || from === undefined || time < from) return undefined
  assertDoable(view)
  const outcome = measure(step, { value: undefined, unit: undefined }, measured, `job order ${jobOrder}`)
  if ('done' in outcome) return { view: await settleRun(tx, await stepDone(tx, view, outcome.done, actor), actor) }
  if (run.refused > 0) return undefined
  return outside(tx, view, outcome.outside, { source: measured.source }, undefined, { actor, person: undefined, mayConcede: false }, actor)
}

async function outside(
  tx: StoreTransaction,
  view: RunView,
  value: number,
  source: { readonly source?: string },
  concession: string | undefined,
  who: Performer,
  actor: Actor,
): Promise<Performed> {
  const { step, run, job } = view
  const where = `job order ${job.id}`
  if (step === undefined) return { view }
  const what = `step '${step.id}': ${value} ${step.unit} is outside ${step.lower ?? '−∞'} to ${step.upper ?? '∞'}`
  if (concession !== undefined) {
    if (!who.mayConcede)
      throw new TaktError('TAKT_PERSON_NOT_ALLOWED', { what: `${who.actor} may not accept a value outside the limits (procedure.concede)`, where })
    await tx.record({
      type: 'procedure-run.conceded',
      subject: run.id,
      actor: who.actor,
      why: concession,
      after: { equipment: run.equipment, step: step.id, value, what },
    })
    return { view: await settleRun(tx, await stepDone(tx, view, measuredDone(step, value, source), who.actor), actor) }
  }
  const refused = await tx.save<'procedure-run'>({ ...run, refused: run.refused + 1 }, { type: 'procedure-run.outside', actor: who.actor, why: what })
  let held = ''
  if (step.hold === true && run.lot !== null) {
    const lot = await tx.get('lot', run.lot)
    if (lot !== undefined && lot.disposition !== 'held' && lot.disposition !== 'scrapped') {
      await disposeLot(tx, { disposition: 'hold', lot: lot.id, why: `${what} (${run.procedure})`, by: who.actor })
      held = `; lot ${lot.id} is held`
    }
  }
  return { view: { ...view, run: refused }, refused: new TaktError('TAKT_PROCEDURE_OUTSIDE', { what: `${what}${held}`, where }) }
}

/** Throws TAKT_PROCEDURE_STEP_UNKNOWN, TAKT_PROCEDURE_STEP_DONE, TAKT_PROCEDURE_STEP_ORDER. */
function assertPresent({ run, procedure }: RunView, id: string, where: string): void {
  if (run.step === id) return
  if (!procedure.steps.some((step) => step.id === id))
    throw new TaktError('TAKT_PROCEDURE_STEP_UNKNOWN', { what: `${procedure.id} has no step '${id}'`, where })
  const done = run.done.find((entry) => entry.step === id)
  if (done !== undefined) throw new TaktError('TAKT_PROCEDURE_STEP_DONE', { what: `step '${id}' was done by ${done.by}`, where })
  const place = (step: string | null): number => procedure.steps.findIndex((other) => other.id === step)
  const passed = run.step === null || place(id) < place(run.step)
  const what = passed ? `step '${id}' was not on the way of this job order` : `step '${id}' comes after '${run.step}', which is open`
  throw new TaktError('TAKT_PROCEDURE_STEP_ORDER', { what, where })
}
