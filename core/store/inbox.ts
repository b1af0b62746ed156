import { hash } from 'node:crypto'
import { type Clock, systemClock } from '../base/clock.ts'
import { TaktError, toTaktError } from '../base/error.ts'
import type { Document } from '../messages/document.ts'
import { commitArrivals, type Entry, type Outcome } from './inbox-rows.ts'
import { InboxSettler, type SettleOptions } from './inbox-settler.ts'
import type { Store } from './store.ts'
import { toSqlValue } from './values.ts'

/** One message from outside that must not be lost. */
export interface Arrival {
  /** Who sends, stable across restarts: connection and node. */
  readonly source: string
  /** The sender's own numbering, where it has one; else the content decides, and only where `repeated`. */
  readonly key?: { readonly session: string; readonly sequence: number }
  /** The transport says that this may be a repetition (MQTT DUP or retained, a republished or transferred notification, backfill). */
  readonly repeated?: boolean
  /** What makes two arrivals the same: the raw bytes or text. MQTT: packet id, topic, payload; OPC UA: node id, source time, status, value. */
  readonly content: string | Uint8Array
  /** What goes into the flow after the commit, and again at a replay. */
  readonly messages: ReadonlyArray<{ readonly topic: string; readonly payload: Document }>
}

/** `known`: acknowledged before, or by another process; not sent again. `contradicts`: the same key with another content, put into quarantine. */
export interface Accepted {
  readonly verdict: 'new' | 'known' | 'contradicts'
  /** row of the inbox */
  readonly id: number
}

export interface UnsettledRow {
  readonly id: number
  readonly messages: Arrival['messages']
}

/**
 * Where guaranteed messages are made durable before their sender is told that they arrived. Rows stay until everything that follows from them had time to be
 * recorded; after a restart they are sent through the flow again.
 */
export interface Inbox {
  /** Resolves once durable. Arrivals of the same turn, and of the time that a commit takes, share one commit. Rejects with a coded error. */
  accept(arrival: Arrival): Promise<Accepted>
  /** The rows of this source that are not settled, with ids above `after`, oldest first. A page shorter than `limit` is the last one. */
  unsettled(source: string, after: number, limit: number): Promise<readonly UnsettledRow[]>
  /** Somebody works on this row: it is not settled until the returned function is called. */
  hold(id: number): () => void
  /** The reader of this source is gone: its rows wait until it is back and has read them again. */
  leave(source: string): void
  /** Rows that somebody works on: how far what records is behind. */
  readonly held: number
  /** What is not durable yet: how many, and for how long the oldest has waited (real ms). */
  readonly depth: { readonly waiting: number; readonly oldestMs: number }
  /** Settles what may be settled. Called by a timer; resolves with the number of rows that went. */
  settle(): Promise<number>
}

export type InboxOptions = SettleOptions

const inboxes = new WeakMap<Store, SqlInbox>()

/** The one inbox of a store. The first call decides on the options. */
export function inboxOf(store: Store, options: InboxOptions = {}): Inbox {
  let inbox = inboxes.get(store)
  if (inbox === undefined) {
    inbox = new SqlInbox(store, options)
    inboxes.set(store, inbox)
  }
  return inbox
}

/** More arrivals than this share no commit. */
const GROUP_SIZE = 1000
/** Waiting arrivals at most; beyond it senders are told instead of the memory filled. */
const WAITING_AT_MOST = 100_000

interface Waiting extends Entry {
  readonly since: number
  readonly resolve: (accepted: Accepted) => void
  readonly reject: (error: TaktError) => void
}

class SqlInbox implements Inbox {
  readonly #store: Store
  readonly #clock: Clock
  readonly #settler: InboxSettler
  #waiting: Waiting[] = []
  /** what the commit under way holds */
  #committing: readonly Waiting[] = []
  #draining = false

  constructor(store: Store, options: InboxOptions) {
    this.#store = store
    this.#clock = options.clock ?? systemClock
    this.#settler = new InboxSettler(store, options)
  }

