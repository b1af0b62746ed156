import { crc32 } from 'node:zlib'
import { contentHash } from '../store/inbox.ts'
import type { Store } from '../store/store.ts'
import type { Intake, IntakeMessage } from './intake.ts'
import type { MqttMessage } from './mqtt-connection.ts'

export interface MqttIntakeSetting {
  readonly intake: Pick<Intake, 'take'>
  readonly store: Store
  /** As the intake's. */
  readonly source: string
}

/** The sender's own numbering of a message. */
export interface Numbering {
  readonly session: string
  readonly sequence: number
}

/** What a broker may have under way, and more: repetitions are looked for among this many of the last rows. */
const RECENT_ROWS = 5000

/**
 * Hands messages of MQTT to the intake, and says which of them may be repetitions.
 *
 * A broker numbers what it has under way, and uses a number again once it was acknowledged. A message that it marks as sent before (DUP) is a repetition for us only if
 * the last message with this number was the same; else the first one was lost on its way, and this is news. After a restart we do not know the last message of each
 * number; then it must be among the last rows of the inbox. Older ones do not count: `Idle` under number 7 was sent many times in a year.
 * A retained message is the present state, and never a repetition: what it said an hour ago may be true again.
 */
export class MqttIntake {
  readonly #setting: MqttIntakeSetting
  readonly #lastOfNumber = new Map<number, number>()
  readonly #pending = new Set<Promise<void>>()
  #recent: Promise<ReadonlySet<string>> | undefined
  #behind: Promise<void> | undefined

  constructor(setting: MqttIntakeSetting) {
    this.#setting = setting
  }

  /** Resolves when the message may be acknowledged. Messages get to the intake in the order of the calls. */
  take(message: MqttMessage, messages: readonly IntakeMessage[], numbering: Numbering | undefined): Promise<void> {
    // the sender's number stays when it publishes again, the broker's does not
    const content = contentOf(message, numbering === undefined ? message.messageId : undefined)
    const doubtful = this.#remember(message, content)
    let taken: Promise<void>
    if (this.#behind === undefined && doubtful !== undefined) taken = this.#give(content, messages, doubtful, numbering)
    else {
      // what came after must not overtake what has to be looked up
      const turn = (this.#behind ?? Promise.resolve()).then(async () => doubtful ?? (await this.#recentRows()).has(contentHash(content)))
      const given = turn.then((repeated) => ({ taken: this.#give(content, messages, repeated, numbering) }))
      const behind = given.then(
        () => {},
        () => {},
      )
      this.#behind = behind
      void behind.then(() => {
        if (this.#behind === behind) this.#behind = undefined
      })
      taken = given.then((given) => given.taken)
    }
    this.#pending.add(taken)
    const forget = (): void => void this.#pending.delete(taken)
    taken.then(forget, forget)
    return taken
  }

  /** A new connection: what it repeats is looked up anew. */
  connected(): void {
    this.#recent = undefined
  }

  /** Resolves when nothing is under way any more, whatever became of it. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending)
  }

  #give(content: Uint8Array, messages: readonly IntakeMessage[], repeated: boolean, key: Numbering | undefined): Promise<void> {
    return this.#setting.intake.take({ content, messages, repeated, ...(key !== undefined && { key }) })
  }

  /** Whether it is a repetition, as far as this process can know; undefined where only the inbox can. */
  #remember({ messageId, dup }: MqttMessage, content: Buffer): boolean | undefined {
    if (messageId === undefined) return false
    const print = crc32(content)
    const last = this.#lastOfNumber.get(messageId)
    this.#lastOfNumber.set(messageId, print)
    if (!dup) return false
    return last === undefined ? undefined : last === print
  }

  /** Contents of the last rows of this source, those included that are on their way into the inbox now. */
  #recentRows(): Promise<ReadonlySet<string>> {
    this.#recent ??= this.#readRecent().catch((error: unknown) => {
      this.#recent = undefined
      throw error
    })
    return this.#recent
  }

  async #readRecent(): Promise<ReadonlySet<string>> {
    const { store, source } = this.#setting
    const rows = await store.db
      .selectFrom('inbox')
      .select('content_hash')
      .where('source', '=', source)
      .where('sequence', 'is', null)
      .orderBy('id', 'desc')
      .limit(RECENT_ROWS)
      .execute()
    return new Set(rows.map(({ content_hash }) => content_hash))
  }
}

/** What makes two deliveries the same: the broker's number, topic and payload. */
function contentOf({ topic, payload }: MqttMessage, messageId = 0): Buffer {
  const head = `${messageId}\0${topic}\0`
  const size = Buffer.byteLength(head)
  const content = Buffer.allocUnsafe(size + payload.length)
  content.write(head)
  payload.copy(content, size)
  return content
}
