import { systemClock } from '../../core/base/clock.ts'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import type { SigningKey } from '../../core/store/anchor-key.ts'
import { DiskBudget, type DiskLevel, type DiskLimits, setDiskBudget } from '../../core/store/disk-budget.ts'
import { inboxOf } from '../../core/store/inbox.ts'
import { openStore } from '../../core/store/open-store.ts'
import { closeSampleRing } from '../../core/store/sample-ring.ts'
import type { Store } from '../../core/store/store.ts'
import { Upkeep } from '../../core/store/upkeep.ts'
import type { PlantNode } from '../plant/plant.ts'
import { nameOf, showError } from '../shared/define-node.ts'
import type { Database } from './database-of.ts'
import type { StoreNode } from './store.ts'
import type { UpkeepPolicies } from './upkeep-fields.ts'

const GIB = 2 ** 30

export interface StoreSettings {
  readonly settleMs: number
  readonly limits: DiskLimits
  /** Signs the ledger's head; undefined: it is not signed. */
  readonly key: SigningKey | undefined
  readonly upkeep: UpkeepPolicies
  /** Real ms after the start before the first backup. Default a minute. */
  readonly firstBackupMs?: number
}

/** A store and the config nodes that name its database; tells them what goes wrong, once each time, and tries again by itself. */
export class SharedStore {
  readonly users = new Set<StoreNode>()
  readonly plant: string | undefined
  readonly store: Store
  readonly #retryMs: number
  readonly #disk: DiskBudget | undefined
  readonly #upkeep: Upkeep
  readonly #listeners = new Set<(problem: TaktError | undefined) => void>()
  #problem: TaktError | undefined
  #retry: NodeJS.Timeout | undefined

  constructor({ where, retryMs }: Database, plant: PlantNode | undefined, { settleMs, limits, key, upkeep, firstBackupMs }: StoreSettings) {
    this.plant = plant?.id
    this.#retryMs = retryMs
    this.store = openStore({
      ...where,
      clock: plant?.clock ?? systemClock,
      key,
      onOpen: () => this.#tell(undefined),
      onFailure: (error) => this.#tell(error),
      onWarning: (error) => {
        for (const user of this.users) user.warn(error.message)
      },
    })
    inboxOf(this.store, { settleMs, warn: (problem) => this.#warn(problem) })
    const clock = plant?.clock ?? systemClock
    this.#upkeep = new Upkeep({
      ...upkeep,
      store: this.store,
      source: where,
      key,
      plantNow: () => clock.now(),
      now: systemClock.now,
      firstMs: firstBackupMs,
      done: (what) => this.#tellUpkeep(what),
      failed: (error) => this.#tellUpkeep(error.what, error),
    })
    // the disk of a server is its own
    if (!('file' in where) || where.file === ':memory:') return
    this.#disk = new DiskBudget(where.file, { limits })
    setDiskBudget(this.store, this.#disk)
    this.#disk.watch((level) => this.#tellDisk(level))
    void this.#disk.check()
  }

  onProblem(listener: (problem: TaktError | undefined) => void): () => void {
    const entry = (problem: TaktError | undefined): void => listener(problem)
    this.#listeners.add(entry)
    entry(this.#problem)
    return () => void this.#listeners.delete(entry)
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry)
    this.#upkeep.close()
    this.#disk?.close()
    await closeSampleRing(this.store).catch((thrown: unknown) => this.#warn(toTaktError(thrown, 'recent samples')))
    await this.store.close()
  }

  /** People learn of it in the log, and later from the ledger. */
  #tellDisk(level: DiskLevel): void {
    const { usedBytes = 0, freeBytes = 0 } = this.#disk?.space ?? {}
    const what = `${DISK_TEXTS[level]}: ${(freeBytes / GIB).toFixed(1)} GiB of the disk are free`
    for (const user of this.users) {
      user.status({ fill: DISK_FILLS[level], shape: 'dot', text: what })
      if (level === 'free') user.log(`${nameOf(user)}: ${what}`)
      else user.warn(`${nameOf(user)}: ${what}`)
    }
    const after = { level, usedBytes, freeBytes }
    this.store.transaction((tx) => tx.record({ type: 'store.disk', subject: 'disk', actor: 'store', why: what, after })).catch(() => {})
  }

  /** Backups and archives: what was done in the log, what failed to `catch` too. */
  #tellUpkeep(what: string, problem?: TaktError): void {
    for (const user of this.users) {
      if (problem !== undefined) {
        showError(user, problem)
        user.error(problem)
      } else {
        user.status({ fill: 'green', shape: 'dot', text: what.slice(0, 60) })
        user.log(`${nameOf(user)}: ${what}`)
      }
    }
  }

  #warn(problem: TaktError): void {
    for (const user of this.users) user.warn(problem.message)
  }

  #tell(problem: TaktError | undefined): void {
    if (problem !== undefined) this.#tryAgain()
    if (problem?.message === this.#problem?.message) return
    this.#problem = problem
    for (const user of this.users) {
      if (problem !== undefined) user.error(problem)
      else user.log(`${nameOf(user)}: the database is open`)
    }
    for (const listener of this.#listeners) listener(problem)
  }

  #tryAgain(): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.store.head().catch(() => {}), this.#retryMs)
    this.#retry.unref()
  }
}

const DISK_TEXTS = {
  free: 'there is room again',
  thin: 'recent samples are kept in larger steps',
  stop: 'recent samples are not kept any more',
  refuse: 'new orders are refused',
} as const satisfies Record<DiskLevel, string>

const DISK_FILLS = { free: 'green', thin: 'yellow', stop: 'yellow', refuse: 'red' } as const satisfies Record<DiskLevel, string>
