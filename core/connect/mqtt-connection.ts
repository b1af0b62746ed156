import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import { TaktError } from '../base/error.ts'
import { SharedLink } from './shared-link.ts'
import { TopicRouter } from './topics.ts'

export interface MqttSettings {
  /** `mqtt://host:1883`, `mqtts://…`, `ws://…`, `wss://…`; asked at each opening, because an embedded broker may choose its port. */
  readonly url: () => Promise<string>
  readonly protocolVersion: 4 | 5
  readonly clientId: string
  /** false: the broker keeps the session, and queues QoS 1 and 2 messages while we are away. */
  readonly cleanSession: boolean
  readonly sessionExpirySeconds: number
  readonly keepaliveSeconds: number
  /** QoS 1 and 2 messages that the broker may have under way to us (MQTT 5). */
  readonly receiveMaximum: number
  /** Larger packets the broker does not send us (MQTT 5). */
  readonly maximumPacketBytes: number
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Options of `tls.connect`. */
  readonly tls?: Readonly<Record<string, unknown>> | undefined
  /** For errors: the node. */
  readonly where: string
  /** Opens nothing before `begin()`. */
  readonly waiting?: boolean
}

export type MqttMessage = Pick<IPublishPacket, 'topic' | 'qos' | 'retain' | 'dup'> & { readonly payload: Buffer }
export type QoS = 0 | 1 | 2

export interface MqttSubscription {
  readonly filter: string
  readonly qos: QoS
  /** Runs before the message is acknowledged. Must not throw. */
  take(message: MqttMessage): void
  /** The broker refused the filter. */
  refused?(problem: TaktError): void
}

/** A fixed period, so that a broker that is back is found within it; growing pauses would leave the plant blind for longer. */
const RECONNECT_MS = 1000
const CONNECT_TIMEOUT_MS = 5000
const END_TIMEOUT_MS = 2000

/** A connection to an MQTT broker that several nodes share. Reconnects by itself and subscribes anew each time. */
export class MqttConnection extends SharedLink {
  readonly #settings: MqttSettings
  readonly #router = new TopicRouter<MqttSubscription>()
  readonly #subscriptions = new Set<MqttSubscription>()
  #client: MqttClient | undefined
  #lastError: Error | undefined
  #retry: NodeJS.Timeout | undefined

  constructor(settings: MqttSettings) {
    super(settings.waiting)
    this.#settings = settings
  }

