import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { TaktError } from '../base/error.ts'
import type { Tables } from './schema.ts'
import type { SqliteResult } from './sqlite-protocol.ts'
import { type SqlValue, toSqlValue } from './values.ts'

/** Runs one statement; the way to the database behind a Kysely. */
export type RunSql = (sql: string, parameters: readonly SqlValue[]) => Promise<SqliteResult>

/** A Kysely whose statements go to `run`. Transactions are the store's business, so it has none of its own. */
export function sqliteKysely(run: RunSql, where: string): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new WorkerDialect(run, where) })
}

class WorkerDialect implements Dialect {
  readonly #driver: WorkerDriver

  constructor(run: RunSql, where: string) {
    this.#driver = new WorkerDriver(run, where)
  }

  createDriver(): Driver {
    return this.#driver
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): SqliteAdapter {
    return new PipelinedAdapter()
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  createIntrospector(db: Kysely<any>): SqliteIntrospector {
    return new SqliteIntrospector(db)
  }
}

/** The thread takes statements one after the other anyway, so Kysely need not hold them back. */
class PipelinedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class WorkerDriver implements Driver {
  readonly #connection: DatabaseConnection
  readonly #where: string

  constructor(run: RunSql, where: string) {
    this.#where = where
    this.#connection = new WorkerConnection(run, where)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(): Promise<void> {
    throw new TaktError('TAKT_STORE_READ_ONLY', { what: "a transaction was begun beside the store's own", where: this.#where })
  }

  async commitTransaction(): Promise<void> {}

  async rollbackTransaction(): Promise<void> {}

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

class WorkerConnection implements DatabaseConnection {
  readonly #run: RunSql
  readonly #where: string

  constructor(run: RunSql, where: string) {
    this.#run = run
    this.#where = where
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.#run(
      query.sql,
      query.parameters.map((value) => toSqlValue(value, this.#where)),
    )
    return {
      rows: result.rows as R[],
      ...(result.changes !== undefined && { numAffectedRows: BigInt(result.changes) }),
      ...(result.insertId !== undefined && { insertId: BigInt(result.insertId) }),
    }
  }

  // biome-ignore lint/correctness/useYield: required by the interface, and refused
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TaktError('TAKT_STORE_QUERY', { what: 'streaming is not offered; read in pages', where: this.#where })
  }
}
