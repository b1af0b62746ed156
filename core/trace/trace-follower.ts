import { type TaktError, toTaktError } from '../base/error.ts'
import type { Anomaly } from '../messages/anomaly.ts'
import type { Genealogy } from '../messages/genealogy.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { JobResponse } from '../messages/job-response.ts'
import type { Plant } from '../plant/plant.ts'
import { EventFollower } from '../store/follow-events.ts'
import type { LedgerEvent, Store } from '../store/store.ts'
import { followLot, followResponse } from './follow-jobs.ts'
import type { TraceOptions } from './record-event.ts'
import type { Told, TraceDesk } from './trace-desk.ts'

export interface TraceFollowerParts {
  readonly store: Store
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
  /** The store cannot be read or written (and is tried again), or can be again. */
  problem(error: TaktError | undefined): void
}

interface Place {
  readonly sequence: number
  /** job responses that wait for a lot to come in: lot and response */
  readonly waiting: ReadonlyArray<readonly [lot: string, response: string]>
}

const PLACE = 'place'
const SAVE_MS = 1000
const RETRY_MS = 2000
const WAITING_AT_MOST = 1000

/**
 * Follows the ledger: what job orders used becomes genealogy, what work orders counted becomes stock, anomalies become containments. It goes on where it was after a
 * restart; what it does again changes nothing. A new node begins with what happens from then on.
 */
export class TraceFollower {
  readonly #parts: TraceFollowerParts
  readonly #queue: LedgerEvent[] = []
  #waiting = new Map<string, Set<string>>()
  /** the last event that came, and the last that is done with */
  #heard = 0
  #sequence = 0
  #saved = 0
  #follower: EventFollower | undefined
  #working: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(parts: TraceFollowerParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    const { store, node, problem } = this.#parts
    while (!this.#stopped) {
      try {
        const place = (await store.loadState(node, PLACE)) as Place | undefined
        this.#sequence = place?.sequence ?? (await store.head()).sequence
        for (const [lot, response] of place?.waiting ?? []) this.#wait(lot, response)
        if (place === undefined) await this.#save()
        else this.#saved = place.sequence
        break
      } catch (thrown) {
        problem(toTaktError(thrown, this.#parts.where))
        await pause()
      }
    }
    if (this.#stopped) return
    this.#follower = new EventFollower(store, this.#sequence, { deliver: (event) => this.#take(event), problem: (error) => problem(error) })
    await this.#follower.start()
  }

  /** Ends after the event under way; the rest is taken up at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#follower?.stop()
    await this.#working
    clearTimeout(this.#timer)
    if (this.#sequence !== this.#saved) await this.#save().catch(() => {})
  }

  #take(event: LedgerEvent): void {
    this.#heard = event.sequence
    if (concerns(event)) this.#queue.push(event)
    else if (this.#queue.length === 0) this.#moved(event.sequence)
    this.#run()
  }

  #run(): void {
    if (this.#queue.length === 0 || this.#stopped) return
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      this.#run()
    })
  }

  async #work(): Promise<void> {
    for (let event = this.#queue[0]; event !== undefined && !this.#stopped; event = this.#queue[0]) {
      try {
        await this.#follow(event)
      } catch (thrown) {
        this.#parts.problem(toTaktError(thrown, this.#parts.where))
        await pause()
        continue
      }
      this.#queue.shift()
      // what came meanwhile and concerns nobody is passed with the last that does
      this.#moved(this.#queue.length === 0 ? this.#heard : event.sequence)
    }
  }

  #moved(sequence: number): void {
    this.#sequence = sequence
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#save().catch((thrown: unknown) => this.#parts.problem(toTaktError(thrown, this.#parts.where)))
    }, SAVE_MS)
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

  async #save(): Promise<void> {
    const sequence = this.#sequence
    const waiting = Array.from(this.#waiting, ([lot, responses]) => Array.from(responses, (response) => [lot, response] as const)).flat()
    await this.#parts.store.saveState(this.#parts.node, PLACE, { sequence, waiting } satisfies Place)
    this.#saved = sequence
  }
}

function concerns({ type }: LedgerEvent): boolean {
  return (
    type.startsWith('anomaly.') || type.startsWith('genealogy.') || type === 'job-response.recorded' || type === 'lot.counted' || type === 'job-order.running'
  )
}

function pause(): Promise<void> {
  return new Promise((later) => setTimeout(later, RETRY_MS).unref())
}
