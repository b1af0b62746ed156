import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { packageRoot } from '../../core/base/package-root.ts'
import { freePort } from '../../test/e2e/support/free-port.ts'
import { type FlowNode, NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'
import { Broker } from '../faults/support/broker.ts'
import { Child } from '../support/child.ts'

const SIGNALS = 20
const FAST_MESSAGES = 100_000
const GUARANTEED_MESSAGES = 30_000
const ROUNDS = 5

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
      cleanSession: !guaranteed,
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
      qos: guaranteed ? '1' : '0',
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

/** Messages a second of a bare mqtt.js subscriber that parses JSON, and of a mqtt sensor in a flow, each fed as fast as it reads. */
export async function mqttFastRate(): Promise<{ readonly bare: number; readonly sensor: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const [bareUrl, taktUrl] = [await freePort(), await freePort()].map((port) => `mqtt://127.0.0.1:${port}`) as [string, string]
  const portOf = (url: string): string => new URL(url).port
  const red = new NodeRedProcess({ userDir: folder, flow: sensorFlow(taktUrl, 'fast', SINK), nodesDir: SINK_NODES })
  const children: Child[] = []
  try {
    const forBare = await child('mqtt-blaster.ts', portOf(bareUrl), '0')
    const forTakt = await child('mqtt-blaster.ts', portOf(taktUrl), '0')
    const bareClient = await child('mqtt-bare-client.ts', bareUrl, 'takt/#', '0')
    children.push(forBare, forTakt, bareClient)
    await forBare.line()
    await red.start()
    await forTakt.line()
    await pause(1000)
    const bareRound = async (): Promise<number> => {
      await forBare.ask(`go ${FAST_MESSAGES}`)
      await pause(500)
      const [received = 0, ms = 0] = (await bareClient.ask('count')).split(' ').map(Number)
      if (received !== FAST_MESSAGES) throw new Error(`the bare client got ${received} of ${FAST_MESSAGES}`)
      return (received / ms) * 1000
    }
    const taktRound = async (): Promise<number> => {
      await forTakt.ask(`go ${FAST_MESSAGES}`)
      await red.until('every message is through', async () => (await counted(red)).received >= FAST_MESSAGES)
      const { received, first, last } = await counted(red, '?reset')
      return (received / (last - first)) * 1000
    }
    const figures: { bare: number[]; sensor: number[] } = { bare: [], sensor: [] }
    for (let round = 0; round <= ROUNDS; round++) {
      const [bare, sensor] = [await bareRound(), await taktRound()]
      // the first round warms both up
      if (round > 0) figures.bare.push(bare)
      if (round > 0) figures.sensor.push(sensor)
    }
    // the best of each: others may use the machine
    return { bare: Math.max(...figures.bare), sensor: Math.max(...figures.sensor) }
  } finally {
    for (const one of children) one.kill()
    await red.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Messages a second that a guaranteed mqtt sensor takes from mosquitto's queue through its inbox (SQLite, synchronous FULL) into a flow. */
export async function mqttGuaranteedRate(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const broker = await Broker.start(folder)
  const userDir = join(folder, 'red')
  const red = new NodeRedProcess({ userDir, flow: sensorFlow(broker.url, 'guaranteed', SINK), nodesDir: SINK_NODES })
  try {
    // once, so that the broker has a session to queue for
    await red.start()
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 })
    const publish = (i: number): Promise<unknown> =>
      client.publishAsync(`takt/unit/s${i % SIGNALS}`, JSON.stringify({ v: i, ts: Date.now(), unit: 'pcs', gateway: 'line-1-edge', status: 'ok' }), { qos: 1 })
    await red.until('the session exists', async () => {
      await publish(0)
      return (await counted(red)).received > 0
    })
    await red.stop()
    for (let i = 0; i < GUARANTEED_MESSAGES; i += 1000) await Promise.all(Array.from({ length: 1000 }, (_, j) => publish(i + j)))
    await client.endAsync()
    await red.start()
    await red.until('the queue is empty', async () => (await counted(red)).received >= GUARANTEED_MESSAGES, 120_000)
    const { received, first, last } = await counted(red)
    return (received / (last - first)) * 1000
  } finally {
    await red.stop()
    await broker.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}
