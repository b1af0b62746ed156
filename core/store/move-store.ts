import { existsSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Kysely, sql } from 'kysely'
import type { Clock } from '../base/clock.ts'
import { TaktError, toTaktError } from '../base/error.ts'
import { anchorPath } from './anchor.ts'
import { migrate } from './migrate.ts'
import { openStore } from './open-store.ts'
import { PostgresBackend, type PostgresOptions } from './postgres-backend.ts'
import { PROJECTIONS } from './projections.ts'
import type { Tables } from './schema.ts'
import type { LedgerHead, Store, StoredKind, Verification } from './store.ts'
import { digestOf, isLastPage, keyOf, type Row, readPage, sqliteTables, type TableShape } from './table-pages.ts'
import { toSqlValue } from './values.ts'
import { verifyPostgres } from './verify-postgres.ts'

export interface MoveOptions {
  /** The SQLite file; it must not be open elsewhere, and is not changed. */
  readonly from: string
  /** An empty database, or one that a move of the same file was begun into. */
  readonly to: PostgresOptions
  readonly clock: Clock
  /** Copies a ledger too that is found to have a fault; the copy has the same one. */
  readonly faulty?: boolean
  /** Hears of each table that is copied and compared. */
  readonly progress?: (table: string, rows: number) => void
}

export interface Moved {
  readonly tables: number
  readonly rows: number
  readonly head: LedgerHead
}

interface Progress {
  /** What is copied: a move of something else does not go on here. */
  readonly source: string
  readonly table_name: string
  /** JSON of the key of the last row that is there; null: all are. */
  readonly last_key: string | null
}

interface ProgressTable {
  takt_move: Progress
}

/**
 * Copies a store from a SQLite file to PostgreSQL, table by table in pages, each page with the note how far it has come: killed midway, the next call goes on there. Then
 * compares rows, their contents, the ledger with its anchor and what the store answers. Throws TAKT_STORE_NOT_EMPTY, TAKT_STORE_MOVE and what either store throws.
 */
export async function moveStore(options: MoveOptions): Promise<Moved> {
  const { from, to, clock, progress = () => {} } = options
  const path = resolve(from)
  if (!existsSync(path)) throw new TaktError('TAKT_STORE_UNWRITABLE', { what: 'there is no such file', where: `database ${path}` })
  let target: PostgresBackend | undefined
  const source = openStore({ file: path, clock })
  try {
    const verified = await source.verify()
    if (!verified.ok && options.faulty !== true)
      throw failure(`the ledger to be moved is not whole: ${verified.fault?.what}. It can be moved as it is, if you say so`, path)
    // the ledger's head names what is copied, whatever the file is called
    const name = `${verified.head.sequence} ${verified.head.hash}`
    const tables = await sqliteTables(source.db)

    target = new PostgresBackend(
      { ...to, anchor: undefined },
      async () => {},
      () => {},
    )
    await target.open()
    await migrate(target, clock.now())
    await assertEmptyOrBegun(target, tables, name)
    let rows = 0
    for (const table of tables) {
      await copyTable(source.db, target, table, name)
      rows += await compareTable(source.db, target, table)
      progress(table.name, rows)
    }
    await numberOn(source.db, target, tables)
    if (to.anchor !== undefined) {
      await mkdir(dirname(to.anchor), { recursive: true })
      await copyFile(anchorPath(path), to.anchor)
    }
    await compareStores(source, to, clock, verified)
    await inTransaction(target, (db) => sql`drop table takt_move`.execute(db))
    return { tables: tables.length, rows, head: verified.head }
  } finally {
    await target?.close()
    await source.close()
  }
}

/** Nothing is written into a database that has something else in it. */
async function assertEmptyOrBegun(target: PostgresBackend, tables: readonly TableShape[], source: string): Promise<void> {
  const { where } = target
  const { rows } = await sql<{ there: number }>`select to_regclass('takt_move') is not null as there`.execute(target.reader)
  if (rows[0]?.there === 1) {
    const begun = await progressOf(target.reader).select('source').limit(1).executeTakeFirst()
    if (begun !== undefined && begun.source !== source)
      throw new TaktError('TAKT_STORE_NOT_EMPTY', { what: `a move of another ledger (head ${begun.source}) was begun into this database`, where })
    return
  }
  for (const { name } of tables) {
    const { rows: found } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(target.reader)
    if (found.length > 0) throw new TaktError('TAKT_STORE_NOT_EMPTY', { what: `the table ${name} of the database to be filled has rows already`, where })
  }
  await inTransaction(target, (db) => sql`create table takt_move (source text not null, table_name text primary key, last_key text)`.execute(db))
}

function progressOf(db: Kysely<Tables>) {
  return (db as unknown as Kysely<ProgressTable>).selectFrom('takt_move')
}

