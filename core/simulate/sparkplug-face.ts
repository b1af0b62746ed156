import { connect, type MqttClient } from 'mqtt'
import type { Receipt } from '../messages/command.ts'
import type { SignalRole } from '../plant/model.ts'
import type { Plant } from '../plant/plant.ts'
import type { Bindings, WireMetric } from './bindings.ts'
import type { MachineCommand } from './commands.ts'
import type { GaugePublication, Publication } from './happenings.ts'
import type { Face } from './runner.ts'
import { type PacketMetric, packet, readPacket, TYPES, type Type } from './sparkplug-packets.ts'

export interface SparkplugFaceOptions {
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly plant: Plant
  readonly bindings: Bindings
  readonly command: (unit: string, command: MachineCommand) => Receipt
  readonly present: () => readonly Publication[]
  /** plant time */
  readonly now: () => number
}

/** The machines that the plant model binds to Sparkplug devices: each edge node with a connection, a death and births of its own. */
export class SparkplugFace implements Face {
  readonly #bindings: Bindings
  readonly #edges = new Map<string, EdgeNode>()

  constructor(options: SparkplugFaceOptions) {
    this.#bindings = options.bindings
    const edgeOf = (device: string): EdgeNode => {
      const [group, edge] = device.split('/') as [string, string]
      const key = `${group}/${edge}`
      const node = this.#edges.get(key) ?? new EdgeNode(group, edge, options)
      this.#edges.set(key, node)
      return node
    }
    for (const unit of options.plant.units) {
      for (const { role, source } of unit.signals ?? [])
        if (source?.device !== undefined && source.metric !== undefined) edgeOf(source.device).declare(source.device, source.metric, typeOf(role))
      for (const { name, target } of unit.commands ?? [])
        if (target.device !== undefined && target.metric !== undefined) edgeOf(target.device).obey(target.device, target.metric, unit.id, name)
    }
    for (const node of this.#edges.values()) node.open()
  }

  publish(publications: readonly Publication[]): void {
    for (const publication of publications) {
      const byDevice = new Map<string, WireMetric[]>()
      for (const metric of this.#bindings.metrics(publication)) byDevice.set(metric.device, [...(byDevice.get(metric.device) ?? []), metric])
      for (const [device, metrics] of byDevice) this.#edges.get(device.split('/', 2).join('/'))?.tell(device, metrics)
    }
  }

  /** Sparkplug data is not acknowledged: nothing is known to be outstanding. */
  pending(): readonly GaugePublication[] {
    return []
  }

  async close(): Promise<void> {
    await Promise.all([...this.#edges.values()].map((node) => node.close()))
  }
}

/** True where the plant model binds anything to a Sparkplug device. */
export function speaksSparkplug(plant: Plant): boolean {
  return plant.units.some(
    ({ signals, commands }) => signals?.some(({ source }) => source?.metric !== undefined) || commands?.some(({ target }) => target.metric !== undefined),
  )
}

function typeOf(role: SignalRole | undefined): Type {
  if (role === 'job-order') return TYPES.String
  return role === 'packml-state' || role === 'packml-mode' || role === 'good-count' || role === 'scrap-count' ? TYPES.Int64 : TYPES.Double
}

const RECONNECT_MS = 1000

class EdgeNode {
  readonly #group: string
  readonly #edge: string
  readonly #options: SparkplugFaceOptions
  /** By address, then by name: what the next birth says. */
  readonly #devices = new Map<string, Map<string, PacketMetric>>()
  readonly #ways = new Map<string, { readonly unit: string; readonly name: string }>()
  #client: MqttClient | undefined
  #bdSeq = 0
  #seq = 0
  #commands = 0
  #born = false

  constructor(group: string, edge: string, options: SparkplugFaceOptions) {
    this.#group = group
    this.#edge = edge
    this.#options = options
  }

  declare(device: string, name: string, type: Type): void {
    const metrics = this.#devices.get(device) ?? new Map<string, PacketMetric>()
    metrics.set(name, { name, type, value: null, time: this.#options.now() })
    this.#devices.set(device, metrics)
  }

  obey(device: string, metric: string, unit: string, name: string): void {
    this.declare(device, metric, TYPES.String)
    this.#ways.set(`${device}\n${metric}`, { unit, name })
  }

  open(): void {
    const { url, username, password, plant, now } = this.#options
    const client = connect(url, {
      clientId: `takt-plant-${plant.model.plant.replaceAll('/', '-')}-${this.#edge}-${process.pid}-${now().toString(36)}`,
      clean: true,
      reconnectPeriod: RECONNECT_MS,
      queueQoSZero: false,
      will: this.#death(),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    })
    this.#client = client
    client.on('connect', () => {
      client.subscribe([this.#topic('NCMD'), `${this.#topic('DCMD')}/+`], { qos: 1 }, () => this.#birth())
    })
    client.on('reconnect', () => {
      // the number of the death that the next connection carries
      this.#bdSeq = (this.#bdSeq + 1) % 256
      client.options.will = this.#death()
    })
    client.on('close', () => {
      this.#born = false
    })
    client.on('error', () => {})
    client.on('message', (topic, payload, { retain }) => {
      if (!retain) this.#command(topic, payload)
    })
  }

  tell(device: string, metrics: readonly WireMetric[]): void {
    const known = this.#devices.get(device)
    if (known === undefined) return
    const changed = metrics.flatMap(({ metric, value, time }) => {
      const before = known.get(metric)
      if (before === undefined || before.value === value) return []
      const now = { ...before, value, time }
      known.set(metric, now)
      return [now]
    })
    if (changed.length > 0 && this.#born) this.#say('DATA', device, changed)
  }

  async close(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    const { topic, payload } = this.#death()
    if (client.connected) await client.publishAsync(topic, payload, { qos: 1 }).catch(() => {})
    await client.endAsync(!client.connected)
  }

  #topic(verb: string): string {
    return `spBv1.0/${this.#group}/${verb}/${this.#edge}`
  }

  #death(): { topic: string; payload: Buffer; qos: 1; retain: false } {
    const time = this.#options.now()
    const payload = packet(time, undefined, [{ name: 'bdSeq', type: TYPES.Int64, value: this.#bdSeq, time }], true)
    return { topic: this.#topic('NDEATH'), payload, qos: 1, retain: false }
  }

  #birth(): void {
    const time = this.#options.now()
    const own: PacketMetric[] = [
      { name: 'bdSeq', type: TYPES.Int64, value: this.#bdSeq, time },
      { name: 'Node Control/Rebirth', type: TYPES.Boolean, value: false, time },
    ]
    const address = `${this.#group}/${this.#edge}`
    this.#seq = 0
    this.#born = true
    this.#say('BIRTH', address, [...own, ...(this.#devices.get(address)?.values() ?? [])])
    for (const [device, metrics] of this.#devices) if (device !== address) this.#say('BIRTH', device, [...metrics.values()])
  }

  #say(what: 'BIRTH' | 'DATA', address: string, metrics: readonly PacketMetric[]): void {
    const device = address.split('/')[2]
    const topic = device === undefined ? this.#topic(`N${what}`) : `${this.#topic(`D${what}`)}/${device}`
    this.#client?.publish(topic, packet(this.#options.now(), this.#seq, metrics, what === 'BIRTH'), { qos: 0 })
    this.#seq = (this.#seq + 1) % 256
  }

  #command(topic: string, payload: Uint8Array): void {
    const [, , verb, , device] = topic.split('/')
    const address = `${this.#group}/${this.#edge}${device === undefined ? '' : `/${device}`}`
    for (const [metric, value] of readPacket(payload) ?? []) {
      if (verb === 'NCMD' && metric === 'Node Control/Rebirth') {
        if (value === true) this.#birth()
        continue
      }
      const way = this.#ways.get(`${address}\n${metric}`)
      if (way === undefined) continue
      const { status } = this.#options.command(way.unit, {
        id: `${address}-${this.#options.now()}-${++this.#commands}`,
        name: way.name,
        arguments: argumentsOf(value),
      })
      // who wrote it reads back what was taken
      if (status !== 'done' && status !== 'sent') continue
      const said = { name: metric, type: TYPES.String, value: String(value), time: this.#options.now() }
      this.#devices.get(address)?.set(metric, said)
      this.#say('DATA', address, [said])
    }
  }
}

/** A JSON object is the arguments; anything else is the one argument `value`. */
function argumentsOf(value: string | number | boolean): Readonly<Record<string, unknown>> {
  if (typeof value === 'string' && value.startsWith('{') && value.length < 65_536) {
    try {
      return JSON.parse(value) as Record<string, unknown>
    } catch {
      // not JSON after all
    }
  }
  return { value }
}
