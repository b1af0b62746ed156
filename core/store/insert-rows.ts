import type { CompiledQuery, Kysely } from 'kysely'
import type { Tables } from './schema.ts'
import type { SqlValue } from './values.ts'

/** Rows a statement, largest first: few different statements, so that all of them stay prepared. */
const SIZES = [128, 32, 8, 1] as const
const compiled = new Map<string, CompiledQuery>()

/** Inserts many rows with few statements, each compiled once. `conflict`: what to do with a row whose key is taken; without it, that is an error. */
export async function insertRows(
  db: Kysely<Tables>,
  table: keyof Tables,
  columns: readonly string[],
  rows: ReadonlyArray<readonly SqlValue[]>,
  conflict?: 'ignore' | 'replace',
): Promise<void> {
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

function insertOf(
  db: Kysely<Tables>,
  table: keyof Tables,
  columns: readonly string[],
  size: number,
  conflict: 'ignore' | 'replace' | undefined,
): CompiledQuery {
  const name = `${table} ${columns.join(' ')} ${size} ${conflict}`
  let query = compiled.get(name)
  if (query === undefined) {
    const row = Object.fromEntries(columns.map((column) => [column, 0]))
    let insert = (db as unknown as Kysely<Record<string, Record<string, unknown>>>).insertInto(table).values(Array.from({ length: size }, () => row))
    if (conflict === 'ignore') insert = insert.onConflict((on) => on.doNothing())
    if (conflict === 'replace') insert = insert.orReplace()
    query = insert.compile()
    compiled.set(name, query)
  }
  return query
}
