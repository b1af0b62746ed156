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
  #reading = false
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

  /** Events that this process committed. */
  committed(events: readonly LedgerEvent[]): void {
    const [first] = events
    const last = events.at(-1)
    if (first === undefined || last === undefined) return
    if (this.#reading || this.#told !== first.sequence - 1) return this.news(last.sequence)
    for (const event of events) this.#tell(event)
  }

  /** Somebody committed up to this row. */
  news(upTo: number): void {
    if (!(upTo > this.#upTo)) return
    this.#upTo = upTo
    if (!this.#reading) void this.#read()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#again)
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    clearTimeout(this.#again)
    this.#reading = true
    try {
      while (!this.#stopped && this.#told !== undefined && this.#told < this.#upTo) {
        const page = await this.#parts.read(this.#told, PAGE)
        for (const event of page) this.#tell(event)
        // rows that are missing for good are no news
        if (page.length === 0) this.#told = this.#upTo
      }
    } catch {
      // the store says itself that it cannot be read
      if (!this.#stopped) this.#again = setTimeout(() => void this.#read(), AGAIN_MS).unref()
    }
    this.#reading = false
  }

  #tell(event: LedgerEvent): void {
    if (this.#stopped) return
    this.#told = event.sequence
    this.#upTo = Math.max(this.#upTo, event.sequence)
    this.#parts.tell(event)
  }
}
