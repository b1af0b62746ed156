import { TaktError } from '../base/error.ts'
import type { Procedure } from '../messages/procedure.ts'
import type { Actor, StoreReader, StoreTransaction } from '../store/store.ts'
import type { ProcedureText } from './check-procedure.ts'
import { type Difference, differenceOf } from './difference.ts'

export interface Decision {
  readonly procedure: string
  readonly approved: boolean
  /** Of the difference that the person saw. */
  readonly sha256: unknown
  readonly why: string
}

/** Writes a new version as a draft. It is in force only when another person has approved it. */
export async function proposeVersion(tx: StoreTransaction, { procedure: name, title = '', why, steps }: ProcedureText, author: Actor): Promise<Procedure> {
  const [last] = await tx.list('procedure', { where: { name }, orderBy: 'version', descending: true, limit: 1 })
  const version = (last?.version ?? 0) + 1
  return tx.save<'procedure'>(
    { kind: 'procedure', id: `${name}@${version}`, name, version, title, state: 'draft', steps, author, why, created: tx.now },
    { type: 'procedure.proposed', actor: author, why },
  )
}

/** What a draft would change in what is in force now. Throws TAKT_PROCEDURE_UNKNOWN. */
export async function differenceNow(reader: StoreReader, id: string): Promise<Difference> {
  const proposed = await versionOf(reader, id)
  return differenceOf(await inForce(reader, proposed.name), proposed)
}

/**
 * Puts a draft in force, or refuses it. Throws TAKT_PROCEDURE_UNKNOWN, TAKT_PROCEDURE_DECIDED, TAKT_PROCEDURE_SAME_PERSON for its author, and TAKT_PROCEDURE_CHANGED when
 * the difference is not the one that was shown.
 */
export async function decideVersion(tx: StoreTransaction, { procedure: id, approved, sha256, why }: Decision, by: Actor): Promise<Procedure> {
  const where = `procedure ${id}`
  const proposed = await versionOf(tx, id)
  if (proposed.state !== 'draft') throw new TaktError('TAKT_PROCEDURE_DECIDED', { what: `it is ${proposed.state} by ${proposed.decidedBy}`, where })
  if (proposed.author === by) throw new TaktError('TAKT_PROCEDURE_SAME_PERSON', { what: `${by} has written it`, where })
  const before = await inForce(tx, proposed.name)
  if (approved && differenceOf(before, proposed).sha256 !== sha256) {
    const what = sha256 === undefined ? 'nothing says that the difference was seen: give its sha256' : 'it is not the difference that was shown'
    throw new TaktError('TAKT_PROCEDURE_CHANGED', { what, where })
  }
  const because = { actor: by, why }
  if (approved && before !== undefined) await tx.save<'procedure'>({ ...before, state: 'replaced' }, { type: 'procedure.replaced', ...because })
  const decided = { ...proposed, decidedBy: by, decided: tx.now, decision: why, state: approved ? ('approved' as const) : ('refused' as const) }
  return tx.save<'procedure'>(decided, { type: approved ? 'procedure.approved' : 'procedure.refused', ...because })
}

async function versionOf(reader: StoreReader, id: string): Promise<Procedure> {
  const found = await reader.get('procedure', id)
  if (found === undefined) throw new TaktError('TAKT_PROCEDURE_UNKNOWN', { what: `there is no procedure '${id}'`, where: `procedure ${id}` })
  return found
}

async function inForce(reader: StoreReader, name: string): Promise<Procedure | undefined> {
  const [approved] = await reader.list('procedure', { where: { name, state: 'approved' }, limit: 1 })
  return approved
}
