import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import { MEANINGS, type Meaning } from '../messages/signature.ts'
import type { RecordRequest } from './bound-record.ts'
import { isStored } from './bound-record.ts'

/** What nobody but the one who checks it may see, taken out of a message. */
export interface Secrets {
  readonly password: unknown
  readonly newPassword: unknown
}

const SECRET_FIELDS = ['password', 'oldPassword', 'newPassword'] as const

/**
 * Takes passwords out of a message, wherever they may be: its payload, `credentials`, or itself. The message is changed before anything else is done with it, so that
 * neither an error nor an answer can carry them on.
 */
export function takeSecrets(message: Record<string, unknown>): Secrets {
  const found: Partial<Record<(typeof SECRET_FIELDS)[number], unknown>> = {}
  for (const place of [message.payload, message.credentials, message]) {
    if (typeof place !== 'object' || place === null) continue
    const fields = place as Record<string, unknown>
    for (const name of SECRET_FIELDS) {
      if (!Object.hasOwn(fields, name)) continue
      found[name] ??= fields[name]
      delete fields[name]
    }
  }
  return { password: found.oldPassword ?? found.password, newPassword: found.newPassword }
}

export interface SignFields {
  readonly record: RecordRequest
  readonly meaning: Meaning
  readonly comment: string | null
  /** id or badge */
  readonly who: string | undefined
}

/** `{ record, meaning?, comment?, person?, badge? }`; the record is `{ kind, id, revision? }` or the document. Throws TAKT_SIGN_INVALID, TAKT_MESSAGE_FORBIDDEN_KEY. */
export function readSigning(payload: unknown, usual: Meaning | undefined, where: string): SignFields {
  const fields = fieldsOf(payload, where)
  const meaning = fields.meaning ?? usual
  if (!MEANINGS.includes(meaning as Meaning))
    throw new TaktError('TAKT_SIGN_INVALID', { what: `the meaning is '${short(meaning)}' where one of ${MEANINGS.join(', ')} is taken`, where })
  return {
    record: readRecord(fields.record, where),
    meaning: meaning as Meaning,
    comment: readComment(fields.comment ?? fields.why, where),
    who: readWho(fields),
  }
}

/** Who signs in: `{ person }` or `{ badge }`, with whatever is typed or scanned into it. */
export function readWho({ person, badge }: Readonly<Record<string, unknown>>): string | undefined {
  const given = [person, badge].find((value) => typeof value === 'string' && value.trim() !== '')
  return typeof given === 'string' ? given : undefined
}

export function fieldsOf(payload: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw new TaktError('TAKT_SIGN_INVALID', { what: 'the payload is no object', where })
  assertSafe(payload, where)
  return payload as Readonly<Record<string, unknown>>
}

export function readRecord(value: unknown, where: string): RecordRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TaktError('TAKT_SIGN_INVALID', { what: 'it names no record: {kind, id}', where })
  const record = value as Readonly<Record<string, unknown>>
  const { kind, revision } = record
  const id = idOf(record)
  if (!isName(kind, 60) || !isName(id, 500))
    throw new TaktError('TAKT_SIGN_INVALID', { what: 'a record is named by kind and id, both texts that can be stored', where })
  if (revision !== undefined && !Number.isSafeInteger(revision))
    throw new TaktError('TAKT_SIGN_INVALID', { what: `the revision is '${short(revision)}', no whole number`, where })
  const isWhole = Object.keys(record).some((field) => !['kind', 'id', 'revision'].includes(field))
  return { kind, id, revision: revision as number | undefined, content: isWhole && !isStored(kind) ? record : undefined }
}

/** A plan is named by its version, a report by what it is about. */
function idOf({ kind, id, version, type, subject }: Readonly<Record<string, unknown>>): unknown {
  if (id !== undefined) return id
  if (kind === 'plan' && Number.isSafeInteger(version)) return String(version)
  return kind === 'report' && typeof type === 'string' && typeof subject === 'string' ? `${type} ${subject}` : undefined
}

function isName(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest && value.isWellFormed() && !value.includes('\0')
}

function readComment(value: unknown, where: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string' || value.length > 1000 || !value.isWellFormed() || value.includes('\0'))
    throw new TaktError('TAKT_SIGN_INVALID', { what: 'the comment is a text of at most 1000 characters', where })
  return value.trim() === '' ? null : value.trim()
}

function short(value: unknown): string {
  return String(value).slice(0, 60)
}
