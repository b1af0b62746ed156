import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../core/base/package-root.ts'
import type { PlantProcessOptions } from '../../plant/start-plant.ts'
import { freePort } from './free-port.ts'
import type { FlowNode } from './node-red-process.ts'

/** Where a plant that runs outside of Node-RED is found, and its clock as the plant node's setting. */
export interface OutsidePlant {
  readonly mqttUrl: string
  readonly opcuaUrl: string
  readonly clock: string
}

/** Of the flow's own plant, and what its scheduler takes where the flow says nothing. */
const SPEED = 60
const IMPROVE_MS = 10_000

export function referenceFlow(): FlowNode[] {
  return JSON.parse(readFileSync(join(packageRoot, 'flows', 'closed-loop.json'), 'utf8')) as FlowNode[]
}

function only(flow: FlowNode[], type: string): FlowNode {
  const found = flow.filter((node) => node.type === type)
  if (found.length !== 1) throw new Error(`${found.length} nodes of type ${type} where one was looked for`)
  return found[0]!
}

/** What the reference flow's own simulator is told, for a plant outside: same wear, same orders. */
export function simulatedAs(): Pick<PlantProcessOptions, 'seed' | 'wornUnit' | 'wornAt' | 'ordersPerHour' | 'ordersAhead'> {
  const { seed, wornUnit, wornAt, orders, ordersAhead } = only(referenceFlow(), 'takt-simulator')
  return { seed: Number(seed), wornUnit, wornAt: Number(wornAt), ordersPerHour: Number(orders), ordersAhead: Number(ordersAhead) }
}

/** The reference flow as it stands, on ports that are free. */
export async function flowWithItsOwnPlant(): Promise<FlowNode[]> {
  const flow = referenceFlow()
  const opcuaPort = await freePort()
  const broker = only(flow, 'takt-mqtt-broker')
  broker.url = ''
  broker.host = '127.0.0.1'
  broker.port = String(await freePort())
  only(flow, 'takt-opcua-endpoint').url = `opc.tcp://127.0.0.1:${opcuaPort}`
  only(flow, 'takt-simulator').opcuaPort = String(opcuaPort)
  return flow
}

/**
 * The reference flow on a plant that runs elsewhere: the simulator's place as a source of orders is taken by the broker, where an ERP would leave them
 * (retained, so that they come again after each connection). A plant that is quicker than the flow's own leaves planning as much of its time, so less of ours.
 * Everything else stays as it is.
 */
export function flowOnPlant(plant: OutsidePlant, speed = SPEED): FlowNode[] {
  const flow = referenceFlow()
  const scheduler = only(flow, 'takt-scheduler')
  scheduler.searchMs = (Number(scheduler.searchMs) * SPEED) / speed
  scheduler.improveMs = (IMPROVE_MS * SPEED) / speed
  const plantNode = only(flow, 'takt-plant')
  plantNode.clock = plant.clock
  const broker = only(flow, 'takt-mqtt-broker')
  broker.embedded = false
  broker.url = plant.mqttUrl
  only(flow, 'takt-opcua-endpoint').url = plant.opcuaUrl
  const { id, z, x, y, wires } = only(flow, 'takt-simulator')
  const { hostname, port } = new URL(plant.mqttUrl)
  const orders: FlowNode[] = [
    { id: 'e0e0', type: 'mqtt-broker', name: 'ERP', broker: hostname, port, protocolVersion: '4', cleansession: true, autoConnect: true, keepalive: '60' },
    { id, type: 'mqtt in', z, x, y, name: 'ERP orders', topic: '+/+/erp/orders/#', qos: '1', datatype: 'json', broker: 'e0e0', inputs: 0, wires: [[`${id}c`]] },
    { id: `${id}c`, type: 'change', z, x: x + 200, y, rules: [{ t: 'set', p: 'topic', pt: 'msg', to: 'create', tot: 'str' }], wires: [wires[0]] },
  ]
  return [...flow.filter((node) => node.id !== id), ...orders]
}
