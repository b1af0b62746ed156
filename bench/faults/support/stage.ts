import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { systemClock } from '../../../core/base/clock.ts'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { releaseWorkOrder } from '../../../core/orders/release-work-order.ts'
import { parsePlant } from '../../../core/plant/load-plant.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { freePort } from '../../../test/e2e/support/free-port.ts'
import { type FlowNode, NodeRedProcess } from '../../../test/e2e/support/node-red-process.ts'
import { FaultProxy } from '../../../test/support/fault-proxy.ts'
import { Broker } from './broker.ts'
import type { Recorded } from './count.ts'
import { JOB_ORDER, plantModel } from './flows.ts'
import { Publisher, type PublisherOrder } from './publisher.ts'

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Everything of one case: a folder, processes, and the proxy between Takt and its server. Torn down whatever happens. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'takt-faults-'))
  readonly palette: string
  readonly #after: Array<() => unknown> = []

  constructor(palette: string) {
    this.palette = palette
    // FAULTS_KEEP=1 leaves everything there for whoever looks into a case
    if (process.env.FAULTS_KEEP === '1') console.error(`kept: ${this.folder}`)
    else this.after(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  get userDir(): string {
    return join(this.folder, 'red')
  }

  /** The database that the store node keeps under the user directory. */
  get database(): string {
    return join(this.userDir, 'takt', 'takt.db')
  }

  /** Where the sink writes telemetry. */
  get telemetry(): string {
    return join(this.folder, 'telemetry.txt')
  }

  /** Undone in reverse when the case is over. */
  after(undo: () => unknown): void {
    this.#after.unshift(undo)
  }

  async broker(): Promise<Broker> {
    const broker = await Broker.start(this.folder)
    this.after(() => broker.stop('SIGKILL'))
    return broker
  }

  async proxy(target: number): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(target)
    this.after(() => proxy.close())
    return proxy
  }

  async nodeRed(flow: readonly FlowNode[], env: Record<string, string> = {}): Promise<NodeRedProcess> {
    mkdirSync(this.userDir, { recursive: true })
    const red = new NodeRedProcess({ userDir: this.userDir, flow, palette: this.palette, env })
    this.after(() => red.kill())
    this.after(() => writeFileSync(join(this.folder, 'node-red.log'), red.log))
    await red.start()
    return red
  }

  /** A sender of its own process; the order's log lies in the case's folder. */
  async publisher(script: 'mqtt-publisher.ts' | 'opcua-publisher.ts', order: Omit<PublisherOrder, 'log' | 'session'>): Promise<Publisher> {
    const publisher = await Publisher.start(script, { ...order, log: join(this.folder, 'sent.txt'), session: `run-${process.pid}` })
    this.after(() => publisher.kill())
    return publisher
  }

  async close(): Promise<void> {
    for (const undo of this.#after) await Promise.resolve(undo()).catch(() => {})
  }
}

/** A free port for a server that the case starts. */
export const portForServer = freePort

/** The order that the quality gate's measurements belong to, made before Node-RED starts. */
export async function seedOrder(database: string): Promise<void> {
  mkdirSync(join(database, '..'), { recursive: true })
  const store = openStore({ file: database, clock: systemClock })
  const plant = parsePlant(plantModel('mqtt'), 'faults')
  try {
    await store.transaction(async (tx) => {
      const because = { actor: 'fault harness' }
      const { order } = await createWorkOrder(tx, plant, { id: 'faults', product: 'bracket', quantity: 1_000_000 } as never, because)
      await releaseWorkOrder(tx, plant, order.id, because)
    })
  } finally {
    await store.close()
  }
}

/** Sends messages that count for nothing until one has come through: from then on the session exists and nothing may be lost. */
export async function untilThrough(url: string, topic: string, arrived: () => number, red: NodeRedProcess): Promise<void> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 })
  try {
    let sequence = 0
    await red.until('a first message comes through', async () => {
      const body = { v: 0, ts: Date.now(), session: `probe-${process.pid}`, sequence, serial: String(-1 - sequence), job: JOB_ORDER }
      sequence++
      await client.publishAsync(topic, JSON.stringify(body), { qos: 1 })
      return arrived() > 0
    })
  } finally {
    await client.endAsync(true)
  }
}

const total = (recorded: Recorded): number => [...recorded.values()].reduce((sum, one) => sum + one.size, 0)

/** What has not come for so long, on a machine that is busy with other things, is lost. */
const LOST_MS = 30_000
/** The same where losses are expected, and each case would wait for them. */
export const SOON_LOST_MS = 8000

const AFTERMATH_MS = 3000

/** Waits until everything is recorded, or nothing more for a while, at most so long. */
export async function untilQuiet(read: () => Recorded | Promise<Recorded>, expected: number, quietMs = LOST_MS, longestMs = 300_000): Promise<void> {
  const end = performance.now() + longestMs
  let last = -1
  let since = performance.now()
  while (performance.now() < end) {
    const now = total(await read())
    // a repetition may come after the last first
    if (now >= expected) return pause(AFTERMATH_MS)
    if (now !== last) since = performance.now()
    last = now
    if (performance.now() - since > quietMs) return
    await pause(250)
  }
}
