import { TaktError } from '../base/error.ts'
import type { Person } from '../messages/person.ts'
import type { ProcedureStep } from '../messages/procedure.ts'
import type { Signature } from '../messages/signature.ts'
import { actorOf } from '../people/people.ts'
import { certificationFault, hasRole } from '../people/roles.ts'
import type { Actor, StoreReader } from '../store/store.ts'
import type { Done, RunView } from './run.ts'
import { isStorable, type StepRequest } from './step-request.ts'

/** A value that came from a sensor. */
export interface Measured {
  readonly value: number
  readonly unit: string | undefined
  /** `<equipment>/<signal>` */
  readonly source: string
}

/** The step is done with this; or it is not, and people should know: a value lies outside the limits. */
export type Outcome = { readonly done: Done; readonly by?: Actor } | { readonly outside: number; readonly source?: string }

/** Throws TAKT_PERSON_NOT_SIGNED_IN, TAKT_PROCEDURE_ROLE, TAKT_PERSON_CERTIFICATION when the step asks for somebody else. */
export function assertPerson({ role, certifications = [], id }: ProcedureStep, person: Person | undefined, scope: string, now: number, where: string): void {
  if (role === undefined && certifications.length === 0) return
  if (person === undefined) throw new TaktError('TAKT_PERSON_NOT_SIGNED_IN', { what: `step '${id}' asks for a person who is known`, where })
  if (role !== undefined && !hasRole(person, role, scope))
    throw new TaktError('TAKT_PROCEDURE_ROLE', { what: `step '${id}' is for '${role}', which ${person.name} is not at ${scope}`, where })
  for (const name of certifications) {
    const fault = certificationFault(person, name, now)
    if (fault !== undefined) throw new TaktError('TAKT_PERSON_CERTIFICATION', { what: fault, where })
  }
}

/** Is what was said of the present step right? Throws TAKT_PROCEDURE_STEP_INVALID, TAKT_PROCEDURE_SCAN_WRONG, TAKT_PROCEDURE_UNIT, and what `assertPerson` throws of a badge. */
export async function checkStep(reader: StoreReader, view: RunView, request: StepRequest, measured: Measured | undefined, now: number): Promise<Outcome> {
  const { step, job } = view
  const where = `job order ${job.id}`
  switch (step?.type) {
    case 'instruct':
      return { done: {} }
    case 'confirm':
      if (!request.confirm) throw invalid(`step '${step.id}' is to be confirmed: confirm: true`, where)
      return { done: {} }
    case 'scan':
      return { done: { value: await scanned(reader, view, step, request.value, now, where) } }
    case 'measure':
      return measure(step, request, measured, where)
    case 'branch': {
      const way = step.ways?.find(({ choice }) => choice === request.choice)
      if (way?.choice === undefined) throw invalid(`step '${step.id}' asks for one of ${step.ways?.map(({ choice }) => choice).join(', ')}`, where)
      return { done: { value: way.choice, to: way.to } }
    }
    case 'sign':
      return signedBy(await signatureOf(reader, view, step, where))
    case 'wait':
      throw new TaktError('TAKT_PROCEDURE_WAIT', { what: `the time of step '${step.id}' is not over`, where })
    default:
      throw new TaktError('TAKT_PROCEDURE_STEP_DONE', { what: 'nothing is left to do', where })
  }
}

/** Takes a value that was measured, or typed. One outside the limits is no error of the request: it is a fact that is written down. */
export function measure(step: ProcedureStep, { value, unit }: Pick<StepRequest, 'value' | 'unit'>, measured: Measured | undefined, where: string): Outcome {
  const byHand = step.signal === undefined || step.byHand === true
  if (value !== undefined && !byHand) throw invalid(`step '${step.id}' takes the value of the sensor '${step.signal}', none that is typed`, where)
  if (value === undefined && measured === undefined)
    throw invalid(step.signal === undefined ? `step '${step.id}' needs a value` : `the sensor '${step.signal}' has sent nothing since the step began`, where)
  const number = value === undefined ? measured?.value : numberOf(value)
  if (number === undefined || !Number.isFinite(number)) throw invalid(`'${String(value).slice(0, 60)}' is no number`, where)
  const given = value === undefined ? measured?.unit : unit
  if (given !== undefined && given !== step.unit)
    throw new TaktError('TAKT_PROCEDURE_UNIT', { what: `the value is in ${given}, step '${step.id}' asks for ${step.unit}`, where })
  const source = value === undefined && measured !== undefined ? { source: measured.source } : {}
  const { lower, upper } = step
  if ((lower !== undefined && number < lower) || (upper !== undefined && number > upper)) return { outside: number, ...source }
  return { done: measuredDone(step, number, source) }
}

