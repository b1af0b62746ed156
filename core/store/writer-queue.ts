import type { Kysely } from 'kysely'
import { TaktError, toTaktError } from '../base/error.ts'
import type { Anchor } from './anchor.ts'
import type { Backend, WriteSession } from './backend.ts'
import { readHead } from './ledger.ts'
import type { Tables } from './schema.ts'
import type { LedgerEvent, LedgerHead, StoreTransaction } from './store.ts'
import { type Chain, Transaction } from './transaction.ts'

/** More than this many share no commit, so that the first of them need not wait too long. */
const GROUP_SIZE = 64
/** Waiting transactions at most; beyond it the writers are told instead of the memory filled. */
const WAITING_AT_MOST = 10_000
export interface QueueHooks {
  /** Real time. A transaction holds up all others, so one that waits for something else is ended after this. */
  readonly stuckAfterMs: number
  /** Resolves when the database may be written, rejects with why it may not. */
  whenOpen(): Promise<void>
  now(): number
  /** The head as it is anchored, signed where there is a key. */
  seal(head: LedgerHead): Anchor
  /** Events of a commit, in order, once it is durable. Those who wait for the commit wait for a promise too. */
  committed(events: readonly LedgerEvent[], anchorFailure: TaktError | undefined): Promise<void> | undefined
  /** The database could not be written; the transactions concerned were told. */
  failed(error: TaktError): void
  /** The ledger does not go on from where this process left it: somebody else changed it. */
  movedHead(): Promise<void>
}

interface Job {
  readonly work: (tx: StoreTransaction) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * The one writer. Transactions that wait are run one after the other inside one database transaction, each under its savepoint, and share its
 * commit: a disk flush then serves many. One that throws is undone alone. Nobody hears of success before the commit.
 */
export class WriterQueue {
  readonly #backend: Backend
  readonly #hooks: QueueHooks
  readonly #waiting: Job[] = []
  #draining: Promise<void> | undefined
  /** commits that were not told to all listeners yet */
  #telling = Promise.resolve()
  #head: LedgerHead | undefined
  /** the job under way; real time */
  #present: { readonly tx: Transaction; readonly since: number; readonly reject: (error: TaktError) => void } | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(backend: Backend, hooks: QueueHooks) {
    this.#backend = backend
    this.#hooks = hooks
  }

  submit<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= WAITING_AT_MOST) {
        return reject(new TaktError('TAKT_STORE_OVERLOADED', { what: `${WAITING_AT_MOST} transactions are waiting`, where: this.#backend.where }))
      }
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#draining
    await this.#telling
  }

  async #drain(): Promise<void> {
    // callers of the same turn get into the same group
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#group()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#draining = undefined
  }

  /** Never rejects: each job is told its own outcome. */
  async #group(): Promise<void> {
    let session: WriteSession
    let chain: Chain
    try {
      ;({ session, chain } = await this.#open())
    } catch (thrown) {
      return this.#fail(this.#waiting.splice(0), toTaktError(thrown, this.#backend.where))
    }
    const settled: Array<() => void> = []
    const jobs: Job[] = []
    try {
      for (let count = 0; count < GROUP_SIZE; count++) {
        const job = this.#waiting.shift()
        if (job === undefined) break
        jobs.push(job)
        await this.#run(job, session, chain, settled)
      }
      const anchorFailure = await session.commit(chain.events.length === 0 ? null : this.#hooks.seal(chain.head))
      this.#head = chain.head
      const told = this.#hooks.committed(chain.events, anchorFailure)
      const settle = (): void => settled.forEach((one) => void one())
      if (told === undefined) settle()
      // where several write, what comes next is told in its order anyway
      else if (this.#backend.shared) this.#telling = told.then(settle).then(after(this.#telling))
      else await told.then(settle)
    } catch (thrown) {
      await session.rollback().catch(() => {})
      this.#fail(jobs, toTaktError(thrown, this.#backend.where))
    }
  }

  /** A connection that broke while nobody used it is found out here: with a new one nothing has happened yet. */
  async #open(): Promise<{ session: WriteSession; chain: Chain }> {
    await this.#hooks.whenOpen()
    try {
      return await this.#begin()
    } catch (error) {
      if (!(error instanceof TaktError) || error.code !== 'TAKT_STORE_AWAY') throw error
    }
    await this.#hooks.whenOpen()
    return this.#begin()
  }

  async #begin(): Promise<{ session: WriteSession; chain: Chain }> {
    const session = this.#backend.begin()
    try {
      const db = session.db(() => {})
      // both at once, because others wait for the lock
      const left = this.#head
      const [head, mine] = await Promise.all([readHead(db), left !== undefined && this.#backend.shared ? hashOf(db, left.sequence) : undefined])
      if (left === undefined || follows(head, left, mine)) return { session, chain: { head, events: [] } }
    } catch (error) {
      await session.rollback().catch(() => {})
      throw error
    }
    await session.rollback()
    this.#head = undefined
    await this.#hooks.movedHead()
    return this.#begin()
  }

  /** Runs one job under its savepoint; one that throws is undone and told so when the others have their commit. */
  async #run(job: Job, session: WriteSession, chain: Chain, settled: Array<() => void>): Promise<void> {
    const before = { head: chain.head, events: chain.events.length }
    const tx = new Transaction(session, chain, this.#hooks.now(), this.#backend.where)
    session.savepoint()
    try {
      const result = await this.#inTime(tx, job.work)
      tx.assertUsable()
      session.release()
      settled.push(() => job.resolve(result))
    } catch (error) {
      session.undo()
      chain.head = before.head
      chain.events.length = before.events
      settled.push(() => job.reject(error))
    } finally {
      this.#present = undefined
      tx.end()
    }
  }

  /** One timer serves all: it looks whether the present job has been under way for so long. */
  #inTime(tx: Transaction, work: Job['work']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#present = { tx, since: performance.now(), reject }
      this.#timer ??= this.#watch(this.#hooks.stuckAfterMs)
      settled(tx, work).then(resolve, reject)
    })
  }

  #watch(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      if (this.#present === undefined) return
      const { stuckAfterMs } = this.#hooks
      const left = this.#present.since + stuckAfterMs - performance.now()
      if (left > 0) {
        this.#timer = this.#watch(left)
        return
      }
      const { tx, reject } = this.#present
      const stuck = new TaktError('TAKT_STORE_STUCK', {
        what: `a transaction took longer than ${stuckAfterMs / 1000} s and was undone`,
        where: this.#backend.where,
      })
      tx.fail(stuck)
      reject(stuck)
    }, ms)
  }

  #fail(jobs: readonly Job[], error: TaktError): void {
    this.#hooks.failed(error)
    for (const job of jobs) job.reject(error)
  }
}

async function settled(tx: Transaction, work: Job['work']): Promise<unknown> {
  const result = await work(tx)
  await tx.settled()
  return result
}

function after(earlier: Promise<void>): () => Promise<void> {
  return () => earlier
}

/** Is the chain the one that this process left, or, where others may append, one that goes on from there? `mine` is the hash that the row left has there now. */
function follows(head: LedgerHead, left: LedgerHead, mine: string | undefined): boolean {
  if (head.sequence === left.sequence) return head.hash === left.hash
  return mine !== undefined && head.sequence > left.sequence && (left.sequence === 0 || mine === left.hash)
}

/** Empty where there is no such row. */
async function hashOf(db: Kysely<Tables>, sequence: number): Promise<string> {
  const row = await db.selectFrom('ledger').select('hash').where('sequence', '=', sequence).executeTakeFirst()
  return row?.hash ?? ''
}
