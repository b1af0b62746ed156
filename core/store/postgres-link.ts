import type { Client, Notification, QueryResult } from 'pg'
import { TaktError } from '../base/error.ts'
import { postgresError } from './postgres-errors.ts'
import type { PostgresTarget } from './postgres-target.ts'
import type { StatementResult } from './statement-dialect.ts'
import { type SqlValue, toSqlValue } from './values.ts'

export interface LinkOptions {
  readonly target: PostgresTarget
  /** Names the database in errors. */
  readonly where: string
  /** Settings of the session: `lock_timeout` and the like. */
  readonly settings?: Readonly<Record<string, string>>
  /** The server is taken for gone when it owes an answer for so long, seconds. */
  readonly patienceSeconds: number
  /** Called once when an open connection breaks; not when it is closed. */
  readonly onLost?: (error: TaktError) => void
  readonly onNotification?: (notification: Notification) => void
}

export interface LinkResult extends StatementResult {
  /** `COMMIT`, `ROLLBACK`, `INSERT`, … */
  readonly command: string
}

const CONNECT_MS = 5000
const KEEP_ALIVE_MS = 5000
/** A statement gets a name, and is then parsed once, when it comes again; so many of them at most. */
const NAMED_AT_MOST = 300
const REMEMBERED_AT_MOST = 3000
const CHANGES_ROWS: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

/** What the types leave out. */
interface Connected extends Client {
  ref(): void
  unref(): void
}

/**
 * One connection. Statements are sent at once and answered in order, without waiting for each other; those of one turn travel together. One that fails
 * fails alone, outside of a transaction.
 */
export class PostgresLink {
  readonly #client: Connected
  readonly #options: LinkOptions
  /** how often a text was seen; its name, once it has one */
  readonly #texts = new Map<string, string>()
  #named = 0
  #waiting = 0
  #silentSeconds = 0
  #watchdog: NodeJS.Timeout | undefined
  #corked = false
  #state: 'open' | 'lost' | 'closed' = 'open'

  /** Resolves when connected. Rejects with a coded error. */
  static async open(options: LinkOptions): Promise<PostgresLink> {
    // only who has a PostgreSQL pays for its client
    const { default: pg } = await import('pg')
    const { target, where, settings = {} } = options
    const { name: _name, ...login } = target
    const client = new pg.Client({
      ...login,
      ssl: login.ssl ?? false,
      application_name: 'takt',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      connectionTimeoutMillis: Math.min(CONNECT_MS, 1000 * options.patienceSeconds),
      pipeline: true,
      types: { getTypeParser: parserOf as never },
    })
    const link = new PostgresLink(client, options)
    try {
      await client.connect()
      await link.#prepare(settings)
      return link
    } catch (error) {
      link.#state = 'closed'
      client.end().catch(() => {})
      throw postgresError(error, where)
    }
  }

