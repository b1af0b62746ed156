import type { Anchor } from './anchor.ts'
import type { PackedRows } from './packed-rows.ts'
import type { SqlValue } from './values.ts'

/** What the main thread asks the SQLite thread. Requests are done in the order they were sent. */
export type SqliteRequest =
  | { readonly do: 'open'; readonly file: string }
  /** `write` is inside the present transaction; `read` sees what was committed last. */
  | { readonly do: 'run'; readonly on: 'read' | 'write'; readonly sql: string; readonly parameters: readonly SqlValue[] }
  /** `anchor` is written beside the database once the commit stands. */
  | { readonly do: 'commit'; readonly anchor: Anchor | null }
  | { readonly do: 'rollback' }
  | { readonly do: 'close' }

/** What is not answered. Should one fail, the present transaction is lost, and what is asked of it next is told why. */
export type SqliteOrder =
  | { readonly do: 'begin' }
  /** Rows of the ledger, as `packRows` gives them. */
  | { readonly do: 'append'; readonly rows: string }
  | { readonly do: 'must'; readonly sql: string; readonly parameters: readonly SqlValue[] }
  | { readonly do: 'savepoint'; readonly mark: 'begin' | 'keep' | 'undo' }

export interface SqliteResult {
  readonly rows: unknown[]
  /** rows inserted, updated or deleted; for statements that return no rows */
  readonly changes?: number
  readonly insertId?: number
  /** the commit stands, but its anchor could not be written */
  readonly anchorFailure?: SqliteFailure
}

export interface SqliteFailure {
  readonly message: string
  /** SQLite's extended result code; absent for errors that are not SQLite's */
  readonly errcode?: number
  /** code of the operating system (`EACCES`), or of Node */
  readonly code?: string
}

/** `id` comes back with the answer. */
export type SqliteCall = { readonly id: number; readonly request: SqliteRequest } | { readonly order: SqliteOrder }

export interface SqliteAnswer {
  readonly id: number
  readonly result?: SqliteResult
  /** many rows of a result, instead of its own */
  readonly packed?: PackedRows
  readonly failure?: SqliteFailure
}

/** `code` of the failure to open a file that another process, or another store in this one, holds. */
export const HELD_ELSEWHERE = 'TAKT_HELD_ELSEWHERE'

/** Primary result codes (sqlite.org/rescode.html) that this code tells apart. */
export const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  INTERRUPT: 9,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  CONSTRAINT: 19,
  NOTADB: 26,
} as const
