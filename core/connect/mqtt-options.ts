import type { IClientOptions } from 'mqtt'
import { TaktError } from '../base/error.ts'

export type QoS = 0 | 1 | 2

/** What the broker publishes for us when it loses us, or what we publish ourselves. */
export interface MqttWill {
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly qos: QoS
  readonly retain: boolean
}

export interface MqttSettings {
  /** `mqtt://host:1883`, `mqtts://…`, `ws://…`, `wss://…`; asked at each opening, because an embedded broker may choose its port. */
  readonly url: () => Promise<string>
  readonly protocolVersion: 4 | 5
  readonly clientId: string
  /** false: the broker keeps the session, and queues QoS 1 and 2 messages while we are away. */
  readonly cleanSession: boolean
  readonly sessionExpirySeconds: number
  readonly keepaliveSeconds: number
  /** QoS 1 and 2 messages that the broker may have under way to us (MQTT 5); and what we take at once, whatever the broker sends. */
  readonly receiveMaximum: number
  /** Larger packets the broker does not send us (MQTT 5). */
  readonly maximumPacketBytes: number
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Options of `tls.connect`. */
  readonly tls?: Readonly<Record<string, unknown>> | undefined
  readonly will?: MqttWill | undefined
  /** Published after each connect, once the subscriptions are granted. */
  readonly birth?: MqttWill | undefined
  /** For errors: the node. */
  readonly where: string
  /** Opens nothing before `begin()`. */
  readonly waiting?: boolean
}

/** A fixed period, so that a broker that is back is found within it; growing pauses would leave the plant blind for longer. */
export const RECONNECT_MS = 1000
const CONNECT_TIMEOUT_MS = 5000

export function clientOptions(settings: MqttSettings): IClientOptions {
  const options: IClientOptions = {
    protocolVersion: settings.protocolVersion,
    clientId: settings.clientId,
    clean: settings.cleanSession,
    keepalive: settings.keepaliveSeconds,
    reconnectPeriod: RECONNECT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // a broker that is starting, or whose password file is being changed, refuses for a while
    reconnectOnConnackError: true,
    resubscribe: false,
    queueQoSZero: false,
    // its trace costs a twentieth of a message even where nobody reads it
    log: () => {},
    // 65,536 small buffers for ever, to spare making one a packet
    writeCache: false,
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...settings.tls,
  }
  if (settings.protocolVersion === 5) {
    options.properties = { receiveMaximum: settings.receiveMaximum, maximumPacketSize: settings.maximumPacketBytes }
    if (!settings.cleanSession) options.properties.sessionExpiryInterval = settings.sessionExpirySeconds
  }
  return options
}

/** Why a connection was refused or lost, as an error with a code: TAKT_BROKER_REFUSED, TAKT_BROKER_TLS or TAKT_BROKER_AWAY. */
export function brokerProblem(error: Error | undefined, where: string): TaktError {
  if (error === undefined) return new TaktError('TAKT_BROKER_AWAY', { where })
  if (error instanceof TaktError) return error
  const code = (error as { code?: unknown }).code
  if (typeof code === 'number') return new TaktError('TAKT_BROKER_REFUSED', { what: error.message, where, cause: error })
  if (typeof code === 'string' && /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code))
    return new TaktError('TAKT_BROKER_TLS', { what: error.message, where, cause: error })
  return new TaktError('TAKT_BROKER_AWAY', { what: `the MQTT broker does not answer: ${messageOf(error)}`, where, cause: error })
}

/** Node gives an AggregateError without a message where a name has several addresses. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join(', ')
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.message || String((thrown as { code?: unknown }).code ?? thrown.name)
}
