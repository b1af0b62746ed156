import type { Node } from 'node-red'
import type { FlowNode } from './helper.ts'

/** A plant of one mill whose signals come over the connections `line-mqtt` and `line-opcua`. */
export const MILL = 'acme/mill'

const status = { connection: 'line-mqtt', topic: 'mill/status', time: '$.ts' }
const command = { connection: 'line-mqtt', topic: 'mill/command', reply: 'mill/reply' }

export const millModel = {
  plant: 'acme',
  equipment: [
    {
      id: MILL,
      level: 'workUnit',
      signals: [
        { name: 'state', role: 'packml-state', source: { ...status, value: '$.state' } },
        { name: 'job', role: 'job-order', source: { ...status, value: '$.job' } },
        { name: 'good', role: 'good-count', source: { ...status, value: '$.good' } },
        { name: 'vibration', role: 'condition', unit: 'mm/s', source: { connection: 'line-mqtt', topic: 'mill/vibration', value: '$.v', time: '$.ts' } },
        { name: 'load', role: 'condition', source: { connection: 'line-opcua', nodeId: 'ns=1;s=Vibration' } },
        { name: 'total', role: 'scrap-count', source: { connection: 'line-opcua', nodeId: 'ns=1;s=Scrap' } },
        { name: 'note', source: { connection: 'line-opcua', nodeId: 'ns=1;s=NotThere' } },
      ],
      commands: [
        { name: 'start-job', target: command, interlock: 'state in Idle, Complete' },
        { name: 'stop', target: command },
        { name: 'light', target: { connection: 'line-mqtt', topic: 'mill/light' } },
        { name: 'reset', target: { connection: 'line-opcua', objectId: 'ns=1;s=Machine', methodId: 'ns=1;s=Machine.Command' } },
        { name: 'setpoint', target: { connection: 'line-opcua', nodeId: 'ns=1;s=Setpoint' } },
        { name: 'setup', target: { connection: 'line-opcua', objectId: 'ns=1;s=Machine', methodId: 'ns=1;s=Machine.Setup' } },
        { name: 'serial', target: { connection: 'line-opcua', nodeId: 'ns=1;s=Big' } },
        { name: 'status', target: { connection: 'line-opcua', nodeId: 'ns=0;i=2259' } },
        { name: 'order', target: { connection: 'line-opcua', nodeId: 'ns=1;s=Order' } },
        { name: 'forgotten', target: { connection: 'line-mqtt', topic: 'mill/nobody', reply: 'mill/nobody/reply' } },
        { name: 'odd', target: command, interlock: 'colour is red' },
      ],
    },
  ],
}

export const plantNode = (model: unknown = millModel): FlowNode => ({
  id: 'plant',
  type: 'takt-plant',
  name: 'Acme',
  source: 'inline',
  model: JSON.stringify(model),
  clock: 'system',
})

export const brokerNode = (url: string, more: Record<string, unknown> = {}): FlowNode => ({
  id: 'broker',
  type: 'takt-mqtt-broker',
  name: 'line-mqtt',
  url,
  protocolVersion: '5',
  ...more,
})

export const embeddedBrokerNode = (port: number, more: Record<string, unknown> = {}): FlowNode => ({
  id: 'broker',
  type: 'takt-mqtt-broker',
  name: 'line-mqtt',
  embedded: true,
  host: '127.0.0.1',
  port: String(port),
  ...more,
})

export const endpointNode = (url: string, more: Record<string, unknown> = {}): FlowNode => ({
  id: 'endpoint',
  type: 'takt-opcua-endpoint',
  name: 'line-opcua',
  url,
  securityMode: 'None',
  securityPolicy: 'Basic256Sha256',
  ...more,
})

interface Spy {
  readonly args: ReadonlyArray<readonly unknown[]>
  readonly thisValues: readonly unknown[]
}

/** The helper spies on all nodes at once: those calls that this node made. */
function callsOf(node: Node, method: 'status' | 'error' | 'warn'): unknown[] {
  const spy = (node as unknown as Record<string, Spy>)[method] as Spy
  return spy.args.filter((_args, index) => spy.thisValues[index] === node).map(([first]) => first)
}

export interface Shown {
  readonly fill?: string
  readonly shape?: string
  readonly text?: string
}

/** What a node showed as its status, in order. */
export const statusesOf = (node: Node): Shown[] => callsOf(node, 'status') as Shown[]
export const statusOf = (node: Node): Shown => statusesOf(node).at(-1) ?? {}
/** The codes of what a node told with `node.error`. */
export const errorCodesOf = (node: Node): string[] => callsOf(node, 'error').map((error) => (error as { code: string }).code)
export const warningsOf = (node: Node): string[] => callsOf(node, 'warn').map(String)
