import { type TaktError, toTaktError } from '../base/error.ts'
import { signHead } from '../store/anchor.ts'
import type { SigningKey } from '../store/anchor-key.ts'
import type { Store } from '../store/store.ts'
import type { LinkUser } from './shared-link.ts'

/** The broker's connection, as far as a witness needs it. */
export interface WitnessConnection {
  readonly state: string
  publish(topic: string, payload: string, options: { readonly qos: 1; readonly retain: true }): Promise<void>
}

export interface WitnessSetting {
  readonly store: Store
  readonly connection: WitnessConnection
  readonly topic: string
  readonly key: SigningKey | undefined
  /** Real ms between two heads at least. */
  readonly everyMs: number
  readonly problem: (problem: TaktError) => void
}

/**
 * Tells a broker where the ledger ends, as a retained message: `{ sequence, hash, key, signature }`. Who keeps it, or subscribes, has a head that nobody who rewrites database
 * and anchor can take back. Only the newest counts, so nothing waits in the outbox: after an outage the next head stands for all that were not told.
 */
export class LedgerWitness implements LinkUser {
  readonly #setting: WitnessSetting
  readonly #stop: () => void
  #timer: NodeJS.Timeout | undefined
  #told = -1
  #running = false
  #closed = false

  constructor(setting: WitnessSetting) {
    this.#setting = setting
    this.#stop = setting.store.subscribe(() => this.#soon())
    this.#soon()
  }

  linkChanged(): void {
    this.#soon()
  }

  /** Number of the row that was told last; -1: none yet. */
  get told(): number {
    return this.#told
  }

  close(): void {
    this.#closed = true
    this.#stop()
    clearTimeout(this.#timer)
  }

  #soon(): void {
    if (this.#closed || this.#running) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#tell()
    }, this.#setting.everyMs).unref()
  }

  async #tell(): Promise<void> {
    const { store, connection, topic, key, problem } = this.#setting
    if (connection.state !== 'connected') return
    this.#running = true
    try {
      const head = await store.head()
      if (head.sequence !== this.#told) {
        await connection.publish(topic, JSON.stringify(signHead(head, key)), { qos: 1, retain: true })
        this.#told = head.sequence
      }
      this.#running = false
      // what happened meanwhile
      if ((await store.head()).sequence !== this.#told) this.#soon()
    } catch (thrown) {
      this.#running = false
      if (this.#closed) return
      problem(toTaktError(thrown, `witness ${topic}`))
      this.#soon()
    }
  }
}
