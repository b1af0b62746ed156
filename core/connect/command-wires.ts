import { TaktError } from '../base/error.ts'
import type { Command } from '../messages/command.ts'
import type { CommandTarget } from '../plant/model.ts'
import type { Plant } from '../plant/plant.ts'
import type { Answer } from './command-gate.ts'
import { type CommandWire, OpcuaCommandWire, type WireSetting } from './command-wire.ts'
import { MqttCommandWires } from './command-wires-mqtt.ts'
import { MqttConnection } from './mqtt-connection.ts'
import type { OpcuaConnection } from './opcua-connection.ts'
import type { LinkUser } from './shared-link.ts'

type Connection = MqttConnection | OpcuaConnection

interface Line {
  readonly connection: Connection
  readonly wire: CommandWire
  readonly user: LinkUser
}

/** The connections that the commands of a plant need, each held open while it is needed. */
export class CommandWires {
  readonly #find: (name: string) => Connection | undefined
  readonly #setting: WireSetting
  readonly #lines = new Map<string, Line>()

  constructor(find: (name: string) => Connection | undefined, setting: WireSetting) {
    this.#find = find
    this.#setting = setting
  }

  /** Opens what the plant's commands name. Throws TAKT_COMMAND_CONNECTION with the names that lead nowhere; the others work. */
  use(plant: Plant, changed: () => void): void {
    const targets = plant.model.equipment.flatMap(({ commands }) => (commands ?? []).map(({ target }) => target))
    const names = new Set(targets.map(({ connection }) => connection))
    for (const [name, line] of this.#lines) if (!names.has(name)) void this.#end(name, line)
    const missing: string[] = []
    for (const name of names) {
      if (this.#lines.has(name)) continue
      const connection = this.#find(name)
      if (connection === undefined) missing.push(name)
      else this.#begin(name, connection, changed)
    }
    for (const target of targets) this.#lines.get(target.connection)?.wire.expect?.(target)
    if (missing.length > 0) throw this.#missing(missing)
  }

  send(command: Command, target: CommandTarget): Promise<Answer> {
    const line = this.#lines.get(target.connection)
    if (line === undefined) return Promise.reject(this.#missing([target.connection]))
    return line.wire.send(command, target)
  }

  /** The first connection that is away, by its name. */
  away(): string | undefined {
    return [...this.#lines].find(([, { connection }]) => connection.state === 'away')?.[0]
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines].map(([name, line]) => this.#end(name, line)))
  }

  #begin(name: string, connection: Connection, changed: () => void): void {
    const wire = connection instanceof MqttConnection ? new MqttCommandWires(connection, this.#setting) : new OpcuaCommandWire(connection, this.#setting)
    const user: LinkUser = { linkChanged: changed }
    this.#lines.set(name, { connection, wire, user })
    connection.register(user)
  }

  #end(name: string, { connection, wire, user }: Line): Promise<void> {
    this.#lines.delete(name)
    wire.close()
    return connection.deregister(user)
  }

  #missing(names: readonly string[]): TaktError {
    return new TaktError('TAKT_COMMAND_CONNECTION', {
      what: `no broker or endpoint is named ${names.map((name) => `'${name}'`).join(', ')}`,
      where: this.#setting.where,
    })
  }
}
