import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

export type Row = Readonly<Record<string, unknown>>

/** A database as an outsider reads it: plain SQL, of which both dialects understand what is asked here. */
export interface Source {
  rows(sql: string): Promise<readonly Row[]>
  close(): Promise<void>
}

/** The file may be in use. */
export function sqliteSource(file: string): Source {
  const db = new DatabaseSync(file, { readOnly: true })
  db.exec('PRAGMA busy_timeout = 5000')
  return { rows: async (sql) => db.prepare(sql).all() as Row[], close: async () => db.close() }
}

const BIGINT = 20

export async function postgresSource(url: string): Promise<Source> {
  const client = new pg.Client({ connectionString: url })
  client.setTypeParser(BIGINT, Number)
  client.on('error', () => {})
  await client.connect()
  return { rows: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows, close: () => client.end() }
}

export interface LedgerLine {
  readonly sequence: number
  readonly type: string
  readonly subject: string
  readonly actor: string
  readonly why: string | null
  readonly before: string | null
  readonly after: string | null
  readonly time: number
  readonly previous_hash: string
  readonly hash: string
}

const PAGE = 2000

/** The whole ledger in its order, a page at a time. */
export async function* ledgerLines(source: Source): AsyncGenerator<LedgerLine> {
  for (let last = Number.MIN_SAFE_INTEGER; ; ) {
    const page = (await source.rows(`SELECT * FROM ledger WHERE sequence > ${last} ORDER BY sequence LIMIT ${PAGE}`)) as unknown as readonly LedgerLine[]
    yield* page
    if (page.length < PAGE) return
    last = Number(page.at(-1)?.sequence)
  }
}
