import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { HELD_ELSEWHERE, SQLITE } from './sqlite-protocol.ts'

/**
 * Keeps two processes from writing one ledger. The lock is a write transaction held open on `<file>.lock`, so the operating system
 * ends it with the process: one left over by `kill -9` blocks nobody, and no process id has to be believed.
 */
export class ProcessLock {
  readonly #db: DatabaseSync

  constructor(file: string) {
    const path = `${file}.lock`
    try {
      this.#db = hold(path)
    } catch (error) {
      if (primaryCode(error) !== SQLITE.NOTADB && primaryCode(error) !== SQLITE.CORRUPT) throw error
      // half written by a process that died; a living holder's file is always whole
      rmSync(path, { force: true })
      this.#db = hold(path)
    }
  }

  release(): void {
    this.#db.close()
  }
}

function hold(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF')
    // the holder's process id, only to name it to people
    db.exec(`PRAGMA user_version = ${process.pid}`)
    db.exec('BEGIN IMMEDIATE')
    return db
  } catch (error) {
    const busy = primaryCode(error) === SQLITE.BUSY || primaryCode(error) === SQLITE.LOCKED
    const holder = busy ? holderOf(db) : undefined
    db.close()
    if (!busy) throw error
    throw Object.assign(new Error(holder === undefined ? 'another process has it open' : `process ${holder} has it open`), { code: HELD_ELSEWHERE })
  }
}

function holderOf(db: DatabaseSync): number | undefined {
  try {
    const pid = db.prepare('PRAGMA user_version').get()?.user_version
    return typeof pid === 'number' && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function primaryCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}
