import type { Gap } from '../../messages/gap.ts'
import type { MqttMessage } from '../mqtt-connection.ts'
import type { SampleSink } from '../mqtt-decoder.ts'
import type { Payload } from './payload.ts'
import type { EdgeTopic } from './topic.ts'

/** A message of an edge node on its way through the host. */
export interface EdgeMessage {
  readonly at: EdgeTopic
  readonly payload: Payload
  readonly message: MqttMessage
  readonly sink: SampleSink
  /** Plant time, epoch ms. */
  readonly received: number
}

interface Held {
  readonly edge: EdgeMessage
  readonly done: () => void
}

/** Of a part of the messages: how many, and the times between which they were made. */
export type Span = Pick<Gap, 'from' | 'to'> & { readonly lost: number }

/** Messages that wait for others, in the order in which they came. Whoever brought one is told when it is dealt with. */
export class HeldMessages {
  #held: Held[] = []

  get size(): number {
    return this.#held.length
  }

  hold(edge: EdgeMessage): Promise<void> {
    return new Promise((done) => this.#held.push({ edge, done }))
  }

  /** The one that `wanted` picks, taken out. */
  take(wanted: (edge: EdgeMessage) => boolean): EdgeMessage | undefined {
    const index = this.#held.findIndex(({ edge }) => wanted(edge))
    if (index < 0) return undefined
    const [held] = this.#held.splice(index, 1)
    held?.done()
    return held?.edge
  }

  has(wanted: (edge: EdgeMessage) => boolean): boolean {
    return this.#held.some(({ edge }) => wanted(edge))
  }

  first(): EdgeMessage | undefined {
    return this.#held[0]?.edge
  }

  /** All of them, taken out. */
  takeAll(): readonly EdgeMessage[] {
    const all = this.#held
    this.#held = []
    for (const { done } of all) done()
    return all.map(({ edge }) => edge)
  }
}

/** When a message was made, as its sender says; when it came, where that is no plausible time. */
export function madeAt({ payload, received }: EdgeMessage): number {
  const made = Number(payload.timestamp ?? received)
  return made > 0 && made <= received ? made : received
}

export function spanOf(messages: readonly EdgeMessage[]): Span {
  const times = messages.map(madeAt)
  return { from: Math.min(...times), to: Math.max(...times), lost: messages.length }
}
