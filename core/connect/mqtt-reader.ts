import type { TaktError } from '../base/error.ts'
import type { Document } from '../messages/document.ts'
import type { Gap } from '../messages/gap.ts'
import type { Sample } from '../messages/sample.ts'
import type { IntakeMessage } from './intake.ts'
import type { MqttConnection, MqttMessage, MqttSubscription } from './mqtt-connection.ts'
import type { MqttDecoder, MqttFormat, MqttLine, SampleSink } from './mqtt-decoder.ts'
import type { MqttIntake, Numbering } from './mqtt-intake.ts'
import type { QoS } from './mqtt-options.ts'
import { SequenceWatch } from './sequence-watch.ts'
import type { LinkState } from './shared-link.ts'

export interface MqttReaderSetting {
  readonly connection: MqttConnection
  /** Connection and node, stable across restarts. */
  readonly source: string
  /** For decoders that do not say. */
  readonly qos: QoS
  /** Without one everything is sent at once. */
  readonly intake: MqttIntake | undefined
  /** Whether the values of a signal, `<equipment>/<signal>`, must not be lost; a message with one of them goes through the inbox as a whole. */
  isGuaranteed(topic: string): boolean
  /** Plant time, epoch ms. */
  readonly now: () => number
  send(topic: string, payload: Document): void
  bad(problem: TaktError, message: MqttMessage): void
  /** The broker refused a filter. */
  refused(problem: TaktError, filter: string): void
  /** Values are missing. */
  gap(gap: Gap): void
}

/** Source times that lie farther from the time of arrival do not widen a gap: a sender with such a clock is wrong. */
const LARGEST_LAG_MS = 60_000
/** What each further sample leaves of the largest lag: one that came late does not widen gaps for ever. */
const LAG_KEPT = 0.999

/** Reads what payload formats want from a connection, and lets those that speak do so. Declares what is known to be lost. */
export class MqttReader {
  readonly #setting: MqttReaderSetting
  readonly #direct: SampleSink
  readonly #line: MqttLine
  readonly #numbers: SequenceWatch
  #formats: readonly MqttFormat[] = []
  #subscriptions: MqttSubscription[] = []
  #wills: Array<() => void> = []
  #connected = false
  #lastAt: number | undefined
  /** Time of the last message before the connection was lost. */
  #lostAt: number | undefined
  /** When the first connection began, while it is not known when a process before this one had its last message. */
  #firstBegan: number | undefined
  /** How far source times lay behind their arrival and ahead of it, ms. What is lost has source times, and so have the bounds of a gap. */
  #behind = 0
  #ahead = 0

