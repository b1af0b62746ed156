import type { LedgerRow } from './ledger.ts'
import type { SqlValue } from './values.ts'

/** What rows that wait need of their session. */
export interface RowSink {
  /** Sends rows to the database, in order. */
  send(rows: readonly LedgerRow[]): void
  /** Sends what begins a part that can be undone alone. */
  makeSavepoint(): void
}

/** Text at most that waits, characters: a document of megabytes is not kept until others have joined it. */
const TEXT_AT_MOST = 65_536
const ROWS_AT_MOST = 512
/** A statement that may read or change the ledger: the rows that wait have to be there first. */
const SEES_LEDGER = /\b(?:from|join|into|update|table|truncate|only|using)\s+(?:"?\w+"?\.)?"?ledger\b|,\s*"?ledger"?\s+(?:as\b|,|where\b|$)/i

/**
 * The ledger's new rows of a writing transaction, which travel together, and the savepoint of the part under way, which is made when something is sent that may have to
 * be undone: a part that only appends needs none.
 */
export class WaitingRows {
  readonly #sink: RowSink
  #rows: LedgerRow[] = []
  /** so many of them are from before the part */
  #mark = 0
  #text = 0
  #savepoint: 'none' | 'due' | 'made' = 'none'

  constructor(sink: RowSink) {
    this.#sink = sink
  }

  get count(): number {
    return this.#rows.length
  }

  /** The part under way has a savepoint in the database. */
  get isMade(): boolean {
    return this.#savepoint === 'made'
  }

  append(row: LedgerRow): void {
    this.#rows.push(row)
    this.#text += (row.before?.length ?? 0) + (row.after?.length ?? 0)
    if (this.#rows.length >= ROWS_AT_MOST || this.#text >= TEXT_AT_MOST) this.flush()
  }

  begin(): void {
    this.#mark = this.#rows.length
    this.#savepoint = 'due'
  }

  /** Ends the part. True: it has a savepoint, which is to be released. */
  keep(): boolean {
    const made = this.isMade
    this.#savepoint = 'none'
    return made
  }

  /** Ends the part without its rows. True: it has a savepoint, which is to be undone. */
  drop(): boolean {
    this.#rows.length = this.#mark
    return this.keep()
  }

  /** Before a statement: sends the rows that it must see, and the savepoint where the statement may have to be undone. */
  before(statement: string, mayChange: boolean): void {
    if (this.#rows.length > 0 && SEES_LEDGER.test(statement)) this.flush()
    if (mayChange) this.#makeSavepoint()
  }

  /** Sends the rows that wait, those from before the part before its savepoint. */
  flush(): void {
    const rows = this.#rows
    if (rows.length === 0) return
    if (this.#savepoint === 'due' && rows.length > this.#mark) {
      this.#makeSavepoint()
      this.#sink.send(this.#rows)
    } else this.#sink.send(rows)
    this.#clear()
  }

  #makeSavepoint(): void {
    if (this.#savepoint !== 'due') return
    if (this.#mark > 0) {
      // what was appended by others before is not undone with this part
      this.#sink.send(this.#rows.splice(0, this.#mark))
      this.#mark = 0
    }
    this.#savepoint = 'made'
    this.#sink.makeSavepoint()
  }

  #clear(): void {
    this.#rows = []
    this.#mark = 0
    this.#text = 0
  }
}

/** The columns of a row, in the order in which they are written. */
export const LEDGER_COLUMNS = ['sequence', 'type', 'subject', 'actor', 'why', 'before', 'after', 'time', 'previous_hash', 'hash'] as const

const BETWEEN = '\0'

/**
 * Rows as one text, which crosses to another thread several times cheaper than its values one by one: the columns one after the other with a NUL between them, which none
 * of them can hold. Absent text is empty; `why`, which may be empty, has a `=` before it.
 */
export function packRows(rows: readonly LedgerRow[]): string {
  let text = ''
  for (const { sequence, type, subject, actor, why, before, after, time, previous_hash, hash } of rows)
    text += `${sequence}\0${type}\0${subject}\0${actor}\0${why === null ? '' : `=${why}`}\0${before ?? ''}\0${after ?? ''}\0${time}\0${previous_hash}\0${hash}\0`
  return text
}

/** Calls with the values of each row, in the order of `LEDGER_COLUMNS`. */
export function unpackRows(packed: string, each: (...values: SqlValue[]) => void): void {
  const fields = packed.split(BETWEEN)
  const textOrNull = (at: number): string | null => fields[at] || null
  for (let at = 0; at + LEDGER_COLUMNS.length < fields.length; at += LEDGER_COLUMNS.length) {
    const text = (column: number): string => fields[at + column] as string
    const why = text(4) === '' ? null : text(4).slice(1)
    each(Number(text(0)), text(1), text(2), text(3), why, textOrNull(at + 5), textOrNull(at + 6), Number(text(7)), text(8), text(9))
  }
}
