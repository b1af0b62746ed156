import { type Clock, systemClock } from '../base/clock.ts'
import { type TaktError, toTaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import { uniqueId } from '../base/id.ts'
import { discard, giveUp, lease, type OutboxRow, postpone, release } from './outbox-rows.ts'
import type { Store, StoreTransaction } from './store.ts'

/** A message to the outside, written with the business change that it tells of. */
export interface Outgoing {
  /** Who delivers it: one worker a destination. */
  readonly destination: string
  readonly topic: string
  readonly body: string
}

/** Hands a message over in this transaction: it goes out if, and only if, the transaction is committed. */
export async function enqueue(tx: StoreTransaction, { destination, topic, body }: Outgoing, clock: Clock = systemClock): Promise<void> {
  await tx.db.insertInto('outbox').values({ destination, topic, body, created: clock.now(), leased_by: null, leased_until: null, attempts: 0 }).execute()
}

export interface OutboxFigures {
  readonly waiting: number
  /** real ms since the oldest of them was written */
  readonly oldestMs: number
  readonly delivered: number
  readonly givenUp: number
}

export interface OutboxOptions {
  /** Real ms for which a row belongs to the worker that took it; longer than a delivery takes. Default 30,000. */
  readonly leaseMs?: number
  /** Refusals after which a message is put aside. Default 10. A receiver that is away costs none. */
  readonly attempts?: number
  /** Pause after the first failure, doubled with each, up to `longestPauseMs`. Default 500 and 60,000. */
  readonly pauseMs?: number
  readonly longestPauseMs?: number
  /** Messages under way at a time. Default 100. */
  readonly inFlight?: number
  /** How often rows that another process wrote are looked for, real ms. Default 1,000. */
  readonly pollMs?: number
  /** True when the receiver is away rather than refusing: everything waits for it. */
  isAway?(error: TaktError): boolean
  /** Called when a delivery failed, and with undefined when one went through again. */
  problem?(problem: TaktError | undefined): void
  readonly clock?: Clock
}

const AWAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['TAKT_BROKER_AWAY', 'TAKT_BROKER_REFUSED', 'TAKT_BROKER_TLS', 'TAKT_OPCUA_AWAY', 'TAKT_TIMEOUT'])

/**
 * Drains one destination of the outbox: leases rows, delivers them, deletes them on receipt. In order for each topic; topics side by side.
 * A process that dies between delivery and deletion delivers again: the receiver gets everything at least once, and can tell by the content.
 */
export class OutboxWorker {
  readonly #store: Store
  readonly #destination: string
  readonly #deliver: (message: { readonly topic: string; readonly body: string; readonly id: number }) => Promise<void>
  readonly #options: Required<Omit<OutboxOptions, 'problem' | 'isAway'>> & Pick<OutboxOptions, 'problem' | 'isAway'>
  readonly #owner = uniqueId('worker')
  #running: Promise<void> | undefined
  #stopped = false
  #again = false
  #timer: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined
  #awayPauseMs: number
  #failing = false
  #figures: OutboxFigures = { waiting: 0, oldestMs: 0, delivered: 0, givenUp: 0 }

  /** `deliver` resolves on the receiver's receipt and rejects otherwise. */
  constructor(
    store: Store,
    destination: string,
    deliver: (message: { readonly topic: string; readonly body: string; readonly id: number }) => Promise<void>,
    options: OutboxOptions = {},
  ) {
    this.#store = store
    this.#destination = destination
    this.#deliver = deliver
    this.#options = { leaseMs: 30_000, attempts: 10, pauseMs: 500, longestPauseMs: 60_000, inFlight: 100, pollMs: 1000, clock: systemClock, ...options }
    this.#awayPauseMs = this.#options.pauseMs
  }

  get figures(): OutboxFigures {
    return this.#figures
  }

  start(): void {
    this.wake()
  }

