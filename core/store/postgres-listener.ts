import type { LinkOptions } from './postgres-link.ts'
import { PostgresLink } from './postgres-link.ts'

export interface ListenerOptions {
  readonly link: Omit<LinkOptions, 'onLost' | 'onNotification'>
  readonly channel: string
  /** What this process says itself is no news: it knows when its own commit is answered. */
  readonly self: string
  /** The ledger has grown up to this row. */
  readonly news: (upTo: number) => void
}

/** A proxy that does not pass notifications on, and a connection that is dead without saying so, cost no more than this. */
const LOOK_EVERY_MS = 5000
const AGAIN_MS = 500

/** Hears what other instances commit: over LISTEN, and by a look now and then in case that nobody said so. Connects anew by itself. */
export class PostgresListener {
  readonly #options: ListenerOptions
  #link: PostgresLink | undefined
  #timer: NodeJS.Timeout | undefined
  #connecting: Promise<void> | undefined
  #stopped = false

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#connect()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#connecting
    await this.#link?.close()
  }

  #connect(): void {
    if (this.#stopped) return
    const { link, channel, self, news } = this.#options
    this.#connecting = PostgresLink.open({
      ...link,
      onLost: () => this.#later(AGAIN_MS),
      onNotification({ payload = '' }) {
        const [sequence, from] = payload.split(' ')
        if (from !== self) news(Number(sequence))
      },
    })
      .then(async (opened) => {
        this.#link = opened
        await opened.run(`listen "${channel}"`)
        await this.#look()
      })
      .catch(() => this.#later(AGAIN_MS))
  }

  async #look(): Promise<void> {
    const { rows } = await (this.#link as PostgresLink).run('select max(sequence) as head from ledger')
    const { head } = rows[0] as { head: number | null }
    if (head !== null) this.#options.news(head)
    this.#later(LOOK_EVERY_MS)
  }

  /** Looks, or connects where there is no connection. */
  #later(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      if (this.#link?.isUsable === true) this.#look().catch(() => this.#later(AGAIN_MS))
      else this.#connect()
    }, ms)
    this.#timer.unref()
  }
}
