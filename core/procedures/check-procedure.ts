import { Ajv } from 'ajv'
import { Type } from 'typebox'
import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import { ProcedureStep, type StepType } from '../messages/procedure.ts'
import { describeErrors } from '../messages/validate.ts'
import { END, passedBefore, targetsOf } from './step-graph.ts'

/** A procedure as its author writes it. */
export const ProcedureText = Type.Object(
  {
    procedure: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,59}$', description: 'its name' }),
    title: Type.Optional(Type.String({ maxLength: 200 })),
    why: Type.String({ minLength: 1, maxLength: 1000 }),
    steps: Type.Array(ProcedureStep, { minItems: 1, maxItems: 200 }),
    by: Type.Optional(Type.String()),
    ask: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)
export type ProcedureText = Type.Static<typeof ProcedureText>

const validate = new Ajv({ allErrors: true, strict: false }).compile(ProcedureText)

const COMMON = ['id', 'type', 'text', 'before']
const ACTS = ['role', 'certifications', 'next']
/** What each type of step must have, and what it may have. */
const FIELDS: Readonly<Record<StepType, { readonly must: readonly string[]; readonly may: readonly string[] }>> = {
  instruct: { must: ['text'], may: ACTS },
  scan: { must: ['scan'], may: [...ACTS, 'material', 'tools'] },
  measure: { must: ['unit'], may: [...ACTS, 'signal', 'byHand', 'lower', 'upper', 'hold'] },
  confirm: { must: ['text'], may: ACTS },
  wait: { must: ['durationMs'], may: ['next'] },
  sign: { must: ['meaning'], may: ACTS },
  branch: { must: ['ways'], may: ['role', 'certifications', 'of'] },
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: to find them
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/

/** Reads what an author proposes. Throws TAKT_PROCEDURE_INVALID that names every fault with its path, TAKT_MESSAGE_FORBIDDEN_KEY, TAKT_MESSAGE_TOO_DEEP. */
export function checkProcedure(given: unknown, where: string): ProcedureText {
  assertSafe(given, where)
  if (!validate(given)) throw invalid([describeErrors(validate.errors).slice(0, 2000)], where)
  const text = given as ProcedureText
  const faults = [...textFaults(text), ...text.steps.flatMap(fieldFaults), ...graphFaults(text.steps)]
  if (faults.length > 0) throw invalid(faults, where)
  return text
}

function textFaults(text: ProcedureText): string[] {
  const faults: string[] = []
  const look = (value: unknown, path: string): void => {
    if (typeof value === 'string' && (!value.isWellFormed() || UNPRINTABLE.test(value))) faults.push(`${path} has characters that cannot be printed`)
    if (typeof value === 'object' && value !== null) for (const [key, inner] of Object.entries(value)) look(inner, `${path}/${key}`)
  }
  look(text, '')
  return faults
}

function fieldFaults(step: ProcedureStep, index: number): string[] {
  const path = `/steps/${index} ('${step.id}')`
  const { must, may } = FIELDS[step.type]
  const faults = must.filter((field) => !Object.hasOwn(step, field)).map((field) => `${path}: ${step.type} needs '${field}'`)
  for (const field of Object.keys(step))
    if (!COMMON.includes(field) && !must.includes(field) && !may.includes(field)) faults.push(`${path}: ${step.type} has no '${field}'`)
  if (step.scan === 'tool' && step.tools === undefined) faults.push(`${path}: the scan of a tool needs 'tools', those that will do`)
  if (step.scan !== 'tool' && step.tools !== undefined) faults.push(`${path}: 'tools' is for the scan of a tool`)
  if (step.scan !== 'lot' && step.material !== undefined) faults.push(`${path}: 'material' is for the scan of a lot`)
  if (step.lower !== undefined && step.upper !== undefined && step.lower > step.upper) faults.push(`${path}: lower ${step.lower} is above upper ${step.upper}`)
  return [...faults, ...wayFaults(step, path)]
}

function wayFaults({ type, of, ways = [], role, certifications }: ProcedureStep, path: string): string[] {
  if (type !== 'branch') return []
  if (of === undefined) {
    const choices = ways.map(({ choice }) => choice)
    const faults = ways.some(({ choice, above, below }) => choice === undefined || above !== undefined || below !== undefined)
    if (faults) return [`${path}: a person chooses, so each way needs 'choice' and no limits; or name the measurement in 'of'`]
    return new Set(choices).size === choices.length ? [] : [`${path}: two ways have the same choice`]
  }
  if (role !== undefined || certifications !== undefined) return [`${path}: the value decides, so nobody needs a role`]
  if (ways.some(({ choice }) => choice !== undefined)) return [`${path}: the value decides, so no way has a 'choice'`]
  const open = ways.map(({ above, below }) => above === undefined && below === undefined)
  return open.indexOf(true) === ways.length - 1
    ? []
    : [`${path}: the last way, and no other, must have neither 'above' nor 'below': it is for all other values`]
}

function graphFaults(steps: readonly ProcedureStep[]): string[] {
  const faults: string[] = []
  const place = new Map<string, number>()
  for (const [index, { id }] of steps.entries()) {
    if (id === END) faults.push(`/steps/${index}: '${END}' names the end, no step`)
    if (place.has(id)) faults.push(`/steps/${index}: '${id}' is used twice`)
    place.set(id, index)
  }
  for (const [index, { id, before }] of steps.entries()) {
    for (const to of targetsOf(steps, index)) {
      if (to === END) continue
      const at = place.get(to)
      if (at === undefined) faults.push(`/steps/${index} ('${id}'): there is no step '${to}'`)
      else if (at <= index) faults.push(`/steps/${index} ('${id}'): '${to}' does not come later; no step is done twice`)
    }
    const earlier = steps[index - 1]
    if (before === 'start' && earlier !== undefined && earlier.before !== 'start')
      faults.push(`/steps/${index} ('${id}'): what must be done before the start comes before everything else`)
  }
  return faults.length > 0 ? faults : pathFaults(steps)
}

function pathFaults(steps: readonly ProcedureStep[]): string[] {
  const passed = passedBefore(steps)
  return steps.flatMap(({ id, of }, index) => {
    const before = passed.get(id)
    if (before === undefined) return [`/steps/${index} ('${id}'): no way leads to it`]
    if (of === undefined) return []
    const measured = steps.find((step) => step.id === of)
    return measured?.type === 'measure' && before.has(of) ? [] : [`/steps/${index} ('${id}'): '${of}' is no measurement that every way to it passes`]
  })
}

function invalid(faults: readonly string[], where: string): TaktError {
  const more = faults.length > 10 ? `; and ${faults.length - 10} more` : ''
  return new TaktError('TAKT_PROCEDURE_INVALID', { what: `${faults.slice(0, 10).join('; ')}${more}`, where, details: faults })
}
