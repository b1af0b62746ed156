import { TaktError } from '../base/error.ts'
import type { MqttMessage } from './mqtt-connection.ts'

/** Readers that need their plant model, or are deployed a little later, are there by then. */
const PATIENCE_MS = 30_000

interface Unclaimed {
  readonly message: MqttMessage
  readonly resolve: (safe: void | Promise<void>) => void
  readonly reject: (problem: TaktError) => void
}

/**
 * Messages for which there is no reader yet. A broker that kept our session sends what it queued the moment we are connected, and acknowledging that before its
 * reader is ready would lose it. So it waits, unacknowledged, for a while after each connect; what nobody wants by then is let go, as is everything later.
 */
export class UnclaimedMessages {
  #waiting: Unclaimed[] = []
  #timer: NodeJS.Timeout | undefined

  /** A connection began. */
  began(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      for (const { resolve } of this.#waiting.splice(0)) resolve()
    }, PATIENCE_MS).unref()
  }

  /** Undefined when it need not be waited for. */
  take(message: MqttMessage): Promise<void> | undefined {
    if (this.#timer === undefined || message.qos === 0) return undefined
    return new Promise((resolve, reject) => this.#waiting.push({ message, resolve, reject }))
  }

  /** Offers what waits, in its order; `read` answers undefined for what still nobody wants. */
  offer(read: (message: MqttMessage) => { readonly safe: void | Promise<void> } | undefined): void {
    this.#waiting = this.#waiting.filter(({ message, resolve }) => {
      const taken = read(message)
      if (taken === undefined) return true
      resolve(taken.safe)
      return false
    })
  }

  /** The connection ended; the broker sends them again. */
  end(where: string): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const { reject } of this.#waiting.splice(0)) reject(new TaktError('TAKT_BROKER_AWAY', { where }))
  }
}
