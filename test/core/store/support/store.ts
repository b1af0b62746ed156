import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ManualClock } from '../../../../core/base/clock.ts'
import type { TaktError } from '../../../../core/base/error.ts'
import type { Lot } from '../../../../core/messages/lot.ts'
import type { Backend } from '../../../../core/store/backend.ts'
import { SqlStore, type SqlStoreOptions } from '../../../../core/store/sql-store.ts'
import { SqliteBackend } from '../../../../core/store/sqlite-backend.ts'
import type { Store, Verification } from '../../../../core/store/store.ts'
import type { VerifyOptions } from '../../../../core/store/verify.ts'
import { verifyFile } from '../../../../core/store/verify-file.ts'

export const START = Date.UTC(2026, 0, 5, 6)

export interface Opened {
  readonly store: Store
  readonly clock: ManualClock
  readonly failures: TaktError[]
  readonly warnings: TaktError[]
}

/** Runs SQL in a database, without our own code; `?` stands for a value. */
export type Ask = (sql: string, ...values: Array<string | number | null>) => Promise<Array<Record<string, any>>>

/** What differs between the databases that the same tests run on. */
export interface TestDatabases {
  readonly dialect: Backend['dialect']
  /** The database of this name in the bench's folder, made when there is none; `:memory:` is another each time. */
  backend(file: string, whenOpen: () => Promise<void>, onLost: () => void): Backend
  verify(file: string, options?: VerifyOptions): Promise<Verification>
  /** What somebody with the rights and no manners can do: the ledger's triggers are gone. */
  tamper(file: string, change: (ask: Ask) => Promise<void>): Promise<void>
  /** Nobody uses the databases of this bench any more. */
  release?(): Promise<void>
}

const SQLITE_FILES: TestDatabases = {
  dialect: 'sqlite',
  backend: (file, whenOpen, onLost) => new SqliteBackend(file, whenOpen, onLost),
  verify: (file, options) => verifyFile(file, options),
  async tamper(file, change) {
    const db = withoutTriggers(file)
    try {
      await change(async (sql, ...values) => db.prepare(sql).all(...values) as Array<Record<string, any>>)
    } finally {
      db.close()
    }
  },
}

/** Opens stores in a folder of its own, and closes and removes everything afterwards. */
export class StoreBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'takt-test-store-'))
  readonly #databases: TestDatabases
  readonly #stores: Store[] = []

  constructor(databases: TestDatabases = SQLITE_FILES) {
    this.#databases = databases
  }

  get dialect(): Backend['dialect'] {
    return this.#databases.dialect
  }

  file(name = 'takt.db'): string {
    return join(this.folder, name)
  }

  /** `observe` gets the backend before it is used. */
  open(file = this.file(), options: SqlStoreOptions = {}, observe: (backend: Backend) => void = () => {}, clock = new ManualClock(START)): Opened {
    const failures: TaktError[] = []
    const warnings: TaktError[] = []
    const makeBackend = (whenOpen: () => Promise<void>, onLost: () => void): Backend => {
      const backend = this.#databases.backend(file, whenOpen, onLost)
      observe(backend)
      return backend
    }
    const store = new SqlStore(makeBackend, clock, { ...options, onFailure: (error) => failures.push(error), onWarning: (error) => warnings.push(error) })
    this.#stores.push(store)
    return { store, clock, failures, warnings }
  }

  verify(file = this.file(), options?: VerifyOptions): Promise<Verification> {
    return this.#databases.verify(file, options)
  }

  tamper(file: string, change: (ask: Ask) => Promise<void>): Promise<void> {
    return this.#databases.tamper(file, change)
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close().catch(() => {})))
    await this.#databases.release?.()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function lot(id: string, changes: Partial<Lot> = {}): Lot {
  return { kind: 'lot', id, material: 'shaft-a', quantity: { value: 1, unit: 'pcs' }, disposition: 'in-process', location: null, workOrder: null, ...changes }
}

export const created = { type: 'lot.created', actor: 'test' }
export const held = { type: 'lot.held', actor: 'test', why: 'scratches' }

/** What somebody with the file and no manners can do. */
export function tamper(file: string, change: (db: DatabaseSync) => void): void {
  const db = withoutTriggers(file)
  change(db)
  db.close()
}

function withoutTriggers(file: string): DatabaseSync {
  const db = new DatabaseSync(file)
  for (const { name } of db.prepare(`select name from sqlite_master where type = 'trigger'`).all()) db.exec(`drop trigger ${name}`)
  return db
}

export async function rejection(promise: Promise<unknown>): Promise<TaktError> {
  try {
    await promise
  } catch (error) {
    return error as TaktError
  }
  throw new Error('it was expected to reject')
}
