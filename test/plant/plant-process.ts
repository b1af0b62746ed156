import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Aedes } from 'aedes'
import { AnchoredClock, type ClockAnchor } from '../../core/base/clock.ts'
import { packageRoot } from '../../core/base/package-root.ts'
import { loadPlant } from '../../core/plant/load-plant.ts'
import type { Step } from '../../core/simulate/happenings.ts'
import { readLedger, totalsOf } from '../../core/simulate/ledger.ts'
import { startSimulatedPlant } from '../../core/simulate/simulated-plant.ts'
import type { PlantProcessOptions, Request } from './start-plant.ts'

/**
 * The simulated plant as a process of its own, with a broker and an OPC UA server, so that a test can kill Takt, or this, without the other.
 * Its options come as JSON in the first argument, requests as JSON lines on stdin; answers leave as JSON lines on stdout.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as PlantProcessOptions
const { folder, seed, speed, start, mqttPort, opcuaPort } = options
const plant = loadPlant(options.plantFile ?? join(packageRoot, 'flows', 'reference-plant.json'))
const ORDER_TOPIC = `${plant.model.plant}/erp/orders`

mkdirSync(folder, { recursive: true })
const clock = new AnchoredClock(anchorOf(join(folder, 'clock.json')))
const ledgerFile = join(folder, 'ledger.jsonl')

const broker = await Aedes.createBroker({ queueLimit: 100_000 })
const server = createServer(broker.handle)
await new Promise<void>((resolve, reject) => {
  server.once('error', reject)
  server.listen(mqttPort, '127.0.0.1', resolve)
})
const address = server.address()
const mqttUrl = `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : mqttPort}`

const { runner, opcuaUrl, earlierOrders } = await startSimulatedPlant({
  simulation: {
    plant,
    seed,
    start,
    wornUnit: options.wornUnit,
    wornAt: options.wornAt,
    ordersPerHour: options.ordersPerHour,
    ordersAhead: options.ordersAhead,
  },
  clock,
  stateFile: join(folder, 'plant.json'),
  ledgerFile,
  onStep: publishOrders,
  onError: (problem) => console.error(problem),
  mqtt: { url: mqttUrl },
  opcua: opcuaPort === null ? undefined : { port: opcuaPort, pkiFolder: join(folder, 'pki'), users: { takt: 'secret' } },
})
for (const order of earlierOrders) publishOrder(order.id, order)

const { plant: plantMs, real, rate } = clock.anchor
say({ ready: true, mqttUrl, opcuaUrl, clock: `${plantMs}@${real}x${rate}` })

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request
  try {
    say({ reply: request.number, value: answer(request) })
  } catch (thrown) {
    say({ reply: request.number, error: String(thrown) })
  }
}
// stdin ended: the test is over, or gone
await runner.close()
broker.close()
server.close()
process.exit(0)

function answer(request: Request): unknown {
  switch (request.op) {
    case 'break':
      return runner.break(request.unit, request.value)
    case 'spoil':
      return runner.spoil(request.unit, request.value)
    case 'ledger':
      return totalsOf(readLedger(ledgerFile))
    case 'pause':
      return clock.set({ plant: clock.now(), real: Date.now(), rate: 0 })
    case 'present':
      return runner.present()
    case 'cpu':
      return { ...process.cpuUsage(), rss: process.memoryUsage().rss, now: clock.now() }
  }
}

/** Where plant time stands is kept too: it goes on while this process is dead, as the machines do. */
function anchorOf(file: string): ClockAnchor {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ClockAnchor
  } catch {
    const anchor: ClockAnchor = { plant: start, real: Date.now(), rate: speed }
    writeFileSync(file, JSON.stringify(anchor))
    return anchor
  }
}

/** Orders stay at the broker (retained), so that whoever comes later gets them, and each under its id. */
function publishOrders({ rows }: Step): void {
  for (const row of rows) if (row.kind === 'order') publishOrder(row.order.id, row.order)
}

function publishOrder(id: string, order: unknown): void {
  broker.publish({ cmd: 'publish', topic: `${ORDER_TOPIC}/${id}`, payload: Buffer.from(JSON.stringify(order)), qos: 1, retain: true, dup: false }, () => {})
}

function say(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
