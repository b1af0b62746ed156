import { type CompiledQuery, type Kysely, sql } from 'kysely'
import { TaktError } from '../base/error.ts'
import type { Anchor } from './anchor.ts'
import type { WriteSession } from './backend.ts'
import type { LedgerRow } from './ledger.ts'
import { postgresKysely } from './postgres-dialect.ts'
import { isAway } from './postgres-errors.ts'
import type { LinkResult, PostgresLink } from './postgres-link.ts'
import type { Tables } from './schema.ts'
import { type SqlValue, toSqlValue } from './values.ts'
import { LEDGER_COLUMNS, WaitingRows } from './waiting-rows.ts'

/** What a session needs of its backend. */
export interface SessionHost {
  readonly where: string
  /** Two numbers that all instances on one set of tables share: who holds them writes. */
  readonly lock: string
  /** Others hear on it that the ledger has grown; null: nobody is told. */
  readonly channel: string | null
  /** Who says so. */
  readonly self: string
  /** Asks over another connection whether a transaction was committed; undefined when nobody can say. */
  fateOf(transaction: string): Promise<'committed' | 'aborted' | undefined>
  /** The commit stands: anchors the head, and says what went wrong with that before. */
  anchor(head: Anchor): TaktError | undefined
}

/** Rows a statement, largest first: few different statements, so that all of them stay prepared. */
const SIZES = [64, 16, 4, 1] as const
/** While it is busy elsewhere, this process says that it lives; one that was stopped does not, and loses the lock. Shorter than the server's patience. */
const ALIVE_EVERY_MS = 800

/**
 * The writing transaction. It holds a lock that all instances ask for first, so that there is one writer, one order of the ledger, and nobody reads what another
 * is about to change. Statements travel without waiting for each other; rows of the ledger travel together, at the latest with the commit. A savepoint is made
 * when the first statement needs it. Should the process stand still, the server ends the session and with it the lock.
 */
export class PostgresSession implements WriteSession {
  readonly dialect = 'postgres'
  readonly #link: PostgresLink
  readonly #host: SessionHost
  readonly #alive: NodeJS.Timeout
  readonly #begun: Promise<LinkResult>
  readonly #rows: WaitingRows
  #savepoints = 0
  /** why the part since the savepoint cannot be kept: after an error the server takes nothing but its undoing */
  #broken: TaktError | undefined
  /** the first error of a statement that nobody waits for; the commit fails with it */
  #cause: TaktError | undefined

