import { TaktError } from '../base/error.ts'
import type { MqttMessage, MqttSubscription } from './mqtt-connection.ts'
import type { QoS } from './mqtt-options.ts'

/** A node that is deployed anew is back by then. */
const PATIENCE_MS = 30_000

interface Waiting {
  readonly message: MqttMessage
  readonly resolve: (safe: void | Promise<void>) => void
  readonly reject: (problem: TaktError) => void
}

/**
 * Keeps the place of a reader that is away for a moment while the connection stays: a node deployed alone. Its messages wait without being acknowledged until a
 * reader of the same filter is there. Where none comes, `abandoned` is called and they go, as they would without a reader.
 */
export class ParkedSubscription implements MqttSubscription {
  readonly filter: string
  readonly qos: QoS
  readonly guaranteed = true
  readonly #waiting: Waiting[] = []
  readonly #timer: NodeJS.Timeout

  constructor({ filter, qos }: MqttSubscription, abandoned: (parked: ParkedSubscription) => void) {
    this.filter = filter
    this.qos = qos
    this.#timer = setTimeout(() => abandoned(this), PATIENCE_MS).unref()
  }

  take(message: MqttMessage): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ message, resolve, reject }))
  }

  /** Everything that waited goes to the reader that came. */
  handOver(reader: MqttSubscription): void {
    clearTimeout(this.#timer)
    for (const { message, resolve } of this.#waiting.splice(0)) resolve(reader.take(message))
  }

  /** Nobody comes: the messages are let go. */
  abandon(): void {
    clearTimeout(this.#timer)
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** The connection ends; the broker sends them again. */
  end(where: string): void {
    clearTimeout(this.#timer)
    for (const { reject } of this.#waiting.splice(0)) reject(new TaktError('TAKT_BROKER_AWAY', { where }))
  }
}