  constructor(setting: MqttReaderSetting) {
    this.#setting = setting
    this.#numbers = new SequenceWatch(({ session, from, to, lost }) =>
      this.#declare({ from, to, lost, code: 'TAKT_SOURCE_NUMBERS', why: `${lost} numbers of session '${session}' did not arrive` }),
    )
    const bad = (problem: TaktError, message: MqttMessage): void => setting.bad(problem, message)
    this.#direct = {
      sample: (sample, topic) => {
        this.#followLag(sample)
        setting.send(topic, sample)
      },
      document: (document, topic) => setting.send(topic, document),
      numbered: (session, sequence) => this.#numbers.take(session, sequence, setting.now()),
      bad,
    }
    this.#line = { publish: (topic, payload, options) => setting.connection.publish(topic, payload, options), sink: this.#direct }
  }

  /** Plant time of the last message; what the next start needs to know of a gap. */
  get lastAt(): number | undefined {
    return this.#lastAt
  }

  /** `lastAt` of the process before this one, which may be known only when the first connection has begun. */
  since(lastAt: number): void {
    const to = this.#firstBegan
    this.#firstBegan = undefined
    if (to === undefined) this.#lostAt ??= lastAt
    else this.#interrupted(lastAt, to)
  }

  /** From now on these formats; what they have in common with those before stays subscribed. */
  use(formats: readonly MqttFormat[]): void {
    const { connection } = this.#setting
    const old = { formats: this.#formats, subscriptions: this.#subscriptions, wills: this.#wills }
    for (const format of old.formats) void format.stop?.(this.#line)
    for (const takeBack of old.wills) takeBack()
    this.#formats = formats
    this.#subscriptions = formats.flatMap((format) => format.decoders.map((decoder) => this.#subscription(decoder)))
    this.#wills = formats.flatMap((format) => {
      const { will } = format
      return will === undefined ? [] : [connection.offerWill(() => will.call(format))]
    })
    const granted = Promise.all(this.#subscriptions.map((subscription) => connection.subscribe(subscription)))
    for (const subscription of old.subscriptions) connection.unsubscribe(subscription)
    void granted.then(() => {
      if (this.#connected && this.#formats === formats) for (const format of formats) format.connected?.(this.#line)
    })
  }

  /** To be told what becomes of the connection. */
  linkChanged(state: LinkState): void {
    const connected = state === 'connected'
    if (connected === this.#connected) return
    this.#connected = connected
    if (connected) this.#began()
    else this.#lostAt = this.#lastAt
    for (const format of this.#formats) {
      if (connected) format.connected?.(this.#line)
      else format.lost?.(this.#line)
    }
  }

  /** `keep` leaves the filters in a session that the broker keeps. */
  async stop(keep: boolean): Promise<void> {
    const { connection } = this.#setting
    for (const takeBack of this.#wills) takeBack()
    for (const subscription of this.#subscriptions) connection.unsubscribe(subscription, keep)
    this.#numbers.stop()
    await Promise.all(this.#formats.map((format) => format.stop?.(this.#line)))
  }

  /** Nothing is lost where the broker kept our session and queued; else what was sent between the last message and now is. */
  #began(): void {
    const { intake, now } = this.#setting
    intake?.connected()
    const from = this.#lostAt
    const to = now()
    if (from !== undefined) this.#interrupted(from, to)
    else if (this.#lastAt === undefined) this.#firstBegan = to
    this.#lastAt = to
  }

  #interrupted(from: number, to: number): void {
    const { connection, qos } = this.#setting
    if (connection.resumed && qos > 0) return
    const why = qos === 0 ? 'QoS 0: what was sent while the connection was lost was not kept' : 'the broker kept no session while the connection was lost'
    this.#declare({ from, to, code: 'TAKT_BROKER_INTERRUPTED', why })
  }

  #declare(gap: Pick<Gap, 'from' | 'to' | 'why' | 'lost'> & { readonly code: 'TAKT_SOURCE_NUMBERS' | 'TAKT_BROKER_INTERRUPTED' }): void {
    const { from, to } = gap
    const bounds = { from: Math.min(from, to) - Math.ceil(this.#behind), to: to + Math.ceil(this.#ahead) }
    this.#setting.gap({ kind: 'gap', source: this.#setting.source, ...gap, ...bounds })
  }

  #followLag({ time, received }: Sample): void {
    const lag = received - time
    this.#behind = Math.min(LARGEST_LAG_MS, Math.max(lag, this.#behind * LAG_KEPT))
    this.#ahead = Math.min(LARGEST_LAG_MS, Math.max(-lag, this.#ahead * LAG_KEPT))
  }

  #subscription(decoder: MqttDecoder): MqttSubscription {
    const { intake } = this.#setting
    const { filter, qos = this.#setting.qos } = decoder
    const refused = (problem: TaktError): void => this.#setting.refused(problem, filter)
    const take =
      intake === undefined
        ? (message: MqttMessage) => {
            this.#lastAt = this.#setting.now()
            return decoder.decode(message, this.#direct)
          }
        : (message: MqttMessage) => this.#takeWhole(decoder, message, intake)
    return { filter, qos, take, guaranteed: intake !== undefined, refused }
  }

  /** A message as a whole: into the inbox when one of its signals must not be lost, else into the flow at once. */
  #takeWhole(decoder: MqttDecoder, message: MqttMessage, intake: MqttIntake): void | Promise<void> {
    const { isGuaranteed, send, bad, now } = this.#setting
    this.#lastAt = now()
    const messages: IntakeMessage[] = []
    let guaranteed = false
    let numbering: Numbering | undefined
    const add = (payload: Document, topic: string): void => void messages.push({ topic, payload })
    const decoding = decoder.decode(message, {
      sample: (sample, topic) => {
        if (!guaranteed) guaranteed = isGuaranteed(topic)
        this.#followLag(sample)
        add(sample, topic)
      },
      document: add,
      numbered: (session, sequence) => {
        numbering = { session, sequence }
        this.#numbers.take(session, sequence, now())
      },
      bad,
    })
    const finish = (): void | Promise<void> => {
      if (messages.length === 0) return undefined
      if (guaranteed) return intake.take(message, messages, numbering)
      for (const { topic, payload } of messages) send(topic, payload)
    }
    return decoding === undefined ? finish() : decoding.then(finish)
  }
}
