import type { Command } from '../messages/command.ts'
import type { CommandTarget } from '../plant/model.ts'
import type { Answer } from './command-gate.ts'
import { type CommandWire, MqttCommandWire, type WireSetting } from './command-wire.ts'
import { SparkplugCommandWire } from './command-wire-sparkplug.ts'
import type { MqttConnection } from './mqtt-connection.ts'

/** Over one broker: metrics of Sparkplug devices are written, everything else is told on its topic. */
export class MqttCommandWires implements CommandWire {
  readonly #plain: MqttCommandWire
  readonly #sparkplug: SparkplugCommandWire

  constructor(connection: MqttConnection, setting: WireSetting) {
    this.#plain = new MqttCommandWire(connection, setting)
    this.#sparkplug = new SparkplugCommandWire(connection, setting)
  }

  send(command: Command, target: CommandTarget): Promise<Answer> {
    return this.#wire(target).send(command, target)
  }

  expect(target: CommandTarget): void {
    this.#sparkplug.expect(target)
  }

  close(): void {
    this.#plain.close()
    this.#sparkplug.close()
  }

  #wire({ topic, metric }: CommandTarget): CommandWire {
    return topic === undefined && metric !== undefined ? this.#sparkplug : this.#plain
  }
}
