import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Kysely, sql } from 'kysely'
import { TaktError } from '../base/error.ts'
import { MIGRATION_TABLE } from './migrate.ts'
import { MIGRATIONS } from './migrations/index.ts'
import type { PostgresOptions } from './postgres-backend.ts'
import { postgresKysely } from './postgres-dialect.ts'
import { PostgresLink } from './postgres-link.ts'
import { postgresTarget } from './postgres-target.ts'
import type { Tables } from './schema.ts'
import { sqliteError } from './sqlite-client.ts'
import { sqliteKysely } from './sqlite-dialect.ts'
import { isLastPage, keyOf, type Row, readPage, sqliteTables, type TableShape } from './table-pages.ts'
import type { SqlValue } from './values.ts'

const PATIENCE_S = 120

/**
 * Copies a store from its server into a SQLite file, table by table in pages, all of it as it is at one moment: one transaction that repeats its reads. Writers do not
 * wait for it. Throws TAKT_STORE_NEWER, and what a store throws.
 */
export async function copyServer(postgres: PostgresOptions, target: string): Promise<void> {
  const login = postgresTarget(postgres, 'backup')
  const where = `database ${login.name}`
  const link = await PostgresLink.open({ target: login, where, patienceSeconds: PATIENCE_S, settings: { default_transaction_read_only: 'on' } })
  try {
    await link.run('begin transaction isolation level repeatable read read only')
    const source = postgresKysely((text, parameters) => link.run(text, parameters), where)
    const file = new DatabaseSync(target)
    try {
      await fill(source, file, where)
    } catch (error) {
      throw error instanceof TaktError ? error : sqliteError(error as { message: string; errcode?: number }, target)
    } finally {
      file.close()
    }
    await link.run('commit')
  } finally {
    await link.close()
  }
}

async function fill(source: Kysely<Tables>, file: DatabaseSync, where: string): Promise<void> {
  // nobody reads it before it is whole and flushed
  file.exec('pragma journal_mode = off; pragma synchronous = off; begin')
  const { rows: history } = await sql<{
    version: number
    name: string
    applied: number
  }>`select version, name, applied from migration order by version`.execute(source)
  if (history.length > MIGRATIONS.length)
    throw new TaktError('TAKT_STORE_NEWER', { what: `the tables have version ${history.length}, this Takt knows ${MIGRATIONS.length}`, where })
  const copy = sqliteKysely(async (text, parameters) => ({ rows: file.prepare(text).all(...(parameters as SqlValue[])) }), 'copy')
  file.exec(MIGRATION_TABLE)
  for (const [at, { version, name, applied }] of history.entries()) {
    await MIGRATIONS[at]?.up(copy, 'sqlite')
    file.prepare('insert into migration (version, name, applied) values (?, ?, ?)').run(version, name, applied)
  }
  for (const table of await sqliteTables(copy)) await copyTable(source, file, table)
  await numberOn(source, file)
  file.exec('commit')
}

async function copyTable(source: Kysely<Tables>, file: DatabaseSync, table: TableShape): Promise<void> {
  const names = table.columns.map((column) => `"${column}"`)
  const insert = file.prepare(`insert into "${table.name}" (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`)
  for (let after: Row | undefined; ; ) {
    const page = await readPage(source, table, after)
    for (const row of page) write(insert, row)
    const last = page.at(-1)
    if (last === undefined || isLastPage(page)) return
    after = keyOf(table, last)
  }
}

function write(insert: StatementSync, row: Row): void {
  insert.run(...(row as SqlValue[]))
}

/** A number that was used is not used again, also when its row is gone. */
async function numberOn(source: Kysely<Tables>, file: DatabaseSync): Promise<void> {
  const numbered = file.prepare(`select name from sqlite_master where type = 'table' and sql like '%autoincrement%'`).all() as Array<{ name: string }>
  for (const { name } of numbered) {
    const { rows } = await sql<{ last: number | null }>`select pg_sequence_last_value(pg_get_serial_sequence(${name}, 'id')::regclass) as last`.execute(source)
    const last = rows[0]?.last ?? null
    if (last === null) continue
    file.prepare('delete from sqlite_sequence where name = ?').run(name)
    file.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(name, last)
  }
}
