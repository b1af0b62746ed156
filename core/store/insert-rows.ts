import type { CompiledQuery, Kysely } from 'kysely'
import type { Tables } from './schema.ts'
import type { SqlValue } from './values.ts'

/** Rows a statement, largest first: few different statements, so that all of them stay prepared. */
const SIZES = [128, 32, 8, 1] as const
/** by dialect */
const compiled = new Map<unknown, Map<string, CompiledQuery>>()

/** The first columns are the key: of rows with the same key the last one stays. */
export interface Replace {
  readonly keyColumns: number
}

/** Inserts many rows with few statements, each compiled once. `conflict`: what to do with a row whose key is taken; without it, that is an error. */
export async function insertRows(
  db: Kysely<Tables>,
  table: keyof Tables,
  columns: readonly string[],
  allRows: ReadonlyArray<readonly SqlValue[]>,
  conflict?: 'ignore' | Replace,
): Promise<void> {
  const rows = typeof conflict === 'object' ? lastOfEach(allRows, conflict.keyColumns) : allRows
  const running: Promise<unknown>[] = []
  let from = 0
  for (const size of SIZES) {
    while (rows.length - from >= size) {
      const parameters = rows.slice(from, from + size).flat()
      running.push(db.executeQuery({ ...insertOf(db, table, columns, size, conflict), parameters }))
      from += size
    }
  }
  await Promise.all(running)
}

/** PostgreSQL replaces no row twice in one statement. */
function lastOfEach(rows: ReadonlyArray<readonly SqlValue[]>, keyColumns: number): ReadonlyArray<readonly SqlValue[]> {
  const byKey = new Map(rows.map((row) => [JSON.stringify(row.slice(0, keyColumns)), row]))
  return byKey.size === rows.length ? rows : [...byKey.values()]
}

function insertOf(db: Kysely<Tables>, table: keyof Tables, columns: readonly string[], size: number, conflict: 'ignore' | Replace | undefined): CompiledQuery {
  const dialect = db.getExecutor().adapter.constructor
  const known = compiled.get(dialect) ?? new Map<string, CompiledQuery>()
  compiled.set(dialect, known)
  const name = `${table} ${columns.join(' ')} ${size} ${typeof conflict === 'object' ? conflict.keyColumns : conflict}`
  let query = known.get(name)
  if (query === undefined) {
    const row = Object.fromEntries(columns.map((column) => [column, 0]))
    let insert = (db as unknown as Kysely<Record<string, Record<string, unknown>>>).insertInto(table).values(Array.from({ length: size }, () => row))
    if (conflict === 'ignore') insert = insert.onConflict((on) => on.doNothing())
    if (typeof conflict === 'object') {
      const [keys, others] = [columns.slice(0, conflict.keyColumns), columns.slice(conflict.keyColumns)]
      insert = insert.onConflict((on) =>
        on.columns(keys).doUpdateSet((row) => Object.fromEntries(others.map((column) => [column, row.ref(`excluded.${column}`)]))),
      )
    }
    query = insert.compile()
    known.set(name, query)
  }
  return query
}
