import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { StateFile } from '../base/state-file.ts'
import { type Anchor, anchorPath } from './anchor.ts'
import { ProcessLock } from './process-lock.ts'
import { SQLITE, type SqliteAnswer, type SqliteCall, type SqliteFailure, type SqliteRequest, type SqliteResult } from './sqlite-protocol.ts'
import type { SqlValue } from './values.ts'

/**
 * The thread that owns the database file, so that Node-RED's event loop never waits for a disk. Two connections: one writes, the other reads
 * what is committed, also while a transaction is under way.
 */

const BUSY_TIMEOUT_MS = 5000
const STATEMENTS_KEPT = 200
/** After these SQLite may have rolled the whole transaction back by itself. */
const ENDS_TRANSACTION: ReadonlySet<number> = new Set([SQLITE.FULL, SQLITE.IOERR, SQLITE.NOMEM, SQLITE.BUSY, SQLITE.INTERRUPT, SQLITE.CORRUPT])

class Connection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

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

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  run(sql: string, parameters: readonly SqlValue[]): SqliteResult {
    const statement = this.#prepare(sql)
    if (!CHANGES_ROWS.test(sql) || RETURNS_ROWS.test(sql)) return { rows: statement.all(...(parameters as SqlValue[])) }
    const { changes, lastInsertRowid } = statement.run(...(parameters as SqlValue[]))
    return { rows: [], changes: Number(changes), insertId: Number(lastInsertRowid) }
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
    } else {
      this.#statements.delete(sql)
    }
    // the map keeps the order of use, so the first is the one unused longest
    this.#statements.set(sql, statement)
    if (this.#statements.size > STATEMENTS_KEPT) this.#statements.delete(this.#statements.keys().next().value as string)
    return statement
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
          : this.#inTransaction(() => this.#writer.run(request.sql, request.parameters), request.must)
      case 'begin':
        return this.#begin()
      case 'savepoint':
        this.#inTransaction(() => this.#writer.exec(SAVEPOINT[request.mark]), true)
        return NOTHING
      case 'commit':
        this.#inTransaction(() => this.#writer.exec('COMMIT'))
        return this.#saveAnchor(request.anchor)
      case 'rollback':
        if (this.#lost === undefined) this.#writer.exec('ROLLBACK')
        return NOTHING
    }
  }

  close(): void {
    this.#reader.close()
    this.#writer.close()
    this.#lock?.release()
    this.#removeScratch()
  }

  /** What was sent along with a begin that failed must not run on its own. */
  #begin(): SqliteResult {
    this.#lost = undefined
    try {
      this.#writer.exec('BEGIN IMMEDIATE')
      return NOTHING
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
          this.#writer.exec('ROLLBACK')
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

const SAVEPOINT = { begin: 'SAVEPOINT takt', keep: 'RELEASE takt', undo: 'ROLLBACK TO takt; RELEASE takt' } as const
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
  const answers = calls.map(({ id, request }): SqliteAnswer => {
    try {
      return { id, result: answer(request) }
    } catch (error) {
      return { id, failure: failureOf(error) }
    }
  })
  parentPort?.postMessage(answers)
})
