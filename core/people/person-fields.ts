import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import type { Certification, Person, PersonRole } from '../messages/person.ts'
import type { RoleMatrix } from './roles.ts'

/** What can be said of a person: everything but state and password. */
export type PersonFields = Pick<Person, 'name' | 'badge' | 'active' | 'roles' | 'certifications'> & { readonly login: string | undefined }

const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/
/** Control characters, and those that turn the direction of writing, by which a name can be made to look like another. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: to find them
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

export function checkId(value: unknown, where: string): string {
  if (typeof value === 'string' && ID.test(value)) return value
  throw invalid('the id has 1 to 64 small letters, digits, dots, dashes or underscores, and begins with a letter or digit', where)
}

/** A text of a person as it is printed: trimmed, one way of writing for the same characters. */
export function printedText(value: unknown, what: string, longest: number, where: string): string {
  if (typeof value !== 'string') throw invalid(`${what} is not a text`, where)
  if (value.length > 4 * longest) throw invalid(`${what} has more than ${longest} characters`, where)
  if (!value.isWellFormed() || UNPRINTABLE.test(value)) throw invalid(`${what} has characters that cannot be printed`, where)
  const text = value.normalize('NFC').trim()
  if (text === '') throw invalid(`${what} is empty`, where)
  if (text.length > longest) throw invalid(`${what} has more than ${longest} characters`, where)
  return text
}

/** Fields from outside over those a person has. Unknown ones are refused: a misspelt `roles` must not pass for none. Throws TAKT_PERSON_INVALID. */
export function personFields(given: unknown, before: PersonFields, matrix: RoleMatrix, where: string): PersonFields {
  assertSafe(given, where)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw invalid('a person is an object: {id, name, badge, roles, …}', where)
  const known = ['name', 'badge', 'login', 'active', 'roles', 'certifications']
  const unknown = Object.keys(given).find((field) => !known.includes(field))
  if (unknown !== undefined) throw invalid(`'${unknown.slice(0, 60)}' is none of ${known.join(', ')}`, where)
  const fields = given as Readonly<Record<string, unknown>>
  const active = fields.active ?? before.active
  if (typeof active !== 'boolean') throw invalid('active is true or false', where)
  return {
    name: fields.name === undefined ? before.name : printedText(fields.name, 'the name', 200, where),
    badge: fields.badge === undefined ? before.badge : optional(fields.badge, 'the badge', 100, where),
    login: fields.login === undefined ? before.login : (optional(fields.login, 'the login', 200, where) ?? undefined),
    active,
    roles: fields.roles === undefined ? before.roles : list(fields.roles, 'roles', 100, where).map((role) => roleOf(role, matrix, where)),
    certifications:
      fields.certifications === undefined
        ? before.certifications
        : list(fields.certifications, 'certifications', 200, where).map((certification) => certificationOf(certification, where)),
  }
}

function optional(value: unknown, what: string, longest: number, where: string): string | null {
  return value === null || value === '' ? null : printedText(value, what, longest, where)
}

function list(value: unknown, what: string, most: number, where: string): readonly unknown[] {
  if (Array.isArray(value) && value.length <= most) return value
  throw invalid(`${what} is a list of at most ${most}`, where)
}

/** `'quality'`, or `{ role: 'operator', scope: 'acme/berlin/line-1' }`. */
function roleOf(value: unknown, matrix: RoleMatrix, where: string): PersonRole {
  const { role, scope } = (typeof value === 'string' ? { role: value } : (value ?? {})) as Readonly<Record<string, unknown>>
  if (typeof role !== 'string' || !Object.hasOwn(matrix, role))
    throw invalid(`'${String(role).slice(0, 60)}' is none of the roles ${Object.keys(matrix).join(', ')}`, where)
  if (scope === undefined || scope === null || scope === '') return { role }
  return { role, scope: printedText(scope, `the scope of ${role}`, 500, where) }
}

/** `'forklift'`, or `{ name: 'forklift', until: epoch ms, ISO 8601 or null }`. */
function certificationOf(value: unknown, where: string): Certification {
  const { name, until } = (typeof value === 'string' ? { name: value } : (value ?? {})) as Readonly<Record<string, unknown>>
  const text = printedText(name, 'the name of a certification', 100, where)
  if (until === undefined || until === null || until === '') return { name: text, until: null }
  const time = typeof until === 'number' ? until : typeof until === 'string' && until.length < 60 ? Date.parse(until) : Number.NaN
  if (!Number.isFinite(time) || time < 0) throw invalid(`the certification '${text}' is valid until '${String(until).slice(0, 60)}', which is no time`, where)
  return { name: text, until: time }
}

function invalid(what: string, where: string): TaktError {
  return new TaktError('TAKT_PERSON_INVALID', { what, where })
}
