import { hash } from 'node:crypto'
import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import type { Signature } from '../messages/signature.ts'
import { PROJECTIONS } from '../store/projections.ts'
import type { Actor, StoredKind, StoreReader, StoreTransaction } from '../store/store.ts'

/** What a signature is bound to: the row of the ledger that wrote the record, by its number and its hash, and the content itself. */
export type BoundRecord = Signature['record']

export interface Bound {
  readonly record: BoundRecord
  /** The equipment that the record is about, as the store says; empty: the whole plant. */
  readonly scope: string
}

/** A record that is to be signed: one of the store by kind and id, or a document that is brought along. */
export interface RecordRequest {
  readonly kind: string
  readonly id: string
  /** The revision that the person saw; undefined: the newest. */
  readonly revision?: number | undefined
  /** The document that the person saw, of a kind that the store does not keep. */
  readonly content?: unknown
}

/** The longest document that is kept in the ledger to be signed, characters of its JSON. */
const CONTENT_LONGEST = 1_000_000
/** Event that keeps a document in the ledger because it is signed. */
export const KEPT = 'record.kept'

export function isStored(kind: string): kind is StoredKind {
  return Object.hasOwn(PROJECTIONS, kind)
}

/** Finds what is to be signed, or keeps it. Throws TAKT_SIGN_RECORD_UNKNOWN, TAKT_SIGN_RECORD_CHANGED, TAKT_SIGN_INVALID. */
export async function bindRecord(tx: StoreTransaction, request: RecordRequest, actor: Actor): Promise<Bound> {
  const { kind, id } = request
  if (kind === 'signature' || kind === 'person') throw new TaktError('TAKT_SIGN_INVALID', { what: `a ${kind} is not signed`, where: `${kind} ${id}` })
  return isStored(kind) ? bindStored(tx, kind, request) : bindContent(tx, request, actor)
}

async function bindStored(tx: StoreTransaction, kind: StoredKind, { id, revision }: RecordRequest): Promise<Bound> {
  const document = (await tx.get(kind, id)) as StoredRecord | undefined
  if (document?.ledger === undefined) throw new TaktError('TAKT_SIGN_RECORD_UNKNOWN', { what: `there is no ${kind} '${id}'`, where: `${kind} ${id}` })
  if (revision !== undefined && revision !== document.revision) {
    const what = `revision ${revision} was shown, the ${kind} has revision ${document.revision} now`
    throw new TaktError('TAKT_SIGN_RECORD_CHANGED', { what, where: `${kind} ${id}` })
  }
  const row = await rowOf(tx, document.ledger)
  // the row and the document beside it say the same, or somebody wrote into the database
  if (row === undefined || row.after !== JSON.stringify(document)) {
    throw new TaktError('TAKT_LEDGER_FAULT', { what: `the ${kind} ${id} is not what row ${document.ledger} of the ledger says`, where: `${kind} ${id}` })
  }
  const record = { kind, id, revision: document.revision ?? null, ledger: document.ledger, hash: row.hash, sha256: hash('sha256', row.after) }
  return { record, scope: document.equipment ?? document.location ?? '' }
}

interface StoredRecord {
  readonly revision?: number
  readonly ledger?: number
  readonly equipment?: string | null
  readonly location?: string | null
}

/** A document that the store does not keep is written into the ledger first, once, so that what was signed can always be shown. */
async function bindContent(tx: StoreTransaction, { kind, id, content }: RecordRequest, actor: Actor): Promise<Bound> {
  const where = `${kind} ${id}`
  if (typeof content !== 'object' || content === null)
    throw new TaktError('TAKT_SIGN_RECORD_UNKNOWN', { what: `the store keeps no ${kind}: send the document itself`, where })
  assertSafe(content, where)
  const text = JSON.stringify(content)
  if (text.length > CONTENT_LONGEST) {
    throw new TaktError('TAKT_SIGN_INVALID', { what: `the document has ${text.length} characters where at most ${CONTENT_LONGEST} are kept`, where })
  }
  const subject = `${kind}/${id}`
  const kept = await tx.db.selectFrom('ledger').select(['sequence', 'hash', 'after']).where('subject', '=', subject).where('type', '=', KEPT).execute()
  const same = kept.find(({ after }) => after === text)
  const { sequence: ledger, hash: rowHash } = same ?? (await tx.record({ type: KEPT, subject, actor, why: 'to be signed', after: content }))
  return { record: { kind, id, revision: null, ledger, hash: rowHash, sha256: hash('sha256', text) }, scope: '' }
}

export interface RecordRow {
  readonly type: string
  readonly subject: string
  readonly hash: string
  readonly after: string | null
}

export function rowOf(store: StoreReader, sequence: number): Promise<RecordRow | undefined> {
  return store.db.selectFrom('ledger').select(['type', 'subject', 'hash', 'after']).where('sequence', '=', sequence).executeTakeFirst()
}
