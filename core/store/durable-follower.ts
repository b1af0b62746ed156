import type { Clock } from '../base/clock.ts'
import { type TaktError, toTaktError } from '../base/error.ts'
import { EventFollower } from './follow-events.ts'
import type { LedgerEvent, Store } from './store.ts'

export interface DurableFollowerParts<Concern> {
  readonly store: Store
  readonly clock: Clock
  /** Whose place in the ledger it is; the same through restarts. */
  readonly name: string
  /** Where a new one begins. */
  readonly from: 'now' | 'beginning'
  /** An event is followed when it is so old, plant ms: what belongs to it may have been written down by then. Default: at once. */
  readonly settleMs?: number
  readonly where: string
  /** What of an event matters; undefined: nothing. */
  concernOf(event: LedgerEvent): Concern | undefined
  /** Done again for the same it must change nothing: after a crash the events of the last second come again. */
  follow(concern: Concern): Promise<void>
  /** Something failed that is not the store's fault, three times: it is passed over. */
  failed(problem: TaktError, concern: Concern): void
  /** The store cannot be read or written (and is tried again), or can be again. */
  problem(problem: TaktError | undefined): void
  /** What else is kept with the place, as JSON; `restore` gets it back at the start, before the first event. */
  readonly memory?: { save(): Readonly<Record<string, unknown>>; restore(saved: Readonly<Record<string, unknown>>): void }
}

interface Queued<Concern> {
  readonly sequence: number
  readonly time: number
  readonly concern: Concern
}

const PLACE = 'place'
const SAVE_MS = 1000
const RETRY_MS = 1000
const LOOK_MS = 250
const ATTEMPTS = 3

/** Follows the ledger from where it was, through restarts: every event that matters is followed to its end, in order, before its place moves beyond it. */
export class DurableFollower<Concern> {
  readonly #parts: DurableFollowerParts<Concern>
  readonly #queue: Queued<Concern>[] = []
  #heard = 0
  #sequence = 0
  #saved = 0
  #follower: EventFollower | undefined
  #working: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #endPause: (() => void) | undefined
  #stopped = false

  constructor(parts: DurableFollowerParts<Concern>) {
    this.#parts = parts
  }

  /** Events that matter and were not followed yet. */
  get behind(): number {
    return this.#queue.length
  }

  /** Waits for a store that is away. Never rejects. */
  async start(): Promise<void> {
    const { store, name, from, memory, problem, where } = this.#parts
    while (!this.#stopped) {
      try {
        const place = (await store.loadState(name, PLACE)) as { readonly sequence: number } | undefined
        this.#sequence = place?.sequence ?? (from === 'beginning' ? 0 : (await store.head()).sequence)
        if (place === undefined) await this.#save()
        else memory?.restore({ ...place })
        this.#saved = this.#sequence
        break
      } catch (thrown) {
        problem(toTaktError(thrown, where))
        await this.#pause(RETRY_MS)
      }
    }
    if (this.#stopped) return
    this.#follower = new EventFollower(store, this.#sequence, { deliver: (event) => this.#take(event), problem })
    await this.#follower.start()
  }

  /** Ends after the event under way; the rest is taken up at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#follower?.stop()
    this.#endPause?.()
    await this.#working
    clearTimeout(this.#timer)
    if (this.#sequence !== this.#saved) await this.#save().catch(() => {})
  }

  #take(event: LedgerEvent): void {
    this.#heard = event.sequence
    const concern = this.#parts.concernOf(event)
    if (concern !== undefined) this.#queue.push({ sequence: event.sequence, time: event.time, concern })
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
    let attempts = 0
    for (let next = this.#queue[0]; next !== undefined && !this.#stopped; next = this.#queue[0]) {
      const age = this.#parts.clock.now() - next.time
      // one of the future was written before the clock was set back
      if (age >= 0 && age < (this.#parts.settleMs ?? 0)) {
        await this.#pause(LOOK_MS)
        continue
      }
      try {
        await this.#parts.follow(next.concern)
        if (attempts > 0) this.#parts.problem(undefined)
      } catch (thrown) {
        const problem = toTaktError(thrown, this.#parts.where)
        attempts++
        if (isStores(problem) || attempts < ATTEMPTS) {
          this.#parts.problem(problem)
          await this.#pause(RETRY_MS)
          continue
        }
        this.#parts.failed(problem, next.concern)
        this.#parts.problem(undefined)
      }
      attempts = 0
      this.#queue.shift()
      // what came meanwhile and concerns nobody is passed with the last that does
      this.#moved(this.#queue.length === 0 ? this.#heard : next.sequence)
    }
  }

  #moved(sequence: number): void {
    this.#sequence = sequence
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#save().catch((thrown: unknown) => this.#parts.problem(toTaktError(thrown, this.#parts.where)))
    }, SAVE_MS).unref()
  }

  async #save(): Promise<void> {
    const sequence = this.#sequence
    await this.#parts.store.saveState(this.#parts.name, PLACE, { ...this.#parts.memory?.save(), sequence })
    this.#saved = sequence
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref()
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Trouble of the store passes; another instance that wrote the same at the same moment is found the next time. */
function isStores({ code }: TaktError): boolean {
  return code.startsWith('TAKT_STORE_') && code !== 'TAKT_STORE_VALUE'
}
