import { createHash, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Node, NodeAPI } from 'node-red'

/**
 * The client id of a connection that has none in its settings. Where the broker keeps the session it must be the same after every restart, and another one for the
 * same flow in another Node-RED, because two clients of one id throw each other out. Short enough for every broker (MQTT 3.1.1, 3.1.3.1).
 */
export function clientIdOf(RED: NodeAPI, node: Node, keepsSession: boolean): string {
  if (!keepsSession) return `takt-${randomUUID().slice(0, 13)}`
  return `takt-${createHash('sha256')
    .update(`${instanceOf(RED)} ${node.id}`)
    .digest('hex')
    .slice(0, 16)}`
}

/** What Node-RED calls this installation; it is kept in the user directory. */
function instanceOf(RED: NodeAPI): string {
  const settings = RED.settings as { instanceId?: unknown; get?: (name: string) => unknown; userDir?: string }
  try {
    const id = settings.instanceId ?? settings.get?.('instanceId')
    if (typeof id === 'string' && id !== '') return id
  } catch {
    // settings that cannot be read yet
  }
  return `${hostname()} ${settings.userDir ?? ''}`
}
