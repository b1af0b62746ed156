import type { Clock } from '../base/clock.ts'
import type { TaktError } from '../base/error.ts'
import type { Anomaly } from '../messages/anomaly.ts'
import type { Genealogy } from '../messages/genealogy.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { JobResponse } from '../messages/job-response.ts'
import type { Plant } from '../plant/plant.ts'
import { DurableFollower } from '../store/durable-follower.ts'
import type { LedgerEvent, Store } from '../store/store.ts'
import { followLot, followResponse } from './follow-jobs.ts'
import type { TraceOptions } from './record-event.ts'
import type { Told, TraceDesk } from './trace-desk.ts'

export interface TraceFollowerParts {
  readonly store: Store
  readonly clock: Clock
  readonly plant: () => Plant
  readonly desk: TraceDesk
  readonly options: TraceOptions
  /** Whose place in the ledger it is. */
  readonly node: string
  /** Make genealogy of what job orders used and counted. */
  readonly jobs: boolean
  readonly where: string
  /** What came of what happened, without being asked. */
  told(told: readonly Told[]): void
  /** A job order's material that could not be booked. */
  refused(problem: TaktError, event: Genealogy): void
  /** What happened could not be followed, three times, and is passed over. */
  failed(problem: TaktError, event: LedgerEvent): void
  /** The store cannot be read or written (and is tried again), or can be again. */
  problem(error: TaktError | undefined): void
}

const WAITING_AT_MOST = 1000

/**
 * Follows the ledger: what job orders used becomes genealogy, what work orders counted becomes stock, anomalies become containments. It goes on where it was after a
 * restart; what it does again changes nothing. A new node begins with what happens from then on.
 */
export class TraceFollower {
  readonly #parts: TraceFollowerParts
  readonly #follower: DurableFollower<LedgerEvent>
  /** By lot that has to come in: the job responses that wait for it. */
  readonly #waiting = new Map<string, Set<string>>()

  constructor(parts: TraceFollowerParts) {
    this.#parts = parts
    const { store, clock, node, where } = parts
    this.#follower = new DurableFollower<LedgerEvent>({
      store,
      clock,
      name: node,
      from: 'now',
      where,
      concernOf: (event) => (concerns(event) ? event : undefined),
      follow: (event) => this.#follow(event),
      failed: (problem, event) => parts.failed(problem, event),
      problem: (problem) => parts.problem(problem),
      memory: {
        save: () => ({ waiting: Array.from(this.#waiting, ([lot, responses]) => Array.from(responses, (response) => [lot, response])).flat() }),
        restore: ({ waiting }) => {
          for (const [lot, response] of (waiting ?? []) as Array<[lot: string, response: string]>) this.#wait(lot, response)
        },
      },
    })
  }

  /** Waits for a store that is away. Never rejects. */
  start(): Promise<void> {
    return this.#follower.start()
  }

  /** Ends after the event under way; the rest is taken up at the next start. */
  stop(): Promise<void> {
    return this.#follower.stop()
  }

  async #follow({ type, after }: LedgerEvent): Promise<void> {
    const { store, desk, jobs, options } = this.#parts
    if (type === 'anomaly.raised' || type === 'anomaly.updated' || type === 'anomaly.cleared') {
      this.#parts.told(await desk.anomaly(after as Anomaly))
    } else if (type === 'job-order.running') {
      await this.#begun(after as JobOrder)
    } else if (!jobs) {
      return
    } else if (type === 'job-response.recorded') {
      await this.#book((after as JobResponse).id)
    } else if (type === 'lot.counted') {
      await followLot(store, (after as { id: string }).id, options.actor)
    } else if (type.startsWith('genealogy.') && this.#waiting.size > 0) {
      for (const { lot } of (after as Genealogy).outputs) await this.#arrived(lot)
    }
  }

  /** What a unit begins while an anomaly stands on it is in doubt from the start. */
  async #begun({ equipment }: JobOrder): Promise<void> {
    if (equipment === null) return
    const standing = await this.#parts.store.list('anomaly', { where: { equipment, state: ['raised', 'updated'] }, orderBy: 'since' })
    for (const anomaly of standing) this.#parts.told(await this.#parts.desk.anomaly(anomaly))
  }

  async #book(response: string): Promise<void> {
    const { store, plant, options, refused, told } = this.#parts
    const followed = await followResponse(store, plant(), response, options)
    told(followed.recorded.map(({ event, lots }) => ({ port: 'result', topic: `genealogy/${event.event}`, payload: event, more: { lots } })))
    for (const { event, problem } of followed.refused) {
      for (const { lot } of event.inputs) this.#wait(lot, response)
      refused(problem, event)
    }
  }

  async #arrived(lot: string): Promise<void> {
    const responses = this.#waiting.get(lot)
    if (responses === undefined) return
    this.#waiting.delete(lot)
    for (const response of responses) await this.#book(response)
  }

  #wait(lot: string, response: string): void {
    const known = this.#waiting.get(lot)
    if (known !== undefined) known.add(response)
    else if (this.#waiting.size < WAITING_AT_MOST) this.#waiting.set(lot, new Set([response]))
  }
}

function concerns({ type }: LedgerEvent): boolean {
  return (
    type.startsWith('anomaly.') || type.startsWith('genealogy.') || type === 'job-response.recorded' || type === 'lot.counted' || type === 'job-order.running'
  )
}
