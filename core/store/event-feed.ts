import type { LedgerEvent } from './store.ts'

export interface FeedParts {
  read(after: number, limit: number): Promise<readonly LedgerEvent[]>
  tell(event: LedgerEvent): void
}

const PAGE = 200
const AGAIN_MS = 1000
/** Commits at most that are kept to be told. */
const OWN_AT_MOST = 100

/**
 * Brings the events of a ledger that several instances write to those who listen: each once and in order, its own at once where none of another came between,
 * those of others as soon as somebody says that there are some.
 */
export class EventFeed {
  readonly #parts: FeedParts
  /** the last event that was told; nothing is told before it is known where to begin */
  #told: number | undefined
  #upTo = 0
  /** commits of this process that were not told yet, because others come before them */
  readonly #own: Array<readonly LedgerEvent[]> = []
  /** those who wait until an event was told */
  #waiting: Array<{ readonly sequence: number; readonly resolve: () => void }> = []
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
    if (this.#stopped || (this.#told ?? last.sequence) >= last.sequence) return undefined
    if (this.#reading !== undefined || this.#told !== first.sequence - 1) {
      // they can be read too, should others not be told for long
      if (this.#own.length >= OWN_AT_MOST) this.#own.length = 0
      this.#own.push(events)
      this.news(last.sequence)
      if (this.#reading === undefined) return undefined
      return new Promise((resolve) => this.#waiting.push({ sequence: last.sequence, resolve }))
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
    this.#free(Number.POSITIVE_INFINITY)
  }

  #readOn(): void {
    clearTimeout(this.#again)
    this.#reading ??= this.#read().then((isDone) => {
      this.#reading = undefined
      if (this.#stopped) return
      // what cannot be read is told later; who has committed need not wait for that
      if (!isDone) this.#free(Number.POSITIVE_INFINITY)
      if (!isDone) this.#again = setTimeout(() => this.#readOn(), AGAIN_MS).unref()
      // what was said in the meantime
      else if (this.#isBehind()) this.#readOn()
    })
  }

  /** False when the store cannot be read, which it says itself. */
  async #read(): Promise<boolean> {
    try {
      while (!this.#stopped && this.#isBehind()) {
        if (this.#tellOwn()) continue
        const told = this.#told as number
        const next = this.#own[0]?.[0]?.sequence ?? Number.POSITIVE_INFINITY
        const page = await this.#parts.read(told, Math.min(PAGE, next - told - 1))
        for (const event of page) this.#tell(event)
        // rows that are missing for good are no news
        if (page.length === 0) this.#told = Math.min(this.#upTo, next - 1)
        this.#free(this.#told as number)
      }
      return true
    } catch {
      return false
    }
  }

  /** The next commit of this process, when it is its turn: it is known here already. */
  #tellOwn(): boolean {
    const told = this.#told as number
    const [events] = this.#own
    if (events === undefined || (events[0]?.sequence ?? 0) > told + 1) return false
    this.#own.shift()
    for (const event of events) if (event.sequence > told) this.#tell(event)
    this.#free(this.#told as number)
    return true
  }

  /** Those who waited for this event or one before it go on. */
  #free(sequence: number): void {
    const ready = this.#waiting.filter((one) => one.sequence <= sequence)
    if (ready.length === 0) return
    this.#waiting = this.#waiting.filter((one) => one.sequence > sequence)
    for (const { resolve } of ready) resolve()
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
