import { type TaktError, toTaktError } from '../base/error.ts'
import type { UnsMessage } from './uns-message.ts'

export interface UnsBufferSetting {
  publish(message: UnsMessage): Promise<void>
  isConnected(): boolean
  /** Messages that wait at most; of more the oldest are dropped. */
  readonly limit: number
  /** Messages under way to the broker at once. */
  readonly inFlight: number
  /** A message that the broker did not take although it is there. */
  failed(problem: TaktError): void
}

interface Waiting {
  readonly message: UnsMessage
  readonly since: number
}

/**
 * Fast delivery: what cannot go out at once waits in memory, within a bound. Of a state only the last one waits, because it stands for all before it;
 * of news each waits. When there is too much, the oldest go, and are counted.
 */
export class UnsBuffer {
  readonly #setting: UnsBufferSetting
  /** In the order of their coming; states by topic, news under keys of their own. */
  readonly #waiting = new Map<string, Waiting>()
  #news = 0
  #underWay = 0
  #dropped = 0
  #published = 0

  constructor(setting: UnsBufferSetting) {
    this.#setting = setting
  }

  get figures(): { readonly waiting: number; readonly oldestMs: number; readonly dropped: number; readonly published: number } {
    const [oldest] = this.#waiting.values()
    return {
      waiting: this.#waiting.size + this.#underWay,
      oldestMs: oldest === undefined ? 0 : Math.round(performance.now() - oldest.since),
      dropped: this.#dropped,
      published: this.#published,
    }
  }

  /** `isState`: a later message of the same topic makes this one needless. */
  put(message: UnsMessage, isState: boolean): void {
    const key = isState ? message.topic : `\0${this.#news++}`
    const since = this.#waiting.get(key)?.since ?? performance.now()
    this.#waiting.set(key, { message, since })
    if (this.#waiting.size > this.#setting.limit) {
      const [oldest] = this.#waiting.keys()
      this.#waiting.delete(oldest as string)
      this.#dropped++
    }
    this.drain()
  }

  /** To be called when the connection is back. */
  drain(): void {
    const { inFlight, isConnected, publish, failed } = this.#setting
    for (const [key, { message, since }] of this.#waiting) {
      if (this.#underWay >= inFlight || !isConnected()) return
      this.#waiting.delete(key)
      this.#underWay++
      publish(message).then(
        () => {
          this.#underWay--
          this.#published++
          this.drain()
        },
        (thrown: unknown) => {
          this.#underWay--
          // lost with the connection: it goes again, unless a newer state of its topic waits already
          if (!isConnected()) {
            if (!this.#waiting.has(key)) this.#waiting.set(key, { message, since })
          } else failed(toTaktError(thrown, message.topic))
        },
      )
    }
  }
}
