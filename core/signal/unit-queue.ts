/** Takes what waits for one key at once, and is called for one key at a time. */
export type Worker<T> = (key: string, items: readonly T[]) => Promise<void>

interface Waiting<T> {
  items: T[]
  done: Promise<void>
}

/**
 * Work in order for each key, keys side by side; what arrives for a key while it is busy is taken together next, so that many samples a second become
 * few transactions. What failed is kept, and taken again together with what comes next.
 */
export class UnitQueue<T> {
  readonly #worker: Worker<T>
  readonly #kept: number
  readonly #running = new Map<string, Promise<void>>()
  readonly #waiting = new Map<string, Waiting<T>>()
  readonly #failed = new Map<string, readonly T[]>()

  /** `kept`: how many items of a key outlive a failure; of more, the oldest are given up. */
  constructor(worker: Worker<T>, kept = 1000) {
    this.#worker = worker
    this.#kept = kept
  }

  /** Resolves when the items are done; rejects when the work that they were part of failed. */
  add(key: string, ...items: readonly T[]): Promise<void> {
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) {
      waiting.items.push(...items)
      return waiting.done
    }
    const next: Waiting<T> = { items: [...items], done: Promise.resolve() }
    this.#waiting.set(key, next)
    const before = this.#running.get(key) ?? Promise.resolve()
    next.done = before.catch(() => {}).then(() => this.#run(key, next))
    this.#running.set(key, next.done)
    return next.done
  }

  get failing(): number {
    return this.#failed.size
  }

  /** Tries again what failed. */
  async retry(): Promise<void> {
    await Promise.all([...this.#failed.keys()].map((key) => this.add(key)))
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values())
  }

  async #run(key: string, next: Waiting<T>): Promise<void> {
    this.#waiting.delete(key)
    const items = [...(this.#failed.get(key) ?? []), ...next.items]
    this.#failed.delete(key)
    try {
      await this.#worker(key, items)
    } catch (error) {
      this.#failed.set(key, items.slice(-this.#kept))
      throw error
    } finally {
      if (this.#running.get(key) === next.done) this.#running.delete(key)
    }
  }
}
