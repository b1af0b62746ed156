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

const COLUMNS = ['sequence', 'type', 'subject', 'actor', 'why', 'before', 'after', 'time', 'previous_hash', 'hash'] as const
/** Rows a statement, largest first: few different statements, so that all of them stay prepared. */
const SIZES = [64, 16, 4, 1] as const
const FLUSH_AT = 512
/** A statement that may read or change the ledger: the rows that wait have to be there first. */
const SEES_LEDGER = /\b(?:from|join|into|update|table|truncate|only|using)\s+(?:"?\w+"?\.)?"?ledger\b|,\s*"?ledger"?\s+(?:as\b|,|where\b|$)/i
/** While it is busy elsewhere, this process says that it lives; one that was stopped does not, and loses the lock. Shorter than the server's patience. */
const ALIVE_EVERY_MS = 800

/**
 * The writing transaction. It holds a lock that all instances ask for first, so that there is one writer, one order of the ledger, and nobody reads what another
 * is about to change. Statements travel without waiting for each other; rows of the ledger travel together, at the latest with the commit. A savepoint is made
 * when the first statement needs it. Should the process stand still, the server ends the session and with it the lock.
 */
export class PostgresSession implements WriteSession {
  readonly #link: PostgresLink
  readonly #host: SessionHost
  readonly #alive: NodeJS.Timeout
  readonly #begun: Promise<LinkResult>
  /** rows of the ledger that were not sent yet, and how many of them are from before the savepoint */
  #rows: LedgerRow[] = []
  #mark = 0
  #savepoint: 'none' | 'due' | 'made' = 'none'
  #savepoints = 0
  /** why the part since the savepoint cannot be kept: after an error the server takes nothing but its undoing */
  #broken: TaktError | undefined
  /** the first error of a statement that nobody waits for; the commit fails with it */
  #cause: TaktError | undefined

  constructor(link: PostgresLink, host: SessionHost) {
    this.#link = link
    this.#host = host
    this.#begun = link.run(`begin; select pg_advisory_xact_lock(${host.lock}); select txid_current()::text as id`)
    this.#begun.catch((error: TaktError) => {
      this.#cause ??= error
    })
    this.#alive = setInterval(() => void link.run('select 1').catch(() => {}), ALIVE_EVERY_MS).unref()
  }

  db(assertUsable: () => void): Kysely<Tables> {
    return postgresKysely(async (text, parameters) => {
      assertUsable()
      return this.#run(text, parameters)
    }, this.#host.where)
  }

  script(): Kysely<Tables> {
    return postgresKysely(async (text, parameters) => {
      this.#must(text, parameters)
      return { rows: [] }
    }, this.#host.where)
  }

  append(row: LedgerRow): void {
    for (const column of COLUMNS) toSqlValue(row[column], this.#host.where)
    this.#rows.push(row)
    if (this.#rows.length >= FLUSH_AT) this.#flush()
  }

  savepoint(): void {
    this.#mark = this.#rows.length
    this.#savepoint = 'due'
    this.#broken = undefined
  }

  release(): void {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#savepoint === 'made') this.#must(`release savepoint ${this.#name()}`)
    this.#savepoint = 'none'
  }

  undo(): void {
    this.#rows.length = this.#mark
    if (this.#savepoint === 'made') this.#must(`rollback to savepoint ${this.#name()}; release savepoint ${this.#name()}`)
    this.#savepoint = 'none'
    this.#broken = undefined
  }

  async commit(head: Anchor | null): Promise<TaktError | undefined> {
    this.#flush()
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

  async #run(text: string, parameters: readonly SqlValue[]): Promise<LinkResult> {
    if (this.#rows.length > 0 && SEES_LEDGER.test(text)) this.#flush()
    this.#makeSavepoint()
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
    if (part === this.#savepoints && this.#savepoint === 'made') this.#broken ??= first
    else this.#cause ??= first
    return first
  }

  /** Sends what nobody waits for. Should it fail, the server undoes the whole transaction at its commit. */
  #must(text: string, parameters: readonly SqlValue[] = []): void {
    this.#link.run(text, parameters).catch((error: TaktError) => {
      if ((error.cause as { code?: unknown } | undefined)?.code !== ABORTED) this.#cause ??= error
    })
  }

  /** Sends the rows that wait, those from before the savepoint before it. */
  #flush(): void {
    const rows = this.#rows
    if (rows.length === 0) return
    const before = this.#savepoint === 'due' ? this.#mark : 0
    this.#send(rows.slice(0, before))
    if (rows.length > before) {
      this.#makeSavepoint()
      this.#send(rows.slice(before))
    }
    this.#rows = []
    this.#mark = 0
  }

  #send(rows: readonly LedgerRow[]): void {
    let from = 0
    for (const size of SIZES) {
      for (; rows.length - from >= size; from += size) {
        const parameters = rows.slice(from, from + size).flatMap((row) => COLUMNS.map((column) => row[column]))
        this.#must(insertOf(size).sql, parameters)
      }
    }
  }

  /** The name is another for each, so that none is undone whose making failed. */
  #makeSavepoint(): void {
    if (this.#savepoint !== 'due') return
    if (this.#mark > 0) {
      // what was appended by others before is not undone with this part
      this.#send(this.#rows.splice(0, this.#mark))
      this.#mark = 0
    }
    this.#savepoints++
    this.#savepoint = 'made'
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
    const row = sql`(${sql.join(COLUMNS.map(() => 0))})`
    insert = sql`insert into ledger (${sql.join(COLUMNS.map((name) => sql.ref(name)))}) values ${sql.join(Array.from({ length: size }, () => row))}`.compile(
      compiler,
    )
    inserts.set(size, insert)
  }
  return insert
}