  accept(arrival: Arrival): Promise<Accepted> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= WAITING_AT_MOST) {
        return reject(new TaktError('TAKT_INBOX_OVERFLOW', { what: `${WAITING_AT_MOST} messages wait for the store`, where: arrival.source }))
      }
      try {
        this.#waiting.push({ ...entryOf(arrival), since: performance.now(), resolve, reject })
      } catch (thrown) {
        return reject(toTaktError(thrown, arrival.source))
      }
      if (this.#draining) return
      this.#draining = true
      // arrivals of the same turn get into the same group
      queueMicrotask(() => void this.#drain())
    })
  }

  async unsettled(source: string, after: number, limit: number): Promise<readonly UnsettledRow[]> {
    const rows = await this.#store.db
      .selectFrom('inbox_pending')
      .select(['id', 'body'])
      .where('source', '=', source)
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute()
    this.#settler.sent(rows.map(({ id }) => id))
    if (rows.length < limit) this.#settler.join(source)
    return rows.map(({ id, body }) => ({ id, messages: JSON.parse(body) as Arrival['messages'] }))
  }

  hold(id: number): () => void {
    return this.#settler.hold(id)
  }

  leave(source: string): void {
    this.#settler.leave(source)
  }

  get held(): number {
    return this.#settler.held
  }

  get depth(): { readonly waiting: number; readonly oldestMs: number } {
    const oldest = this.#committing[0] ?? this.#waiting[0]
    return {
      waiting: this.#committing.length + this.#waiting.length,
      oldestMs: oldest === undefined ? 0 : Math.round(performance.now() - oldest.since),
    }
  }

  settle(): Promise<number> {
    return this.#settler.settle()
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#group()
    this.#draining = false
  }

  /** Never rejects: each arrival is told its own outcome. */
  async #group(): Promise<void> {
    try {
      const outcomes = await this.#store.transaction((tx) => {
        // taken when the writer has time, so that what came while it had none is in the same commit
        if (this.#committing.length === 0) this.#committing = this.#waiting.splice(0, GROUP_SIZE)
        return commitArrivals(tx, this.#committing, this.#clock.now())
      })
      await this.#quarantine(outcomes)
      for (const [at, { resolve }] of this.#committing.entries()) {
        const { verdict, id } = outcomes[at] as Outcome
        if (verdict === 'new') this.#settler.sent([id])
        this.#settler.committed(id)
        resolve({ verdict, id })
      }
    } catch (thrown) {
      const error = toTaktError(thrown, 'inbox')
      // the store may have refused before anything was taken
      const concerned = this.#committing.length > 0 ? this.#committing : this.#waiting.splice(0)
      for (const { reject } of concerned) reject(error)
    } finally {
      this.#committing = []
    }
  }

  async #quarantine(outcomes: readonly Outcome[]): Promise<void> {
    for (const [at, { verdict, id }] of outcomes.entries()) {
      if (verdict !== 'contradicts') continue
      const { source, key, body } = this.#committing[at] as Waiting
      const where = `${source}, session ${key?.session}, number ${key?.sequence}`
      const problem = new TaktError('TAKT_INBOX_CONTRADICTION', { what: `another message with this number was received before (row ${id})`, where })
      const { code, what, remedy } = problem
      await this.#store.quarantine({
        kind: 'quarantined',
        code,
        what,
        where,
        do: remedy,
        received: this.#clock.now(),
        bytes: Buffer.byteLength(body),
        excerpt: body.slice(0, 2000),
      })
    }
  }
}

/** An arrival as it will be stored. Throws TAKT_STORE_VALUE for what cannot be. */
function entryOf({ source, key, repeated, content, messages }: Arrival): Entry {
  toSqlValue(source, 'source of an arrival')
  if (key !== undefined) {
    toSqlValue(key.session, source)
    if (!Number.isSafeInteger(key.sequence)) throw new TaktError('TAKT_STORE_VALUE', { what: `the number ${key.sequence} is not a whole one`, where: source })
  }
  return { source, key, repeated: repeated === true, hash: contentHash(content), body: JSON.stringify(messages) }
}

/** 128 bits of SHA-256 are enough to tell messages apart, and short in an index. */
export function contentHash(content: string | Uint8Array): string {
  return hash('sha256', content, 'base64url').slice(0, 22)
}
