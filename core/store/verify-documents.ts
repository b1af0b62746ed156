import type { Kysely } from 'kysely'
import { TaktError } from '../base/error.ts'
import type { Document, DocumentOf } from '../messages/document.ts'
import { documentTables } from './documents.ts'
import type { LedgerRow } from './ledger.ts'
import { PROJECTIONS, type Projection } from './projections.ts'
import type { Tables } from './schema.ts'
import type { StoredKind, Verification } from './store.ts'

const PAGE = 500

type Fault = NonNullable<Verification['fault']>
type WrittenRow = Pick<LedgerRow, 'sequence' | 'subject' | 'after'>

/** Compares the documents with what the ledger says they are. Told each row of the ledger first, in order. */
export class DocumentCheck {
  /** The last row that wrote each document, by `<kind> <id>`. */
  readonly #written = new Map<string, number>()

  row(row: WrittenRow): void {
    if (row.after === null) return
    const plain = writtenPlainly(row, row.after)
    if (plain === false) return
    if (plain !== undefined) {
      this.#written.set(plain, row.sequence)
      return
    }
    const after = JSON.parse(row.after) as Partial<Document> | null
    // events that merely mention a document carry another row's number
    if (typeof after !== 'object' || after === null || !('ledger' in after) || after.ledger !== row.sequence) return
    if (!Object.hasOwn(PROJECTIONS, after.kind ?? '')) return
    const kind = after.kind as StoredKind
    const { id } = PROJECTIONS[kind] as Projection<StoredKind>
    this.#written.set(`${kind} ${id(after as DocumentOf<StoredKind>)}`, row.sequence)
  }

  /** The first document found to be another, in another column, an older one or gone. `upTo` is the last row that was told. */
  async fault(db: Kysely<Tables>, upTo: number): Promise<Fault | undefined> {
    for (const kind of Object.keys(PROJECTIONS) as StoredKind[]) {
      const projection = PROJECTIONS[kind] as Projection<StoredKind>
      for (let after = ''; ; ) {
        const page = await readPage(db, projection.table, after)
        for (const row of page) {
          const fault = this.#faultOf(kind, projection, row, upTo)
          if (fault !== undefined) return fault
          this.#written.delete(`${kind} ${row.id}`)
          after = row.id
        }
        if (page.length < PAGE) break
      }
    }
    for (const [name, sequence] of this.#written) return { sequence, what: `the ${name} of row ${sequence} is missing` }
    return undefined
  }

  #faultOf(kind: StoredKind, { columns }: Projection<StoredKind>, row: DocumentRow, upTo: number): Fault | undefined {
    const { id, ledger } = row
    if (row.document !== row.told) return { sequence: ledger, what: `the ${kind} ${id} is not what row ${ledger} says` }
    const written = this.#written.get(`${kind} ${id}`)
    // what was written meanwhile is newer than the rows that were told
    if (ledger <= upTo && written !== ledger) return { sequence: written ?? ledger, what: `the ${kind} ${id} is not the newest: row ${written} wrote it last` }
    const document = JSON.parse(row.document) as DocumentOf<StoredKind>
    // an older version of the tables may not have a column yet
    const wrong = Object.entries({ ...columns(document), revision: document.revision }).find(([name, value]) => Object.hasOwn(row, name) && row[name] !== value)
    return wrong === undefined ? undefined : { sequence: ledger, what: `column ${wrong[0]} of the ${kind} ${id} is not what row ${ledger} says` }
  }
}

const KIND = '{"kind":"'
/** The rest of an object whose further values hold no others: what stands before it is a field of the object itself. */
const REST = /^(?:,"[^"\\]*":(?:"(?:[^"\\]|\\.)*"|[-+.\w]+))*\}$/

/**
 * The same without reading the JSON, for rows as `save` writes them: the kind first, the document's id as subject, its own row's number inside, as a rule at the end. False where
 * no document can have been written, undefined where only reading it tells.
 */
function writtenPlainly({ sequence, subject }: WrittenRow, after: string): string | false | undefined {
  const number = `"ledger":${sequence}`
  const rest = after.length - number.length - 1
  if (!after.endsWith('}') || !after.startsWith(number, rest)) {
    const at = after.lastIndexOf(number)
    if (at < 0) return false
    if (!REST.test(after.slice(at + number.length))) return undefined
  }
  const kind = after.startsWith(KIND) ? after.slice(KIND.length, after.indexOf('"', KIND.length)) : ''
  return Object.hasOwn(PROJECTIONS, kind) ? `${kind} ${subject}` : undefined
}

const NO_TABLE = /^no such table: |^relation "\w+" does not exist$/

interface DocumentRow {
  readonly id: string
  readonly revision: number
  readonly ledger: number
  readonly document: string
  /** the document by the ledger's row */
  readonly told: string | null
  readonly [column: string]: unknown
}

/** A page of a kind's documents in the order of their ids; none where the tables are those of an older version without that kind. What the ledger has of it is missed then. */
async function readPage(db: Kysely<Tables>, table: string, after: string): Promise<DocumentRow[]> {
  const rows = await documentTables(db)
    .selectFrom(table)
    .leftJoin('ledger as event', 'event.sequence' as never, `${table}.ledger` as never)
    .selectAll(table)
    .select('event.after as told' as never)
    .where(`${table}.id` as never, '>', after as never)
    .orderBy(`${table}.id` as never)
    .limit(PAGE)
    .execute()
    .catch((error: unknown) => {
      if (error instanceof TaktError && error.code === 'TAKT_STORE_QUERY' && NO_TABLE.test(error.what)) return []
      throw error
    })
  return rows as unknown as DocumentRow[]
}