  constructor(link: PostgresLink, host: SessionHost) {
    this.#link = link
    this.#host = host
    this.#rows = new WaitingRows({ send: (rows) => this.#send(rows), makeSavepoint: () => this.#makeSavepoint() })
    this.#begun = link.run(`begin; select pg_advisory_xact_lock(${host.lock}); select txid_current()::text as id`)
    this.#begun.catch((error: TaktError) => {
      this.#cause ??= error
    })
    this.#alive = setInterval(() => void link.run('select 1').catch(() => {}), ALIVE_EVERY_MS).unref()
  }

  db(assertUsable: () => void): Kysely<Tables> {
    return postgresKysely(async (text, parameters) => {
      assertUsable()
      return this.run(text, parameters)
    }, this.#host.where)
  }

  script(): Kysely<Tables> {
    return postgresKysely(async (text, parameters) => {
      this.#must(text, parameters)
      return { rows: [] }
    }, this.#host.where)
  }

  append(row: LedgerRow): void {
    for (const column of LEDGER_COLUMNS) toSqlValue(row[column], this.#host.where)
    this.#rows.append(row)
  }

  savepoint(): void {
    this.#rows.begin()
    this.#broken = undefined
  }

  release(): void {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#rows.keep()) this.#must(`release savepoint ${this.#name()}`)
  }

  undo(): void {
    if (this.#rows.drop()) this.#must(`rollback to savepoint ${this.#name()}; release savepoint ${this.#name()}`)
    this.#broken = undefined
  }

  async commit(head: Anchor | null): Promise<TaktError | undefined> {
    this.#rows.flush()
    const { channel, self, where } = this.#host
    if (head !== null && channel !== null) this.#must('select pg_notify($1, $2)', [channel, `${head.sequence} ${self}`])
    clearInterval(this.#alive)
    if (!this.#link.isUsable) throw this.#lost(this.#cause ?? this.#broken)
    const ended = await this.#link.run('commit').catch((error: TaktError) => this.#fate(error))
    // a transaction in which something failed is answered with a rollback
    if (ended.command !== 'COMMIT') throw this.#cause ?? new TaktError('TAKT_STORE_QUERY', { what: 'the server undid the transaction', where })
    return head === null ? undefined : this.#host.anchor(head)
  }

  async rollback(): Promise<void> {
    clearInterval(this.#alive)
    if (!this.#link.isUsable) return
    await this.#link.run('rollback').catch((error: TaktError) => this.#link.destroy(error))
  }

  /** The connection broke between the wish to commit and its answer: the server knows. */
  async #fate(error: TaktError): Promise<LinkResult> {
    if (!isAway(error)) throw error
    const { where } = this.#host
    const id = await this.#begun.then(
      ({ rows }) => (rows[0] as { id: string }).id,
      () => undefined,
    )
    const fate = id === undefined ? 'aborted' : await this.#host.fateOf(id)
    if (fate === 'committed') return { rows: [], command: 'COMMIT' }
    throw fate === 'aborted' ? this.#lost(error) : new TaktError('TAKT_STORE_UNCERTAIN', { where, cause: error })
  }

  #lost(cause: TaktError | undefined): TaktError {
    const why = cause === undefined ? '' : `: ${cause.what}`
    return new TaktError('TAKT_STORE_AWAY', { what: `the connection broke, and nothing of this was written${why}`, where: this.#host.where, cause })
  }

  async run(text: string, parameters: readonly SqlValue[]): Promise<LinkResult> {
    // also what only reads: should it fail, the server takes nothing more of this part
    this.#rows.before(text, true)
    const part = this.#savepoints
    try {
      return await this.#link.run(text, parameters)
    } catch (thrown) {
      throw this.#failed(thrown as TaktError, part)
    }
  }

  /** What follows an error only says that there was one: the first one is told instead. */
  #failed(error: TaktError, part: number): TaktError {
    const first = (error.cause as { code?: unknown } | undefined)?.code === ABORTED ? (this.#broken ?? this.#cause ?? error) : error
    if (part === this.#savepoints && this.#rows.isMade) this.#broken ??= first
    else this.#cause ??= first
    return first
  }

  /** Sends what nobody waits for. Should it fail, the server undoes the whole transaction at its commit. */
  #must(text: string, parameters: readonly SqlValue[] = []): void {
    this.#link.run(text, parameters).catch((error: TaktError) => {
      if ((error.cause as { code?: unknown } | undefined)?.code !== ABORTED) this.#cause ??= error
    })
  }

  #send(rows: readonly LedgerRow[]): void {
    let from = 0
    for (const size of SIZES) {
      for (; rows.length - from >= size; from += size) {
        const parameters = rows.slice(from, from + size).flatMap((row) => LEDGER_COLUMNS.map((column) => row[column]))
        this.#must(insertOf(size).sql, parameters)
      }
    }
  }

  /** The name is another for each, so that none is undone whose making failed. */
  #makeSavepoint(): void {
    this.#savepoints++
    this.#must(`savepoint ${this.#name()}`)
  }

  #name(): string {
    return `takt_${this.#savepoints}`
  }
}

/** SQLSTATE of every statement after one that failed. */
const ABORTED = '25P02'

const inserts = new Map<number, CompiledQuery>()

function insertOf(size: number): CompiledQuery {
  let insert = inserts.get(size)
  if (insert === undefined) {
    const compiler = postgresKysely(async () => ({ rows: [] }), '')
    const row = sql`(${sql.join(LEDGER_COLUMNS.map(() => 0))})`
    insert =
      sql`insert into ledger (${sql.join(LEDGER_COLUMNS.map((name) => sql.ref(name)))}) values ${sql.join(Array.from({ length: size }, () => row))}`.compile(
        compiler,
      )
    inserts.set(size, insert)
  }
  return insert
}
