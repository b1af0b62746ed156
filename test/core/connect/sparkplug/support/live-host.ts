import { randomUUID } from 'node:crypto'
import { connect, type IPublishPacket, type MqttClient } from 'mqtt'
import { systemClock } from '../../../../../core/base/clock.ts'
import type { TaktError } from '../../../../../core/base/error.ts'
import { MqttConnection } from '../../../../../core/connect/mqtt-connection.ts'
import { MqttReader } from '../../../../../core/connect/mqtt-reader.ts'
import { type SparkplugFormat, sparkplugFormat } from '../../../../../core/connect/sparkplug/host-format.ts'
import { type HostMemory, REORDER_MS } from '../../../../../core/connect/sparkplug/host-setting.ts'
import { boundTargets } from '../../../../../core/connect/sparkplug/host-targets.ts'
import type { Gap } from '../../../../../core/messages/gap.ts'
import type { Sample } from '../../../../../core/messages/sample.ts'
import { DEFAULT_TOLERANCE } from '../../../../../core/signal/sample.ts'
import { until } from '../../support/wait.ts'
import type { EdgePacket } from './foreign-edge.ts'
import { PLANT } from './host-bench.ts'

export interface LiveSetting {
  readonly protocolVersion?: 4 | 5
  readonly hostId?: string
  readonly memory?: HostMemory
  readonly reorderMs?: number
}

/** The host on a real broker, as the mqtt sensor has it. */
export class LiveHost {
  readonly samples: Sample[] = []
  readonly gaps: Gap[] = []
  readonly bad: TaktError[] = []
  readonly connection: MqttConnection
  readonly format: SparkplugFormat
  readonly #reader: MqttReader
  readonly #user: Parameters<MqttConnection['register']>[0]

  constructor(url: string, { protocolVersion = 5, hostId = 'takt', memory, reorderMs = REORDER_MS }: LiveSetting = {}) {
    this.connection = new MqttConnection({
      url: async () => url,
      protocolVersion,
      clientId: `takt-${randomUUID().slice(0, 8)}`,
      cleanSession: true,
      sessionExpirySeconds: 0,
      keepaliveSeconds: 60,
      receiveMaximum: 100,
      maximumPacketBytes: 10_000_000,
      where: 'a test',
    })
    const clock = systemClock
    const { targets } = boundTargets('line', { plant: PLANT, clock, tolerance: DEFAULT_TOLERANCE, where: 'a test' })
    this.format = sparkplugFormat({ hostId, clock, timers: clock, source: 'line', where: 'a test', limits: {}, reorderMs, targets, memory })
    this.#reader = new MqttReader({
      connection: this.connection,
      source: 'line/test',
      qos: 1,
      intake: undefined,
      isGuaranteed: () => false,
      now: () => clock.now(),
      send: (_topic, payload) => {
        if (payload.kind === 'sample') this.samples.push(payload)
        else if (payload.kind === 'gap') this.gaps.push(payload)
      },
      bad: (problem) => this.bad.push(problem),
      refused: (problem) => this.bad.push(problem),
      gap: () => {},
    })
    this.#reader.use([this.format])
    this.#user = { linkChanged: (state) => this.#reader.linkChanged(state) }
    this.connection.register(this.#user)
  }

  async connected(): Promise<this> {
    await until(() => this.connection.state === 'connected', 'the host is connected')
    return this
  }

  /** The last value and quality of a signal. */
  last(signal: string): readonly [Sample['value'], Sample['quality']] | undefined {
    const found = this.samples.findLast((sample) => sample.signal === signal)
    return found === undefined ? undefined : [found.value, found.quality]
  }

  async stop(): Promise<void> {
    await this.#reader.stop(false)
    await this.connection.deregister(this.#user)
  }
}

/** What another client of the broker sees. */
export class Witness {
  readonly packets: IPublishPacket[] = []
  readonly client: MqttClient

  constructor(url: string, filter = 'spBv1.0/#') {
    this.client = connect(url, { protocolVersion: 5, clientId: `witness-${randomUUID().slice(0, 8)}` })
    this.client.on('message', (_topic, _payload, packet) => this.packets.push(packet))
    this.client.on('connect', () => this.client.subscribe(filter, { qos: 1, rap: true }))
  }

  async ready(): Promise<this> {
    await until(() => this.client.connected, 'the witness is connected')
    // in the order of one connection: once this is back, the filter was granted before
    const topic = `spBv1.0/STATE/witness-${randomUUID()}`
    await this.client.publishAsync(topic, '{}', { qos: 1 })
    await until(() => this.packets.some((packet) => packet.topic === topic), 'the witness hears')
    this.packets.length = 0
    return this
  }

  async see(wanted: (packet: IPublishPacket) => boolean, what: string): Promise<IPublishPacket> {
    await until(() => this.packets.some(wanted), what)
    return this.packets.find(wanted) as IPublishPacket
  }

  stop(): Promise<void> {
    return this.client.endAsync(true)
  }
}

/** The connection of an edge node made with mqtt.js: its will is there from the beginning. */
export async function edgeClient(url: string, will: EdgePacket, more: Record<string, unknown> = {}): Promise<MqttClient> {
  const client = connect(url, {
    protocolVersion: 4,
    clean: true,
    reconnectPeriod: 0,
    will: { topic: will.topic, payload: will.payload, qos: 1, retain: false },
    ...more,
  })
  await until(() => client.connected, 'the edge node is connected')
  return client
}
