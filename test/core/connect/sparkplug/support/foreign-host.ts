import { connect, type MqttClient } from 'mqtt'
import { until } from '../../support/wait.ts'
import { type Heard, read } from './fake-transport.ts'
import { foreignEncode } from './schema.ts'

/** A Sparkplug host made of mqtt.js and protobufjs: nothing of ours reads or writes its messages. */
export class ForeignHost {
  readonly heard: Array<Heard & { readonly qos: number; readonly retain: boolean }> = []
  readonly #client: MqttClient
  readonly #group: string

  private constructor(client: MqttClient, group: string) {
    this.#client = client
    this.#group = group
    client.on('message', (topic, payload, { qos, retain }) => {
      if (topic.startsWith('spBv1.0/STATE/')) return
      this.heard.push({ ...read(topic, payload), qos, retain })
    })
  }

  static async start(url: string, group: string): Promise<ForeignHost> {
    const client = connect(url, { reconnectPeriod: 200 })
    const host = new ForeignHost(client, group)
    await until(() => client.connected, 'the host is connected')
    await client.subscribeAsync(`spBv1.0/${group}/#`, { qos: 1 })
    return host
  }

  /** STATE as Sparkplug 3.0 has it: retained, QoS 1. */
  async state(id: string, online: boolean, timestamp: number): Promise<void> {
    await this.#client.publishAsync(`spBv1.0/STATE/${id}`, JSON.stringify({ online, timestamp }), { qos: 1, retain: true })
  }

  /** NCMD, or DCMD where there is a device. */
  async write(edge: string, device: string | undefined, metric: Record<string, unknown>): Promise<void> {
    const topic = device === undefined ? `spBv1.0/${this.#group}/NCMD/${edge}` : `spBv1.0/${this.#group}/DCMD/${edge}/${device}`
    await this.#client.publishAsync(topic, foreignEncode({ timestamp: Date.now(), metrics: [metric] }), { qos: 0 })
  }

  rebirth(edge: string): Promise<void> {
    return this.write(edge, undefined, { name: 'Node Control/Rebirth', boolean_value: true })
  }

  of(verb: string, device?: string): ForeignHost['heard'] {
    return this.heard.filter((message) => message.verb === verb && message.device === device)
  }

  /** Waits for the n-th message of a kind and gives it. */
  async next(verb: string, device?: string, count = 1): Promise<Heard> {
    await until(
      () => this.of(verb, device).length >= count,
      `${verb} ${device ?? ''} number ${count}; heard ${this.heard.map(({ verb: each }) => each).join(' ')}`,
    )
    return this.of(verb, device)[count - 1] as Heard
  }

  stop(): Promise<void> {
    return this.#client.endAsync(true)
  }
}

/** The metric of a message by its name. */
export const metricOf = ({ payload }: Heard, name: string): Record<string, any> | undefined =>
  payload.metrics.find((metric: { name?: string }) => metric.name === name)
/** All metrics as name and value, whatever form it has. */
export const valuesOf = ({ payload }: Heard): Record<string, unknown> =>
  Object.fromEntries(
    payload.metrics.map((metric: any) => [
      metric.name,
      metric.is_null === true
        ? null
        : (metric.double_value ?? metric.boolean_value ?? metric.string_value ?? metric.int_value ?? metric.long_value ?? metric.dataset_value),
    ]),
  )
