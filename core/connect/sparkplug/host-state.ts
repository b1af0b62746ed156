import type { Clock } from '../../base/clock.ts'
import { stateTopic } from './topic.ts'

export interface StateMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: 1
  readonly retain: true
}

/** Two that take themselves for the same host would answer each other for ever. */
const ANSWER_MS = 1000

/** What a host application says about itself on one MQTT server (3.0, 5.4): will, birth and death, with one timestamp a connection. */
export class HostState {
  readonly topic: string
  readonly #timers: Clock
  #timestamp: number | undefined
  #saidAt = Number.NEGATIVE_INFINITY

  constructor(hostId: string, timers: Clock) {
    this.topic = stateTopic(hostId)
    this.#timers = timers
  }

  /** For the next connection; its timestamp is that of the birth too. */
  will(): StateMessage {
    this.#timestamp = Math.round(this.#timers.now())
    return this.#message(false, this.#timestamp)
  }

  birth(): StateMessage {
    this.#timestamp ??= Math.round(this.#timers.now())
    this.#saidAt = this.#timers.now()
    return this.#message(true, this.#timestamp)
  }

  death(): StateMessage {
    return this.#message(false, Math.round(this.#timers.now()))
  }

  /** Whether a message on our topic says that we are offline, which we are not; and when it is time to say so. Undefined: it says nothing wrong. */
  contradicted(payload: Uint8Array): { readonly inMs: number } | undefined {
    if (saysOnline(payload)) return undefined
    return { inMs: Math.max(0, this.#saidAt + ANSWER_MS - this.#timers.now()) }
  }

  #message(online: boolean, timestamp: number): StateMessage {
    return { topic: this.topic, payload: JSON.stringify({ online, timestamp }), qos: 1, retain: true }
  }
}

/** Anything that does not say plainly that we are online misleads the edge nodes that wait for it. */
function saysOnline(payload: Uint8Array): boolean {
  if (payload.length > 4096) return false
  try {
    const body: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'))
    return typeof body === 'object' && body !== null && Object.hasOwn(body, 'online') && (body as { online: unknown }).online === true
  } catch {
    return false
  }
}
