import type { Kysely } from 'kysely'
import type { TaktError } from '../base/error.ts'
import type { Anchor } from './anchor.ts'
import type { WriteSession } from './backend.ts'
import type { LedgerRow } from './ledger.ts'
import type { Tables } from './schema.ts'
import { type SqliteClient, sqliteError } from './sqlite-client.ts'
import { sqliteKysely } from './sqlite-dialect.ts'
import type { StatementResult } from './statement-dialect.ts'
import { type SqlValue, toSqlValue } from './values.ts'
import { LEDGER_COLUMNS, packRows, WaitingRows } from './waiting-rows.ts'

/** So many rows of parts that are over are sent ahead: the thread writes them while the next parts run. */
const AHEAD = 32
/** A statement that fails, or is not kept, leaves nothing behind. */
const ONLY_READS = /^\s*select\b/i

/** The writing transaction of a file. Rows of the ledger travel together; a savepoint is made when the first statement needs it. */
export class SqliteSession implements WriteSession {
  readonly dialect = 'sqlite'
  readonly #client: SqliteClient
  readonly #where: string
  readonly #rows: WaitingRows

  /** The transaction has begun. */
  constructor(client: SqliteClient, where: string) {
    this.#client = client
    this.#where = where
    this.#rows = new WaitingRows({
      send: (rows) => client.send({ do: 'append', rows: packRows(rows) }),
      makeSavepoint: () => client.send({ do: 'savepoint', mark: 'begin' }),
    })
  }

  db(assertUsable: () => void): Kysely<Tables> {
    return sqliteKysely(async (sql, parameters) => {
      assertUsable()
      return this.run(sql, parameters)
    }, this.#where)
  }

  run(sql: string, parameters: readonly SqlValue[]): Promise<StatementResult> {
    this.#rows.before(sql, !ONLY_READS.test(sql))
    return this.#client.call({ do: 'run', on: 'write', sql, parameters })
  }

  script(): Kysely<Tables> {
    return sqliteKysely(async (sql, parameters) => {
      this.#client.send({ do: 'must', sql, parameters })
      return { rows: [] }
    }, this.#where)
  }

  append(row: LedgerRow): void {
    for (const column of LEDGER_COLUMNS) toSqlValue(row[column], this.#where)
    this.#rows.append(row)
  }

  savepoint(): void {
    this.#rows.begin()
  }

  release(): void {
    if (this.#rows.keep()) this.#client.send({ do: 'savepoint', mark: 'keep' })
    if (this.#rows.count < AHEAD) return
    this.#rows.flush()
    this.#client.flush()
  }

  undo(): void {
    if (this.#rows.drop()) this.#client.send({ do: 'savepoint', mark: 'undo' })
  }

  async commit(anchor: Anchor | null): Promise<TaktError | undefined> {
    this.#rows.flush()
    const { anchorFailure } = await this.#client.call({ do: 'commit', anchor })
    return anchorFailure === undefined ? undefined : sqliteError(anchorFailure, `anchor beside the ${this.#where}`)
  }

  async rollback(): Promise<void> {
    await this.#client.call({ do: 'rollback' })
  }
}
