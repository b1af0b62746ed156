import { Bindings } from './bindings.ts'
import type { SimulatedOrder } from './happenings.ts'
import { MqttFace } from './mqtt-face.ts'
import { startOpcUaFace } from './opcua-face.ts'
import { type RunnerOptions, SimulationRunner } from './runner.ts'
import { SparkplugFace, speaksSparkplug } from './sparkplug-face.ts'

export interface SimulatedPlantOptions extends RunnerOptions {
  /** the broker that its MQTT and Sparkplug machines talk to; without it they are silent */
  readonly mqtt?: { readonly url: string; readonly username?: string | undefined; readonly password?: string | undefined } | undefined
  /** where its OPC UA server listens; without it those machines are silent */
  readonly opcua?: { readonly port: number; readonly pkiFolder: string; readonly users?: Readonly<Record<string, string>> } | undefined
  /** the broker came or went */
  readonly onLink?: (connected: boolean, problem?: Error) => void
}

export interface SimulatedPlant {
  readonly runner: SimulationRunner
  /** `opc.tcp://…` with the true port; empty without a server */
  readonly opcuaUrl: string
  /** the newest orders of an earlier run, to send again: nobody knows whether the last ones arrived, and their ids stay */
  readonly earlierOrders: readonly SimulatedOrder[]
  close(): Promise<void>
}

/** A simulated plant with its machines on the wires. Throws TAKT_SIMULATOR_PORT when the port of the OPC UA server is taken. */
export async function startSimulatedPlant(options: SimulatedPlantOptions): Promise<SimulatedPlant> {
  const { plant } = options.simulation
  const runner = new SimulationRunner(options)
  const shared = { plant, bindings: new Bindings(plant), command: runner.command.bind(runner), present: () => runner.present(), now: () => options.clock.now() }
  try {
    const opcua = options.opcua === undefined ? undefined : await startOpcUaFace({ ...shared, ...options.opcua })
    const mqtt = options.mqtt === undefined ? undefined : new MqttFace({ ...shared, ...options.mqtt, onLink: options.onLink })
    const sparkplug = options.mqtt === undefined || !speaksSparkplug(plant) ? undefined : new SparkplugFace({ ...shared, ...options.mqtt })
    const earlierOrders = runner.recentOrders
    runner.start([mqtt, opcua, sparkplug].filter((face) => face !== undefined))
    return { runner, opcuaUrl: opcua?.url ?? '', earlierOrders, close: () => runner.close() }
  } catch (thrown) {
    await runner.close()
    throw thrown
  }
}
