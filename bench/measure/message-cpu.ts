import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import mqtt from 'mqtt'
import { packageRoot } from '../../core/base/package-root.ts'
import { type FlowNode, NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'

const SIGNALS = 20
const MESSAGES_A_ROUND = 20_000
const BATCH = 40
const PAUSE_MS = 10
const ROUNDS = 3

interface Spent {
  readonly received: number
  readonly cpu: { readonly user: number; readonly system: number }
}

/** What people write today to watch a signal: parse, keep a window per topic, score against its mean and deviation. */
const ROLLING_Z = `
const windows = context.get('windows') || {}
const window = windows[msg.topic] || (windows[msg.topic] = [])
window.push(msg.payload.v)
if (window.length > 60) window.shift()
const mean = window.reduce((a, b) => a + b, 0) / window.length
const sigma = Math.sqrt(window.reduce((a, b) => a + (b - mean) ** 2, 0) / window.length)
msg.score = sigma > 0 ? Math.abs(msg.payload.v - mean) / sigma : 0
msg.alarm = msg.score > 4
context.set('windows', windows)
return msg`

/** What people write today to get a sample out of a message. */
const MAKE_SAMPLE = `
const [plant, unit, signal] = msg.topic.split('/')
const value = Number(msg.payload.v)
if (!Number.isFinite(value)) { node.error('not a number', msg); return null }
msg.topic = plant + '/' + unit + '/' + signal
msg.payload = { kind: 'sample', equipment: plant + '/' + unit, signal, value, quality: 'good', time: msg.payload.ts, received: Date.now() }
return msg`

function functionFlow(port: number, func: string): FlowNode[] {
  return [
    { id: 'f0', type: 'tab', label: 'function' },
    {
      id: 'aa01',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: String(port),
      clientid: 'bench-function',
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
      autoConnect: true,
    },
    { id: 'f1', z: 'f0', type: 'mqtt in', topic: 'function/#', qos: '0', datatype: 'json', broker: 'aa01', inputs: 0, wires: [['f2']] },
    { id: 'f2', z: 'f0', type: 'function', func, outputs: 1, wires: [['f3']] },
    { id: 'f3', z: 'f0', type: 'bench-sink', wires: [] },
  ]
}

function taktFlow(port: number, behind: readonly FlowNode[]): FlowNode[] {
  const signals = Array.from({ length: SIGNALS }, (_, i) => `{ name: s${i}, role: condition }`).join(', ')
  const model = `plant: takt\nequipment:\n  - { id: takt/unit, level: workUnit, signals: [${signals}] }\n`
  return [
    { id: 't0', type: 'tab', label: 'takt' },
    { id: 'bb01', type: 'takt-plant', name: 'bench', source: 'inline', model, clock: 'system' },
    { id: 'bb02', type: 'takt-mqtt-broker', name: 'bench', url: `mqtt://127.0.0.1:${port}`, protocolVersion: '4', cleanSession: true, clientId: 'bench-takt' },
    {
      id: 't1',
      z: 't0',
      type: 'takt-mqtt-sensor',
      plant: 'bb01',
      broker: 'bb02',
      mode: 'topic',
      topic: 'takt/#',
      template: '{equipment}/{signal}',
      value: '$.v',
      time: '$.ts',
      qos: '0',
      wires: [['t2']],
    },
    ...behind,
  ]
}

/** `mqtt in` → function with a rolling z-score, and mqtt sensor → anomaly. */
const ANOMALY_FLOWS: ComparedFlows = {
  functionFlow: (port) => functionFlow(port, ROLLING_Z),
  taktFlow: (port) =>
    taktFlow(port, [
      { id: 't2', z: 't0', type: 'takt-anomaly', plant: 'bb01', method: 'auto', wires: [[], ['t3']] },
      { id: 't3', z: 't0', type: 'bench-sink', wires: [] },
    ]),
}

/** `mqtt in` → function that makes a sample, and mqtt sensor alone. */
export const SAMPLE_FLOWS: ComparedFlows = {
  functionFlow: (port) => functionFlow(port, MAKE_SAMPLE),
  taktFlow: (port) => taktFlow(port, [{ id: 't2', z: 't0', type: 'bench-sink', wires: [] }]),
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function spent(red: NodeRedProcess): Promise<Spent> {
  return (await (await fetch(`${red.url}/bench`)).json()) as Spent
}

/** Sends one round to a flow and gives the CPU microseconds it spent a message. */
async function round(client: mqtt.MqttClient, red: NodeRedProcess, tree: string): Promise<number> {
  const before = await spent(red)
  for (let sent = 0; sent < MESSAGES_A_ROUND; sent += BATCH) {
    for (let i = 0; i < BATCH; i++) {
      const signal = (sent + i) % SIGNALS
      client.publish(`${tree}/unit/s${signal}`, JSON.stringify({ v: 3 + Math.sin(sent / 500) + ((sent * 7919 + i * 104729) % 1000) / 2000, ts: Date.now() }))
    }
    await pause(PAUSE_MS)
  }
  const after = await red.until('every message arrived', async () => {
    const now = await spent(red)
    return now.received - before.received >= MESSAGES_A_ROUND && now
  })
  return (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / (after.received - before.received)
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

export interface ComparedFlows {
  /** Reads `function/#` from the broker on a port. */
  readonly functionFlow: (port: number) => FlowNode[]
  /** Reads `takt/#`. */
  readonly taktFlow: (port: number) => FlowNode[]
}

/** CPU microseconds a message of two flows, each in a Node-RED of its own, fed in turn from the same broker. */
export async function messageCpu({ functionFlow, taktFlow }: ComparedFlows = ANOMALY_FLOWS): Promise<{ functionFlow: number; taktFlow: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const broker = await Aedes.createBroker()
  const server: Server = createServer(broker.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = (server.address() as { port: number }).port
  const nodesDir = join(packageRoot, 'bench', 'sink')
  const a = new NodeRedProcess({ userDir: join(folder, 'a'), flow: functionFlow(port), nodesDir })
  const b = new NodeRedProcess({ userDir: join(folder, 'b'), flow: taktFlow(port), nodesDir })
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 })
  try {
    await Promise.all([a.start(), b.start()])
    await pause(2000)
    const figures: { a: number[]; b: number[] } = { a: [], b: [] }
    for (let i = 0; i <= ROUNDS; i++) {
      const [first, second] = [await round(client, a, 'function'), await round(client, b, 'takt')]
      // the first round warms both up
      if (i > 0) figures.a.push(first)
      if (i > 0) figures.b.push(second)
    }
    return { functionFlow: median(figures.a), taktFlow: median(figures.b) }
  } finally {
    await client.endAsync(true)
    await Promise.all([a.stop(), b.stop()])
    server.close()
    broker.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
