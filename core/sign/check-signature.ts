import { hash } from 'node:crypto'
import type { ProcedureRun } from '../messages/procedure-run.ts'
import type { Signature } from '../messages/signature.ts'
import { isSignedBy } from '../store/anchor-key.ts'
import type { StoreReader } from '../store/store.ts'
import { isStored, KEPT, rowOf } from './bound-record.ts'

/** Ids in one question. */
const RECORDS_AT_ONCE = 500

/** What a signature says, before it is bound. */
export type Unbound = Omit<Signature, 'binding' | 'seal' | 'revision' | 'ledger'>

/**
 * The hash that ties all of a signature together, hex: SHA-256 over the JSON array of record (kind, id, revision, ledger row, its hash, content hash), meaning, person,
 * name, roles, time, comment and components. Another record, person, meaning or moment gives another.
 */
export function bindingOf({ id, record, meaning, person, name, roles, time, at, comment, components }: Unbound): string {
  const { kind, id: recordId, revision, ledger, hash: rowHash, sha256 } = record
  return hash('sha256', JSON.stringify([id, kind, recordId, revision, ledger, rowHash, sha256, meaning, person, name, roles, time, at, comment, components]))
}

/** `signed`: the record is as it was signed. `changed`: it was, and has been changed since. `broken`: it is not the signature that was given. */
export interface SignatureCheck {
  readonly signature: Signature
  readonly state: 'signed' | 'changed' | 'broken'
  readonly what: string
}

/** Checks one signature against the ledger and the record. `publicKey`: PEM of the key that must have sealed it; undefined: it need not be. */
export async function checkSignature(store: StoreReader, signature: Signature, publicKey?: string): Promise<SignatureCheck> {
  const broken = await faultOf(store, signature, publicKey)
  if (broken !== undefined) return { signature, state: 'broken', what: broken }
  const { kind, id, ledger, revision } = signature.record
  const now = isStored(kind) ? ((await store.get(kind, id)) as { readonly ledger?: number; readonly revision?: number } | undefined) : { ledger }
  if (now === undefined) return { signature, state: 'broken', what: `the ${kind} ${id} is gone` }
  if (now.ledger === ledger) return { signature, state: 'signed', what: `row ${ledger} as signed` }
  const more = kind === 'procedure-run' ? stepsSince((await rowOf(store, ledger))?.after ?? null, now as unknown as ProcedureRun) : undefined
  if (more !== undefined) return { signature, state: 'signed', what: `row ${ledger} as signed; ${more} steps done since` }
  return { signature, state: 'changed', what: `revision ${revision} was signed, revision ${now.revision} is in force` }
}

async function faultOf(store: StoreReader, signature: Signature, publicKey: string | undefined): Promise<string | undefined> {
  const { record, binding, seal, ledger: own } = signature
  if (bindingOf(signature) !== binding) return 'it was changed: its content does not give its binding'
  if (publicKey !== undefined && (seal === null || !isSignedBy(publicKey, sealText(binding), seal.signature)))
    return 'it is not sealed by the key of this store'
  const written = own === undefined ? undefined : await rowOf(store, own)
  if (written?.type !== 'record.signed' || written.after !== JSON.stringify(signature)) return `row ${own} of the ledger does not say that it was given`
  const row = await rowOf(store, record.ledger)
  if (row === undefined) return `row ${record.ledger} of the ledger, which was signed, is gone`
  if (row.hash !== record.hash || row.after === null || hash('sha256', row.after) !== record.sha256)
    return `row ${record.ledger} of the ledger is not the one that was signed`
  return isRowOf(row.after, row.type, row.subject, record) ? undefined : `row ${record.ledger} of the ledger is about another record`
}

function isRowOf(after: string, type: string, subject: string, { kind, id, ledger }: Signature['record']): boolean {
  if (type === KEPT) return subject === `${kind}/${id}`
  const document = JSON.parse(after) as { readonly kind?: unknown; readonly ledger?: unknown }
  return document.kind === kind && document.ledger === ledger && subject === id
}

/** A run only grows: how many steps have been done since it was signed; undefined when what was signed is not the beginning of what there is. */
function stepsSince(signed: string | null, now: ProcedureRun): number | undefined {
  if (signed === null) return undefined
  const { procedure, equipment, lot, done } = JSON.parse(signed) as ProcedureRun
  if (procedure !== now.procedure || equipment !== now.equipment || lot !== now.lot) return undefined
  return JSON.stringify(done) === JSON.stringify(now.done.slice(0, done.length)) ? now.done.length - done.length : undefined
}

/** What the key signs. */
export function sealText(binding: string): string {
  return `takt signature ${binding}`
}

/** All signatures of a record, first given first, each checked. */
export async function signaturesOf(store: StoreReader, kind: string, id: string, publicKey?: string): Promise<SignatureCheck[]> {
  const signatures = await store.list('signature', { where: { record_kind: kind, record_id: id }, orderBy: 'ledger' })
  return Promise.all(signatures.map((signature) => checkSignature(store, signature, publicKey)))
}

/** All signatures of many records, by their kind, first given first, each checked. */
export async function signaturesAbout(store: StoreReader, records: Readonly<Record<string, readonly string[]>>, publicKey?: string): Promise<SignatureCheck[]> {
  const given: Signature[] = []
  for (const [kind, ids] of Object.entries(records))
    for (let from = 0; from < ids.length; from += RECORDS_AT_ONCE)
      given.push(...(await store.list('signature', { where: { record_kind: kind, record_id: ids.slice(from, from + RECORDS_AT_ONCE) } })))
  given.sort((a, b) => (a.ledger ?? 0) - (b.ledger ?? 0))
  return Promise.all(given.map((signature) => checkSignature(store, signature, publicKey)))
}

/** The first signature of the store that is broken; undefined: none is. Reads all of them, a page at a time. */
export async function brokenSignature(store: StoreReader, publicKey?: string): Promise<SignatureCheck | undefined> {
  const ids = await store.db.selectFrom('signature').select('id').orderBy('ledger').execute()
  for (const { id } of ids) {
    const signature = await store.get('signature', id)
    if (signature === undefined) continue
    const check = await checkSignature(store, signature, publicKey)
    if (check.state === 'broken') return check
  }
  return undefined
}
