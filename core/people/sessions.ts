import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Store, StoreTransaction } from '../store/store.ts'

export interface SessionSettings {
  /** Ends without use after so long, plant ms. */
  readonly idleMs: number
  /** Ends in any case after so long, plant ms. */
  readonly longestMs: number
}

export interface NewSession {
  readonly person: string
  /** The dashboard connection that it belongs to; null: whoever has the token. */
  readonly connection: string | null
  /** What the person was known by. */
  readonly by: 'id' | 'badge'
}

const TOKEN_BYTES = 32
/** Of one person; who begins more ends the oldest. */
const KEPT_AT_MOST = 20
/** That a session was used is written down when it was last written so long ago, as a part of `idleMs`. */
const NOTED = 60
const SIGNED_IN = 'person.signed-in'

/**
 * Who has signed in, known by a token that nobody can guess or by the dashboard connection. They are in the store, so that they hold at each instance and over a restart, and
 * end everywhere at once. The store has no token, only what it hashes to; and a session counts only while the ledger says that it was begun, so that a row which somebody
 * put into the database is none.
 */
export class Sessions {
  readonly #store: Store
  readonly #clock: Clock
  readonly #settings: SessionSettings

  constructor(store: Store, clock: Clock, settings: SessionSettings) {
    this.#store = store
    this.#clock = clock
    this.#settings = settings
  }

  /** A new session's token. One connection has one session. */
  async begin(tx: StoreTransaction, { person, connection, by }: NewSession): Promise<string> {
    const { idleMs, longestMs } = this.#settings
    const { now } = tx
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const key = keyOf(token)
    if (connection !== null) await tx.db.deleteFrom('person_session').where('connection', '=', keyOf(connection)).execute()
    await tx.db
      .deleteFrom('person_session')
      .where((row) => row.or([row('ends', '<=', now), row('used', '<=', now - idleMs)]))
      .execute()
    await this.#endOldest(tx, person)
    const { sequence: ledger } = await tx.record({
      type: SIGNED_IN,
      subject: person,
      actor: `person:${person}`,
      why: `${by} and password`,
      after: { by, session: key },
    })
    await tx.db
      .insertInto('person_session')
      .values({ token: key, person, connection: connection === null ? null : keyOf(connection), ledger, started: now, used: now, ends: now + longestMs })
      .execute()
    return token
  }

  /** The id of the person whose session it is, which is used by asking; undefined where there is none, or it ended, or it belongs to another connection. */
  async personOf(token: string | undefined, connection: string | null): Promise<string | undefined> {
    const own = connection === null ? null : keyOf(connection)
    if (token === undefined && own === null) return undefined
    const { db } = this.#store
    const session = await db
      .selectFrom('person_session')
      .selectAll()
      .where(token === undefined ? 'connection' : 'token', '=', token === undefined ? own : keyOf(token))
      .executeTakeFirst()
    if (session === undefined || (session.connection !== null && session.connection !== own)) return undefined
    const now = this.#clock.now()
    const { idleMs } = this.#settings
    // one from the future: the clock was put back far
    if (now >= session.ends || now - session.used >= idleMs || session.started - now > idleMs) {
      await this.#end(session.token)
      return undefined
    }
    const begun = await db.selectFrom('ledger').select(['type', 'subject', 'after']).where('sequence', '=', session.ledger).executeTakeFirst()
    if (begun?.type !== SIGNED_IN || begun.subject !== session.person || sessionIn(begun.after) !== session.token) return undefined
    if (now - session.used >= idleMs / NOTED)
      await this.#store.transaction((tx) => tx.db.updateTable('person_session').set({ used: now }).where('token', '=', session.token).execute())
    return session.person
  }

  end(token: string): Promise<void> {
    return this.#end(keyOf(token))
  }

  async endConnection(connection: string): Promise<void> {
    await this.#store.transaction((tx) => tx.db.deleteFrom('person_session').where('connection', '=', keyOf(connection)).execute())
  }

  /** The person was locked or put away, or has other roles or another password. */
  async endAll(tx: StoreTransaction, person: string): Promise<void> {
    await tx.db.deleteFrom('person_session').where('person', '=', person).execute()
  }

  async #end(key: string): Promise<void> {
    await this.#store.transaction((tx) => tx.db.deleteFrom('person_session').where('token', '=', key).execute())
  }

  async #endOldest(tx: StoreTransaction, person: string): Promise<void> {
    const kept = await tx.db.selectFrom('person_session').select('token').where('person', '=', person).orderBy('started').orderBy('ledger').execute()
    for (const { token } of kept.slice(0, Math.max(0, kept.length - KEPT_AT_MOST + 1)))
      await tx.db.deleteFrom('person_session').where('token', '=', token).execute()
  }
}

/** What the store has of a token, hex. It has 256 random bits, so that nothing can be tried against this. */
function keyOf(token: string): string {
  return hash('sha256', token)
}

function sessionIn(after: string | null): unknown {
  return after === null ? undefined : (JSON.parse(after) as { readonly session?: unknown }).session
}
