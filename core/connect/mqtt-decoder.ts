import type { TaktError } from '../base/error.ts'
import type { Document } from '../messages/document.ts'
import type { Sample } from '../messages/sample.ts'
import type { MqttMessage } from './mqtt-connection.ts'
import type { MqttWill, QoS } from './mqtt-options.ts'

/** Takes what a decoder finds in one message, in the order in which it must be taken. */
export interface SampleSink {
  sample(sample: Sample, topic: string): void
  /** Any other document that the message brought, a `gap`. */
  document(document: Document, topic: string): void
  /** The sender's own numbering of the message; the same number never counts twice, across restarts. */
  numbered(session: string, sequence: number): void
  bad(problem: TaktError, message: MqttMessage): void
}

/** Turns the messages of one topic filter into samples. */
export interface MqttDecoder {
  readonly filter: string
  /** Instead of the sensor's. */
  readonly qos?: QoS
  /** Must not throw. The message is acknowledged when what it gave to the sink is safe; a promise puts that off until it resolves. */
  decode(message: MqttMessage, sink: SampleSink): void | Promise<void>
}

/** What a payload format that speaks as well (a Sparkplug host) may do on its connection. */
export interface MqttLine {
  /** Rejects with TAKT_BROKER_AWAY while not connected. */
  publish(topic: string, payload: string | Uint8Array, options: { readonly qos: QoS; readonly retain?: boolean }): Promise<void>
  /** For samples without a message of their own: a value that became stale. Sent at once, never through the inbox. */
  readonly sink: Omit<SampleSink, 'numbered'>
}

/** A payload format: decoders, and what is to be said at the beginning and the end of each connection. A plain one is `{ decoders }`. */
export interface MqttFormat {
  readonly decoders: readonly MqttDecoder[]
  /** The broker must not keep a session for it: what was queued would be older than what is asked for at each connection. */
  readonly cleanSession?: boolean
  /** The last will, asked anew before each attempt to connect. A connection has one: the first format that has one gives it. */
  will?(): MqttWill
  /** Connected, and all filters are granted. */
  connected?(line: MqttLine): void
  /** The connection is lost; nothing can be said. */
  lost?(line: MqttLine): void
  /** The sensor closes or the plant model was changed; still connected, if it was. */
  stop?(line: MqttLine): void | Promise<void>
}
