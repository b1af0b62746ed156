import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'

/** What a person, or a flow, says of a step. */
export interface StepRequest {
  readonly jobOrder: string
  /** The step that is meant: what is shown on a screen may be old. */
  readonly step: string
  readonly value: unknown
  readonly unit: string | undefined
  readonly choice: string | undefined
  readonly confirm: boolean
  /** Why a value outside the limits is accepted. */
  readonly concession: string | undefined
}

export type Fields = Readonly<Record<string, unknown>>

/** Throws TAKT_MESSAGE_INVALID, TAKT_MESSAGE_FORBIDDEN_KEY, TAKT_MESSAGE_TOO_DEEP. */
export function fieldsOf(payload: unknown, where: string): Fields {
  assertSafe(payload, where)
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload as Fields
  throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'an object is needed here', where })
}

/** `{ jobOrder, step, value?, unit?, choice?, confirm?, concession? }`. Throws TAKT_MESSAGE_INVALID. */
export function readStep(fields: Fields, where: string): StepRequest {
  const { value, confirm } = fields
  if (value !== undefined && value !== null && typeof value !== 'number' && typeof value !== 'string')
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `'value' is a number or a text, not a ${typeof value}`, where })
  return {
    jobOrder: textOf(fields, 'jobOrder', 200, where),
    step: textOf(fields, 'step', 60, where),
    value: value ?? undefined,
    unit: optionalText(fields, 'unit', 40, where),
    choice: optionalText(fields, 'choice', 100, where),
    confirm: confirm === true,
    concession: optionalText(fields, 'concession', 1000, where),
  }
}

/** A text that can be stored and shown. Throws TAKT_MESSAGE_INVALID. */
export function textOf(fields: Fields, name: string, longest: number, where: string): string {
  const found = optionalText(fields, name, longest, where)
  if (found === undefined) throw new TaktError('TAKT_MESSAGE_INVALID', { what: `'${name}' is missing`, where })
  return found
}

export function optionalText(fields: Fields, name: string, longest: number, where: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new TaktError('TAKT_MESSAGE_INVALID', { what: `'${name}' is no text`, where })
  if (value.length > longest) throw new TaktError('TAKT_MESSAGE_INVALID', { what: `'${name}' has more than ${longest} characters`, where })
  if (!isStorable(value)) throw new TaktError('TAKT_MESSAGE_INVALID', { what: `'${name}' has characters that cannot be stored`, where })
  return value.trim() === '' ? undefined : value.trim()
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: to find them
const UNSTORABLE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

export function isStorable(text: string): boolean {
  return text.isWellFormed() && !UNSTORABLE.test(text)
}
