import { join } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { toTaktError } from '../../core/base/error.ts'
import { readControl } from '../../core/simulate/controls.ts'
import type { LedgerRow, SimulatedOrder, Step } from '../../core/simulate/happenings.ts'
import { loadRun } from '../../core/simulate/runner.ts'
import { type SimulatedPlant, startSimulatedPlant } from '../../core/simulate/simulated-plant.ts'
import type { MqttBrokerNode } from '../mqtt-broker/mqtt-broker.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, type Message, nameOf, showError } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { type SimulatorFields, simulatorSettings } from './settings.ts'

export interface SimulatorConfig extends NodeDef, SimulatorFields {
  plant: string
  /** its MQTT machines talk to this broker; empty: they are silent */
  broker: string
}

const STATUS_MS = 1000
const RETRY_MS = 2000

export default function registerSimulator(RED: NodeAPI): void {
  defineNode<SimulatorConfig, Node<{ user?: string; password?: string }>>(RED, {
    type: 'takt-simulator',
    credentials: { user: { type: 'text' }, password: { type: 'password' } },
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const broker = optionalConfigNode<MqttBrokerNode>(RED, node, config.broker, 'MQTT broker')
      const { timeZone } = plantNode.plant()
      const settings = simulatorSettings(config, timeZone, where)
      const base = join(RED.settings.userDir ?? process.cwd(), 'takt', `simulator-${node.id}`)
      const stateFile = `${base}.json`
      const { clock } = plantNode
      const format = new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit', timeZone })

      let plant: SimulatedPlant | undefined
      let speed = settings.speed
      let paused = false
      let linked = broker === undefined
      let closed = false
      let retry: NodeJS.Timeout | undefined
      let told = ''

      const tie = (rate: number, at = clock.now()): void => {
        plantNode.setClock({ plant: at, real: Date.now(), rate })
        plant?.runner.clockChanged()
      }
      // plant time stands until the machines live
      tie(0, loadRun(stateFile)?.horizon ?? settings.start ?? Date.now())

      const showStatus = (): void => {
        if (plant === undefined) return
        const time = format.format(clock.now())
        if (paused) node.status({ fill: 'grey', shape: 'dot', text: `${time} · paused` })
        else if (linked) node.status({ fill: 'green', shape: 'dot', text: `${time} · ${speed}×` })
        else node.status({ fill: 'yellow', shape: 'ring', text: `${time} · ${speed}× · broker away` })
      }
      const ticker = setInterval(showStatus, STATUS_MS)

      const onStep = ({ rows }: Step): void => {
        for (const row of rows) node.send((row.kind === 'order' ? [orderMessage(row.order), null] : [null, rowMessage(row)]) as never)
      }

      /** Starts the machines; a port that is still taken is tried again. */
      async function start(): Promise<void> {
        if (closed) return
        try {
          plant = await startSimulatedPlant({
            simulation: { plant: plantNode.plant(), ...settings, start: clock.now() },
            clock,
            stateFile,
            ledgerFile: `${base}.jsonl`,
            onStep,
            onError: (problem) => node.error(problem),
            onLink: (connected) => {
              linked = connected
            },
            mqtt: broker && { url: await urlOf(broker), username: broker.credentials?.user, password: broker.credentials?.password },
            opcua: settings.opcuaPort === undefined ? undefined : { port: settings.opcuaPort, pkiFolder: `${base}-pki`, users: usersOf(node.credentials) },
          })
          if (plant.opcuaUrl !== '') node.log(`OPC UA machines at ${plant.opcuaUrl}`)
          for (const order of plant.earlierOrders) node.send([orderMessage(order), null] as never)
          tie(paused ? 0 : speed)
          showStatus()
        } catch (thrown) {
          const problem = toTaktError(thrown, where)
          showError(node, problem)
          if (problem.message !== told) node.error(problem)
          told = problem.message
          retry = setTimeout(() => enqueue(start), RETRY_MS)
        }
      }
      async function stop(): Promise<void> {
        tie(0)
        await plant?.close()
        plant = undefined
      }
      // starts and stops come one after the other, however quickly the plant model changes
      let last: Promise<void> = Promise.resolve()
      const enqueue = (work: () => Promise<void>): Promise<void> => {
        last = last.then(work)
        return last
      }
      const forgetStart = whenFlowsStarted(RED, () => void enqueue(start))
      const forgetReload = plantNode.onReload(() => {
        if (plant !== undefined) void enqueue(stop).then(() => enqueue(start))
      })

      return {
        input(message) {
          const control = readControl(message.topic, message.payload, where)
          if (control.do === 'speed') {
            speed = control.speed
            if (!paused && plant !== undefined) tie(speed)
          } else if (control.do === 'pause' || control.do === 'resume') {
            paused = control.do === 'pause'
            if (plant !== undefined) tie(paused ? 0 : speed)
          } else if (control.do === 'break') plant?.runner.break(control.unit, control.wear)
          else if (control.do === 'spoil') plant?.runner.spoil(control.unit, control.parts)
          else plant?.runner.reset()
          showStatus()
        },
        async close() {
          closed = true
          forgetStart()
          forgetReload()
          clearInterval(ticker)
          clearTimeout(retry)
          await enqueue(stop)
        },
      }
    },
  })
}

function orderMessage(order: SimulatedOrder): Message {
  return { topic: 'orders/create', payload: order }
}

function rowMessage(row: Exclude<LedgerRow, { kind: 'order' }>): Message {
  return { topic: `${row.unit}/${row.kind}`, payload: row }
}

function usersOf(credentials: { user?: string; password?: string } | undefined): Record<string, string> {
  return credentials?.user ? { [credentials.user]: credentials.password ?? '' } : {}
}

/** An embedded broker on a free port knows its port once it runs. */
async function urlOf(broker: MqttBrokerNode): Promise<string> {
  for (let tries = 0; broker.brokerUrl.endsWith(':0') && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 50))
  return broker.brokerUrl
}
