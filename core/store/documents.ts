import type { Kysely, OrderByItemBuilder } from 'kysely'
import { TaktError } from '../base/error.ts'
import type { DocumentOf } from '../messages/document.ts'
import { columnOf, projectionOf } from './projections.ts'
import type { Tables } from './schema.ts'
import type { ListOptions, StoredKind } from './store.ts'

/** A row of any kind's table. */
interface DocumentRow {
  id: string
  revision: number
  ledger: number
  document: string
}

/** The tables of the documents under one type: which one is decided by the kind, at run time. */
export function documentTables(db: Kysely<Tables>): Kysely<Record<string, DocumentRow>> {
  return db as unknown as Kysely<Record<string, DocumentRow>>
}

export async function readDocument<K extends StoredKind>(db: Kysely<Tables>, kind: K, id: string, where: string): Promise<DocumentOf<K> | undefined> {
  const row = await documentTables(db).selectFrom(projectionOf(kind, where).table).select('document').where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : (JSON.parse(row.document) as DocumentOf<K>)
}

/** Ordered by `orderBy`, and among equals by id, so that pages and tests see the same order every time. */
export async function listDocuments<K extends StoredKind>(db: Kysely<Tables>, kind: K, options: ListOptions, where: string): Promise<DocumentOf<K>[]> {
  return (await listTexts(db, kind, options, where)).map((text) => JSON.parse(text) as DocumentOf<K>)
}

/** The same as they are stored. */
export async function listTexts(db: Kysely<Tables>, kind: StoredKind, options: ListOptions, where: string): Promise<string[]> {
  let query = documentTables(db).selectFrom(projectionOf(kind, where).table).select('document')
  for (const [name, wanted] of Object.entries(options.where ?? {})) {
    const column = columnOf(kind, name, where) as 'id'
    if (Array.isArray(wanted)) {
      if (wanted.length === 0) return []
      query = query.where(column, 'in', wanted)
    } else if (wanted === null) {
      query = query.where(column, 'is', null)
    } else {
      query = query.where(column, '=', wanted as string)
    }
  }
  const direction = options.descending === true ? 'desc' : 'asc'
  if (options.orderBy !== undefined) query = query.orderBy(columnOf(kind, options.orderBy, where) as 'id', (order) => nullsLow(order, direction))
  query = query.orderBy('id', direction)
  if (options.limit !== undefined) {
    if (!Number.isSafeInteger(options.limit) || options.limit < 0) {
      throw new TaktError('TAKT_STORE_VALUE', { what: `a limit of ${options.limit} is not a whole number of rows`, where })
    }
    query = query.limit(options.limit)
  }
  return (await query.execute()).map(({ document }) => document)
}

/** Databases differ in whether nothing is less or more than everything. */
function nullsLow(order: OrderByItemBuilder, direction: 'asc' | 'desc'): OrderByItemBuilder {
  return direction === 'asc' ? order.asc().nullsFirst() : order.desc().nullsLast()
}
