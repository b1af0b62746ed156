import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { flowOnPlant, simulatedAs } from '../../../test/e2e/support/closed-loop.ts'
import { NodeRedProcess } from '../../../test/e2e/support/node-red-process.ts'
import { startPlant } from '../../../test/plant/start-plant.ts'
import { PostgresServer } from '../../../test/support/postgres-server.ts'
import { audit, readAnchors } from '../support/audit/audit.ts'
import { postgresSource, type Source, sqliteSource } from '../support/audit/source.ts'
import type { CaseContext, FaultCase, Outcome } from '../support/case.ts'
import { type Dialect, needsPostgresServer } from '../support/plant-floor.ts'
import { NAMES } from './execute-kill.ts'

const SPEED = 120
const PARTS_FIRST = 10
const IN_TRAFFIC_MS = 6000
const PATIENCE_MS = 180_000

type Made = Readonly<Record<string, { readonly good: number; readonly scrap: number }>>

/** The reference flow in a real Node-RED on a plant that runs elsewhere and knows what it made; killed while orders are created, planned, dispatched, run and counted. */
async function killNodeRed(palette: string, dialect: Dialect, kills: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-faults-'))
  const undo: Array<() => unknown> = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const userDir = join(folder, 'red')
    const plant = await startPlant({ ...simulatedAs(), speed: SPEED })
    undo.push(() => plant.stop())
    const server = dialect === 'postgres' ? await PostgresServer.start({ lines: ['fsync = on', 'full_page_writes = on'] }) : undefined
    undo.push(() => server?.remove())
    const url = server?.url(await server.database())
    const flow = flowOnPlant(plant).map((node) => (node.type === 'takt-store' && url !== undefined ? { ...node, database: 'postgres', url } : node))
    const red = new NodeRedProcess({ userDir, flow, palette })
    undo.push(() => red.kill())
    if (process.env.FAULTS_KEEP === '1') undo.push(() => writeFileSync(join(tmpdir(), `faults-red-${dialect}.log`), red.log))
    await red.start()
    const look = async <T>(read: (source: Source) => Promise<T>): Promise<T> => {
      const source = url === undefined ? sqliteSource(join(userDir, 'takt', 'takt.db')) : await postgresSource(url)
      try {
        return await read(source)
      } finally {
        await source.close()
      }
    }
    const heard = async (): Promise<number> => Object.values(await look(counted)).reduce((sum, { good, scrap }) => sum + good + scrap, 0)
    await red.until('parts are counted', async () => (await heard()) >= PARTS_FIRST, PATIENCE_MS)
    for (let kill = 0; kill < kills; kill++) {
      await pause(Math.random() * IN_TRAFFIC_MS)
      await red.kill()
      await red.start()
    }
    await pause(IN_TRAFFIC_MS)
    await plant.pause()
    let truth = await plant.ledger()
    // a plant that was behind its clock still makes good what it owed
    for (let parts = -1; parts !== truth.parts; truth = await plant.ledger()) {
      parts = truth.parts
      await pause(1000)
    }
    await red.until('every part was heard of', async () => (await heard()) >= truth.parts, PATIENCE_MS).catch(() => {})
    await pause(2000)
    await red.stop()
    const anchors = readAnchors(...globSync(join(userDir, 'takt', '*.anchor')))
    const { rows, findings } = await look((source) => audit(source, { anchors }))
    const made = Object.entries(truth.byJob as Made)
    const found = await look(counted)
    const of = (job: string, what: 'good' | 'scrap'): number => found[job]?.[what] ?? 0
    const differences = made.flatMap(([job, { good, scrap }]) => [good - of(job, 'good'), scrap - of(job, 'scrap')])
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + Math.max(0, number), 0)
    const { lost, doubled, violated, evidence } = findings
    return {
      sent: truth.parts,
      lost: lost + sum(differences),
      doubled: doubled + sum(differences.map((difference) => -difference)),
      violated,
      note: [`${kills} kills, parts of ${made.length} job orders, ${rows.toLocaleString('en')} ledger rows`, evidence].filter(Boolean).join('; '),
    }
  } finally {
    for (const one of undo.toReversed()) await Promise.resolve(one()).catch(() => {})
  }
}

/** What was booked on each job order. */
async function counted(source: Source): Promise<Made> {
  try {
    const rows = await source.rows('SELECT job_order, sum(good) AS good, sum(scrap) AS scrap FROM job_count GROUP BY job_order')
    return Object.fromEntries(rows.map(({ job_order: job, good, scrap }) => [String(job), { good: Number(good), scrap: Number(scrap) }]))
  } catch {
    // its tables are not there yet
    return {}
  }
}

export const redKilled: readonly FaultCase[] = (['sqlite', 'postgres'] as const).map((dialect) => ({
  name: `closed loop in Node-RED on ${NAMES[dialect]}: kill -9`,
  promise: 'guaranteed',
  missing: dialect === 'postgres' ? needsPostgresServer : undefined,
  run: ({ palette, size }: CaseContext) => killNodeRed(palette, dialect, size.redKills),
}))
