import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import { Influxd } from '../../test/core/connect/support/influxd.ts'
import { type FlowNode, NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'
import { Child } from '../support/child.ts'

const POINTS = 200_000
const BATCH = 5000
const ROUNDS = 3
const POLL_MS = 20

function flow(url: string): FlowNode[] {
  return [
    { id: 'f0', type: 'tab', label: 'bench' },
    { id: 'a1', type: 'takt-influxdb', name: 'bench', url, database: 'takt', createDatabase: true, timeout: 10 },
    { id: 's1', z: 'f0', type: 'bench-source', wires: [['h1']] },
    { id: 'h1', z: 'f0', type: 'takt-historian', mode: 'write', influxdb: 'a1', store: '', plant: '', batchRows: BATCH, batchMs: 1000, wires: [[]] },
  ]
}

/** Points a second that a bare `influx` client writes in batches, and those that go through a historian until they stand in the database. */
export async function historianRate(): Promise<{ readonly bare: number; readonly historian: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const influxd = await Influxd.start()
  const red = new NodeRedProcess({ userDir: folder, flow: flow(influxd.url), nodesDir: join(packageRoot, 'bench', 'sink') })
  const start = Date.now() - ROUNDS * 10 * POINTS
  const bareRound = async (round: number): Promise<number> => {
    const writer = new Child('influx-bare-writer.ts', String(influxd.port), 'bare', String(POINTS), String(BATCH), String(start + round * POINTS))
    return Number(await writer.line())
  }
  const historianRound = async (round: number): Promise<number> => {
    const begin = performance.now()
    const emitted = await fetch(`${red.url}/bench/emit?count=${POINTS}&from=${start + round * POINTS}`, { method: 'POST' })
    await emitted.json()
    const wanted = (round + 1) * POINTS
    for (;;) {
      if ((await influxd.count('takt', 'sample', 'value')) >= wanted) return (POINTS / (performance.now() - begin)) * 1000
      if (performance.now() - begin > 120_000) throw new Error(`${await influxd.count('takt', 'sample', 'value')} of ${wanted} points after two minutes`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
  try {
    await red.start()
    const figures: { bare: number[]; historian: number[] } = { bare: [], historian: [] }
    for (let round = 0; round <= ROUNDS; round++) {
      const [bare, historian] = [await bareRound(round), await historianRound(round)]
      // the first round warms the database up
      if (round > 0) figures.bare.push(bare)
      if (round > 0) figures.historian.push(historian)
    }
    // the best of each: others may use the machine
    return { bare: Math.max(...figures.bare), historian: Math.max(...figures.historian) }
  } finally {
    await red.stop()
    await influxd.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}
