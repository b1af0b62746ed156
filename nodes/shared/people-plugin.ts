import type { NodeAPI } from 'node-red'
import { KnownConnections } from './known-connections.ts'

/** What Dashboard 2.0 asks for each message of a browser. A plugin of Node-RED: only one that the package names as such may register it. */
export default function registerPeople(RED: NodeAPI): void {
  RED.plugins.registerPlugin('takt-people', { type: 'node-red-dashboard-2', hooks: KnownConnections.of(RED).hooks } as never)
}
