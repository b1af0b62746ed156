import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import type { Anchor } from './anchor.ts'
import { sha256Of } from './archive-segment.ts'
import type { BackupContent } from './backup-manifest.ts'
import { readHead } from './ledger.ts'
import { sqliteError } from './sqlite-client.ts'
import { sqliteKysely } from './sqlite-dialect.ts'
import { sqliteTables } from './table-pages.ts'
import type { SqlValue } from './values.ts'
import { verifyFile } from './verify-file.ts'

export type FoundContent = Omit<BackupContent, 'source' | 'dialect'>

/** Reads a database file that nobody has open: how many rows each table has, its ledger's head, and whether the ledger is whole, also up to a head noted elsewhere. Throws TAKT_STORE_CORRUPT. */
export async function contentOf(file: string, noted: Anchor | undefined): Promise<FoundContent> {
  const where = `database ${file}`
  const { fault } = await verifyFile(file, { witnesses: noted === undefined ? [] : [noted] })
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const kysely = sqliteKysely(async (text, parameters) => ({ rows: db.prepare(text).all(...(parameters as SqlValue[])) }), where)
    const tables: Record<string, number> = {}
    for (const { name } of await sqliteTables(kysely)) {
      const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(name)}`.execute(kysely)
      tables[name] = rows[0]?.rows ?? 0
    }
    const { rows } = await sql<{ version: number }>`select max(version) as version from migration`.execute(kysely)
    const { sequence, hash } = await readHead(kysely)
    return { schema: rows[0]?.version ?? 0, tables, head: { sequence, hash }, fault, bytes: statSync(file).size, sha256: await sha256Of(file) }
  } catch (error) {
    throw sqliteError(error as { message: string; errcode?: number }, where)
  } finally {
    db.close()
  }
}
