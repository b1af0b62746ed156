import type { NodeAPI } from 'node-red'

/**
 * Calls back when Node-RED has created every node of a deploy. A connection that opened earlier would acknowledge messages
 * whose readers do not exist yet. Returns the way to forget it.
 */
export function whenFlowsStarted(RED: NodeAPI, callback: () => void): () => void {
  RED.events.once('flows:started', callback)
  return () => void RED.events.removeListener('flows:started', callback)
}
