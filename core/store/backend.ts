import type { Kysely } from 'kysely'
import type { TaktError } from '../base/error.ts'
import type { Anchor } from './anchor.ts'
import type { LedgerRow } from './ledger.ts'
import type { Tables } from './schema.ts'
import type { RunSql } from './statement-dialect.ts'
import type { Verification } from './store.ts'
import type { VerifyOptions } from './verify.ts'

export type Dialect = 'sqlite' | 'postgres'

/** A database as the store needs it: one writing transaction at a time, and reads that see what is committed. */
export interface Backend {
  readonly dialect: Dialect
  /** Other processes may write to it at the same time. */
  readonly shared: boolean
  /** Names the database in errors. */
  readonly where: string
  /** Opens the file or connection; may be called again after it failed. */
  open(): Promise<void>
  /** Reads what is committed. */
  readonly reader: Kysely<Tables>
  /** Begins at once; should it fail, so does the first statement. */
  begin(): WriteSession
  /** The head as anchored outside the database; null when the anchor is gone, undefined when this database has none (it dies with its process). */
  readAnchor(): Promise<Anchor | null | undefined>
  /** Verifies the ledger on a way of its own, faster than through `reader`; undefined where there is none. */
  verify?(options: VerifyOptions): Promise<Verification> | undefined
  /** From now on calls back when the ledger may have grown up to a row, whoever appended it. Only where others may. */
  listen?(news: (upTo: number) => void): void
  close(): Promise<void>
}

/** The writing transaction under way. */
export interface WriteSession {
  readonly dialect: Dialect
  /** Runs statements in it; `assertUsable` is asked before each and throws when its user may not go on. */
  db(assertUsable: () => void): Kysely<Tables>
  /** Runs one statement in it, as `db` does, without putting it together first. */
  run: RunSql
  /** Runs statements in it one after the other without waiting for any: none gives rows, and should one fail, the commit does. For the tables' own making. */
  script(): Kysely<Tables>
  /** Appends a row to the ledger. Throws TAKT_STORE_VALUE for a value that cannot be stored; not answered: should it fail otherwise, the commit does. */
  append(row: LedgerRow): void
  /** Begins a part that can be undone alone. These three are not answered either. */
  savepoint(): void
  release(): void
  undo(): void
  /** Makes everything durable, then anchors the head; resolves with why the anchor could not be written, if it could not. */
  commit(anchor: Anchor | null): Promise<TaktError | undefined>
  rollback(): Promise<void>
}
