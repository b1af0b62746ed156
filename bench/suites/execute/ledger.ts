import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../../core/base/clock.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { hasPostgres, PostgresServer } from '../../../test/support/postgres-server.ts'
import { BARE_INDEXES, BareSqlite, bareInsert, bareRow, bareTable, type Load, loadOf, WRITERS } from '../../support/ledger-load.ts'
import { type InstancesRun, runInstances } from '../../support/postgres-instances.ts'
import { notMeasured, type Row } from '../../support/table.ts'

const EVENTS = 20_000
const WARM_UP = 2000
const ROUNDS = 3
/** of each instance, when each event costs it a millisecond */
const FLOW_EVENTS = 3000
const FLOW_ROUNDS = 3

/** Ledgered business events a second, each a transaction of its own, against the same rows written by the bare driver; the best of several rounds, because others use the machine. */
export async function run(): Promise<readonly Row[]> {
  return [...(await onSqlite()), ...(await onPostgres())]
}

async function onSqlite(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-ledger-'))
  const store = openStore({ file: join(folder, 'takt.db'), clock: systemClock })
  const driver = new BareSqlite(join(folder, 'bare.db'))
  try {
    await loadOf(store, WARM_UP)
    driver.write(WARM_UP)
    const loads: Load[] = []
    const bare: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      loads.push(await loadOf(store, EVENTS))
      bare.push(driver.write(EVENTS))
    }
    const best = bestOf(loads)
    return [
      { what: `SQLite, synchronous FULL: ledgered events, ${WRITERS} writers`, figure: best.rate, unit: 'events/s', target: { atLeast: 5000 } },
      { what: 'SQLite: from the call to its commit, 99 of 100', figure: best.p99, unit: 'ms', target: { atMost: 50 } },
      share('SQLite: share of bare node:sqlite', best.rate, Math.max(...bare)),
    ]
  } finally {
    await store.close()
    driver.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onPostgres(): Promise<Row[]> {
  const rate = { what: `PostgreSQL, fsync: ledgered events, ${WRITERS} writers`, unit: 'events/s' }
  const ratio = { what: 'PostgreSQL: share of bare pg', unit: '×', target: { atLeast: 0.5 } }
  const two = { what: 'PostgreSQL: two instances that do nothing but write, against one', unit: '×' }
  const flows = { what: 'PostgreSQL: two instances whose flow works 1 ms at each event, against one', unit: '×', target: { atLeast: 1.6 } }
  if (!hasPostgres()) return [rate, ratio, two, flows].map((row) => notMeasured(row, 'needs postgresql'))
  const server = await PostgresServer.start({ lines: ['fsync = on', 'full_page_writes = on', 'shared_buffers = 128MB'] })
  try {
    const store = openStore({ postgres: { url: server.url(await server.database()) }, clock: systemClock })
    const loads: Load[] = []
    const bare: number[] = []
    try {
      await loadOf(store, WARM_UP)
      for (let round = 0; round < ROUNDS; round++) {
        loads.push(await loadOf(store, EVENTS))
        bare.push(await barePostgres(server.url(await server.database()), EVENTS))
      }
    } finally {
      await store.close()
    }
    const best = bestOf(loads)
    return [
      { ...rate, figure: best.rate },
      { what: 'PostgreSQL: from the call to its commit, 99 of 100', figure: best.p99, unit: 'ms' },
      share(ratio.what, best.rate, Math.max(...bare)),
      { ...two, ...(await twoAgainstOne(server, EVENTS, 'writes')) },
      { ...flows, ...(await twoAgainstOne(server, FLOW_EVENTS, 'flow')) },
    ]
  } finally {
    await server.remove()
  }
}

/** One connection that waits for nothing but its commits, as many rows each as there are writers. */
async function barePostgres(url: string, events: number): Promise<number> {
  const client = new pg.Client({ connectionString: url, pipeline: true })
  await client.connect()
  for (const statement of [bareTable('bigint'), ...BARE_INDEXES]) await client.query(statement)
  const text = bareInsert((n) => `$${n}`)
  const began = performance.now()
  for (let n = 0; n < events; ) {
    const sent: Promise<unknown>[] = [client.query('begin')]
    for (let row = 0; row < WRITERS && n < events; row++) sent.push(client.query({ name: 'bare', text, values: bareRow(n++) }))
    sent.push(client.query('commit'))
    await Promise.all(sent)
  }
  const rate = (events / (performance.now() - began)) * 1000
  await client.end()
  return rate
}

/** One and two in turn, the best of each; and what of it was busy. */
async function twoAgainstOne(server: PostgresServer, events: number, how: 'writes' | 'flow'): Promise<Pick<Row, 'figure' | 'note'>> {
  const [ones, twos]: [InstancesRun[], InstancesRun[]] = [[], []]
  for (let round = 0; round < FLOW_ROUNDS; round++) {
    ones.push(await runInstances(server, 1, events, how))
    twos.push(await runInstances(server, 2, events, how))
  }
  const fastest = (runs: readonly InstancesRun[]): InstancesRun => runs.reduce((best, run) => (run.rate > best.rate ? run : best))
  const [one, two] = [fastest(ones), fastest(twos)]
  const told = ({ rate, locked, stood, instances, server: busy }: InstancesRun): string =>
    `${Math.round(rate)} events/s (lock held ${Math.round(100 * locked)} %${how === 'flow' ? `, flows stood ${Math.round(100 * stood)} %` : ''}, ${instances.toFixed(2)} processors in Node.js, ${busy.toFixed(2)} in PostgreSQL)`
  return { figure: two.rate / one.rate, note: `${told(one)}; two: ${told(two)}` }
}

function bestOf(loads: readonly Load[]): Load {
  return loads.reduce((best, load) => (load.rate > best.rate ? load : best))
}

function share(what: string, rate: number, bare: number): Row {
  return { what, figure: rate / bare, unit: '×', target: { atLeast: 0.5 }, note: `bare: ${Math.round(bare)} rows/s` }
}
