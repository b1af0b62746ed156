import { TaktError } from '../base/error.ts'
import { MEANINGS } from '../messages/signature.ts'
import { actorOf, type People } from '../people/people.ts'
import { type Action, mayDo } from '../people/roles.ts'
import { type Evidence, identify, whoMay } from '../people/who-acts.ts'
import type { Secrets } from '../sign/read-request.ts'
import { FREE_POLICY, Signing, type SigningParts } from '../sign/signing.ts'
import type { Actor, Store, StoreTransaction } from '../store/store.ts'
import { checkProcedure } from './check-procedure.ts'
import type { Measured } from './check-step.ts'
import { type Performed, type Performer, performStep } from './perform.ts'
import { assertDoable, beginRun, type RunView, restartRun, settleRun, viewRun, waitsUntil } from './run.ts'
import { type Fields, fieldsOf, optionalText, readStep, type StepRequest, textOf } from './step-request.ts'
import { decideVersion, differenceNow, proposeVersion } from './versions.ts'

export const PROCEDURE_TOPICS = ['propose', 'difference', 'approve', 'refuse', 'list', 'begin', 'restart', 'show', 'step'] as const
export type ProcedureTopic = (typeof PROCEDURE_TOPICS)[number]

export interface ProcedureRequest {
  readonly topic: ProcedureTopic
  /** Without its passwords. */
  readonly payload: unknown
  readonly secrets: Secrets
  readonly evidence: Evidence
}

/** What is shown of the present step beside the run: all that a terminal needs. */
export interface Shown {
  readonly step: RunView['step'] | null
  /** Its place among the steps, from 1, and how many there are. */
  readonly position: { readonly at: number; readonly of: number }
  /** When its time is over; null: it is no step that waits, or its time does not run yet. */
  readonly until: number | null
  readonly title: string
  readonly job: { readonly id: string; readonly state: string; readonly equipment: string | null; readonly lot: string | null; readonly operation: string }
}

export interface ProcedureAnswer {
  readonly topic: string
  readonly payload: unknown
  readonly shown?: Shown
  /** The step is still open, and this is why. */
  readonly refused?: TaktError
}

export interface ProcedureDeskParts extends Omit<SigningParts, 'policy'> {
  readonly store: Store
  readonly people: People
  /** Who does what needs nobody: `node:<id>`. */
  readonly actor: Actor
  readonly where: string
  /** What a sensor said last, since the present step of a job order began. */
  measured(jobOrder: string): Measured | undefined
}

/** A message that may come again is obeyed once. */
export type TakeOnce = (tx: StoreTransaction, part: string) => Promise<boolean>

/** What people, and flows, do with procedures: write, approve, begin, show, and do step by step. Refuses with coded errors. */
export class ProcedureDesk {
  readonly #parts: ProcedureDeskParts

  constructor(parts: ProcedureDeskParts) {
    this.#parts = parts
  }

