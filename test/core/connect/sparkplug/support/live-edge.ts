import type { MqttClient } from 'mqtt'
import { until } from '../../support/wait.ts'
import { type EdgePacket, ForeignEdge, type WireMetric } from './foreign-edge.ts'
import { edgeClient } from './live-host.ts'
import { foreignDecode } from './schema.ts'

/** A foreign edge node on a real broker: made of protobufjs and mqtt.js, with its births, its will, and its answer to rebirth requests. */
export class LiveEdge {
  readonly edge: ForeignEdge
  /** What it is asked by NCMD and DCMD, as protobufjs reads it. */
  readonly commands: Array<Record<string, any>> = []
  readonly #url: string
  readonly #births: (edge: ForeignEdge) => readonly EdgePacket[]
  #client: MqttClient | undefined

  /** `births` makes all births of a session: the node's and its devices'. */
  constructor(url: string, group: string, node: string, births: (edge: ForeignEdge) => readonly EdgePacket[]) {
    this.#url = url
    this.#births = births
    this.edge = new ForeignEdge(group, node, Date.now)
  }

  /** A new session: its will, then its births. */
  async connect(): Promise<void> {
    const { group, node } = this.edge
    const client = await edgeClient(this.#url, this.edge.death())
    this.#client = client
    client.on('message', (topic, payload) => {
      const command = foreignDecode(payload)
      this.commands.push({ topic, ...command })
      if (command.metrics.some((metric: WireMetric) => metric.name === 'Node Control/Rebirth' && metric.boolean_value === true)) this.bear()
    })
    await client.subscribeAsync([`spBv1.0/${group}/NCMD/${node}`, `spBv1.0/${group}/DCMD/${node}/+`], { qos: 1 })
    this.bear()
  }

  bear(): void {
    for (const packet of this.#births(this.edge)) this.send(packet)
  }

  send({ topic, payload }: EdgePacket): void {
    this.#client?.publish(topic, payload, { qos: 0 })
  }

  /** Ends the socket without a word, so that the broker publishes the will; the next session has the next number. */
  async die(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    client?.stream.destroy()
    await until(() => client?.connected !== true, 'the edge node is cut off')
    this.edge.bdSeq = (this.edge.bdSeq + 1) % 256
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true)
    this.#client = undefined
  }
}
