import { connect, type IPublishPacket, type MqttClient } from 'mqtt'
import { TaktError } from '../base/error.ts'
import { Acknowledger } from './mqtt-acknowledge.ts'
import { brokerProblem, clientOptions, type MqttSettings, type MqttWill, messageOf, type QoS, RECONNECT_MS } from './mqtt-options.ts'
import { ParkedSubscription } from './mqtt-parking.ts'
import { UnclaimedMessages } from './mqtt-unclaimed.ts'
import { SharedLink } from './shared-link.ts'
import { TopicRouter } from './topics.ts'

export type { MqttSettings, MqttWill, QoS } from './mqtt-options.ts'

/** `messageId`: the broker's number of a QoS 1 or 2 message, the same when it is sent again. */
export type MqttMessage = Pick<IPublishPacket, 'topic' | 'qos' | 'retain' | 'dup' | 'messageId'> & { readonly payload: Buffer }

export interface PublishOptions {
  readonly qos: QoS
  readonly retain?: boolean
  /** MQTT 5; left out for a broker that speaks 3.1.1. */
  readonly contentType?: string
  readonly userProperties?: Readonly<Record<string, string>>
}

export interface MqttSubscription {
  readonly filter: string
  readonly qos: QoS
  /**
   * Must not throw. The message is acknowledged when every taker is done with it: at once, or when the promise resolves. Where one rejects, the connection is
   * given up and made anew after a pause, and the broker sends again what was not acknowledged.
   */
  take(message: MqttMessage): void | Promise<void>
  /**
   * Nothing may be lost: the connection then asks for QoS 1 where 2 was wanted, on every filter. With QoS 2 a broker forgets a message before it could be committed here;
   * with QoS 1 it sends it until it is, and repetitions are told apart by the inbox.
   */
  readonly guaranteed?: boolean
  /** The broker refused the filter. */
  refused?(problem: TaktError): void
}

const LONGEST_PAUSE_MS = 30_000
const END_TIMEOUT_MS = 2000
/** A broker of 3.1.1 knows no receive maximum: this many messages are taken at once, then no more is read until some are safe. */
const MIN_UNDER_WAY = 1000

/** A connection to an MQTT broker that several nodes share. Reconnects by itself and subscribes anew each time. */
export class MqttConnection extends SharedLink {
  readonly #settings: MqttSettings
  readonly #router = new TopicRouter<MqttSubscription>()
  readonly #subscriptions = new Set<MqttSubscription>()
  readonly #unclaimed = new UnclaimedMessages()
  readonly #wills = new Set<() => MqttWill>()
  #client: MqttClient | undefined
  #acknowledger: Acknowledger | undefined
  #lastError: Error | undefined
  #retry: NodeJS.Timeout | undefined
  #pauseMs = RECONNECT_MS
  #resumed = false

  constructor(settings: MqttSettings) {
    super(settings.waiting)
    this.#settings = settings
  }

  /** Where the broker is and how it lets us in, for one who needs a connection of its own there: a Sparkplug edge node with its will. */
  get settings(): MqttSettings {
    return this.#settings
  }

  /** True where the broker queues QoS 1 messages while we are away. */
  get keepsSession(): boolean {
    return !this.#settings.cleanSession
  }

  /** The broker still had our session at the last connect: what came meanwhile with QoS 1 is not lost. */
  get resumed(): boolean {
    return this.#resumed
  }

  /** Messages taken and not yet acknowledged. */
  get underWay(): number {
    return this.#acknowledger?.underWay ?? 0
  }

  /** Takes effect now and after every reconnect. Resolves when the broker has granted it, or at once while it is away. */
  async subscribe(subscription: MqttSubscription): Promise<void> {
    const limited = this.#guaranteed()
    this.#subscriptions.add(subscription)
    this.#router.add(subscription.filter, subscription)
    this.#unpark(subscription)
    this.#unclaimed.offer((message) => {
      const takers = this.#router.takers(message.topic)
      return takers.length === 0 ? undefined : { safe: this.#takeBy(takers, message) }
    })
    if (!this.#client?.connected) return
    const lowers = !limited && subscription.guaranteed === true
    await this.#ask(this.#client, lowers ? this.#filters() : [subscription.filter])
  }

