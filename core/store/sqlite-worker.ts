import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { StateFile } from '../base/state-file.ts'
import { type Anchor, anchorPath } from './anchor.ts'
import { PACKED_FROM, packAnswer } from './packed-rows.ts'
import { ProcessLock } from './process-lock.ts'
import { SQLITE, type SqliteAnswer, type SqliteCall, type SqliteFailure, type SqliteOrder, type SqliteRequest, type SqliteResult } from './sqlite-protocol.ts'
import type { SqlValue } from './values.ts'
import { LEDGER_COLUMNS, unpackRows } from './waiting-rows.ts'

/**
 * The thread that owns the database file, so that Node-RED's event loop never waits for a disk. Two connections: one writes, the other reads
 * what is committed, also while a transaction is under way.
 */

const BUSY_TIMEOUT_MS = 5000
const STATEMENTS_KEPT = 200
/** After these SQLite may have rolled the whole transaction back by itself. */
const ENDS_TRANSACTION: ReadonlySet<number> = new Set([SQLITE.FULL, SQLITE.IOERR, SQLITE.NOMEM, SQLITE.BUSY, SQLITE.INTERRUPT, SQLITE.CORRUPT])

interface Prepared {
  readonly statement: StatementSync
  readonly givesRows: boolean
}

class Connection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, Prepared>()

  constructor(file: string, options: { readonly readOnly: boolean; readonly synchronous: 'FULL' | 'OFF' }) {
    this.#db = new DatabaseSync(file, { readOnly: options.readOnly, enableForeignKeyConstraints: true })
    try {
      this.#db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
      if (!options.readOnly) {
        this.#db.exec('PRAGMA journal_mode = WAL')
        this.#db.exec(`PRAGMA synchronous = ${options.synchronous}`)
        // REPLACE deletes rows without firing their triggers unless this is on
        this.#db.exec('PRAGMA recursive_triggers = ON')
      }
      this.#db.prepare('SELECT count(*) FROM sqlite_master').get()
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  run(sql: string, parameters: readonly SqlValue[]): SqliteResult {
    const { statement, givesRows } = this.#prepare(sql)
    if (givesRows) return { rows: statement.all(...(parameters as SqlValue[])) }
    const { changes, lastInsertRowid } = statement.run(...(parameters as SqlValue[]))
    return { rows: [], changes: Number(changes), insertId: Number(lastInsertRowid) }
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  append(packed: string): void {
    const { statement } = this.#prepare(INSERT_LEDGER)
    unpackRows(packed, (...values) => statement.run(...values))
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#statements.get(sql)
    if (prepared === undefined) {
      prepared = { statement: this.#db.prepare(sql), givesRows: !CHANGES_ROWS.test(sql) || RETURNS_ROWS.test(sql) }
    } else {
      this.#statements.delete(sql)
    }
    // the map keeps the order of use, so the first is the one unused longest
    this.#statements.set(sql, prepared)
    if (this.#statements.size > STATEMENTS_KEPT) this.#statements.delete(this.#statements.keys().next().value as string)
    return prepared
  }
}

const CHANGES_ROWS = /^\s*(insert|update|delete|replace)\b/i
const RETURNS_ROWS = /\breturning\b/i

class Database {
  readonly #lock: ProcessLock | undefined
  readonly #writer: Connection
  readonly #reader: Connection
  readonly #anchor: StateFile | undefined
  readonly #scratch: string | undefined
  /** Why the present transaction is lost; nothing may run in it until the next begins. */
  #lost: unknown

  constructor(file: string) {
    const inMemory = file === ':memory:'
    // two connections cannot share a database in memory without blocking each other: a scratch file behaves like the real thing
    this.#scratch = inMemory ? mkdtempSync(join(tmpdir(), 'takt-store-')) : undefined
    const path = this.#scratch === undefined ? file : join(this.#scratch, 'store.db')
    mkdirSync(dirname(path), { recursive: true })
    this.#lock = inMemory ? undefined : new ProcessLock(path)
    try {
      this.#writer = new Connection(path, { readOnly: false, synchronous: inMemory ? 'OFF' : 'FULL' })
      try {
        this.#reader = new Connection(path, { readOnly: true, synchronous: 'FULL' })
      } catch (error) {
        this.#writer.close()
        throw error
      }
    } catch (error) {
      this.#lock?.release()
      this.#removeScratch()
      throw error
    }
    this.#anchor = inMemory ? undefined : new StateFile(anchorPath(path))
  }

  handle(request: Exclude<SqliteRequest, { do: 'open' | 'close' }>): SqliteResult {
    switch (request.do) {
      case 'run':
        return request.on === 'read'
          ? this.#reader.run(request.sql, request.parameters)
          : this.#inTransaction(() => this.#writer.run(request.sql, request.parameters))
      case 'commit':
        this.#inTransaction(() => this.#writer.run('COMMIT', []))
        return this.#saveAnchor(request.anchor)
      case 'rollback':
        if (this.#lost === undefined) this.#writer.run('ROLLBACK', [])
        return NOTHING
    }
  }

  /** Throws nothing: whoever asks for the commit is told. */
  obey(order: SqliteOrder): void {
    try {
      switch (order.do) {
        case 'begin':
          return this.#begin()
        case 'append':
          return this.#inTransaction(() => this.#writer.append(order.rows), true)
        case 'must':
          return void this.#inTransaction(() => this.#writer.run(order.sql, order.parameters), true)
        case 'savepoint':
          return this.#inTransaction(() => SAVEPOINT[order.mark].forEach((sql) => void this.#writer.run(sql, [])), true)
      }
    } catch {
      // the transaction is lost, with its reason
    }
  }

  close(): void {
    this.#reader.close()
    this.#writer.close()
    this.#lock?.release()
    this.#removeScratch()
  }

  /** What was sent along with a begin that failed must not run on its own. */
  #begin(): void {
    this.#lost = undefined
    try {
      this.#writer.run('BEGIN IMMEDIATE', [])
    } catch (error) {
      this.#lost = error
      throw error
    }
  }

  /** The commit stands whatever becomes of the anchor; an older one only makes a missing tail harder to see. */
  #saveAnchor(head: Anchor | null): SqliteResult {
    try {
      if (head !== null) this.#anchor?.save(head)
      return NOTHING
    } catch (error) {
      return { rows: [], anchorFailure: failureOf(error) }
    }
  }

  /** A statement after a lost transaction would run, and be committed, on its own: it is refused with what lost it. */
  #inTransaction<T>(run: () => T, mustSucceed = false): T {
    if (this.#lost !== undefined) throw this.#lost
    try {
      return run()
    } catch (error) {
      const errcode = (error as { errcode?: unknown }).errcode
      if (mustSucceed || (typeof errcode === 'number' && ENDS_TRANSACTION.has(errcode & 0xff))) {
        this.#lost = error
        try {
          this.#writer.run('ROLLBACK', [])
        } catch {
          // SQLite had done it already
        }
      }
      throw error
    }
  }

  #removeScratch(): void {
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true })
  }
}

