import { hash } from 'node:crypto'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from './schema.ts'
import type { SqlValue } from './values.ts'

/** A table by what a copy has to know of it. */
export interface TableShape {
  readonly name: string
  readonly columns: readonly string[]
  /** columns of the primary key, in its order: the order of the rows in both databases */
  readonly key: readonly string[]
}

export type Row = readonly SqlValue[]

/** Plans and their events are large. */
const PAGE = 100

/** Every table of a SQLite store but the one that says which version they have. */
export async function sqliteTables(db: Kysely<Tables>): Promise<TableShape[]> {
  const { rows } = await sql<{
    name: string
  }>`select name from sqlite_master where type = 'table' and name not glob 'sqlite_*' and name <> 'migration' order by name`.execute(db)
  return Promise.all(
    rows.map(async ({ name }) => {
      const { rows: columns } = await sql<{ name: string; pk: number }>`select name, pk from pragma_table_info(${name}) order by cid`.execute(db)
      const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
      return { name, columns: columns.map((column) => column.name), key: key.map((column) => column.name) }
    }),
  )
}

/** The rows that follow a key, in the key's order, a page of them; from the first one without a key. */
export async function readPage(db: Kysely<Tables>, { name, columns, key }: TableShape, after: Row | undefined): Promise<Row[]> {
  const list = (names: readonly string[]): RawBuilder<unknown> => sql.join(names.map((column) => sql.ref(column)))
  const from = after === undefined ? sql`` : sql`where (${list(key)}) > (${sql.join(after)})`
  const { rows } = await sql<Record<string, SqlValue>>`select ${list(columns)} from ${sql.table(name)} ${from} order by ${list(key)} limit ${PAGE}`.execute(db)
  return rows.map((row) => columns.map((column) => row[column] as SqlValue))
}

export function keyOf({ columns, key }: TableShape, row: Row): Row {
  return key.map((column) => row[columns.indexOf(column)] as SqlValue)
}

export const isLastPage = (rows: readonly Row[]): boolean => rows.length < PAGE

/** How many rows a table has, and one hash over all that is in them, in the order of the key. */
export async function digestOf(db: Kysely<Tables>, table: TableShape): Promise<{ readonly rows: number; readonly hash: string }> {
  let rows = 0
  let digest = ''
  for (let after: Row | undefined; ; ) {
    const page = await readPage(db, table, after)
    rows += page.length
    digest = hash('sha256', digest + JSON.stringify(page))
    const last = page.at(-1)
    if (last === undefined || isLastPage(page)) return { rows, hash: digest }
    after = keyOf(table, last)
  }
}
