import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Node } from 'node-red'
import { packageRoot } from '../../../core/base/package-root.ts'
import { type FlowNode, loadFlow, type Register } from './helper.ts'

const coreFunction = createRequire(import.meta.url)('@node-red/nodes/core/function/10-function.js') as Register

/** An example as a user imports it, with Node-RED's own function node; its inject nodes are pressed with `press`, its debug nodes are helpers. */
export async function loadExample(file: string, registers: readonly Register[]): Promise<{ node: (name: string) => Node; press: (name: string) => void }> {
  const example = JSON.parse(readFileSync(join(packageRoot, 'examples', file), 'utf8')) as FlowNode[]
  const flow = example.map((node) => (['inject', 'debug'].includes(node.type) ? { ...node, type: 'helper' } : node)).filter(({ type }) => type !== 'comment')
  const byId = await loadFlow([...registers, coreFunction], flow)
  const find = (name: string): FlowNode => {
    const found = example.find((entry) => entry.name === name)
    if (found === undefined) throw new Error(`${file} has no node '${name}'`)
    return found
  }
  const node = (name: string): Node => byId(find(name).id)
  const press = (name: string): void => {
    const { topic, payload, payloadType } = find(name) as unknown as { topic: string; payload: string; payloadType: string }
    node(name).send({ topic, payload: payloadType === 'str' ? payload : JSON.parse(payload) } as never)
  }
  return { node, press }
}
