import { openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { DataType, OPCUAServer, StatusCodes, type UAVariable, Variant } from 'node-opcua'
import type { PublisherOrder } from '../support/publisher.ts'

/**
 * A machine behind an OPC UA server, whose variables count up; its log says what values they had: `node opcua-publisher.ts <order as JSON>`.
 * It knows nothing of who subscribes. Lines on standard input: `stop` (the values hold still, the server goes on), `rate <n>`.
 */

const order = JSON.parse(process.argv[2] ?? '{}') as PublisherOrder
const { url, topics, log } = order
let { rate } = order
const TICK_MS = 10
/** Subscriptions must be able to ask for the queue that a long outage needs. */
const LARGEST_QUEUE = 100_000

const file = openSync(log, 'a')
const server = new OPCUAServer({
  port: Number(new URL(url.replace('opc.tcp', 'http')).port),
  hostname: '127.0.0.1',
  allowAnonymous: true,
  serverCapabilities: { minSupportedSampleRate: 0, maxMonitoredItemsQueueSize: LARGEST_QUEUE } as never,
})
await server.initialize()
const space = server.engine.addressSpace
if (space === null) throw new Error('the server has no address space')
const namespace = space.getOwnNamespace()
const folder = namespace.addFolder('ObjectsFolder', { browseName: 'Machine' })
const nodes = new Map<string, UAVariable>(
  topics.map((topic) => [
    topic,
    namespace.addVariable({
      componentOf: folder,
      browseName: topic,
      nodeId: `s=${topic}`,
      dataType: 'Double',
      minimumSamplingInterval: 0,
      value: { dataType: DataType.Double, value: -1 },
    }),
  ]),
)
if (order.history !== undefined) for (const node of nodes.values()) space.installHistoricalDataNode(node, { maxOnlineValues: order.history })
await server.start()

let sequence = 0
let stopping = false
createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, value] = line.split(' ')
  if (word === 'stop') stopping = true
  if (word === 'rate') rate = Number(value)
})
console.log('ready')

let last = performance.now()
let due = 0
let time = Date.now()
while (!stopping) {
  await pause(TICK_MS)
  const now = performance.now()
  due = Math.min(due + ((now - last) / 1000) * rate, rate)
  last = now
  let lines = ''
  while (due >= 1) {
    due--
    time = Math.max(Date.now(), time + 1)
    for (const [topic, node] of nodes) {
      node.setValueFromSource(new Variant({ dataType: DataType.Double, value: sequence }), StatusCodes.Good, new Date(time))
      lines += `${topic} ${sequence} ${time}\n`
    }
    sequence++
  }
  if (lines !== '') writeSync(file, lines)
}
console.log(`acknowledged ${sequence}`)
