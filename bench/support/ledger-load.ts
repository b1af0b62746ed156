import { hash } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { Store } from '../../core/store/store.ts'

/** Writers that each wait for their event before they send the next. */
export const WRITERS = 64

export interface Load {
  /** events a second */
  readonly rate: number
  /** ms from the call to its commit, of 99 in 100 */
  readonly p99: number
  /** part of the time in which a flow stood, because so many events waited for their commit */
  readonly stood?: number
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

/** So much of hashing an event costs about a millisecond of a processor: what a flow does with a message before it records something. */
const WORK = 1300

/** The same by a flow that handles one message after the other and works at each, with at most so many that wait for their commit. */
export async function flowOf(store: Store, events: number, waitingAtMost = WRITERS): Promise<Load> {
  const waits: number[] = []
  const waiting = new Set<Promise<void>>()
  let stood = 0
  const began = performance.now()
  for (let n = 0; n < events; n++) {
    await turn()
    for (let [text, step] = ['', 0]; step < WORK; step++) text = hash('sha256', text)
    const event = eventOf(n)
    const since = performance.now()
    const written = store
      .transaction((tx) => tx.record(event))
      .then(() => {
        waits.push(performance.now() - since)
        waiting.delete(written)
      })
    waiting.add(written)
    const full = performance.now()
    if (waiting.size >= waitingAtMost) await Promise.race(waiting)
    stood += performance.now() - full
  }
  await Promise.all(waiting)
  const seconds = (performance.now() - began) / 1000
  waits.sort((a, b) => a - b)
  return { rate: events / seconds, p99: waits[Math.floor(waits.length * 0.99)] ?? Number.NaN, stood: stood / 1000 / seconds }
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

/** Bare `node:sqlite`, as many rows a flush as there are writers, with the ledger's indexes, in one file that grows as the store's does. */
export class BareSqlite {
  readonly #db: DatabaseSync
  readonly #insert: StatementSync
  #next = 0

  constructor(file: string) {
    this.#db = new DatabaseSync(file)
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    this.#db.exec(bareTable('integer'))
    for (const index of BARE_INDEXES) this.#db.exec(index)
    this.#insert = this.#db.prepare(bareInsert(() => '?'))
  }

  /** Rows a second. */
  write(rows: number): number {
    const began = performance.now()
    for (const end = this.#next + rows; this.#next < end; ) {
      this.#db.exec('begin immediate')
      for (let row = 0; row < WRITERS && this.#next < end; row++) this.#insert.run(...bareRow(this.#next++))
      this.#db.exec('commit')
    }
    return (rows / (performance.now() - began)) * 1000
  }

  close(): void {
    this.#db.close()
  }
}
