import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { brokerProblem, clientOptions, type MqttSettings } from '../mqtt-options.ts'
import type { EdgeLink, EdgeSession, EdgeTransport } from './edge-transport.ts'

/** After so many messages the server is asked for a sign of life, because QoS 0 gives none. */
const PROOF_EVERY = 500
const CLOSE_TIMEOUT_MS = 2000
/** MQTT 5, 3.14.2.1: disconnect with will message. */
const WITH_WILL = 4

/** Sessions of an edge node over mqtt.js: each one connection with a will of its own, clean, and not made anew by itself. */
export class MqttEdgeTransport implements EdgeTransport {
  readonly #servers: readonly MqttSettings[]
  readonly #clientId: string

  /** `servers`: how each broker is reached; client id, session and will in them are not used. */
  constructor(servers: readonly MqttSettings[], clientId: string) {
    this.#servers = servers
    this.#clientId = clientId
  }

  open(session: EdgeSession): EdgeLink {
    const settings = this.#servers[session.server] as MqttSettings
    const link = new MqttEdgeLink(session, settings)
    void link.begin({ ...settings, clientId: this.#clientId, cleanSession: true, will: undefined })
    return link
  }
}

class MqttEdgeLink implements EdgeLink {
  readonly #session: EdgeSession
  readonly #where: string
  readonly #five: boolean
  #client: MqttClient | undefined
  #error: Error | undefined
  #ended = false
  #sent = 0
  #sentWhenAsked: number[] = []

  constructor(session: EdgeSession, settings: MqttSettings) {
    this.#session = session
    this.#where = settings.where
    this.#five = settings.protocolVersion === 5
  }

  async begin(settings: MqttSettings): Promise<void> {
    let url: string
    try {
      url = await settings.url()
    } catch (thrown) {
      return this.#over(thrown as Error)
    }
    if (this.#ended) return
    const { topic, payload } = this.#session.will
    const client = connect(url, {
      ...edgeOptions(settings),
      will: { topic, payload: asBuffer(payload), qos: 1, retain: false },
    })
    this.#client = client
    client.on('connect', () => void this.#subscribe(client))
    client.on('message', (from, message, packet) => this.#session.message(from, message, packet.retain))
    client.on('packetsend', (packet) => {
      if (packet.cmd === 'pingreq') this.#sentWhenAsked.push(this.#sent)
    })
    client.on('packetreceive', (packet) => {
      // the server reads in order: what was written before its question was answered, it has
      const sent = packet.cmd === 'pingresp' ? this.#sentWhenAsked.shift() : undefined
      if (sent !== undefined) this.#session.proved(sent)
    })
    client.on('error', (error) => {
      this.#error = error
    })
    client.on('disconnect', (packet) => {
      this.#error = new Error(`the broker ended the connection, reason code ${packet.reasonCode ?? 0}`)
    })
    client.on('close', () => this.#over(this.#error))
  }

  publish(topic: string, payload: Uint8Array): number {
    this.#sent++
    this.#client?.publish(topic, asBuffer(payload), { qos: 0, retain: false })
    if (this.#sent % PROOF_EVERY === 0) this.#client?.sendPing()
    return this.#sent
  }

  async close(last: { readonly topic: string; readonly payload: Uint8Array }): Promise<boolean> {
    const client = this.#client
    const open = !this.#ended && client?.connected === true
    this.#ended = true
    if (client === undefined) return false
    const forced = setTimeout(() => client.end(true), CLOSE_TIMEOUT_MS)
    try {
      if (open) await client.publishAsync(last.topic, asBuffer(last.payload), { qos: 1, retain: false })
      await client.endAsync(!open, this.#five ? { reasonCode: WITH_WILL } : {})
      return open
    } catch {
      client.end(true)
      return false
    } finally {
      clearTimeout(forced)
    }
  }

  async #subscribe(client: MqttClient): Promise<void> {
    try {
      const granted = await client.subscribeAsync([...this.#session.filters], { qos: 1 })
      const refused = granted.find(({ qos }) => qos >= 128)
      if (refused !== undefined) throw new Error(`the broker refused the topic '${refused.topic}'`)
    } catch (thrown) {
      // hosts could not command it, so it must not be born
      this.#error = thrown as Error
      client.end(true)
      return this.#over(this.#error)
    }
    if (!this.#ended) this.#session.opened()
  }

  #over(error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#client?.end(true)
    this.#session.lost(brokerProblem(error, this.#where), !isUnreached(error))
  }
}

/** Nothing was there to take the CONNECT packet: no address, or nobody who listens. */
function isUnreached(error: Error | undefined): boolean {
  if (error instanceof AggregateError) return error.errors.every(isUnreached)
  const syscall = (error as { syscall?: unknown } | undefined)?.syscall
  return syscall === 'connect' || syscall === 'getaddrinfo'
}

function edgeOptions(settings: MqttSettings): IClientOptions {
  const options = clientOptions(settings)
  return {
    ...options,
    reconnectPeriod: 0,
    // a stream of data must not keep the server from being asked whether it lives
    reschedulePings: false,
    ...(settings.protocolVersion === 5 ? { properties: { ...options.properties, sessionExpiryInterval: 0 } } : {}),
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
