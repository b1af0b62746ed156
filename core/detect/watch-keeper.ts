import type { Anomaly } from '../messages/anomaly.ts'
import type { AnomalyWatch } from './anomaly-watch.ts'
import type { WatchMemory } from './watch-memory.ts'

export interface KeeperSetting {
  readonly memory: WatchMemory
  /** Makes the watch, with what was saved. */
  readonly make: (saved: unknown) => AnomalyWatch
  /** Alarms that stand by what was recorded; absent: nothing is recorded. */
  readonly standing?: () => Promise<readonly Anomaly[]>
  /** Something could not be read or written; the watch goes on. */
  readonly failed: (thrown: unknown) => void
  /** Plant time, epoch ms. */
  readonly now: () => number
}

/** Signals of which nothing was heard for so long are forgotten, ms. */
const FORGET_AFTER_MS = 30 * 86_400_000

/** Keeps a watch's memory through restarts: reads it before the first sample, writes it when something was learned. */
export class WatchKeeper {
  readonly #setting: KeeperSetting
  #watch: AnomalyWatch | undefined
  #dirty = false

  constructor(setting: KeeperSetting) {
    this.#setting = setting
  }

  /** The watch, with what it knew before a restart; an empty one when that cannot be read: better to learn anew than not to watch. */
  async open(): Promise<AnomalyWatch> {
    const { memory, make, standing, failed } = this.#setting
    let saved: unknown
    let alarms: readonly Anomaly[] | undefined
    try {
      saved = await memory.load()
      alarms = await standing?.()
    } catch (thrown) {
      failed(thrown)
    }
    const watch = make(saved)
    if (alarms !== undefined) watch.reconcile(alarms)
    this.#watch = watch
    return watch
  }

  /** Something was learned or raised since it was saved. */
  changed(): void {
    this.#dirty = true
  }

  async save(): Promise<void> {
    if (this.#watch === undefined || !this.#dirty) return
    this.#dirty = false
    this.#watch.forgetIdle(this.#setting.now() - FORGET_AFTER_MS)
    await this.#setting.memory.save(this.#watch.state)
  }

  /** The same watch with other settings (roles, limits): what was learned stays. */
  remake(): AnomalyWatch | undefined {
    if (this.#watch !== undefined) this.#watch = this.#setting.make(this.#watch.state)
    return this.#watch
  }

  saveInBackground(): void {
    this.save().catch(this.#setting.failed)
  }
}
