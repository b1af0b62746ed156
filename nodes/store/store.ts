import { join, resolve } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { DEFAULT_DISK_LIMITS, DiskBudget, type DiskLevel, type DiskLimits, setDiskBudget } from '../../core/store/disk-budget.ts'
import { inboxOf } from '../../core/store/inbox.ts'
import { openStore } from '../../core/store/open-store.ts'
import { closeSampleRing } from '../../core/store/sample-ring.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { optionalConfigNode } from '../shared/lookup.ts'
import { numberSetting } from '../shared/settings.ts'

export interface StoreConfig extends NodeDef {
  /** SQLite file; relative to the user directory. Empty: `takt/takt.db` */
  file: string
  /** The plant whose clock times the records; the system's without one */
  plant: string
  /** minutes that everything which follows from a guaranteed message has to be recorded */
  settleMinutes?: string | number
  /** percent of the disk in use from which telemetry is thinned, is not kept any more, and new orders are refused; only below `diskFreeGb` of free space */
  diskThin?: string | number
  diskStop?: string | number
  diskRefuse?: string | number
  diskFreeGb?: string | number
}

/** What other nodes use: `RED.nodes.getNode(config.store) as StoreNode`. Usable at once; calls wait until the database is open. */
export interface StoreNode extends Node {
  readonly store: Store
  /** Calls back now and with each change: the error while the database cannot be opened or written, undefined while it can. Returns the way to stop. */
  onProblem(listener: (problem: TaktError | undefined) => void): () => void
}

const DEFAULT_FILE = join('takt', 'takt.db')
/** Nodes that are closed in the same deploy still save what they know. */
const LAST_WORDS_MS = 100
const RETRY_MS = 5000
const GIB = 2 ** 30

export default function registerStore(RED: NodeAPI): void {
  /** One store a file, however many config nodes name it. */
  const open = new Map<string, SharedStore>()

  defineNode<StoreConfig, StoreNode>(RED, {
    type: 'takt-store',
    create(node, config) {
      const file = fileOf(RED, config.file)
      const plant = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const settings = settingsOf(config, nameOf(node))
      const shared = open.get(file) ?? new SharedStore(file, plant, settings)
      if (shared.plant !== plant?.id) {
        throw new TaktError('TAKT_CONFIG_INVALID', { what: `another store node has the file ${file} with another plant`, where: nameOf(node) })
      }
      open.set(file, shared)
      shared.users.add(node)
      Object.defineProperty(node, 'store', { value: shared.store })
      node.onProblem = (listener) => shared.onProblem(listener)

      return {
        async close() {
          shared.users.delete(node)
          await new Promise((later) => setTimeout(later, LAST_WORDS_MS))
          if (shared.users.size > 0 || open.get(file) !== shared) return
          open.delete(file)
          await shared.close()
        },
      }
    },
  })
}

/** A store and the config nodes that name its file; tells them what goes wrong, once each time, and tries again by itself. */
class SharedStore {
  readonly users = new Set<StoreNode>()
  readonly plant: string | undefined
  readonly store: Store
  readonly #disk: DiskBudget | undefined
  readonly #listeners = new Set<(problem: TaktError | undefined) => void>()
  #problem: TaktError | undefined
  #retry: NodeJS.Timeout | undefined

  constructor(file: string, plant: PlantNode | undefined, { settleMs, limits }: Settings) {
    this.plant = plant?.id
    this.store = openStore({
      file,
      clock: plant?.clock ?? systemClock,
      onOpen: () => this.#tell(undefined),
      onFailure: (error) => this.#tell(error),
      onWarning: (error) => {
        for (const user of this.users) user.warn(error.message)
      },
    })
    inboxOf(this.store, { settleMs, warn: (problem) => this.#warn(problem) })
    if (file === ':memory:') return
    this.#disk = new DiskBudget(file, { limits })
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
    this.#retry = setTimeout(() => void this.store.head().catch(() => {}), RETRY_MS)
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

interface Settings {
  readonly settleMs: number
  readonly limits: DiskLimits
}

function settingsOf(config: StoreConfig, where: string): Settings {
  const number = numberSetting(where)
  const { thinPercent, stopPercent, refusePercent, belowFreeBytes } = DEFAULT_DISK_LIMITS
  const limits = {
    thinPercent: number(config.diskThin, 'thin from', thinPercent, 1, 100),
    stopPercent: number(config.diskStop, 'keep no samples from', stopPercent, 1, 100),
    refusePercent: number(config.diskRefuse, 'refuse orders from', refusePercent, 1, 100),
    belowFreeBytes: number(config.diskFreeGb, 'free space', belowFreeBytes / GIB, 0, 1_000_000) * GIB,
  }
  if (limits.thinPercent > limits.stopPercent || limits.stopPercent > limits.refusePercent)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the three limits of the disk do not rise', where })
  return { settleMs: number(config.settleMinutes, 'settle time', 10, 1, 10_080) * 60_000, limits }
}

function fileOf(RED: NodeAPI, configured: string | undefined): string {
  const file = configured?.trim() || DEFAULT_FILE
  return file === ':memory:' ? file : resolve(RED.settings.userDir ?? process.cwd(), file)
}
