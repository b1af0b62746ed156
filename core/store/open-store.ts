import { resolve } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { PostgresBackend, type PostgresOptions } from './postgres-backend.ts'
import { SqlStore, type SqlStoreOptions } from './sql-store.ts'
import { SqliteBackend } from './sqlite-backend.ts'
import type { Store } from './store.ts'

interface AnyStoreOptions extends SqlStoreOptions {
  /** Plant time, for the `time` of events. */
  readonly clock: Clock
}

export interface FileStoreOptions extends AnyStoreOptions {
  /** Path of the SQLite file, made with its folder where there is none; `:memory:` for a store that is gone when closed. */
  readonly file: string
}

export interface ServerStoreOptions extends AnyStoreOptions {
  /** A database on a PostgreSQL server. */
  readonly postgres: PostgresOptions
}

export type StoreOptions = FileStoreOptions | ServerStoreOptions

/**
 * The store in this file or database. Usable at once: calls wait until it is open, and reject with a TAKT_STORE_… error when it cannot be opened.
 * Throws TAKT_CONFIG_INVALID for the address of a server that is none.
 */
export function openStore(options: StoreOptions): Store {
  if ('postgres' in options) {
    const { postgres, clock, ...rest } = options
    return new SqlStore((whenOpen, onLost) => new PostgresBackend(postgres, whenOpen, onLost), clock, rest)
  }
  const { file, clock, ...rest } = options
  const path = file === ':memory:' ? file : resolve(file)
  return new SqlStore((whenOpen, onLost) => new SqliteBackend(path, whenOpen, onLost), clock, rest)
}
