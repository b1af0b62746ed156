import type { Anomaly } from '../messages/anomaly.ts'
import type { AnomalyWatch } from './anomaly-watch.ts'
import type { RecordMemory } from './record-memory.ts'
import { keyOf, LEGACY, recordsOf, type WatchChanges, type WatchRecords } from './watch-records.ts'

export interface KeeperSetting {
  readonly memory: RecordMemory
  /** Makes the watch, with the records that were saved. */
  readonly make: (saved: WatchRecords | undefined) => AnomalyWatch
  /** Alarms that stand by what was recorded; absent: nothing is recorded. */
  readonly standing?: () => Promise<readonly Anomaly[]>
  /** Something could not be read or written; the watch goes on. */
  readonly failed: (thrown: unknown) => void
  /** Plant time, epoch ms. */
  readonly now: () => number
  /** Signals written in one go at most; others follow with the next. Absent: 600, some 15 MB of method auto. */
  readonly atOnce?: number
}

/** Signals of which nothing was heard for so long are forgotten, ms. */
const FORGET_AFTER_MS = 30 * 86_400_000
/** Signals of one transaction, so that neither the loop nor the store is held up for long. */
const BATCH = 40
const AT_ONCE = 600

/**
 * Keeps a watch's memory through restarts: reads it before the first sample, and writes what was learned, signal by signal. Of many signals those that wait
 * longest are written first and the others with the next go, so that it costs no more with ten thousand; at the end all of them are.
 */
export class WatchKeeper {
  readonly #setting: KeeperSetting
  readonly #alarmed = new Map<string, readonly [equipment: string, signal: string]>()
  #watch: AnomalyWatch | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(setting: KeeperSetting) {
    this.#setting = setting
  }

  /** The watch, with what it knew before a restart; an empty one when that cannot be read: better to learn anew than not to watch. */
  async open(): Promise<AnomalyWatch> {
    const { memory, make, standing, failed } = this.#setting
    let saved: WatchRecords | undefined
    let alarms: readonly Anomaly[] | undefined
    try {
      saved = await this.#migrated(await memory.load())
      alarms = await standing?.()
    } catch (thrown) {
      failed(thrown)
    }
    const watch = make(saved)
    if (alarms !== undefined) watch.reconcile(alarms)
    this.#watch = watch
    return watch
  }

  /** Writes some of what was learned since it was written. */
  async save(): Promise<void> {
    this.#watch?.forgetIdle(this.#setting.now() - FORGET_AFTER_MS)
    await this.#write(this.#setting.atOnce ?? AT_ONCE)
  }

  /** An alarm began or ended: what was learned of its signal is written with the next `saveAlarms`. */
  alarmed(equipment: string, signal: string): void {
    this.#alarmed.set(keyOf(equipment, signal), [equipment, signal])
  }

  /** Writes what belongs to alarms that began or ended, and nothing else. */
  async saveAlarms(): Promise<void> {
    if (this.#alarmed.size === 0) return
    const names = [...this.#alarmed.values()]
    this.#alarmed.clear()
    await this.#next(async (watch) => {
      for (let from = 0; from < names.length; from += BATCH) await this.#commit(watch, watch.changesOf(names.slice(from, from + BATCH)))
    })
  }

  /** Writes all that was learned. */
  async saveAll(): Promise<void> {
    await this.#write(Number.POSITIVE_INFINITY)
  }

  /** Nothing of it stays. */
  async remove(): Promise<void> {
    await this.#next(() => this.#setting.memory.remove())
  }

  async #write(signals: number): Promise<void> {
    await this.#next(async (watch) => {
      for (let left = signals; left > 0 && watch.hasChanges; left -= BATCH) await this.#commit(watch, watch.changes(Math.min(BATCH, left)))
    })
  }

  async #commit(watch: AnomalyWatch, changes: WatchChanges): Promise<void> {
    if (changes.put.size === 0 && changes.drop.length === 0) return
    try {
      await this.#setting.memory.write(changes)
    } catch (thrown) {
      watch.notWritten(changes)
      throw thrown
    }
  }

  /** One after the other: an older record must not come after a newer one. */
  #next(work: (watch: AnomalyWatch) => Promise<void>): Promise<void> {
    const watch = this.#watch
    if (watch === undefined) return Promise.resolve()
    const done = this.#writing.then(() => work(watch))
    this.#writing = done.catch(() => {})
    return done
  }

  /** The one record of versions before becomes records of their own, once. */
  async #migrated(records: WatchRecords): Promise<WatchRecords> {
    if (!records.has(LEGACY)) return records
    const made = recordsOf(records.get(LEGACY)) ?? new Map<string, unknown>()
    const entries = [...made]
    for (let from = 0; from < entries.length; from += BATCH) await this.#setting.memory.write({ put: new Map(entries.slice(from, from + BATCH)), drop: [] })
    await this.#setting.memory.write({ put: new Map(), drop: [LEGACY] })
    return made
  }
}
