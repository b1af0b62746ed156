import { type TaktError, toTaktError } from '../base/error.ts'
import type { LedgerEvent, Store } from './store.ts'

const PAGE = 200
/** Real time between two attempts to read when the store cannot be read. */
const RETRY_MS = 2000

export interface EventListener {
  deliver(event: LedgerEvent): void
  /** The store cannot be read (and is tried again), or can be again. */
  problem(error: TaktError | undefined): void
}

/**
 * Hears of every event from a point of the ledger on, once and in order: first what is recorded already, in pages, then what happens as it happens.
 * `after` is the sequence number of the last event known, undefined for those from now on.
 */
export class EventFollower {
  readonly #store: Pick<Store, 'events' | 'subscribe'>
  readonly #listener: EventListener
  readonly #unsubscribe: () => void
  #cursor: number | undefined
  /** The newest event that was committed, delivered or not. */
  #heard = 0
  #live = false
  #stopped = false
  #retry: NodeJS.Timeout | undefined

  constructor(store: Pick<Store, 'events' | 'subscribe'>, after: number | undefined, listener: EventListener) {
    this.#store = store
    this.#cursor = after
    this.#listener = listener
    this.#unsubscribe = store.subscribe((event) => this.#hear(event))
  }

  /** Sequence number of the last event that was delivered or passed over. */
  get cursor(): number | undefined {
    return this.#cursor
  }

  /** Begins to deliver. What was committed since the follower was made is not lost. */
  async start(): Promise<void> {
    try {
      while (!this.#stopped && this.#cursor !== undefined) {
        const page = await this.#store.events(this.#cursor, PAGE)
        for (const event of page) this.#deliver(event)
        // what was committed while the page was read was heard, but not delivered
        if (page.length < PAGE && this.#heard <= this.#cursor) break
      }
      this.#live = true
      this.#listener.problem(undefined)
    } catch (thrown) {
      if (this.#stopped) return
      this.#listener.problem(toTaktError(thrown, 'events of the store'))
      this.#retry = setTimeout(() => void this.start(), RETRY_MS)
    }
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retry)
    this.#unsubscribe()
  }

  #hear(event: LedgerEvent): void {
    this.#heard = event.sequence
    this.#cursor ??= event.sequence - 1
    if (this.#live) this.#deliver(event)
  }

  #deliver(event: LedgerEvent): void {
    if (this.#stopped || (this.#cursor !== undefined && event.sequence <= this.#cursor)) return
    this.#cursor = event.sequence
    this.#listener.deliver(event)
  }
}

/**
 * A test for event types from a list like `work-order.*, anomaly.raised`. A star stands for any characters; an empty list accepts all.
 * Undefined when a pattern has other characters than letters, digits, dots, dashes and stars.
 */
export function typeFilter(list: string): ((type: string) => boolean) | undefined {
  const patterns = list
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
  if (patterns.some((pattern) => !/^[\w.*-]+$/.test(pattern))) return undefined
  if (patterns.length === 0) return () => true
  const any = new RegExp(`^(?:${patterns.map((pattern) => pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*')).join('|')})$`)
  return (type) => any.test(type)
}
