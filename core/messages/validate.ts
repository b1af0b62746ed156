import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import { DOCUMENTS, type Document, type DocumentOf, type Kind } from './document.ts'

const ajv = new Ajv({ allErrors: true, strict: false, verbose: false })
const validators = new Map<Kind, ValidateFunction>()

function validatorOf(kind: Kind): ValidateFunction {
  let validator = validators.get(kind)
  if (validator === undefined) {
    validator = ajv.compile(DOCUMENTS[kind])
    validators.set(kind, validator)
  }
  return validator
}

export function isKind(value: unknown): value is Kind {
  return typeof value === 'string' && Object.hasOwn(DOCUMENTS, value)
}

/** True when the payload is one of our documents by its `kind`; says nothing yet about its shape. */
export function hasKind(payload: unknown): payload is { kind: Kind } {
  return typeof payload === 'object' && payload !== null && Object.hasOwn(payload, 'kind') && isKind((payload as { kind: unknown }).kind)
}

/** `/jobOrders/2 must be string` for each error. */
export function describeErrors(errors: readonly ErrorObject[] | null | undefined): string {
  return (errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message ?? 'is wrong'}`).join('; ')
}

/** Checks a payload from outside against the schema of its kind. Only at the borders; inside, types are enough. */
export function validateDocument<K extends Kind>(payload: unknown, kind: K, where: string): DocumentOf<K> {
  assertSafe(payload, where)
  const validator = validatorOf(kind)
  if (!validator(payload)) throw new TaktError('TAKT_MESSAGE_INVALID', { what: `not a ${kind}: ${describeErrors(validator.errors)}`, where })
  return payload as DocumentOf<K>
}

/** The same for a payload of any of the given kinds. */
export function validateAnyDocument<K extends Kind>(payload: unknown, kinds: readonly K[], where: string): Extract<Document, { kind: K }> {
  if (!hasKind(payload) || !(kinds as readonly Kind[]).includes(payload.kind)) {
    const seen = hasKind(payload) ? `a ${payload.kind}` : typeof payload === 'object' ? 'an object without a known kind' : `a ${typeof payload}`
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `${seen} where one of ${kinds.join(', ')} is taken`, where })
  }
  return validateDocument(payload, payload.kind, where) as Extract<Document, { kind: K }>
}
