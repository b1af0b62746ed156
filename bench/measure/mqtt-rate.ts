import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { packageRoot } from '../../core/base/package-root.ts'
import { type FlowNode, NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'
import { Broker } from '../faults/support/broker.ts'
import { Child } from '../support/child.ts'

const SIGNALS = 20
/** Messages that wait in the broker's queue. */
const QUEUED = 100_000
const ROUNDS = 3

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** mqtt sensor → whatever records; the sensor's output is `k1`. */
export function sensorFlow(url: string, delivery: 'fast' | 'guaranteed', behind: readonly FlowNode[]): FlowNode[] {
  const role = delivery === 'fast' ? 'condition' : 'good-count'
  const signals = Array.from({ length: SIGNALS }, (_, i) => `{ name: s${i}, role: ${role} }`).join(', ')
  const guaranteed = delivery === 'guaranteed'
  return [
    { id: 'f0', type: 'tab', label: 'bench' },
    {
      id: 'a1',
      type: 'takt-plant',
      name: 'bench',
      source: 'inline',
      model: `plant: takt\nequipment:\n  - { id: takt/unit, level: workUnit, signals: [${signals}] }\n`,
      clock: 'system',
    },
    {
      id: 'a2',
      type: 'takt-mqtt-broker',
      name: 'bench',
      url,
      protocolVersion: '5',
      clientId: 'takt-bench',
      cleanSession: false,
      keepalive: 60,
      receiveMaximum: 1000,
    },
    { id: 'a3', type: 'takt-store', name: 'bench', file: '', plant: 'a1' },
    {
      id: 's1',
      z: 'f0',
      type: 'takt-mqtt-sensor',
      plant: 'a1',
      broker: 'a2',
      store: guaranteed ? 'a3' : '',
      delivery,
      mode: 'topic',
      topic: 'takt/#',
      template: '{equipment}/{signal}',
      target: '{equipment}/{signal}',
      value: '$.v',
      time: '$.ts',
      qos: '1',
      wires: [['k1']],
    },
    ...behind,
  ]
}

export const SINK: readonly FlowNode[] = [{ id: 'k1', z: 'f0', type: 'bench-sink', wires: [] }]
export const SINK_NODES = join(packageRoot, 'bench', 'sink')

interface Counted {
  readonly received: number
  readonly first: number
  readonly last: number
}

export async function counted(red: NodeRedProcess, query = ''): Promise<Counted> {
  return (await (await fetch(`${red.url}/bench${query}`)).json()) as Counted
}

async function child(script: string, ...args: string[]): Promise<Child> {
  const made = new Child(script, ...args)
  await made.line()
  return made
}

/** Messages a second. */
export interface Rates {
  readonly bare: number
  readonly sensor: number
}

/**
 * Of a bare mqtt.js subscriber that parses JSON, and of a mqtt sensor in a flow (fast delivery), each out of mosquitto's queue of QoS 1 messages: nobody
 * publishes meanwhile, so broker and reader have the machine to themselves.
 */
export async function mqttFastRate(): Promise<Rates> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const broker = await Broker.start(folder)
  try {
    const rounds: Rates[] = []
    // the best of each: others may use the machine
    for (let round = 0; round < ROUNDS; round++) rounds.push({ bare: await drainBare(broker), sensor: await drainWithTakt(broker, 'fast') })
    return { bare: Math.max(...rounds.map(({ bare }) => bare)), sensor: Math.max(...rounds.map(({ sensor }) => sensor)) }
  } finally {
    await broker.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Messages a second that a guaranteed mqtt sensor takes from mosquitto's queue through its inbox (SQLite, synchronous FULL) into a flow. */
export async function mqttGuaranteedRate(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const broker = await Broker.start(folder)
  try {
    return await drainWithTakt(broker, 'guaranteed')
  } finally {
    await broker.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function drainBare(broker: Broker): Promise<number> {
  const args = ['mqtt-bare-client.ts', broker.url, 'takt/#', '1', 'bench-bare'] as const
  const first = await child(...args)
  // as with SIGTERM at any client: the broker keeps the session
  first.kill()
  await fillQueue(broker)
  const client = await child(...args)
  try {
    for (;;) {
      await pause(3000)
      const [received = 0, ms = 0] = (await client.ask('count')).split(' ').map(Number)
      if (received >= QUEUED) return (received / ms) * 1000
      if (received > 0) throw new Error(`the bare client took ${received} of ${QUEUED} in 3 s`)
    }
  } finally {
    client.kill()
    await forgetSession(broker, 'bench-bare')
  }
}

async function drainWithTakt(broker: Broker, delivery: 'fast' | 'guaranteed'): Promise<number> {
  const userDir = mkdtempSync(join(tmpdir(), 'takt-bench-red-'))
  const red = new NodeRedProcess({ userDir, flow: sensorFlow(broker.url, delivery, SINK), nodesDir: SINK_NODES })
  try {
    // once, so that the broker has a session to queue for
    await red.start()
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 })
    await red.until('the session exists', async () => {
      await publish(client, 0)
      return (await counted(red)).received > 0
    })
    await client.endAsync()
    await red.stop()
    await fillQueue(broker)
    await red.start()
    await red.until('the queue is empty', async () => (await counted(red)).received >= QUEUED, 120_000)
    const { received, first, last } = await counted(red)
    return (received / (last - first)) * 1000
  } finally {
    await red.stop()
    rmSync(userDir, { recursive: true, force: true })
    await forgetSession(broker, 'takt-bench')
  }
}

async function fillQueue(broker: Broker): Promise<void> {
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 })
  for (let i = 0; i < QUEUED; i += 1000) await Promise.all(Array.from({ length: 1000 }, (_, j) => publish(client, i + j)))
  await client.endAsync()
}

function publish(client: mqtt.MqttClient, i: number): Promise<unknown> {
  const body = { v: i, ts: Date.now(), unit: 'pcs', gateway: 'line-1-edge', status: 'ok' }
  return client.publishAsync(`takt/unit/s${i % SIGNALS}`, JSON.stringify(body), { qos: 1 })
}

async function forgetSession(broker: Broker, clientId: string): Promise<void> {
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5, clientId, clean: true })
  await client.endAsync()
}
