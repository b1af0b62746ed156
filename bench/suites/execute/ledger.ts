import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../../core/base/clock.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { hasPostgres, PostgresServer } from '../../../test/support/postgres-server.ts'
import { BARE_INDEXES, bareInsert, bareRow, bareSqlite, bareTable, type Load, loadOf, WRITERS } from '../../support/ledger-load.ts'
import { notMeasured, type Row } from '../../support/table.ts'

const EVENTS = 20_000
const WARM_UP = 2000
const ROUNDS = 3

/** Ledgered business events a second, each a transaction of its own, against the same rows written by the bare driver; the best of several rounds, because others use the machine. */
export async function run(): Promise<readonly Row[]> {
  return [...(await onSqlite()), ...(await onPostgres())]
}

async function onSqlite(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-ledger-'))
  const store = openStore({ file: join(folder, 'takt.db'), clock: systemClock })
  try {
    await loadOf(store, WARM_UP)
    const loads: Load[] = []
    const bare: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      loads.push(await loadOf(store, EVENTS))
      bare.push(bareSqlite(join(folder, `bare-${round}.db`), EVENTS))
    }
    const best = bestOf(loads)
    return [
      { what: `SQLite, synchronous FULL: ledgered events, ${WRITERS} writers`, figure: best.rate, unit: 'events/s', target: { atLeast: 5000 } },
      { what: 'SQLite: from the call to its commit, 99 of 100', figure: best.p99, unit: 'ms', target: { atMost: 50 } },
      share('SQLite: share of bare node:sqlite', best.rate, Math.max(...bare)),
    ]
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onPostgres(): Promise<Row[]> {
  const rate = { what: `PostgreSQL, fsync: ledgered events, ${WRITERS} writers`, unit: 'events/s' }
  const ratio = { what: 'PostgreSQL: share of bare pg', unit: '×', target: { atLeast: 0.5 } }
  const two = { what: 'PostgreSQL: two instances, against one', unit: '×' }
  if (!hasPostgres()) return [rate, ratio, two].map((row) => notMeasured(row, 'needs postgresql'))
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
    const one = await instances(server, 1)
    const both = await instances(server, 2)
    return [
      { ...rate, figure: best.rate },
      { what: 'PostgreSQL: from the call to its commit, 99 of 100', figure: best.p99, unit: 'ms' },
      share(ratio.what, best.rate, Math.max(...bare)),
      { ...two, figure: both / one, note: `${Math.round(one)} and ${Math.round(both)} events/s: one ledger has one writer at a time` },
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

/** So many processes on one database; all their events a second. */
async function instances(server: PostgresServer, count: number): Promise<number> {
  const url = server.url(await server.database())
  // the tables are there before they start
  const store = openStore({ postgres: { url }, clock: systemClock })
  await store.head()
  await store.close()
  const children = Array.from({ length: count }, () => fork(join(import.meta.dirname, '..', '..', 'support', 'ledger-child.ts'), [url, String(EVENTS)]))
  await Promise.all(children.map((child) => once(child, 'message')))
  const began = performance.now()
  const done = children.map((child) => once(child, 'message'))
  for (const child of children) child.send('go')
  await Promise.all(done)
  return ((count * EVENTS) / (performance.now() - began)) * 1000
}

function bestOf(loads: readonly Load[]): Load {
  return loads.reduce((best, load) => (load.rate > best.rate ? load : best))
}

function share(what: string, rate: number, bare: number): Row {
  return { what, figure: rate / bare, unit: '×', target: { atLeast: 0.5 }, note: `bare: ${Math.round(bare)} rows/s` }
}
