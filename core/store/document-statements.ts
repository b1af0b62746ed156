import type { Kysely } from 'kysely'
import type { Dialect } from './backend.ts'
import { documentTables } from './documents.ts'
import { COMMON_COLUMNS, projectionOf } from './projections.ts'
import type { Tables } from './schema.ts'
import type { StoredKind } from './store.ts'

/** The statements that read and write one document of a kind. */
export interface DocumentStatements {
  /** takes the id */
  readonly read: string
  /** takes the values of `columns`; changes nothing where the id is taken */
  readonly insert: string
  /** takes the values of `columns`, then the id and the revision that is replaced */
  readonly update: string
  readonly columns: readonly string[]
}

/** Compiled once: putting a statement together takes longer than SQLite takes to run it. */
const compiled = new Map<string, DocumentStatements>()

export function statementsOf(kind: StoredKind, dialect: Dialect, db: Kysely<Tables>, where: string): DocumentStatements {
  const key = `${dialect} ${kind}`
  let statements = compiled.get(key)
  if (statements === undefined) {
    statements = compile(kind, db, where)
    compiled.set(key, statements)
  }
  return statements
}

function compile(kind: StoredKind, db: Kysely<Tables>, where: string): DocumentStatements {
  const { table, names } = projectionOf(kind, where)
  const tables = documentTables(db)
  const columns = [...names, ...COMMON_COLUMNS]
  const values = Object.fromEntries(columns.map((column) => [column, ''])) as { id: string; revision: never; ledger: never; document: string }
  const insert = tables
    .insertInto(table)
    .values(values)
    .onConflict((conflict) => conflict.column('id').doNothing())
  return {
    read: tables.selectFrom(table).select('document').where('id', '=', '').compile().sql,
    insert: insert.compile().sql,
    update: tables.updateTable(table).set(values).where('id', '=', '').where('revision', '=', 0).compile().sql,
    columns,
  }
}