  /**
   * `keep` leaves the filter in a persistent session: the broker goes on queueing for when we are back. What it sends meanwhile, because others still use
   * the connection, waits for the next reader of the same filter where delivery is guaranteed.
   */
  unsubscribe(subscription: MqttSubscription, keep = false): void {
    this.#subscriptions.delete(subscription)
    this.#router.remove(subscription)
    if (keep && subscription.guaranteed && !this.#settings.cleanSession && this.#client !== undefined) return this.#park(subscription)
    const stillUsed = [...this.#subscriptions].some((other) => other.filter === subscription.filter)
    if (!stillUsed && !(keep && !this.#settings.cleanSession) && this.#client?.connected) this.#client.unsubscribe(subscription.filter)
  }

  /** Resolves when the broker has it (QoS 1, 2) or it is written (QoS 0). Throws TAKT_BROKER_AWAY at once while not connected. */
  async publish(topic: string, payload: string | Uint8Array, options: PublishOptions): Promise<void> {
    const client = this.#client
    if (!client?.connected) throw this.problem ?? this.away()
    const { qos, retain = false, contentType, userProperties } = options
    const five = this.#settings.protocolVersion === 5 && (contentType !== undefined || userProperties !== undefined)
    const properties = five ? { ...(contentType && { contentType }), ...(userProperties && { userProperties: { ...userProperties } }) } : undefined
    try {
      await client.publishAsync(topic, asBuffer(payload), { qos, retain, ...(properties && { properties }) })
    } catch (cause) {
      throw new TaktError('TAKT_BROKER_AWAY', { what: `publishing to ${topic} failed: ${messageOf(cause)}`, where: this.#settings.where, cause })
    }
  }

  /**
   * A last will for a connection that has none in its settings, asked anew before each attempt to connect; of several the first one counts.
   * A connection that is up is made anew, because the will is told at its beginning. Returns the way to take it back.
   */
  offerWill(will: () => MqttWill): () => void {
    const first = this.#wills.size === 0 && this.#settings.will === undefined
    this.#wills.add(will)
    if (first && this.#client?.connected) this.#client.stream.destroy()
    return () => void this.#wills.delete(will)
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
      this.changed('away', brokerProblem(thrown as Error, this.#settings.where))
      this.#retry = setTimeout(() => void this.open(), RECONNECT_MS)
      return
    }
    const client = connect(url, { ...clientOptions(this.#settings), ...this.#will() })
    this.#client = client
    client.setMaxListeners(0)
    this.#acknowledger = new Acknowledger(client, {
      // while we take our leave there are no readers any more, and what comes is for the next connection
      take: (packet) => (this.#client === client ? this.#take(packet as MqttMessage) : new Promise(() => {})),
      failed: (problem) => this.#giveUp(client, problem),
      limit: Math.max(MIN_UNDER_WAY, this.#settings.receiveMaximum),
      where: this.#settings.where,
    })
    client.on('connect', ({ sessionPresent }) => {
      this.#lastError = undefined
      this.#resumed = sessionPresent === true
      if (this.#resumed) this.#unclaimed.began()
      // granted before it is called connected: who waits for the connection may rely on its subscriptions
      void this.#ask(client, this.#filters()).then(() => {
        if (!client.connected || this.#client !== client) return
        this.#sayBirth()
        this.changed('connected')
      })
    })
    client.on('reconnect', () => Object.assign(client.options, this.#will()))
    client.on('error', (error) => {
      this.#lastError = error
      // what cannot be read leaves mqtt.js deaf on a connection that looks alive
      if (client.connected) client.stream.destroy()
      else this.changed('away', brokerProblem(error, this.#settings.where))
    })
    client.on('disconnect', (packet) => {
      this.#lastError = new Error(`the broker ended the connection, reason code ${packet.reasonCode ?? 0}`)
    })
    client.on('close', () => {
      this.#unclaimed.end(this.#settings.where)
      if (this.#client === client) this.changed('away', brokerProblem(this.#lastError, this.#settings.where))
    })
  }

  protected async shut(): Promise<void> {
    clearTimeout(this.#retry)
    const client = this.#client
    this.#client = undefined
    for (const subscription of [...this.#subscriptions]) {
      if (!(subscription instanceof ParkedSubscription)) continue
      this.#forget(subscription)
      subscription.end(this.#settings.where)
    }
    if (client === undefined) return
    // without a connection there is nobody to say goodbye to
    const forced = setTimeout(() => client.end(true), client.connected ? END_TIMEOUT_MS : 0)
    if (client.connected) await client.endAsync().catch(() => {})
    else await client.endAsync(true).catch(() => {})
    clearTimeout(forced)
  }

  #park(subscription: MqttSubscription): void {
    const parked = new ParkedSubscription(subscription, () => {
      this.#forget(parked)
      parked.abandon()
      this.unsubscribe(parked)
    })
    this.#subscriptions.add(parked)
    this.#router.add(parked.filter, parked)
  }

  #unpark(reader: MqttSubscription): void {
    for (const parked of this.#subscriptions) {
      if (!(parked instanceof ParkedSubscription) || parked.filter !== reader.filter || !reader.guaranteed) continue
      this.#forget(parked)
      return parked.handOver(reader)
    }
  }

  #forget(parked: ParkedSubscription): void {
    this.#subscriptions.delete(parked)
    this.#router.remove(parked)
  }

  /** Undefined when every taker is done; the usual case costs nothing more. */
  #take(message: MqttMessage): void | Promise<void> {
    const takers = this.#router.takers(message.topic)
    return takers.length === 0 ? this.#unclaimed.take(message) : this.#takeBy(takers, message)
  }

  #takeBy(takers: readonly MqttSubscription[], message: MqttMessage): void | Promise<void> {
    let waiting: Promise<void>[] | undefined
    for (const taker of takers) {
      const work = taker.take(message)
      if (work === undefined) continue
      if (waiting === undefined) waiting = [work]
      else waiting.push(work)
    }
    if (waiting === undefined) return undefined
    const safe = waiting.length === 1 ? (waiting[0] as Promise<void>) : Promise.all(waiting).then(() => {})
    return this.#pauseMs === RECONNECT_MS
      ? safe
      : safe.then(() => {
          this.#pauseMs = RECONNECT_MS
        })
  }

  /** What cannot be kept must not be acknowledged, and a broker sends again only on a new connection: after a pause that grows while nothing can be kept. */
  #giveUp(client: MqttClient, problem: TaktError): void {
    if (this.#client !== client) return
    this.#lastError = problem
    client.options.reconnectPeriod = this.#pauseMs
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
    client.once('close', () => {
      client.options.reconnectPeriod = RECONNECT_MS
    })
    client.stream.destroy()
  }

  #sayBirth(): void {
    const { birth } = this.#settings
    if (birth === undefined) return
    const { topic, payload, qos, retain } = birth
    this.publish(topic, payload, { qos, retain }).catch(() => {})
  }

  #will(): { will?: { topic: string; payload: Buffer; qos: QoS; retain: boolean } } {
    const will = this.#settings.will ?? [...this.#wills][0]?.()
    return will === undefined ? {} : { will: { ...will, payload: asBuffer(will.payload) } }
  }

  #filters(): string[] {
    return [...new Set([...this.#subscriptions].map((subscription) => subscription.filter))]
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
    const wanted = Math.max(...[...this.#subscriptions].filter((subscription) => subscription.filter === filter).map((subscription) => subscription.qos), 0)
    return (this.#guaranteed() ? Math.min(wanted, 1) : wanted) as QoS
  }

  #guaranteed(): boolean {
    for (const subscription of this.#subscriptions) if (subscription.guaranteed) return true
    return false
  }
}

function asBuffer(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload)
  return Buffer.isBuffer(payload) ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
}
