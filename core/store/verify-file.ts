import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { TaktError } from '../base/error.ts'
import { type Anchor, anchorPath, parseAnchor } from './anchor.ts'
import { hashedText, type LedgerRow } from './ledger.ts'
import { sqliteError } from './sqlite-client.ts'
import { sqliteKysely } from './sqlite-dialect.ts'
import type { Verification } from './store.ts'
import type { SqlValue } from './values.ts'
import { type CheckedRow, type FastReader, type VerifyOptions, verifyLedger } from './verify.ts'

/** Verifies the ledger in a file, also while Node-RED has it open. Changes nothing. */
export async function verifyFile(file: string, options: VerifyOptions = {}): Promise<Verification> {
  const where = `database ${file}`
  if (!existsSync(file)) throw new TaktError('TAKT_STORE_UNWRITABLE', { what: 'there is no such file', where })
  const anchor = readAnchor(file)
  const db = coded(where, () => new DatabaseSync(file, { readOnly: true }))
  try {
    const run = async (sql: string, parameters: readonly SqlValue[]) => coded(where, () => ({ rows: db.prepare(sql).all(...(parameters as SqlValue[])) }))
    return await verifyLedger(sqliteKysely(run, where), anchor, { ...options, fast: fastReader(db, where) })
  } finally {
    db.close()
  }
}

/** SQLite itself writes the text that a row's hash is over, several times faster than it could be put together here. */
const FAST_PAGE = `select sequence, type, subject, "after", previous_hash, hash,
  json_array(previous_hash, sequence, type, subject, actor, why, "before", "after", time) as text
  from ledger where sequence > ? order by sequence limit ?`

type PageRow = [sequence: number, type: string, subject: string, after: string | null, previousHash: string, hash: string, text: string]

function fastReader(db: DatabaseSync, where: string): FastReader {
  const page = coded(where, () => db.prepare(FAST_PAGE))
  // rows as objects come with a dictionary each, slow to make and to look into; Node.js before 22.16 gives no others
  page.setReturnArrays?.(true)
  return {
    page: (after, limit) =>
      coded(where, () => (page.all(after, limit) as unknown as Array<PageRow | CheckedRow>).map((row) => (Array.isArray(row) ? toRow(row) : row))),
    exactText: (sequence) => coded(where, () => hashedText(db.prepare('select * from ledger where sequence = ?').get(sequence) as unknown as LedgerRow)),
  }
}

function toRow([sequence, type, subject, after, previous_hash, hash, text]: PageRow): CheckedRow {
  return { sequence, type, subject, after, previous_hash, hash, text }
}

function readAnchor(file: string): Anchor | null {
  try {
    return parseAnchor(JSON.parse(readFileSync(anchorPath(file), 'utf8'))) ?? null
  } catch {
    return null
  }
}

function coded<T>(where: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw sqliteError(error as { message: string; errcode?: number; code?: string }, where)
  }
}
