import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ManualClock } from '../../../../core/base/clock.ts'
import type { TaktError } from '../../../../core/base/error.ts'
import type { Lot } from '../../../../core/messages/lot.ts'
import { openStore, type StoreOptions } from '../../../../core/store/open-store.ts'
import type { Store } from '../../../../core/store/store.ts'

export const START = Date.UTC(2026, 0, 5, 6)

export interface Opened {
  readonly store: Store
  readonly clock: ManualClock
  readonly failures: TaktError[]
  readonly warnings: TaktError[]
}

/** Opens stores in a folder of its own, and closes and removes everything afterwards. */
export class StoreBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'takt-test-store-'))
  readonly #stores: Store[] = []

  file(name = 'takt.db'): string {
    return join(this.folder, name)
  }

  open(file = this.file(), options: Partial<StoreOptions> = {}): Opened {
    const clock = new ManualClock(START)
    const failures: TaktError[] = []
    const warnings: TaktError[] = []
    const store = openStore({ ...options, file, clock, onFailure: (error) => failures.push(error), onWarning: (error) => warnings.push(error) })
    this.#stores.push(store)
    return { store, clock, failures, warnings }
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close().catch(() => {})))
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
  const db = new DatabaseSync(file)
  for (const { name } of db.prepare(`select name from sqlite_master where type = 'trigger'`).all()) db.exec(`drop trigger ${name}`)
  change(db)
  db.close()
}

export async function rejection(promise: Promise<unknown>): Promise<TaktError> {
  try {
    await promise
  } catch (error) {
    return error as TaktError
  }
  throw new Error('it was expected to reject')
}
