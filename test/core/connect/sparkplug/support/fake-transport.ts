import type { EdgeLink, EdgeSession, EdgeTransport } from '../../../../../core/connect/sparkplug/edge-transport.ts'
import { foreignDecode } from './schema.ts'

export interface Heard {
  readonly topic: string
  /** NBIRTH, DDATA, … */
  readonly verb: string
  readonly device: string | undefined
  /** As protobufjs reads it. */
  readonly payload: Record<string, any>
}

/** A server as the edge node sees it; the test says what the server does. All that is published is read by a decoder that is not ours. */
export class FakeTransport implements EdgeTransport {
  readonly sessions: EdgeSession[] = []
  /** All messages, over all sessions. */
  readonly heard: Heard[] = []
  readonly closed: number[] = []
  /** What the server confirms at the end. */
  confirms = true
  /** False: what is published goes nowhere. */
  delivers = true
  #sent = 0

  get session(): EdgeSession {
    return this.sessions.at(-1) as EdgeSession
  }

  open(session: EdgeSession): EdgeLink {
    this.sessions.push(session)
    this.#sent = 0
    const place = this.sessions.length - 1
    return {
      publish: (topic, payload) => {
        if (this.delivers) this.heard.push(read(topic, payload))
        return ++this.#sent
      },
      close: (last) => {
        this.heard.push(read(last.topic, last.payload))
        this.closed.push(place)
        return Promise.resolve(this.confirms)
      },
    }
  }

  /** The messages since the last call. */
  take(): Heard[] {
    return this.heard.splice(0)
  }

  prove(): void {
    this.session.proved(this.#sent)
  }

  say(topic: string, payload: string | Uint8Array, retained = false): void {
    this.session.message(topic, Buffer.from(payload as never), retained)
  }
}

export function read(topic: string, payload: Uint8Array): Heard {
  const [, , verb = '', , device] = topic.split('/')
  return { topic, verb, device, payload: foreignDecode(payload) }
}
