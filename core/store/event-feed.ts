import type { LedgerEvent } from './store.ts'

export interface FeedParts {
  read(after: number, limit: number): Promise<readonly LedgerEvent[]>
  tell(event: LedgerEvent): void
}

const PAGE = 200
const AGAIN_MS = 1000

/**
 * Brings the events of a ledger that several instances write to those who listen: each once and in order, its own at once where none of another came between,
 * those of others as soon as somebody says that there are some.
 */
export class EventFeed {
  readonly #parts: FeedParts
  /** the last event that was told; nothing is told before it is known where to begin */
  #told: number | undefined
  #upTo = 0
  #reading: Promise<void> | undefined
  #again: NodeJS.Timeout | undefined
  #stopped = false

  constructor(parts: FeedParts) {
    this.#parts = parts
  }

  /** Everything after this row is news. Only the first call counts: what happened during an outage is told after it. */
  start(after: number): void {
    this.#told ??= after
    this.#upTo = Math.max(this.#upTo, after)
  }

  /** Events that this process committed. Where some of others come before them, a promise that is kept when these were told too. */
  committed(events: readonly LedgerEvent[]): Promise<void> | undefined {
    const [first] = events
    const last = events.at(-1)
    if (first === undefined || last === undefined) return undefined
    if (this.#reading !== undefined || this.#told !== first.sequence - 1) {
      this.news(last.sequence)
      return this.#reading
    }
    for (const event of events) this.#tell(event)
    return undefined
  }

  /** Somebody committed up to this row. */
  news(upTo: number): void {
    if (!(upTo > this.#upTo)) return
    this.#upTo = upTo
    this.#readOn()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#again)
  }

  #readOn(): void {
    clearTimeout(this.#again)
    this.#reading ??= this.#read().then((isDone) => {
      this.#reading = undefined
      if (this.#stopped) return
      if (!isDone) this.#again = setTimeout(() => this.#readOn(), AGAIN_MS).unref()
      // what was said in the meantime
      else if (this.#isBehind()) this.#readOn()
    })
  }

  /** False when the store cannot be read, which it says itself. */
  async #read(): Promise<boolean> {
    try {
      while (!this.#stopped && this.#isBehind()) {
        const page = await this.#parts.read(this.#told as number, PAGE)
        for (const event of page) this.#tell(event)
        // rows that are missing for good are no news
        if (page.length === 0) this.#told = this.#upTo
      }
      return true
    } catch {
      return false
    }
  }

  #isBehind(): boolean {
    return this.#told !== undefined && this.#told < this.#upTo
  }

  #tell(event: LedgerEvent): void {
    if (this.#stopped) return
    this.#told = event.sequence
    this.#upTo = Math.max(this.#upTo, event.sequence)
    this.#parts.tell(event)
  }
}
