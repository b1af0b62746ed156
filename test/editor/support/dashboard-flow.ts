import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../core/base/package-root.ts'
import type { FlowNode } from '../../e2e/support/node-red-process.ts'

/**
 * The dashboard of the reference flow without a plant behind it: `POST /test/overview`, `/test/samples` and `/test/what-if` feed it as the plant would,
 * `GET /test/sent` tells what people have pressed.
 */
export function dashboardFlow(): FlowNode[] {
  const flow = JSON.parse(readFileSync(join(packageRoot, 'flows/closed-loop.json'), 'utf8')) as FlowNode[]
  const tab = flow.find((node) => node.type === 'tab' && node.label === '5 Dashboard')
  const kept = flow.filter((node) => node === tab || node.z === tab?.id || (node.z === undefined && node.type.startsWith('ui-')))
  const linkIn = (name: string): FlowNode => kept.find((node) => node.type === 'link in' && node.name === name)!
  const z = tab?.id
  const feed = (path: string, target: string, func: string): FlowNode[] => [
    { id: `in${path}`, z, type: 'http in', url: `/test/${path}`, method: 'post', x: 100, y: 900, wires: [[`make${path}`, `ok${path}`]] },
    { id: `make${path}`, z, type: 'function', func, outputs: 1, x: 300, y: 900, wires: [linkIn(target).wires[0]] },
    { id: `ok${path}`, z, type: 'http response', statusCode: '204', x: 300, y: 950, wires: [] },
  ]
  const out = kept.find((node) => node.type === 'link out' && node.name === 'what people press')!
  const record: FlowNode[] = [
    { id: 'pressed', z, type: 'link in', links: [out.id], x: 100, y: 1000, wires: [['remember']] },
    {
      id: 'remember',
      z,
      type: 'function',
      func: "const sent = flow.get('sent') || []\nsent.push({ topic: msg.topic, payload: msg.payload })\nflow.set('sent', sent)",
      outputs: 0,
      x: 300,
      y: 1000,
      wires: [],
    },
    { id: 'insent', z, type: 'http in', url: '/test/sent', method: 'get', x: 100, y: 1050, wires: [['sent']] },
    { id: 'sent', z, type: 'function', func: "msg.payload = flow.get('sent') || []\nreturn msg", outputs: 1, x: 300, y: 1050, wires: [['oksent']] },
    { id: 'oksent', z, type: 'http response', x: 500, y: 1050, wires: [] },
  ]
  const back = (out.links as string[]).filter((id) => kept.some((node) => node.id === id))
  out.links = [...back, 'pressed']
  return [
    ...kept,
    ...feed('overview', 'overview', 'return { payload: msg.payload }'),
    ...feed(
      'samples',
      'samples with band',
      "return [msg.payload.map((payload) => ({ topic: payload.equipment + '/' + payload.signal, payload, anomaly: payload.anomaly }))]",
    ),
    ...feed('what-if', 'what-ifs', 'return msg.payload'),
    ...record,
  ]
}
