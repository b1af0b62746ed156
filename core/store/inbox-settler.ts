import { type Clock, systemClock } from '../base/clock.ts'
import { TaktError, toTaktError } from '../base/error.ts'
import type { Store } from './store.ts'

export interface SettleOptions {
  /** Real time that everything which follows from a message has to be recorded; longer than the longest delay in the flow. Default 10 minutes. */
  readonly settleMs?: number
  /** Unsettled rows at most; of more, the oldest are settled early, but never within a minute. Default 1,000,000. */
  readonly unsettledAtMost?: number
  /** How many rows are known after they were settled, so that a repetition of them is told apart. Default 1,000,000. */
  readonly knownAtMost?: number
  /** Real time after which rows whose reader never came back are given up. Default 7 days. */
  readonly keepMs?: number
  /** Real time; for the age of what was received. */
  readonly clock?: Clock
  /** Something people should know that stops nothing: rows that nobody came back for were given up. */
  readonly warn?: (problem: TaktError) => void
}

const SETTLE_MS = 600_000
const EARLIEST_MS = 60_000
const ROWS = 1_000_000
const KEEP_MS = 7 * 86_400_000
const LOOK_FOR_LEFT_EVERY_MS = 3_600_000
/** Rows a transaction, so that settling holds up nobody. */
const PAGE = 2000
const TICKS_A_SETTLE_TIME = 20
const SLOWEST_TICK_MS = 30_000
const FASTEST_TICK_MS = 50

interface Mark {
  /** the newest row at that moment */
  readonly id: number
  /** real time, ms */
  readonly at: number
}

/**
 * Says goodbye to rows of the inbox. A row is settled when it was sent into the flow of this process longer than the settle time ago and nobody holds it.
 * Time is counted in this process alone: what a process before it left behind is sent again first.
 */
export class InboxSettler {
  readonly #store: Store
  readonly #settleMs: number
  readonly #unsettledAtMost: number
  readonly #knownAtMost: number
  readonly #keepMs: number
  readonly #clock: Clock
  readonly #warn: (problem: TaktError) => void
  readonly #holds = new Map<number, number>()
  /** Where other processes take messages too: rows that were sent into this one's flow. The others know what is held there. */
  readonly #own: Set<number> | undefined
  /** sources whose rows have all been sent, and since when */
  readonly #present = new Map<string, number>()
  #marks: Mark[] = []
  #newest = 0
  #looked = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #settling: Promise<number> | undefined

  constructor(store: Store, options: SettleOptions) {
    const { settleMs = SETTLE_MS, unsettledAtMost = ROWS, knownAtMost = ROWS, keepMs = KEEP_MS, clock = systemClock, warn = () => {} } = options
    this.#store = store
    this.#settleMs = settleMs
    this.#unsettledAtMost = unsettledAtMost
    this.#knownAtMost = knownAtMost
    this.#keepMs = keepMs
    this.#clock = clock
    this.#warn = warn
    if (store.shared) this.#own = new Set()
  }

