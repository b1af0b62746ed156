import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Kysely } from 'kysely'
import type { Clock } from '../../core/base/clock.ts'
import type { TaktError } from '../../core/base/error.ts'
import type { Backend, WriteSession } from '../../core/store/backend.ts'
import type { LedgerRow } from '../../core/store/ledger.ts'
import type { Tables } from '../../core/store/schema.ts'
import { SqlStore } from '../../core/store/sql-store.ts'
import { sqliteKysely } from '../../core/store/sqlite-dialect.ts'
import type { SqliteResult } from '../../core/store/sqlite-protocol.ts'
import type { Store } from '../../core/store/store.ts'
import { type SqlValue, toSqlValue } from '../../core/store/values.ts'

const LEDGER_COLUMNS = ['sequence', 'type', 'subject', 'actor', 'why', 'before', 'after', 'time', 'previous_hash', 'hash'] as const
const INSERT_LEDGER = `insert into "ledger" (${LEDGER_COLUMNS.map((name) => `"${name}"`).join(', ')}) values (${LEDGER_COLUMNS.map(() => '?').join(', ')})`

/**
 * The store as shipped over a SQLite that is gone when closed, without the thread that keeps a disk away from Node-RED: a simulation waits for every answer anyway, and waiting for
 * a thread takes longer than the answer.
 */
export function openLoopStore(clock: Clock): Store {
  return new SqlStore(() => new SameThread(), clock, {})
}

class Connection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, { readonly statement: StatementSync; readonly rows: boolean }>()

  constructor(file: string, readOnly: boolean) {
    this.#db = new DatabaseSync(file, { readOnly, enableForeignKeyConstraints: true })
    if (!readOnly) this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA recursive_triggers = ON')
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  run(sql: string, parameters: readonly SqlValue[]): SqliteResult {
    let known = this.#statements.get(sql)
    if (known === undefined) {
      known = { statement: this.#db.prepare(sql), rows: !/^\s*(insert|update|delete|replace)\b/i.test(sql) || /\breturning\b/i.test(sql) }
      this.#statements.set(sql, known)
    }
    const values = parameters as SqlValue[]
    if (known.rows) return { rows: known.statement.all(...values) }
    const { changes, lastInsertRowid } = known.statement.run(...values)
    return { rows: [], changes: Number(changes), insertId: Number(lastInsertRowid) }
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }
}

class SameThread implements Backend {
  readonly dialect = 'sqlite'
  readonly shared = false
  readonly where = 'database of the bench'
  readonly reader: Kysely<Tables>
  readonly #folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  #writing: Connection | undefined
  #reading: Connection | undefined

  constructor() {
    this.reader = sqliteKysely(async (sql, parameters) => {
      await this.open()
      return this.#opened(this.#reading).run(sql, parameters)
    }, this.where)
  }

  open(): Promise<void> {
    const file = join(this.#folder, 'store.db')
    this.#writing ??= new Connection(file, false)
    this.#reading ??= new Connection(file, true)
    return Promise.resolve()
  }

  begin(): WriteSession {
    const writer = this.#opened(this.#writing)
    writer.exec('BEGIN IMMEDIATE')
    const db = (assertUsable: () => void): Kysely<Tables> =>
      sqliteKysely((sql, parameters) => {
        assertUsable()
        return Promise.resolve(writer.run(sql, parameters))
      }, this.where)
    return {
      dialect: 'sqlite',
      db,
      run: (sql, parameters) => Promise.resolve(writer.run(sql, parameters)),
      script: () => db(() => {}),
      append: (row: LedgerRow) => void writer.run(INSERT_LEDGER, LEDGER_COLUMNS.map((column) => toSqlValue(row[column], this.where))), // biome-ignore format: one line a verb
      savepoint: () => writer.exec('SAVEPOINT takt'),
      release: () => writer.exec('RELEASE takt'),
      undo: () => writer.exec('ROLLBACK TO takt; RELEASE takt'),
      commit: (): Promise<TaktError | undefined> => {
        writer.exec('COMMIT')
        return Promise.resolve(undefined)
      },
      rollback: () => Promise.resolve(writer.exec('ROLLBACK')),
    }
  }

  readAnchor(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  close(): Promise<void> {
    this.#reading?.close()
    this.#writing?.close()
    rmSync(this.#folder, { recursive: true, force: true })
    return Promise.resolve()
  }

  #opened(connection: Connection | undefined): Connection {
    if (connection === undefined) throw new Error('the store of the bench is not open')
    return connection
  }
}
