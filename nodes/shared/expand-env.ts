import type { Node, NodeAPI } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { nameOf } from './define-node.ts'

/**
 * Fills `${NAME}` in a text of a dialog, anywhere in it: Node-RED itself does so only where the text is nothing else. The flow's and the group's variables count
 * before the system's. Throws TAKT_CONFIG_INVALID for a variable that is not set, because `mqtt://:1883` would fail later and say less.
 */
export function expandEnv(RED: NodeAPI, node: Node, text: string, what: string): string {
  return text.replace(/\$\{(\w+)\}/g, (_part, name: string) => {
    const value: unknown = RED.util.evaluateNodeProperty(name, 'env', node, {})
    if (value === undefined || value === '')
      throw new TaktError('TAKT_CONFIG_INVALID', { what: `${what} needs the environment variable ${name}, which is not set`, where: nameOf(node) })
    return String(value)
  })
}
