import { DatabaseSync } from 'node:sqlite'
import type { Store } from '../../core/store/store.ts'

/** Writers that each wait for their event before they send the next. */
export const WRITERS = 64

export interface Load {
  /** events a second */
  readonly rate: number
  /** ms from the call to its commit, of 99 in 100 */
  readonly p99: number
}

/** What a count of parts says; about 700 bytes a row of the ledger. */
export function eventOf(n: number) {
  const job = (good: number) => ({
    kind: 'job-order',
    id: `jo-${n % 97}-20`,
    state: 'Running',
    equipment: 'acme/berlin/line-1/mill-2',
    good,
    scrap: n % 7,
    note: 'x'.repeat(120),
  })
  return { type: 'job-order.progress', subject: `jo-${n % 97}-20`, actor: 'node:bench', why: 'counted by the machine', before: job(n), after: job(n + 1) }
}

/** Ledgered business events, a transaction each. */
export async function loadOf(store: Store, events: number, writers = WRITERS): Promise<Load> {
  const waits: number[] = []
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (next < events) {
        const event = eventOf(next++)
        const since = performance.now()
        await store.transaction((tx) => tx.record(event))
        waits.push(performance.now() - since)
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  waits.sort((a, b) => a - b)
  return { rate: events / seconds, p99: waits[Math.floor(waits.length * 0.99)] ?? Number.NaN }
}

const COLUMNS = ['sequence', 'type', 'subject', 'actor', 'why', 'before', 'after', 'time', 'previous_hash', 'hash'] as const

/** The same row without what makes it a ledger: nothing is hashed. */
export function bareRow(n: number): Array<string | number> {
  const { type, subject, actor, why, before, after } = eventOf(n)
  const hash = 'f'.repeat(64)
  return [n + 1, type, subject, actor, why, JSON.stringify(before), JSON.stringify(after), 1_763_810_000_000 + n, hash, hash]
}

const quoted = COLUMNS.map((name) => `"${name}"`).join(', ')
export const bareTable = (bigint: string): string =>
  `create table bare (sequence ${bigint} primary key, type text, subject text, actor text, why text, "before" text, "after" text, time bigint, previous_hash text, hash text)`
export const bareInsert = (placeholder: (n: number) => string): string =>
  `insert into bare (${quoted}) values (${COLUMNS.map((_, at) => placeholder(at + 1)).join(', ')})`
export const BARE_INDEXES = [
  'create index bare_1 on bare (subject, sequence)',
  'create index bare_2 on bare (type, sequence)',
  'create index bare_3 on bare (time)',
]

/** Bare `node:sqlite`, as many rows a flush as there are writers, with the ledger's indexes. Events a second. */
export function bareSqlite(file: string, events: number): number {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec(bareTable('integer'))
  for (const index of BARE_INDEXES) db.exec(index)
  const insert = db.prepare(bareInsert(() => '?'))
  const began = performance.now()
  for (let n = 0; n < events; ) {
    db.exec('begin immediate')
    for (let row = 0; row < WRITERS && n < events; row++) insert.run(...bareRow(n++))
    db.exec('commit')
  }
  const rate = (events / (performance.now() - began)) * 1000
  db.close()
  return rate
}
