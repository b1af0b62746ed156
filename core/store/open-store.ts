import { resolve } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { SqlStore, type SqlStoreOptions } from './sql-store.ts'
import { SqliteBackend } from './sqlite-backend.ts'
import type { Store } from './store.ts'

export interface StoreOptions extends SqlStoreOptions {
  /** Path of the SQLite file, made with its folder where there is none; `:memory:` for a store that is gone when closed. */
  readonly file: string
  /** Plant time, for the `time` of events. */
  readonly clock: Clock
}

/** The store in this file. Usable at once: calls wait until it is open, and reject with a TAKT_STORE_… error when it cannot be opened. */
export function openStore({ file, clock, ...options }: StoreOptions): Store {
  const path = file === ':memory:' ? file : resolve(file)
  return new SqlStore((whenOpen, onLost) => new SqliteBackend(path, whenOpen, onLost), clock, options)
}
