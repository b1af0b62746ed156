import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  Kysely,
  type QueryCompiler,
  type QueryResult,
} from 'kysely'
import { TaktError } from '../base/error.ts'
import type { Tables } from './schema.ts'
import { type SqlValue, toSqlValue } from './values.ts'

export interface StatementResult {
  readonly rows: unknown[]
  /** rows inserted, updated or deleted; for statements that return no rows */
  readonly changes?: number
  /** number of the row inserted last; only SQLite tells */
  readonly insertId?: number
}

/** Runs one statement; the way to the database behind a Kysely. */
export type RunSql = (sql: string, parameters: readonly SqlValue[]) => Promise<StatementResult>

/** What Kysely has to know of a database to write its SQL. */
export interface SqlFlavour {
  compiler(): QueryCompiler
  adapter(): DialectAdapter
  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  introspector(db: Kysely<any>): DatabaseIntrospector
}

/** A Kysely whose statements go to `run`. Transactions are the store's business, so it has none of its own. */
export function statementKysely(flavour: SqlFlavour, run: RunSql, where: string): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new StatementDialect(flavour, run, where) })
}

class StatementDialect implements Dialect {
  readonly #flavour: SqlFlavour
  readonly #driver: StatementDriver

  constructor(flavour: SqlFlavour, run: RunSql, where: string) {
    this.#flavour = flavour
    this.#driver = new StatementDriver(run, where)
  }

  createDriver(): Driver {
    return this.#driver
  }

  createQueryCompiler(): QueryCompiler {
    return this.#flavour.compiler()
  }

  createAdapter(): DialectAdapter {
    return this.#flavour.adapter()
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return this.#flavour.introspector(db)
  }
}

class StatementDriver implements Driver {
  readonly #connection: DatabaseConnection
  readonly #where: string

  constructor(run: RunSql, where: string) {
    this.#where = where
    this.#connection = new StatementConnection(run, where)
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

class StatementConnection implements DatabaseConnection {
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
