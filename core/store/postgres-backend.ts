import { hash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { TaktError } from '../base/error.ts'
import { uniqueId } from '../base/id.ts'
import type { Anchor } from './anchor.ts'
import { AnchorFile } from './anchor-file.ts'
import type { Backend, WriteSession } from './backend.ts'
import { postgresKysely } from './postgres-dialect.ts'
import { PostgresLink } from './postgres-link.ts'
import { PostgresListener } from './postgres-listener.ts'
import { PostgresReaders } from './postgres-readers.ts'
import { PostgresSession, type SessionHost } from './postgres-session.ts'
import { type PostgresLogin, postgresTarget } from './postgres-target.ts'
import type { Tables } from './schema.ts'

export interface PostgresOptions extends PostgresLogin {
  /** File that the ledger's head is kept in, outside the database; without it the end of the ledger is not proved. */
  readonly anchor?: string | undefined
  /** The server is taken for gone when it owes an answer to a writer for so long, seconds. Default 30. */
  readonly patienceSeconds?: number | undefined
}

/** A writer waits so long for those of other instances. */
const LOCK_TIMEOUT_MS = 15_000
/** One that stands still inside a transaction loses it, and the lock, after this: others take over within five seconds. */
const STANDSTILL_MS = 2500
const PATIENCE_S = 30
const READER_PATIENCE_S = 120
/** How long the server is asked what became of a commit. */
const FATE_MS = 10_000
const FATE_EVERY_MS = 200

/** Any number with the name of the tables' schema: who holds both writes the ledger. */
const LOCK = '842190, coalesce(hashtext(current_schema()::text), 0)'

/** A database on a PostgreSQL server, which several instances may share. */
export class PostgresBackend implements Backend {
  readonly dialect = 'postgres'
  readonly shared = true
  readonly where: string
  readonly reader: Kysely<Tables>
  readonly #options: PostgresOptions
  readonly #onLost: () => void
  readonly #anchor: AnchorFile | undefined
  readonly #readers: PostgresReaders
  readonly #self = uniqueId('instance')
  #writer: PostgresLink | undefined
  #channel: string | undefined
  #listener: PostgresListener | undefined
  #news: ((upTo: number) => void) | undefined

  /** `whenOpen` is awaited before each read, so that the reader can be used at once; `onLost` says that the database must be opened anew. Throws TAKT_CONFIG_INVALID. */
  constructor(options: PostgresOptions, whenOpen: () => Promise<void>, onLost: () => void) {
    this.#options = options
    this.#onLost = onLost
    this.where = `database ${postgresTarget(options, 'store').name}`
    this.#anchor = options.anchor === undefined ? undefined : new AnchorFile(options.anchor)
    this.#readers = new PostgresReaders(() => PostgresLink.open(this.#link(READER_PATIENCE_S, { default_transaction_read_only: 'on' })))
    this.reader = postgresKysely(async (sql, parameters) => {
      await whenOpen()
      return this.#readers.run(sql, parameters)
    }, this.where)
  }

  async open(): Promise<void> {
    if (this.#writer?.isUsable === true) return
    const writer = await PostgresLink.open({
      ...this.#link(this.#options.patienceSeconds ?? PATIENCE_S, {
        lock_timeout: String(LOCK_TIMEOUT_MS),
        idle_in_transaction_session_timeout: String(STANDSTILL_MS),
      }),
      onLost: () => this.#onLost(),
    })
    const { rows } = await writer.run("select coalesce(current_schema(), '') as schema, pg_is_in_recovery() as standby")
    const [{ schema, standby }] = rows as [{ schema: string; standby: number }]
    if (standby === 1) {
      await writer.close()
      throw new TaktError('TAKT_STORE_REFUSED', { what: 'the server is a standby and takes no writes', where: this.where })
    }
    this.#channel = `takt_${hash('sha256', schema).slice(0, 16)}`
    this.#writer = writer
  }

  begin(): WriteSession {
    const { where } = this
    if (this.#writer === undefined) throw new TaktError('TAKT_STORE_AWAY', { where })
    const host: SessionHost = {
      where,
      lock: LOCK,
      channel: this.#channel ?? null,
      self: this.#self,
      fateOf: (transaction) => this.#fateOf(transaction),
      anchor: (head) => {
        const failure = this.#anchor?.save(head)
        return failure && new TaktError('TAKT_STORE_UNWRITABLE', { what: failure.message, where: `anchor ${this.#anchor?.path}`, cause: failure })
      },
    }
    return new PostgresSession(this.#writer, host)
  }

  async readAnchor(): Promise<Anchor | null | undefined> {
    return this.#anchor?.read()
  }

  listen(news: (upTo: number) => void): void {
    this.#news = news
    this.#listener ??= new PostgresListener({
      link: this.#link(READER_PATIENCE_S, { default_transaction_read_only: 'on' }),
      channel: this.#channel ?? '',
      self: this.#self,
      news: (upTo) => this.#news?.(upTo),
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener?.stop(), this.#readers.close(), this.#writer?.close(), this.#anchor?.idle()])
  }

  #link(patienceSeconds: number, settings: Readonly<Record<string, string>>) {
    return { target: postgresTarget(this.#options, this.where), where: this.where, patienceSeconds, settings }
  }

  /** Asks until the server is back and says so, or for long enough. */
  async #fateOf(transaction: string): Promise<'committed' | 'aborted' | undefined> {
    for (const end = performance.now() + FATE_MS; performance.now() < end; await pause(FATE_EVERY_MS)) {
      try {
        const link = await PostgresLink.open(this.#link(READER_PATIENCE_S, {}))
        try {
          const { rows } = await link.run('select txid_status($1::bigint) as fate', [transaction])
          const { fate } = rows[0] as { fate: string | null }
          if (fate === 'committed' || fate === 'aborted') return fate
          // forgotten since long
          if (fate === null) return undefined
        } finally {
          await link.close()
        }
      } catch (error) {
        if (!(error instanceof TaktError) || (error.code !== 'TAKT_STORE_AWAY' && error.code !== 'TAKT_STORE_REFUSED')) return undefined
      }
    }
    return undefined
  }
}
