import { connect, type MqttClient } from 'mqtt'
import { toTaktError } from '../base/error.ts'
import type { Receipt } from '../messages/command.ts'
import type { Plant } from '../plant/plant.ts'
import type { Bindings } from './bindings.ts'
import { type MachineCommand, parseCommand } from './commands.ts'
import type { GaugePublication, Publication } from './happenings.ts'
import type { Face } from './runner.ts'

export interface MqttFaceOptions {
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly plant: Plant
  readonly bindings: Bindings
  /** gives a unit a command; what it throws is answered as failed */
  readonly command: (unit: string, command: MachineCommand) => Receipt
  /** what every unit says now, for a broker that has come back */
  readonly present: () => readonly Publication[]
  /** plant time, for answers */
  readonly now: () => number
  readonly onLink?: ((connected: boolean, problem?: Error) => void) | undefined
}

interface CommandWay {
  readonly unit: string
  /** the one command that this topic is for, if it is for one only */
  readonly name: string
  readonly reply: string | undefined
}

const RECONNECT_MS = 1000
const MOST_PENDING = 10_000

/** The machines that speak MQTT, on one connection: they publish with QoS 1 (status retained, conditions QoS 0) and take commands. */
export class MqttFace implements Face {
  readonly #options: MqttFaceOptions
  readonly #client: MqttClient
  readonly #ways: ReadonlyMap<string, CommandWay>
  /** readings not yet acknowledged; true once they are with the client, which repeats them itself */
  readonly #pending = new Map<GaugePublication, boolean>()

  constructor(options: MqttFaceOptions) {
    this.#options = options
    this.#ways = commandWays(options.plant)
    this.#client = connect(options.url, {
      clientId: `takt-plant-${options.plant.model.plant.replaceAll('/', '-')}-${process.pid}-${options.now().toString(36)}`,
      reconnectPeriod: RECONNECT_MS,
      // machines do not collect readings for a broker that is away
      queueQoSZero: false,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: options.password }),
    })
    this.#client.on('connect', () => this.#connected())
    this.#client.on('close', () => options.onLink?.(false))
    this.#client.on('error', (problem) => options.onLink?.(false, problem))
    this.#client.on('message', (topic, payload, packet) => {
      // a retained command is somebody's mistake: it would be obeyed again at each start
      if (!packet.retain) this.#command(topic, payload)
    })
  }

  publish(publications: readonly Publication[]): void {
    for (const publication of publications) {
      const messages = this.#options.bindings.messages(publication)
      if (messages.length === 0) continue
      if (publication.kind === 'gauge') {
        if (this.#pending.size < MOST_PENDING) this.#pending.set(publication, false)
        if (this.#client.connected) this.#sendReading(publication)
      } else if (this.#client.connected) {
        for (const { topic, payload, qos, retain } of messages) this.#client.publish(topic, payload, { qos, retain })
      }
    }
  }

  pending(): readonly GaugePublication[] {
    return [...this.#pending.keys()]
  }

  async close(): Promise<void> {
    await this.#client.endAsync(!this.#client.connected)
  }

  #connected(): void {
    this.#options.onLink?.(true)
    const topics = [...this.#ways.keys()]
    if (topics.length > 0)
      this.#client.subscribe(topics, { qos: 1 }, (problem) => {
        if (problem) this.#options.onLink?.(false, problem)
      })
    this.publish(this.#options.present())
    for (const [reading, sent] of this.#pending) if (!sent) this.#sendReading(reading)
  }

  #sendReading(reading: GaugePublication): void {
    this.#pending.set(reading, true)
    for (const { topic, payload, qos, retain } of this.#options.bindings.messages(reading)) {
      this.#client.publish(topic, payload, { qos, retain }, (problem) => {
        if (problem) this.#pending.set(reading, false)
        else this.#pending.delete(reading)
      })
    }
  }

  #command(topic: string, payload: Uint8Array): void {
    const way = this.#ways.get(topic)
    if (way === undefined) return
    let receipt: Receipt
    let id = ''
    try {
      const command = parseCommand(payload, topic, way.name)
      id = command.id
      receipt = this.#options.command(way.unit, command)
    } catch (thrown) {
      const { code, what } = toTaktError(thrown, topic)
      receipt = { kind: 'receipt', of: id, to: way.unit, status: 'failed', code, reason: what, time: this.#options.now() }
    }
    if (way.reply !== undefined) this.#client.publish(way.reply, JSON.stringify(receipt), { qos: 1 })
  }
}

function commandWays(plant: Plant): Map<string, CommandWay> {
  const ways = new Map<string, CommandWay>()
  for (const unit of plant.units) {
    for (const { name, target } of unit.commands ?? []) {
      if (target.topic === undefined) continue
      ways.set(target.topic, { unit: unit.id, name: ways.has(target.topic) ? '' : name, reply: target.reply })
    }
  }
  return ways
}
