import { isAway } from './postgres-errors.ts'
import type { LinkResult, PostgresLink } from './postgres-link.ts'
import type { SqlValue } from './values.ts'

/** So many reads that take long may run side by side; short ones share a connection without waiting for each other's way. */
const LINKS = 2

/** Connections that read what is committed. Opened when they are needed, anew when they broke. */
export class PostgresReaders {
  readonly #open: () => Promise<PostgresLink>
  readonly #links: Array<PostgresLink | undefined> = Array.from({ length: LINKS })
  readonly #opening: Array<Promise<PostgresLink> | undefined> = Array.from({ length: LINKS })
  #closed = false

  constructor(open: () => Promise<PostgresLink>) {
    this.#open = open
  }

  /** A read whose connection breaks is asked again over another, at last over a new one: it changes nothing. */
  async run(sql: string, parameters: readonly SqlValue[]): Promise<LinkResult> {
    for (let broken = 0; ; broken++) {
      const link = await this.#idlest()
      try {
        return await link.run(sql, parameters)
      } catch (error) {
        if (!isAway(error) || this.#closed || broken === LINKS) throw error
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#opening.map((opening) => opening?.catch(() => {})))
    await Promise.all(this.#links.map((link) => link?.close()))
  }

  async #idlest(): Promise<PostgresLink> {
    let best = 0
    for (let at = 0; at < LINKS; at++) {
      const link = this.#links[at]
      if (link?.isUsable !== true) {
        // one that is not open is opened only when all others are at work
        if (at === 0 || this.#links[best]?.waiting !== 0) best = at
        break
      }
      if (link.waiting < (this.#links[best]?.waiting ?? Number.POSITIVE_INFINITY)) best = at
    }
    const link = this.#links[best]
    return link?.isUsable === true ? link : this.#openAt(best)
  }

  #openAt(at: number): Promise<PostgresLink> {
    this.#opening[at] ??= this.#open()
      .then((link) => {
        this.#links[at] = link
        return link
      })
      .finally(() => {
        this.#opening[at] = undefined
      })
    return this.#opening[at]
  }
}