  private constructor(client: Client, options: LinkOptions) {
    this.#client = client as unknown as Connected
    this.#options = options
    client.on('error', (error) => this.#lose(error))
    client.on('end', () => this.#lose(new Error('the server ended the connection')))
    if (options.onNotification !== undefined) client.on('notification', options.onNotification)
  }

  get isUsable(): boolean {
    return this.#state === 'open'
  }

  /** Statements that wait for their answer. */
  get waiting(): number {
    return this.#waiting
  }

  /** Runs one statement; without parameters it may be several, of which the last one answers. Rejects with a coded error. */
  run(sql: string, parameters: readonly SqlValue[] = []): Promise<LinkResult> {
    const { where } = this.#options
    return new Promise((resolve, reject) => {
      if (this.#state !== 'open') return reject(new TaktError('TAKT_STORE_AWAY', { what: 'the connection to the server is gone', where }))
      const name = parameters.length === 0 ? undefined : this.#nameOf(sql)
      this.#sent()
      this.#client.query({ text: sql, values: parameters as SqlValue[], ...(name !== undefined && { name }) }, (error: unknown, result: QueryResult) => {
        this.#answered()
        if (error) {
          // what another instance changed in the tables outdates what was prepared here
          if ((error as { code?: unknown }).code === '0A000') this.#texts.clear()
          return reject(postgresError(error, where))
        }
        const { rows, command, rowCount } = Array.isArray(result) ? (result.at(-1) as QueryResult) : result
        resolve({ rows, command, ...(CHANGES_ROWS.has(command) && rowCount !== null && { changes: rowCount }) })
      })
    })
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    clearInterval(this.#watchdog)
    this.#client.ref()
    // a server that is gone answers no goodbye
    const late = setTimeout(() => this.#client.connection.stream.destroy(), CONNECT_MS)
    await this.#client.end().catch(() => {})
    clearTimeout(late)
  }

  /** Cuts the connection: whoever waits is told. */
  destroy(cause: Error): void {
    this.#lose(cause)
    this.#client.connection.stream.destroy()
  }

  async #prepare(settings: Readonly<Record<string, string>>): Promise<void> {
    const { where } = this.#options
    const wanted = { client_min_messages: 'warning', default_transaction_isolation: 'read committed', ...settings }
    const set = Object.entries(wanted).map(([name, value]) => `select set_config('${name}', '${value}', false)`)
    const { rows } = await this.run(
      [
        ...set,
        // what is told as done has to be on the disk
        "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
        "select current_setting('server_encoding') as encoding, current_setting('server_version_num')::int as version",
      ].join('; '),
    )
    const [{ encoding, version }] = rows as [{ encoding: string; version: number }]
    if (encoding !== 'UTF8') throw new TaktError('TAKT_STORE_REFUSED', { what: `the database has the encoding ${encoding}; it has to be UTF8`, where })
    if (version < OLDEST) throw new TaktError('TAKT_STORE_REFUSED', { what: `PostgreSQL ${version} is older than ${OLDEST / 10_000}`, where })
  }

  #nameOf(sql: string): string | undefined {
    const known = this.#texts.get(sql)
    if (known !== undefined && known !== '') return known
    if (known === undefined) {
      if (this.#texts.size >= REMEMBERED_AT_MOST) return undefined
      this.#texts.set(sql, '')
      return undefined
    }
    if (this.#named >= NAMED_AT_MOST) return undefined
    const name = `takt_${++this.#named}`
    this.#texts.set(sql, name)
    return name
  }

  #sent(): void {
    if (this.#waiting++ === 0) {
      this.#client.ref()
      this.#silentSeconds = 0
      // ticks rather than times: a process that was stopped has not waited
      this.#watchdog ??= setInterval(() => this.#watch(), 1000).unref()
    }
    if (this.#corked) return
    this.#corked = true
    const { stream } = this.#client.connection
    stream.cork()
    process.nextTick(() => {
      this.#corked = false
      stream.uncork()
    })
  }

  #answered(): void {
    this.#silentSeconds = 0
    if (--this.#waiting === 0 && this.#state === 'open') this.#client.unref()
  }

  #watch(): void {
    if (this.#waiting === 0 || ++this.#silentSeconds <= this.#options.patienceSeconds) return
    this.destroy(new Error(`the server has not answered for ${this.#options.patienceSeconds} s`))
  }

  #lose(cause: Error): void {
    if (this.#state !== 'open') return
    this.#state = 'lost'
    clearInterval(this.#watchdog)
    this.#options.onLost?.(postgresError(cause, this.#options.where))
  }
}

const OLDEST = 130_000

/** Types whose texts become something else (`select oid, typname from pg_type`). */
const BOOL = 16
const BYTEA = 17
const INT8 = 20
const INTEGERS: ReadonlySet<number> = new Set([21, 23, 26])
const FLOATS: ReadonlySet<number> = new Set([700, 701, 1700])

/** The same values as SQLite gives: numbers as numbers where they are exact, switches as 0 and 1, and nothing dressed up. */
function parserOf(type: number): (text: string) => unknown {
  if (type === INT8) return parseInt8
  if (INTEGERS.has(type) || FLOATS.has(type)) return Number
  if (type === BOOL) return (text) => (text === 't' ? 1 : 0)
  if (type === BYTEA) return (text) => Buffer.from(text.slice(2), 'hex')
  return (text) => text
}

function parseInt8(text: string): number {
  const value = Number(text)
  // refuses what is over 2^53
  return Number.isSafeInteger(value) ? value : (toSqlValue(BigInt(text), 'column') as number)
}
