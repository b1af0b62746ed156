import type { Clock } from '../base/clock.ts'
import { type TaktError, toTaktError } from '../base/error.ts'
import type { ErpMessage } from '../messages/erp-message.ts'
import type { Genealogy } from '../messages/genealogy.ts'
import type { JobResponse } from '../messages/job-response.ts'
import type { Because } from '../orders/change-job-order.ts'
import type { Plant } from '../plant/plant.ts'
import { DurableFollower } from '../store/durable-follower.ts'
import { OutboxWorker } from '../store/outbox.ts'
import { freeAll } from '../store/outbox-rows.ts'
import type { LedgerEvent, Store } from '../store/store.ts'
import { destinationOf, type ErpChannel } from './channel.ts'
import { type Answer, sendAgain, setAside, settle } from './settle-message.ts'
import { type Concern, type Outbound, writeMessages } from './write-message.ts'

export interface ErpLinkParts {
  readonly store: Store
  readonly plant: () => Plant
  readonly clock: Clock
  readonly channel: ErpChannel
  /** Where a channel that is new begins in the ledger. */
  readonly from: 'now' | 'beginning'
  /** An end is reported when it is so old, plant ms. */
  readonly settleMs: number
  /** Real ms that a delivery takes at most. */
  readonly timeoutMs: number
  readonly because: Because
  readonly where: string
  /** First and longest pause while the ERP is away, real ms. Default 1,000 and 60,000. */
  readonly pauseMs?: number
  readonly longestPauseMs?: number
  /** Resolves with the ERP's answer; throws TAKT_ERP_AWAY, or TAKT_ERP_FAILED where only this message has to wait. */
  deliver(message: ErpMessage, body: string): Promise<Answer>
  /** A message was written, received or refused. */
  told(message: ErpMessage): void
  /** Something that ended could not be reported; it is passed over. */
  failed(problem: TaktError, concern: Concern): void
  /** Delivery, or the store, has trouble; undefined when it is over. */
  problem(problem: TaktError | undefined): void
}

export interface ErpFigures {
  readonly waiting: number
  /** real ms since the oldest of them was written */
  readonly oldestMs: number
  /** ends that are not written yet: they are younger than the settle time, or the store is away */
  readonly behind: number
}

const UNDER_WAY = 8

/**
 * The way to one ERP: follows the ledger, writes what is over into the outbox, brings it to the ERP and keeps the receipt. Where it was killed it goes on: what ended is
 * written once, with an id that follows from what it tells of, and is delivered with that id until the ERP's answer stands in the store.
 */
export class ErpLink {
  readonly #parts: ErpLinkParts
  readonly #follower: DurableFollower<Concern>
  readonly #worker: OutboxWorker

  constructor(parts: ErpLinkParts) {
    this.#parts = parts
    const { store, clock, channel, from, settleMs, timeoutMs, where } = parts
    const problem = (trouble: TaktError | undefined): void => parts.problem(trouble)
    this.#follower = new DurableFollower<Concern>({
      store,
      clock,
      name: destinationOf(channel),
      from,
      settleMs,
      where,
      concernOf,
      follow: (concern) => this.#write(concern),
      failed: (trouble, concern) => parts.failed(trouble, concern),
      problem,
    })
    this.#worker = new OutboxWorker(store, destinationOf(channel), ({ body }) => this.#deliver(JSON.parse(body) as Outbound), {
      inFlight: UNDER_WAY,
      leaseMs: 2 * timeoutMs + 30_000,
      // nothing is given up by itself: people take aside what an ERP cannot take
      attempts: Number.MAX_SAFE_INTEGER,
      pauseMs: parts.pauseMs ?? 1000,
      longestPauseMs: parts.longestPauseMs ?? 60_000,
      isAway: ({ code }) => code === 'TAKT_ERP_AWAY',
      problem,
    })
  }

  get figures(): ErpFigures {
    const { waiting, oldestMs } = this.#worker.figures
    return { waiting, oldestMs, behind: this.#follower.behind }
  }

  /** Never rejects. */
  async start(): Promise<void> {
    await this.#freeLeft()
    this.#worker.start()
    await this.#follower.start()
  }

  /** An answer that nobody waited for: it came late, or to another instance. */
  async answered(id: string, answer: Answer): Promise<ErpMessage> {
    const message = await this.#parts.store.transaction((tx) => settle(tx, id, undefined, answer, this.#parts.because))
    this.#parts.told(message)
    return message
  }

  /** Sends refused messages again; `ids` undefined: all. */
  async again(ids: readonly string[] | undefined, because: Because): Promise<ErpMessage[]> {
    const sent = await this.#parts.store.transaction((tx) => sendAgain(tx, this.#parts.channel.name, ids, because))
    this.#worker.wake()
    return sent
  }

  setAside(id: string, because: Because): Promise<ErpMessage> {
    return this.#parts.store.transaction((tx) => setAside(tx, id, because))
  }

  /** From the call on nothing new is delivered; what is under way is waited for. */
  async stop(): Promise<void> {
    await Promise.all([this.#follower.stop(), this.#worker.stop()])
  }

  /** How many the ERP has refused that were not sent again. */
  async refused(): Promise<number> {
    const { store, channel } = this.#parts
    const counted = store.db.selectFrom('erp_message').select(({ fn }) => fn.countAll<number>().as('refused'))
    const row = await counted.where('channel', '=', channel.name).where('state', '=', 'refused').executeTakeFirst()
    return Number(row?.refused ?? 0)
  }

  /** What a process that was killed had under way: where no other has the store, nobody else will bring it. */
  async #freeLeft(): Promise<void> {
    const { store, channel, problem, where } = this.#parts
    if (store.shared) return
    try {
      await store.transaction((tx) => freeAll(tx, destinationOf(channel)))
    } catch (thrown) {
      // then it waits until its lease is over
      problem(toTaktError(thrown, where))
    }
  }

  async #write(concern: Concern): Promise<void> {
    const { store, plant, channel, because, told } = this.#parts
    const written = await store.transaction((tx) => writeMessages(tx, concern, plant(), channel, because))
    if (written.length === 0) return
    for (const message of written) told(message)
    this.#worker.wake()
  }

  async #deliver({ id, body }: Outbound): Promise<void> {
    const { store, because, deliver, told } = this.#parts
    const message = await store.get('erp-message', id)
    // settled while this row was under way
    if (message === undefined || message.state !== 'waiting') return
    const answer = await deliver(message, body)
    told(await store.transaction((tx) => settle(tx, id, body, answer, because)))
  }
}

/** What of an event may have to be reported. */
function concernOf({ type, subject, after }: LedgerEvent): Concern | undefined {
  if (type === 'job-response.recorded') return { jobOrder: (after as JobResponse).jobOrder }
  if (type.startsWith('work-order.')) return { workOrder: subject }
  if (!type.startsWith('genealogy.')) return undefined
  const jobOrder = (after as Partial<Genealogy> | null)?.jobOrder
  return typeof jobOrder === 'string' ? { jobOrder } : undefined
}
