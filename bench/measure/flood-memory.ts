import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../test/e2e/support/free-port.ts'
import { type FlowNode, NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'
import { Child } from '../support/child.ts'
import { counted, SINK, SINK_NODES, sensorFlow } from './mqtt-rate.ts'

const MB = 1024 * 1024
const EVERY_MS = 1000
const ENDLESS = 1_000_000_000

export interface Flood {
  /** Resident megabytes at the end. */
  readonly rss: number
  /** The highest of the last quarter over the highest of the second: 1 is flat. */
  readonly growth: number
  /** Messages a second that came through. */
  readonly rate: number
}

/** Machine state behind the sensor books every reading in the store: the slowest recorder there is. */
const RECORDER: readonly FlowNode[] = [
  { id: 'k1', z: 'f0', type: 'takt-machine-state', plant: 'a1', store: 'a3', staleAfter: '', wires: [['k2'], ['k2']] },
  { id: 'k2', z: 'f0', type: 'bench-sink', wires: [] },
]

/** Resident memory of a Node-RED whose sender always has more to send than the flow can take, for so many minutes (Linux). */
export async function floodMemory(delivery: 'fast' | 'guaranteed', minutes: number): Promise<Flood> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const port = await freePort()
  const guaranteed = delivery === 'guaranteed'
  const flow = sensorFlow(`mqtt://127.0.0.1:${port}`, delivery, guaranteed ? RECORDER : SINK)
  const red = new NodeRedProcess({ userDir: folder, flow, nodesDir: SINK_NODES })
  const sender = new Child('mqtt-blaster.ts', String(port), guaranteed ? '1' : '0', 'takt/unit', '1000')
  const points: number[] = []
  try {
    await sender.line()
    await red.start()
    await sender.line()
    sender.say(`go ${ENDLESS}`)
    const start = performance.now()
    while (performance.now() - start < minutes * 60_000) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
      points.push((Number(readFileSync(`/proc/${red.pid}/statm`, 'utf8').split(' ')[1]) * 4096) / MB)
    }
    const { received, first, last } = await counted(red)
    const quarter = Math.floor(points.length / 4)
    const highest = (from: number): number => Math.max(...points.slice(from, from + quarter))
    return { rss: points.at(-1) ?? Number.NaN, growth: highest(points.length - quarter) / highest(quarter), rate: (received / (last - first)) * 1000 }
  } finally {
    sender.kill()
    await red.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}
