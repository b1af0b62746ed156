import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'

export interface SessionSettings {
  /** Ends without use after so long, plant ms. */
  readonly idleMs: number
  /** Ends in any case after so long, plant ms. */
  readonly longestMs: number
}

interface Session {
  readonly token: string
  readonly person: string
  /** The dashboard connection that it belongs to; null: whoever has the token. */
  readonly connection: string | null
  readonly ends: number
  used: number
}

const TOKEN_BYTES = 32
const KEPT_AT_MOST = 10_000

/**
 * Who has signed in, known by a token that nobody can guess or by the dashboard connection. In memory alone: a restart ends all of them, and nobody can put one into
 * the database.
 */
export class Sessions {
  readonly #clock: Clock
  readonly #settings: SessionSettings
  readonly #byToken = new Map<string, Session>()
  readonly #byConnection = new Map<string, Session>()

  constructor(clock: Clock, settings: SessionSettings) {
    this.#clock = clock
    this.#settings = settings
  }

  /** A new session's token. One connection has one session. */
  start(person: string, connection: string | null): string {
    if (connection !== null) this.endConnection(connection)
    const now = this.#clock.now()
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const session: Session = { token, person, connection, ends: now + this.#settings.longestMs, used: now }
    this.#byToken.set(token, session)
    if (connection !== null) this.#byConnection.set(connection, session)
    // the map keeps the order of beginnings
    for (const [, oldest] of this.#byToken) {
      if (this.#byToken.size <= KEPT_AT_MOST) break
      this.#end(oldest)
    }
    return token
  }

  /** The id of the person whose session it is, which is used by asking; undefined where there is none, or it ended, or it belongs to another connection. */
  personOf(token: string | undefined, connection: string | null): string | undefined {
    const session = token === undefined ? (connection === null ? undefined : this.#byConnection.get(connection)) : this.#byToken.get(token)
    if (session === undefined || (session.connection !== null && session.connection !== connection)) return undefined
    const now = this.#clock.now()
    if (now >= session.ends || now - session.used >= this.#settings.idleMs) {
      this.#end(session)
      return undefined
    }
    session.used = now
    return session.person
  }

  end(token: string): void {
    const session = this.#byToken.get(token)
    if (session !== undefined) this.#end(session)
  }

  endConnection(connection: string): void {
    const session = this.#byConnection.get(connection)
    if (session !== undefined) this.#end(session)
  }

  /** The person was locked, put away, or has another password. */
  endAll(person: string): void {
    for (const session of this.#byToken.values()) if (session.person === person) this.#end(session)
  }

  #end({ token, connection }: Session): void {
    this.#byToken.delete(token)
    if (connection !== null) this.#byConnection.delete(connection)
  }
}
