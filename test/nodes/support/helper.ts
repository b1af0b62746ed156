import { createRequire } from 'node:module'
import type { Node, NodeAPI } from 'node-red'
import testHelper from 'node-red-node-test-helper'

/**
 * Loads nodes into a Node-RED runtime without its editor. An assertion thrown inside a helper node's handler is swallowed,
 * so tests await `nextMessage` and assert outside.
 */
export const helper = testHelper
helper.init(createRequire(import.meta.url).resolve('node-red'))

export type Register = (RED: NodeAPI) => void
export interface FlowNode {
  readonly id: string
  readonly type: string
  readonly [property: string]: unknown
}

/** Starts the flow and gives its nodes by id. */
export async function loadFlow(
  registers: readonly Register[],
  flow: readonly FlowNode[],
  credentials: Record<string, unknown> = {},
): Promise<(id: string) => Node> {
  const load = (): Promise<void> => helper.load(registers as never, flow as never, credentials as never)
  // a try before this one failed and left its flow behind
  await load().catch(async (thrown: unknown) => {
    if (!String(thrown).includes('already wrapped')) throw thrown
    await helper.unload()
    await load()
  })
  return (id) => helper.getNode(id) as unknown as Node
}

export interface Received {
  topic?: string
  payload: any
  [property: string]: unknown
}

/** The next message that a helper node receives; rejects after a while so that a test fails rather than hangs. */
export function nextMessage(node: Node, accept: (message: Received) => boolean = () => true, timeoutMs = 5000): Promise<Received> {
  return new Promise((resolve, reject) => {
    const listen = (message: unknown): void => {
      if (!accept(message as Received)) return
      clearTimeout(timer)
      node.removeListener('input', listen)
      resolve(message as Received)
    }
    const timer = setTimeout(() => {
      node.removeListener('input', listen)
      reject(new Error(`no message reached ${node.id} in ${timeoutMs} ms`))
    }, timeoutMs)
    // biome-ignore lint/plugin: a test's ear on a helper node
    node.on('input', listen as never)
  })
}

/** Everything that a helper node receives from now on, in order. */
export function collect(node: Node): Received[] {
  const messages: Received[] = []
  // biome-ignore lint/plugin: a test's ear on a helper node
  node.on('input', ((message: unknown) => messages.push(message as Received)) as never)
  return messages
}