  async handle(request: ProcedureRequest, once?: TakeOnce): Promise<ProcedureAnswer> {
    const { store, where } = this.#parts
    const { topic, payload } = request
    if (topic === 'list') return { topic: 'procedures', payload: await store.list('procedure', { orderBy: 'ledger' }) }
    const fields = fieldsOf(payload, where)
    switch (topic) {
      case 'propose': {
        const text = checkProcedure(payload, where)
        const author = await this.#who(request, fields, 'procedure.propose', '')
        return versionAnswer(await this.#do(once, (tx) => proposeVersion(tx, text, author.actor)))
      }
      case 'difference':
        return { topic: 'procedures/difference', payload: await differenceNow(store, textOf(fields, 'procedure', 200, where)) }
      case 'approve':
      case 'refuse': {
        const decision = {
          procedure: textOf(fields, 'procedure', 200, where),
          approved: topic === 'approve',
          sha256: fields.sha256,
          why: textOf(fields, 'why', 1000, where),
        }
        const by = await this.#who(request, fields, 'procedure.approve', '')
        return versionAnswer(await this.#do(once, (tx) => decideVersion(tx, decision, by.actor)))
      }
      case 'show':
        return runAnswer(await this.#show(fields))
      case 'begin':
      case 'restart': {
        const jobOrder = textOf(fields, 'jobOrder', 200, where)
        const reference = optionalText(fields, 'procedure', 200, where)
        const by = await this.#who(request, fields, 'procedure.perform', await this.#scope(jobOrder))
        const why = optionalText(fields, 'why', 1000, where) ?? 'the job order was moved'
        const { actor } = this.#parts
        const begin = async (tx: StoreTransaction): Promise<RunView> =>
          settleRun(tx, await (topic === 'begin' ? beginRun(tx, jobOrder, reference, by.actor) : restartRun(tx, jobOrder, by.actor, why)), actor)
        return runAnswer((await this.#do(once, begin)) ?? (await viewRun(store, jobOrder)))
      }
      case 'step':
        return this.#step(request, fields, once)
    }
  }

  async #step(request: ProcedureRequest, fields: Fields, once: TakeOnce | undefined): Promise<ProcedureAnswer> {
    const { store, actor, where, measured } = this.#parts
    const step = readStep(fields, where)
    const scope = await this.#scope(step.jobOrder)
    if (request.secrets.password !== undefined) await this.#sign(request, fields, step)
    const who = await this.#who(request, fields, 'procedure.perform', scope)
    const performed = await this.#do(once, (tx) => performStep(tx, step, who, measured(step.jobOrder), actor))
    return performed === undefined ? runAnswer(await viewRun(store, step.jobOrder)) : performedAnswer(performed)
  }

  /** Signs the run as it stands, with everything that was done before; the step then finds the signature. Signed before, as after a crash between the two, it is found too. */
  async #sign({ secrets, evidence }: ProcedureRequest, fields: Fields, request: StepRequest): Promise<void> {
    const { store } = this.#parts
    const where = `job order ${request.jobOrder}`
    const view = await viewRun(store, request.jobOrder)
    const { run, step } = view
    if (step?.type !== 'sign' || step.id !== request.step)
      throw new TaktError('TAKT_PROCEDURE_STEP_ORDER', { what: `step '${request.step}' is not to be signed now; a password is for that alone`, where })
    assertDoable(view)
    const meaning = MEANINGS.find((known) => known === step.meaning)
    if (meaning === undefined) throw new TaktError('TAKT_INTERNAL', { what: `step '${step.id}' has no meaning`, where })
    const who = optionalText(fields, 'person', 200, where) ?? optionalText(fields, 'badge', 200, where)
    for (const certification of step.certifications?.length ? step.certifications : [undefined]) {
      try {
        await new Signing({ ...this.#parts, policy: { ...FREE_POLICY, certification } }).sign({
          record: { kind: 'procedure-run', id: run.id, revision: run.revision },
          meaning,
          comment: optionalText(fields, 'comment', 1000, where) ?? null,
          who,
          session: evidence.session,
          connection: evidence.connection,
          password: secrets.password,
        })
      } catch (thrown) {
        if (!(thrown instanceof TaktError) || thrown.code !== 'TAKT_SIGN_TWICE') throw thrown
      }
    }
  }

  /** By its job order, or that of a unit: the one that runs there, else the next whose procedure was begun. */
  async #show(fields: Fields): Promise<RunView> {
    const { store, where } = this.#parts
    const jobOrder = optionalText(fields, 'jobOrder', 200, where)
    if (jobOrder !== undefined) return viewRun(store, jobOrder)
    const equipment = textOf(fields, 'equipment', 500, where)
    const runs = await store.list('procedure-run', { where: { equipment, phase: ['start', 'end'] }, orderBy: 'ledger', limit: 50 })
    for (const state of ['Running', 'Interrupted', 'AllowedToStart', 'NotAllowedToStart', 'Ended']) {
      for (const { id } of runs) {
        const view = await viewRun(store, id)
        if (view.job.state === state) return view
      }
    }
    throw new TaktError('TAKT_PROCEDURE_NOT_BEGUN', { what: `no procedure is under way at ${equipment}`, where })
  }

  async #who({ evidence }: ProcedureRequest, { by }: Fields, action: Action, scope: string): Promise<Performer> {
    const { people, where } = this.#parts
    const actor = await whoMay(people, evidence, action, scope, by, where)
    if (actor === undefined) throw new TaktError('TAKT_PROCEDURE_WHO', { where })
    const known = await identify(people, evidence)
    const person = known !== undefined && actorOf(known) === actor ? known : undefined
    return { actor, person, mayConcede: person !== undefined && mayDo(person, 'procedure.concede', scope, people.settings.roles) }
  }

  async #scope(jobOrder: string): Promise<string> {
    return (await this.#parts.store.get('job-order', jobOrder))?.equipment ?? ''
  }

  /** Undefined when this message had its effect before. */
  #do<T>(once: TakeOnce | undefined, work: (tx: StoreTransaction) => Promise<T>): Promise<T | undefined> {
    return this.#parts.store.transaction(async (tx) => (once === undefined || (await once(tx, '')) ? work(tx) : undefined))
  }
}

export function performedAnswer({ view, refused }: Performed): ProcedureAnswer {
  return { ...runAnswer(view), ...(refused === undefined ? {} : { refused }) }
}

function runAnswer(view: RunView): ProcedureAnswer {
  const { run, step, procedure, job } = view
  const { id, state, equipment, lot, operation } = job
  const at = step === undefined ? procedure.steps.length : procedure.steps.indexOf(step) + 1
  const shown: Shown = {
    step: step ?? null,
    position: { at, of: procedure.steps.length },
    until: waitsUntil(view) ?? null,
    title: procedure.title === '' ? procedure.name : procedure.title,
    job: { id, state, equipment, lot, operation },
  }
  return { topic: `procedures/runs/${run.id}`, payload: run, shown }
}

function versionAnswer(procedure: { readonly id: string } | undefined): ProcedureAnswer {
  return { topic: procedure === undefined ? 'procedures' : `procedures/${procedure.id}`, payload: procedure ?? [] }
}
