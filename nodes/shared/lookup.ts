import type { Node, NodeAPI } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { nameOf, startErrorOf } from './define-node.ts'

/** The config node a field points to; a coded error where the field is empty or the node is gone or broken. */
export function requireConfigNode<T extends object>(RED: NodeAPI, node: Node, id: string | undefined, what: string): T {
  const found = id ? (RED.nodes.getNode(id) as unknown as T | null) : null
  if (found === null || found === undefined)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `no ${what} is chosen, or the chosen one is disabled`, where: nameOf(node) })
  const broken = startErrorOf(found)
  if (broken !== undefined) throw broken
  return found
}

/** The same for a field that may be left empty. */
export function optionalConfigNode<T extends object>(RED: NodeAPI, node: Node, id: string | undefined, what: string): T | undefined {
  return id ? requireConfigNode<T>(RED, node, id, what) : undefined
}