  /** Every row of this source was sent. */
  join(source: string): void {
    if (!this.#present.has(source)) this.#present.set(source, performance.now())
    this.#start()
  }

  leave(source: string): void {
    this.#present.delete(source)
  }

  committed(id: number): void {
    if (id > this.#newest) this.#newest = id
    this.#start()
  }

  /** These rows go into the flow of this process. */
  sent(ids: Iterable<number>): void {
    for (const id of ids) {
      if (id > this.#newest) this.#newest = id
      this.#own?.add(id)
    }
  }

  get held(): number {
    return this.#holds.size
  }

  hold(id: number): () => void {
    this.#holds.set(id, (this.#holds.get(id) ?? 0) + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      const others = (this.#holds.get(id) ?? 1) - 1
      if (others === 0) this.#holds.delete(id)
      else this.#holds.set(id, others)
    }
  }

  /** One at a time; a call during another gets its result. */
  settle(): Promise<number> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined
    })
    return this.#settling
  }

  async #settle(): Promise<number> {
    const now = performance.now()
    let settled = 0
    const due = this.#takeMark(now)
    if (due !== undefined) settled += await this.#settleUpTo(due)
    this.#marks.push({ id: this.#newest, at: now })
    await this.#forget()
    if (now - this.#looked >= LOOK_FOR_LEFT_EVERY_MS) {
      this.#looked = now
      await this.#giveUp()
    }
    return settled
  }

  /** The newest mark that is old enough, or old enough for a store with too many rows. */
  #takeMark(now: number): Mark | undefined {
    const crowded = this.#newest - this.#unsettledAtMost
    let taken = -1
    for (const [at, mark] of this.#marks.entries()) {
      const age = now - mark.at
      if (age >= this.#settleMs || (mark.id <= crowded && age >= Math.min(EARLIEST_MS, this.#settleMs))) taken = at
      else break
    }
    if (taken < 0) return undefined
    const mark = this.#marks[taken]
    this.#marks = this.#marks.slice(taken + 1)
    return mark
  }

  async #settleUpTo(mark: Mark): Promise<number> {
    // a reader that came later may not have sent them all by then
    const sources = [...this.#present].filter(([, since]) => since <= mark.at).map(([source]) => source)
    if (sources.length === 0) return 0
    let settled = 0
    let after = 0
    for (;;) {
      const rows = await this.#store.db
        .selectFrom('inbox_pending')
        .select(['id', 'source'])
        .where('id', '>', after)
        .where('id', '<=', mark.id)
        .orderBy('id')
        .limit(PAGE)
        .execute()
      const last = rows.at(-1)
      if (last === undefined) return settled
      after = last.id
      const ids = rows.filter(({ id, source }) => sources.includes(source) && !this.#holds.has(id) && this.#own?.has(id) !== false).map(({ id }) => id)
      const whole = ids.length === rows.length
      if (ids.length === 0) continue
      await this.#store.transaction(async (tx) => {
        let removal = tx.db.deleteFrom('inbox_pending')
        removal = whole ? removal.where('id', '>=', ids[0] as number).where('id', '<=', last.id) : removal.where('id', 'in', ids)
        await removal.execute()
      })
      if (this.#own !== undefined) for (const id of ids) this.#own.delete(id)
      settled += ids.length
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Forgets rows that are settled since long, and the effects that followed from them. */
  async #forget(): Promise<void> {
    const bound = this.#newest - this.#knownAtMost
    for (let forgotten = PAGE; bound > 0 && forgotten === PAGE; ) {
      forgotten = await this.#store.transaction(async (tx) => {
        const unsettled = tx.db.selectFrom('inbox_pending').select('id').where('id', '<=', bound)
        const gone = await tx.db.selectFrom('inbox').select('id').where('id', '<=', bound).where('id', 'not in', unsettled).orderBy('id').limit(PAGE).execute()
        const ids = gone.map(({ id }) => id)
        if (ids.length === 0) return 0
        await Promise.all([tx.db.deleteFrom('effect').where('inbox', 'in', ids).execute(), tx.db.deleteFrom('inbox').where('id', 'in', ids).execute()])
        return ids.length
      })
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Messages for a sensor that was removed would wait for ever: after long they are given up, and the ledger tells. */
  async #giveUp(): Promise<void> {
    const before = this.#clock.now() - this.#keepMs
    await this.#store.transaction(async (tx) => {
      const left = await tx.db
        .selectFrom('inbox_pending')
        .innerJoin('inbox', 'inbox.id', 'inbox_pending.id')
        .select(({ fn }) => ['inbox_pending.source', fn.countAll<number>().as('rows'), fn.min('inbox.id').as('first'), fn.max('inbox.id').as('last')])
        .where('inbox.received', '<', before)
        .groupBy('inbox_pending.source')
        .execute()
      for (const { source, rows, first, last } of left) {
        if (this.#present.has(source)) continue
        const problem = new TaktError('TAKT_INBOX_UNREPLAYED', { what: `${rows} messages were kept for a sensor that never came back`, where: source })
        await tx.db.deleteFrom('inbox_pending').where('source', '=', source).where('id', '<=', last).execute()
        await tx.record({ type: 'inbox.given-up', subject: source.slice(0, 200), actor: 'store', why: problem.what, after: { source, rows, first, last } })
        this.#warn(problem)
      }
    })
  }

  #start(): void {
    if (this.#timer !== undefined) return
    const everyMs = Math.min(SLOWEST_TICK_MS, Math.max(FASTEST_TICK_MS, this.#settleMs / TICKS_A_SETTLE_TIME))
    this.#timer = setInterval(() => {
      this.settle().catch((thrown: unknown) => {
        // a store that cannot be written tells so itself; one that is closed needs no settling
        if (toTaktError(thrown, 'inbox').code === 'TAKT_STORE_CLOSED') clearInterval(this.#timer)
      })
    }, everyMs).unref()
  }
}