const INSERT_LEDGER = `insert into "ledger" (${LEDGER_COLUMNS.map((name) => `"${name}"`).join(', ')}) values (${LEDGER_COLUMNS.map(() => '?').join(', ')})`
const SAVEPOINT = { begin: ['SAVEPOINT takt'], keep: ['RELEASE takt'], undo: ['ROLLBACK TO takt', 'RELEASE takt'] } as const
const NOTHING: SqliteResult = { rows: [] }

let database: Database | undefined

function answer(request: SqliteRequest): SqliteResult {
  if (request.do === 'open') {
    database ??= new Database(request.file)
    return NOTHING
  }
  if (request.do === 'close') {
    database?.close()
    database = undefined
    return NOTHING
  }
  if (database === undefined) throw new Error('the database is not open')
  return database.handle(request)
}

function failureOf(error: unknown): SqliteFailure {
  const { message, errcode, code } = error as { message?: unknown; errcode?: unknown; code?: unknown }
  return {
    message: typeof message === 'string' ? message : String(error),
    ...(typeof errcode === 'number' && { errcode }),
    ...(typeof code === 'string' && { code }),
  }
}

parentPort?.on('message', (calls: readonly SqliteCall[]) => {
  const answers: SqliteAnswer[] = []
  for (const call of calls) {
    if ('order' in call) {
      database?.obey(call.order)
      continue
    }
    const { id, request } = call
    try {
      const result = answer(request)
      answers.push(result.rows.length < PACKED_FROM ? { id, result } : { id, packed: packAnswer(result.rows) })
    } catch (error) {
      answers.push({ id, failure: failureOf(error) })
    }
  }
  if (answers.length > 0) parentPort?.postMessage(answers)
})
