import type { TaktError } from '../base/error.ts'
import type { Document } from '../messages/document.ts'
import type { MqttConnection, MqttMessage, MqttSubscription } from './mqtt-connection.ts'
import type { MqttDecoder, MqttFormat, MqttLine, SampleSink } from './mqtt-decoder.ts'
import type { QoS } from './mqtt-options.ts'
import type { LinkState } from './shared-link.ts'

export interface MqttReaderSetting {
  readonly connection: MqttConnection
  /** For decoders that do not say. */
  readonly qos: QoS
  send(topic: string, payload: Document): void
  bad(problem: TaktError, message: MqttMessage): void
  /** The broker refused a filter. */
  refused(problem: TaktError, filter: string): void
}

/** Reads what payload formats want from a connection, and lets those that speak do so. */
export class MqttReader {
  readonly #setting: MqttReaderSetting
  readonly #direct: SampleSink
  readonly #line: MqttLine
  #formats: readonly MqttFormat[] = []
  #subscriptions: MqttSubscription[] = []
  #wills: Array<() => void> = []
  #connected = false

  constructor(setting: MqttReaderSetting) {
    this.#setting = setting
    this.#direct = {
      sample: (sample, topic) => setting.send(topic, sample),
      document: (document, topic) => setting.send(topic, document),
      numbered: () => {},
      bad: (problem, message) => setting.bad(problem, message),
    }
    this.#line = { publish: (topic, payload, options) => setting.connection.publish(topic, payload, options), sink: this.#direct }
  }

  /** From now on these formats; what they have in common with those before stays subscribed. */
  use(formats: readonly MqttFormat[]): void {
    const { connection } = this.#setting
    const old = { formats: this.#formats, subscriptions: this.#subscriptions, wills: this.#wills }
    for (const format of old.formats) void format.stop?.(this.#line)
    for (const takeBack of old.wills) takeBack()
    this.#formats = formats
    this.#subscriptions = formats.flatMap((format) => format.decoders.map((decoder) => this.#subscription(decoder)))
    this.#wills = formats.flatMap((format) => (format.will === undefined ? [] : [connection.offerWill(() => (format.will as () => never)())]))
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
    await Promise.all(this.#formats.map((format) => format.stop?.(this.#line)))
  }

  #subscription(decoder: MqttDecoder): MqttSubscription {
    const { filter, qos = this.#setting.qos } = decoder
    return { filter, qos, take: (message) => decoder.decode(message, this.#direct), refused: (problem) => this.#setting.refused(problem, filter) }
  }
}
