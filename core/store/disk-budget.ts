import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Store } from './store.ts'

/** What a disk that fills up still allows; each level includes the ones before it. */
export const DISK_LEVELS = ['free', 'thin', 'stop', 'refuse'] as const
/**
 * `thin`: telemetry is kept in larger steps. `stop`: telemetry is not kept any more. `refuse`: new orders are refused.
 * Business records, guaranteed messages and what runs are written at every level.
 */
export type DiskLevel = (typeof DISK_LEVELS)[number]

export interface DiskLimits {
  /** Share of the file system in use, percent, from which each level holds. */
  readonly thinPercent: number
  readonly stopPercent: number
  readonly refusePercent: number
  /** A level holds only while less than this is free, bytes: the last tenth of a large disk is room enough. */
  readonly belowFreeBytes: number
}

const GIB = 2 ** 30
export const DEFAULT_DISK_LIMITS: DiskLimits = { thinPercent: 70, stopPercent: 85, refusePercent: 95, belowFreeBytes: 10 * GIB }

export interface DiskSpace {
  readonly usedBytes: number
  readonly freeBytes: number
}

export interface DiskBudgetOptions {
  readonly limits?: DiskLimits
  /** How often the file system is asked, real ms. Default 5,000. */
  readonly everyMs?: number
  /** The space of the file system that holds this folder. */
  readonly read?: (folder: string) => Promise<DiskSpace>
}

const EVERY_MS = 5000

/** Watches how full the disk of a store is, so that telemetry gives way before records do. */
export class DiskBudget {
  readonly #folder: string
  readonly #limits: DiskLimits
  readonly #read: (folder: string) => Promise<DiskSpace>
  readonly #listeners = new Set<(level: DiskLevel) => void>()
  readonly #timer: NodeJS.Timeout
  #level: DiskLevel = 'free'
  #space: DiskSpace | undefined

  constructor(file: string, { limits = DEFAULT_DISK_LIMITS, everyMs = EVERY_MS, read = readSpace }: DiskBudgetOptions = {}) {
    this.#folder = dirname(file)
    this.#limits = limits
    this.#read = read
    this.#timer = setInterval(() => void this.check(), everyMs).unref()
  }

  get level(): DiskLevel {
    return this.#level
  }

  /** Undefined until it was read once. */
  get space(): DiskSpace | undefined {
    return this.#space
  }

  /** True when the disk is at this level or beyond. */
  isAt(level: DiskLevel): boolean {
    return DISK_LEVELS.indexOf(this.#level) >= DISK_LEVELS.indexOf(level)
  }

  /** Calls back with each change of the level. Returns the way to stop. */
  watch(listener: (level: DiskLevel) => void): () => void {
    const entry = (level: DiskLevel): void => listener(level)
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  /** Asks the file system now. One that cannot be asked changes nothing. */
  async check(): Promise<DiskLevel> {
    try {
      this.#space = await this.#read(this.#folder)
    } catch {
      return this.#level
    }
    const level = diskLevel(this.#space, this.#limits, this.#level)
    if (level === this.#level) return level
    this.#level = level
    for (const listener of this.#listeners) listener(level)
    return level
  }

  close(): void {
    clearInterval(this.#timer)
    this.#listeners.clear()
  }
}

/** A level that holds is left only two percent below its limit, so that a disk at the limit does not change it with every file. */
const HYSTERESIS_PERCENT = 2

/** The level of a file system; `before` is the level so far. */
export function diskLevel({ usedBytes, freeBytes }: DiskSpace, limits: DiskLimits, before: DiskLevel): DiskLevel {
  if (freeBytes >= limits.belowFreeBytes) return 'free'
  const percent = (100 * usedBytes) / (usedBytes + freeBytes)
  const from = (level: DiskLevel, limit: number): boolean =>
    percent >= limit - (DISK_LEVELS.indexOf(before) >= DISK_LEVELS.indexOf(level) ? HYSTERESIS_PERCENT : 0)
  if (from('refuse', limits.refusePercent)) return 'refuse'
  if (from('stop', limits.stopPercent)) return 'stop'
  return from('thin', limits.thinPercent) ? 'thin' : 'free'
}

/** As `df` has it: what is kept for root counts neither as used nor as free. */
async function readSpace(folder: string): Promise<DiskSpace> {
  const { bsize, blocks, bfree, bavail } = await statfs(folder)
  return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize }
}

const budgets = new WeakMap<Store, DiskBudget>()

/** Ties a store to the budget of its disk. */
export function setDiskBudget(store: Store, budget: DiskBudget): void {
  budgets.set(store, budget)
}

/** What the disk of a store allows; `free` where nobody watches it. */
export function diskLevelOf(store: Store): DiskLevel {
  return budgets.get(store)?.level ?? 'free'
}

/** True when the disk of a store is at this level or beyond. */
export function isDiskAt(store: Store, level: DiskLevel): boolean {
  return budgets.get(store)?.isAt(level) ?? false
}
