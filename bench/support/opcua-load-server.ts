import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { DataType, OPCUAServer, type UAVariable, Variant } from 'node-opcua'

/**
 * An OPC UA server whose variables change as fast as asked: `node opcua-load-server.ts <port> <variables> <everyMs>`.
 * A line `go <rounds>` on standard input changes every variable so many times, and answers `done`.
 */

const [port = 4840, variables = 500, everyMs = 50] = process.argv.slice(2).map(Number)
const server = new OPCUAServer({
  port,
  hostname: '127.0.0.1',
  allowAnonymous: true,
  serverInfo: { applicationUri: 'urn:takt:bench' },
  serverCapabilities: { minSupportedSampleRate: 0 } as never,
})
await server.initialize()
const space = server.engine.addressSpace
if (space === null) throw new Error('the server has no address space')
const namespace = space.getOwnNamespace()
const folder = namespace.addFolder('ObjectsFolder', { browseName: 'Load' })
const nodes: UAVariable[] = Array.from({ length: variables }, (_, i) =>
  namespace.addVariable({
    componentOf: folder,
    browseName: `v${i}`,
    nodeId: `s=v${i}`,
    dataType: 'Double',
    minimumSamplingInterval: 0,
    value: { dataType: DataType.Double, value: 0 },
  }),
)
await server.start()
let value = 0

async function go(rounds: number): Promise<void> {
  const start = performance.now()
  for (let round = 0; round < rounds; round++) {
    value++
    for (const node of nodes) node.setValueFromSource(new Variant({ dataType: DataType.Double, value: value + Math.random() }))
    // behind its time it does not wait, but lets the connection breathe
    await pause(Math.max(0, start + (round + 1) * everyMs - performance.now()))
  }
  console.log('done')
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, rounds] = line.split(' ')
  if (word === 'go') void go(Number(rounds))
})
console.log('ready')
process.on('SIGTERM', () => void server.shutdown(0).then(() => process.exit(0)))
