import type { Store } from '../../store/store.ts'
import { type DetectorScope, dropScope, loadScope, saveScope } from './detector-scopes.ts'

/** More equipment than this is not kept: a scope is for scoring, not a memory. */
const MOST_EQUIPMENT = 10_000

/** Notes which equipment a detector judges, and keeps it in the store when there is more. */
export class ScopeKeeper {
  readonly #store: Store
  readonly #own: Pick<DetectorScope, 'detector' | 'name' | 'method'>
  readonly #now: () => number
  readonly #equipment = new Set<string>()
  #dirty = false
  #saving: Promise<void> = Promise.resolve()

  /** `now`: plant time, epoch ms. */
  constructor(store: Store, own: Pick<DetectorScope, 'detector' | 'name' | 'method'>, now: () => number) {
    this.#store = store
    this.#own = own
    this.#now = now
  }

  /** A value of it is judged. */
  saw(equipment: string): void {
    if (this.#equipment.has(equipment) || this.#equipment.size >= MOST_EQUIPMENT) return
    this.#equipment.add(equipment)
    this.#dirty = true
  }

  /** Keeps what is new; cheap when nothing is. Rejects when the store cannot; the next call tries again. */
  save(): Promise<void> {
    this.#saving = this.#saving.catch(() => {}).then(() => this.#write())
    return this.#saving
  }

  /** The detector is gone. */
  async drop(): Promise<void> {
    await this.#saving.catch(() => {})
    await dropScope(this.#store, this.#own.detector)
  }

  async #write(): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    try {
      const before = await loadScope(this.#store, this.#own.detector)
      const same = before?.method === this.#own.method ? before : undefined
      const equipment = [...new Set([...(same?.equipment ?? []), ...this.#equipment])].slice(0, MOST_EQUIPMENT)
      if (same !== undefined && same.name === this.#own.name && equipment.length === same.equipment.length) return
      await saveScope(this.#store, { ...this.#own, equipment, since: same?.since ?? this.#now() })
    } catch (thrown) {
      this.#dirty = true
      throw thrown
    }
  }
}