  /** Looks for work now: after something was written, or when the receiver is back. */
  wake(): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Finishes what is under way; the rest waits for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe?.()
    clearTimeout(this.#timer)
    await this.#running
    await this.#store.transaction((tx) => release(tx, this.#destination, this.#owner)).catch(() => {})
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    let pauseMs = this.#options.pollMs
    while (this.#again && !this.#stopped) {
      this.#again = false
      try {
        pauseMs = await this.#round()
      } catch (thrown) {
        this.#tell(toTaktError(thrown, `outbox of ${this.#destination}`))
        pauseMs = this.#options.pollMs
      }
    }
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.wake(), pauseMs)
    this.#timer.unref()
  }

  /** Leases and delivers once; returns how long to wait when nothing calls before. */
  async #round(): Promise<number> {
    const { clock, inFlight, leaseMs, pollMs, longestPauseMs } = this.#options
    const now = clock.now()
    const { rows, waiting, oldest } = await this.#store.transaction((tx) =>
      lease(tx, this.#destination, this.#owner, { now, until: now + leaseMs, limit: inFlight, longestPauseMs }),
    )
    this.#figures = { ...this.#figures, waiting, oldestMs: oldest === undefined ? 0 : Math.max(0, now - oldest) }
    if (rows.length === 0) return pollMs
    const away = await this.#deliverAll(rows)
    if (away) {
      const pauseMs = this.#awayPauseMs
      this.#awayPauseMs = Math.min(2 * pauseMs, this.#options.longestPauseMs)
      return pauseMs
    }
    this.#awayPauseMs = this.#options.pauseMs
    this.#again = true
    return pollMs
  }

  /** Topics side by side, each in order up to its first failure. True when the receiver is away. */
  async #deliverAll(rows: readonly OutboxRow[]): Promise<boolean> {
    const done: number[] = []
    const failed: Array<{ readonly row: OutboxRow; readonly error: TaktError }> = []
    let away = false
    await Promise.all(
      [...byTopic(rows).values()].map(async (queue) => {
        for (const row of queue) {
          if (away || this.#stopped) return
          try {
            await this.#deliver({ topic: row.topic, body: row.body, id: row.id })
            done.push(row.id)
          } catch (thrown) {
            const error = toTaktError(thrown, `${this.#destination}, ${row.topic}`)
            if (this.#isAway(error)) away = true
            else failed.push({ row, error })
            this.#tell(error)
            return
          }
        }
      }),
    )
    const now = this.#options.clock.now()
    let givenUp = 0
    await this.#store.transaction(async (tx) => {
      givenUp = 0
      await discard(tx, done)
      for (const { row, error } of failed) {
        if (row.attempts + 1 < this.#options.attempts) await postpone(tx, this.#owner, row, now + this.#pauseAfter(row.attempts))
        else if (await giveUp(tx, this.#owner, row, error, now)) givenUp++
      }
      await release(tx, this.#destination, this.#owner)
    })
    if (done.length > 0 && failed.length === 0 && !away) this.#tell(undefined)
    const { waiting, delivered, ...rest } = this.#figures
    this.#figures = { ...rest, waiting: waiting - done.length - givenUp, delivered: delivered + done.length, givenUp: rest.givenUp + givenUp }
    return away
  }

  #isAway(error: TaktError): boolean {
    return this.#options.isAway?.(error) ?? AWAY.has(error.code)
  }

  #pauseAfter(attempts: number): number {
    return Math.min(this.#options.pauseMs * 2 ** attempts, this.#options.longestPauseMs)
  }

  #tell(problem: TaktError | undefined): void {
    if (problem === undefined && !this.#failing) return
    this.#failing = problem !== undefined
    this.#options.problem?.(problem)
  }
}

function byTopic(rows: readonly OutboxRow[]): Map<string, OutboxRow[]> {
  const topics = new Map<string, OutboxRow[]>()
  for (const row of rows) {
    const queue = topics.get(row.topic)
    if (queue === undefined) topics.set(row.topic, [row])
    else queue.push(row)
  }
  return topics
}