async function copyTable(source: Kysely<Tables>, target: PostgresBackend, table: TableShape, name: string): Promise<void> {
  const begun = await progressOf(target.reader).select('last_key').where('table_name', '=', table.name).executeTakeFirst()
  if (begun?.last_key === null) return
  for (let after = begun === undefined ? undefined : (JSON.parse(begun.last_key) as Row); ; ) {
    const page = await readPage(source, table, after)
    const last = page.at(-1)
    const ends = last === undefined || isLastPage(page)
    after = last === undefined ? after : keyOf(table, last)
    await inTransaction(target, async (db) => {
      if (page.length > 0) await insertPage(db, table, page)
      const last_key = ends ? null : JSON.stringify(after)
      await (db as unknown as Kysely<ProgressTable>)
        .insertInto('takt_move')
        .values({ source: name, table_name: table.name, last_key })
        .onConflict((conflict) => conflict.column('table_name').doUpdateSet({ last_key }))
        .execute()
    })
    if (ends) return
  }
}

/** Databases bound the values of a statement; numbers that the target would give by itself are those of the source. */
const VALUES_AT_ONCE = 30_000

async function insertPage(db: Kysely<Tables>, { name, columns }: TableShape, page: readonly Row[]): Promise<void> {
  const size = Math.max(1, Math.floor(VALUES_AT_ONCE / columns.length))
  for (let from = 0; from < page.length; from += size) {
    const values = page.slice(from, from + size).map((row) => sql`(${sql.join(row.map((value) => toSqlValue(value, `table ${name}`)))})`)
    const names = sql.join(columns.map((column) => sql.ref(column)))
    await sql`insert into ${sql.table(name)} (${names}) overriding system value values ${sql.join(values)}`.execute(db).catch((error: unknown) => {
      throw failure(`rows of the table ${name} do not fit: ${toTaktError(error, name).what}`, name, error)
    })
  }
}

async function compareTable(source: Kysely<Tables>, target: PostgresBackend, table: TableShape): Promise<number> {
  const [was, is] = await Promise.all([digestOf(source, table), digestOf(target.reader, table)])
  if (was.rows !== is.rows) throw failure(`the table ${table.name} has ${is.rows} rows instead of ${was.rows}`, target.where)
  if (was.hash !== is.hash) throw failure(`the rows of the table ${table.name} are not the same`, target.where)
  return was.rows
}

/** New rows get numbers that no row ever had. */
async function numberOn(source: Kysely<Tables>, target: PostgresBackend, tables: readonly TableShape[]): Promise<void> {
  const { rows } = await sql<{ name: string; seq: number }>`select name, seq from sqlite_sequence`.execute(source)
  const numbered = rows.filter(({ name, seq }) => seq > 0 && tables.some((table) => table.name === name))
  await inTransaction(target, async (db) => {
    for (const { name, seq } of numbered) await sql`select setval(pg_get_serial_sequence(${name}, 'id'), ${seq})`.execute(db)
  })
}

const COMPARED_OF_A_KIND = 200

/** The ledger as `verify` sees it, and what the store answers to the questions that nodes ask. */
async function compareStores(source: Store, to: PostgresOptions, clock: Clock, verified: Verification): Promise<void> {
  const copy = await verifyPostgres(to)
  const isSame = isDeepStrictEqual(copy.head, verified.head) && copy.rows === verified.rows && copy.fault?.what === verified.fault?.what
  if (!isSame) throw failure(`the ledger of the copy is not the same: ${copy.fault?.what ?? `head ${copy.head.sequence}, ${copy.rows} rows`}`, 'ledger')
  // without an anchor, so that nothing is written by looking
  const target = openStore({ postgres: { ...to, anchor: undefined }, clock })
  try {
    for (const kind of Object.keys(PROJECTIONS) as StoredKind[]) {
      for (const descending of [false, true]) {
        const options = { orderBy: 'ledger', descending, limit: COMPARED_OF_A_KIND }
        const [was, is] = await Promise.all([source.list(kind, options), target.list(kind, options)])
        if (!isDeepStrictEqual(was, is)) throw failure(`the documents of kind ${kind} are not the same`, kind)
      }
    }
    const newest = Math.max(0, verified.head.sequence - COMPARED_OF_A_KIND)
    const [was, is] = await Promise.all([source.events(newest, COMPARED_OF_A_KIND), target.events(newest, COMPARED_OF_A_KIND)])
    if (!isDeepStrictEqual(was, is)) throw failure('the newest events are not the same', 'ledger')
  } finally {
    await target.close()
  }
}

async function inTransaction(target: PostgresBackend, work: (db: Kysely<Tables>) => Promise<unknown>): Promise<void> {
  const session = target.begin()
  try {
    await work(session.db(() => {}))
    await session.commit(null)
  } catch (error) {
    await session.rollback().catch(() => {})
    throw error
  }
}

function failure(what: string, where: string, cause?: unknown): TaktError {
  return new TaktError('TAKT_STORE_MOVE', { what, where, cause })
}
