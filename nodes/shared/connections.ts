import type { Node, NodeAPI } from 'node-red'
import type { MqttConnection } from '../../core/connect/mqtt-connection.ts'
import type { OpcuaConnection } from '../../core/connect/opcua-connection.ts'

/** A broker or endpoint config node: the plant model calls it by its name. */
export type ConnectionNode =
  | (Node & { readonly type: 'takt-mqtt-broker'; readonly connection: MqttConnection })
  | (Node & { readonly type: 'takt-opcua-endpoint'; readonly connection: OpcuaConnection })

const TYPES: ReadonlySet<string> = new Set(['takt-mqtt-broker', 'takt-opcua-endpoint'])

/** The broker or endpoint with this name (or id); `undefined` when there is none that works. */
export function connectionNamed(RED: NodeAPI, name: string): ConnectionNode | undefined {
  let found: ConnectionNode | undefined
  RED.nodes.eachNode((definition) => {
    if (found !== undefined || !TYPES.has(definition.type)) return
    const node = RED.nodes.getNode(definition.id) as ConnectionNode | null
    // a node that could not start has no connection
    if (node !== null && node.connection !== undefined && (node.name === name || node.id === name)) found = node
  })
  return found
}