/** What is written down of a value: it with its unit, and the limits that held. */
export function measuredDone({ unit, lower, upper }: ProcedureStep, value: number, source: { readonly source?: string } = {}): Done {
  return {
    value,
    ...(unit === undefined ? {} : { unit }),
    ...(lower === undefined ? {} : { lower }),
    ...(upper === undefined ? {} : { upper }),
    ...source,
  }
}

/** What people type: a dot or a comma before the decimals, nothing else. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const text = String(value).trim().replace(',', '.')
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : undefined
}

async function scanned(reader: StoreReader, view: RunView, step: ProcedureStep, value: unknown, now: number, where: string): Promise<string> {
  if (typeof value !== 'string' || value.trim() === '') throw invalid(`step '${step.id}' asks for the scan of a ${step.scan}`, where)
  const text = value.trim()
  if (text.length > 200 || !isStorable(text)) throw invalid('what was scanned is too long, or has characters that cannot be stored', where)
  const wrong = (what: string): TaktError => new TaktError('TAKT_PROCEDURE_SCAN_WRONG', { what, where })
  switch (step.scan) {
    case 'tool':
      if (step.tools?.includes(text)) return text
      throw wrong(`tool '${text}' was scanned where one of ${step.tools?.join(', ')} is asked for`)
    case 'badge':
      return badge(reader, view, step, text, now, where)
    default:
      return lot(reader, view, step, text, wrong)
  }
}

async function lot(reader: StoreReader, { run }: RunView, { material }: ProcedureStep, text: string, wrong: (what: string) => TaktError): Promise<string> {
  if (material === undefined && text !== run.lot) throw wrong(`lot '${text}' was scanned, the job order is for lot '${run.lot ?? '(none)'}'`)
  const found = await reader.get('lot', text)
  if (found === undefined) throw wrong(`there is no lot '${text}'`)
  if (material !== undefined && found.material !== material) throw wrong(`lot '${text}' is ${found.material}, asked for is ${material}`)
  if (found.disposition === 'held' || found.disposition === 'scrapped')
    throw wrong(`lot '${text}' is ${found.disposition}: ${found.reason ?? 'no reason given'}`)
  return text
}

async function badge(reader: StoreReader, { run }: RunView, step: ProcedureStep, text: string, now: number, where: string): Promise<string> {
  const [person] = await reader.list('person', { where: { badge: text }, limit: 1 })
  if (person === undefined || !person.active || person.locked !== null)
    throw new TaktError('TAKT_PROCEDURE_SCAN_WRONG', { what: 'the badge is nobody’s who may work here', where })
  assertPerson(step, person, run.equipment, now, where)
  return person.id
}

/** The signature of the run as it is now. It may have been given here or by a sign node. */
async function signatureOf(reader: StoreReader, { run }: RunView, step: ProcedureStep, where: string): Promise<Signature> {
  const given = await reader.list('signature', {
    where: { record_kind: 'procedure-run', record_id: run.id, record_ledger: run.ledger ?? 0, meaning: step.meaning ?? '' },
    orderBy: 'ledger',
  })
  for (const signature of given) {
    const person = await reader.get('person', signature.person)
    if (person !== undefined && (step.role === undefined || hasRole(person, step.role, run.equipment))) return signature
  }
  throw new TaktError('TAKT_PROCEDURE_UNSIGNED', {
    what: `step '${step.id}' needs a signature as '${step.meaning}'${step.role === undefined ? '' : ` of '${step.role}'`}`,
    where,
  })
}

/** With what has to be shown wherever the run is (21 CFR 11.50): printed name, meaning, time with offset. */
function signedBy({ id, person, name, meaning, at }: Signature): Outcome {
  return { done: { signature: id, value: `${name}, ${meaning}, ${at}` }, by: actorOf({ id: person }) }
}

function invalid(what: string, where: string): TaktError {
  return new TaktError('TAKT_PROCEDURE_STEP_INVALID', { what, where })
}