  /** Takes effect now and after every reconnect. Resolves when the broker has granted it, or at once while it is away. */
  async subscribe(subscription: MqttSubscription): Promise<void> {
    this.#subscriptions.add(subscription)
    this.#router.add(subscription.filter, subscription)
    if (this.#client?.connected) await this.#ask(this.#client, [subscription.filter])
  }

  /** `keep` leaves the filter in a persistent session: the broker goes on queueing for when we are back. */
  unsubscribe(subscription: MqttSubscription, keep = false): void {
    this.#subscriptions.delete(subscription)
    this.#router.remove(subscription)
    const stillUsed = [...this.#subscriptions].some((other) => other.filter === subscription.filter)
    if (!stillUsed && !(keep && !this.#settings.cleanSession) && this.#client?.connected) this.#client.unsubscribe(subscription.filter)
  }

  /** Resolves when the broker has it (QoS 1, 2) or it is written (QoS 0). Throws TAKT_BROKER_AWAY at once while not connected. */
  async publish(topic: string, payload: string | Buffer, options: { readonly qos: QoS; readonly retain?: boolean }): Promise<void> {
    const client = this.#client
    if (!client?.connected) throw this.problem ?? this.away()
    try {
      await client.publishAsync(topic, payload, { qos: options.qos, retain: options.retain ?? false })
    } catch (cause) {
      throw new TaktError('TAKT_BROKER_AWAY', { what: `publishing to ${topic} failed: ${messageOf(cause)}`, where: this.#settings.where, cause })
    }
  }

  away(): TaktError {
    return new TaktError('TAKT_BROKER_AWAY', { where: this.#settings.where })
  }

  protected async open(): Promise<void> {
    this.changed('connecting')
    let url: string
    try {
      url = await this.#settings.url()
    } catch (thrown) {
      this.changed('away', thrown instanceof TaktError ? thrown : this.#problemOf(thrown as Error))
      this.#retry = setTimeout(() => void this.open(), RECONNECT_MS)
      return
    }
    const client = connect(url, this.#options())
    this.#client = client
    client.setMaxListeners(0)
    client.on('connect', () => {
      this.#lastError = undefined
      const filters = [...new Set([...this.#subscriptions].map((subscription) => subscription.filter))]
      // granted before it is called connected: who waits for the connection may rely on its subscriptions
      void this.#ask(client, filters).then(() => {
        if (client.connected && this.#client === client) this.changed('connected')
      })
    })
    client.on('message', (topic, _payload, packet) => {
      for (const taker of this.#router.takers(topic)) taker.take(packet as MqttMessage)
    })
    client.on('error', (error) => {
      this.#lastError = error
      if (!client.connected) this.changed('away', this.#problemOf(error))
    })
    client.on('disconnect', (packet) => {
      this.#lastError = new Error(`the broker ended the connection, reason code ${packet.reasonCode ?? 0}`)
    })
    client.on('close', () => {
      if (this.#client === client) this.changed('away', this.#problemOf(this.#lastError))
    })
  }

  protected async shut(): Promise<void> {
    clearTimeout(this.#retry)
    const client = this.#client
    this.#client = undefined
    if (client === undefined) return
    // without a connection there is nobody to say goodbye to
    const forced = setTimeout(() => client.end(true), client.connected ? END_TIMEOUT_MS : 0)
    if (client.connected) await client.endAsync().catch(() => {})
    else await client.endAsync(true).catch(() => {})
    clearTimeout(forced)
  }

  async #ask(client: MqttClient, filters: readonly string[]): Promise<void> {
    if (filters.length === 0) return
    const wanted = Object.fromEntries(filters.map((filter) => [filter, { qos: this.#qosOf(filter) }]))
    let refused: ReadonlyMap<string, string>
    try {
      const granted = await client.subscribeAsync(wanted)
      refused = new Map(granted.filter((grant) => grant.qos >= 128).map((grant) => [grant.topic, `reason code ${grant.qos}`]))
    } catch (cause) {
      if (!client.connected) return
      refused = filters.length === 1 ? new Map([[filters[0] ?? '', messageOf(cause)]]) : await this.#askEach(client, filters)
    }
    for (const subscription of this.#subscriptions) {
      const why = refused.get(subscription.filter)
      if (why === undefined) continue
      subscription.refused?.(
        new TaktError('TAKT_BROKER_SUBSCRIPTION_REFUSED', {
          what: `the broker refused the topic '${subscription.filter}': ${why}`,
          where: this.#settings.where,
        }),
      )
    }
  }

  /** One refused filter must not cost the others. */
  async #askEach(client: MqttClient, filters: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const refused = new Map<string, string>()
    for (const filter of filters) {
      try {
        const [grant] = await client.subscribeAsync(filter, { qos: this.#qosOf(filter) })
        if (grant !== undefined && grant.qos >= 128) refused.set(filter, `reason code ${grant.qos}`)
      } catch (cause) {
        if (!client.connected) break
        refused.set(filter, messageOf(cause))
      }
    }
    return refused
  }

  #qosOf(filter: string): QoS {
    return Math.max(...[...this.#subscriptions].filter((subscription) => subscription.filter === filter).map((subscription) => subscription.qos), 0) as QoS
  }

  #options(): IClientOptions {
    const settings = this.#settings
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

  #problemOf(error: Error | undefined): TaktError {
    const code = (error as { code?: unknown } | undefined)?.code
    const { where } = this.#settings
    if (error === undefined) return this.away()
    if (typeof code === 'number') return new TaktError('TAKT_BROKER_REFUSED', { what: error.message, where, cause: error })
    if (typeof code === 'string' && /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code))
      return new TaktError('TAKT_BROKER_TLS', { what: error.message, where, cause: error })
    return new TaktError('TAKT_BROKER_AWAY', { what: `the MQTT broker does not answer: ${messageOf(error)}`, where, cause: error })
  }
}

/** Node gives an AggregateError without a message where a name has several addresses. */
function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join(', ')
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.message || String((thrown as { code?: unknown }).code ?? thrown.name)
}
