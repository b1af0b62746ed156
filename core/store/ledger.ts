import { hash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { Tables } from './schema.ts'
import type { LedgerEvent, LedgerHead } from './store.ts'

export type LedgerRow = Selectable<Tables['ledger']>

/** What the first row's `previous_hash` is. */
export const GENESIS: LedgerHead = { sequence: 0, hash: '0'.repeat(64) }

/**
 * The hash of a row, hex: SHA-256 over the JSON array of its columns as they are stored, beginning with the hash before it.
 * Anyone can compute it from the table alone.
 */
export function rowHash(row: Omit<LedgerRow, 'hash'>): string {
  return textHash(hashedText(row))
}

/** What a row's hash is over. */
export function hashedText(row: Omit<LedgerRow, 'hash'>): string {
  return JSON.stringify([row.previous_hash, row.sequence, row.type, row.subject, row.actor, row.why, row.before, row.after, row.time])
}

/** SHA-256, hex. */
export function textHash(text: string): string {
  return hash('sha256', text)
}

/** What a row says, its documents already as text. */
export type RowContent = Pick<LedgerRow, 'type' | 'subject' | 'actor' | 'why' | 'before' | 'after' | 'time'>

/** The row that follows `head`. */
export function nextRow(head: LedgerHead, content: RowContent): LedgerRow {
  const { type, subject, actor, why, before, after, time } = content
  const row: LedgerRow = { sequence: head.sequence + 1, type, subject, actor, why, before, after, time, previous_hash: head.hash, hash: '' }
  row.hash = rowHash(row)
  return row
}

export function toEvent(row: LedgerRow): LedgerEvent {
  const { sequence, type, subject, actor, why, time, hash } = row
  const json = (text: string | null): unknown => (text === null ? null : JSON.parse(text))
  return { sequence, type, subject, actor, why, before: json(row.before), after: json(row.after), time, hash }
}

export async function readHead(db: Kysely<Tables>): Promise<LedgerHead> {
  const row = await db.selectFrom('ledger').select(['sequence', 'hash']).orderBy('sequence', 'desc').limit(1).executeTakeFirst()
  return row ?? GENESIS
}

export function readRows(db: Kysely<Tables>, after: number, limit: number): Promise<LedgerRow[]> {
  return db.selectFrom('ledger').selectAll().where('sequence', '>', after).orderBy('sequence').limit(limit).execute()
}
