import type { Worker } from 'node:worker_threads'
import { TaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import { unpackAnswer } from './packed-rows.ts'
import {
  HELD_ELSEWHERE,
  SQLITE,
  type SqliteAnswer,
  type SqliteCall,
  type SqliteFailure,
  type SqliteOrder,
  type SqliteRequest,
  type SqliteResult,
} from './sqlite-protocol.ts'
import { giveBack, takeThread } from './sqlite-threads.ts'

interface Waiting {
  readonly resolve: (result: SqliteResult) => void
  readonly reject: (error: TaktError) => void
}

/** The main thread's end of the SQLite thread. Requests made in one turn travel together; each is answered or rejected with a coded error. */
export class SqliteClient {
  readonly #where: string
  readonly #onLost: () => void
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #outbox: SqliteCall[] = []
  #nextId = 1

  /** `where` names the database in errors; `onLost` is called when the thread died and took the open database with it. */
  constructor(where: string, onLost: () => void) {
    this.#where = where
    this.#onLost = onLost
  }

  call(request: SqliteRequest): Promise<SqliteResult> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      this.#waiting.set(id, { resolve, reject })
      this.#post({ id, request })
    })
  }

  /** What is not answered; it travels with the next request, or when the turn ends. */
  send(order: SqliteOrder): void {
    this.#post({ order })
  }

  /** Sends what was asked for so far, so that the thread works on it while the rest is put together. */
  flush(): void {
    const calls = this.#outbox
    if (calls.length === 0) return
    this.#outbox = []
    this.#worker ??= this.#start()
    // the thread keeps the process alive only while someone waits for it
    if (this.#waiting.size > 0) this.#worker.ref()
    this.#worker.postMessage(calls)
  }

  /** Closes the database; rejects when that fails. The thread ends where it may hold the database yet, or owe an answer. */
  async close(): Promise<void> {
    let closed = false
    try {
      await this.call({ do: 'close' })
      closed = true
    } finally {
      const worker = this.#worker
      if (worker !== undefined && closed && this.#waiting.size === 0) {
        this.#worker = undefined
        await giveBack(worker)
      } else await worker?.terminate()
    }
  }

  #post(call: SqliteCall): void {
    // the tick's queue runs when every promise at hand has moved on, so that what they all ask for crosses to the thread at once
    if (this.#outbox.push(call) === 1) process.nextTick(() => this.flush())
  }

  #start(): Worker {
    const worker = takeThread()
    worker.on('message', (answers: readonly SqliteAnswer[]) => {
      for (const answer of answers) this.#settle(answer)
      if (this.#waiting.size === 0) worker.unref()
    })
    worker.on('error', (cause: Error) => this.#lose(worker, cause))
    worker.on('exit', () => this.#lose(worker, new Error('its thread ended')))
    return worker
  }

  #settle(answer: SqliteAnswer): void {
    const waiting = this.#waiting.get(answer.id)
    if (waiting === undefined) return
    this.#waiting.delete(answer.id)
    if (answer.failure !== undefined) waiting.reject(sqliteError(answer.failure, this.#where))
    else if (answer.packed !== undefined) waiting.resolve({ rows: unpackAnswer(answer.packed) })
    else waiting.resolve(answer.result ?? { rows: [] })
  }

  #lose(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#onLost()
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new TaktError('TAKT_INTERNAL', { what: `the store's thread was lost: ${cause.message}`, where: this.#where, cause }))
    }
    this.#waiting.clear()
  }
}

const CODE_OF: Readonly<Record<number, ErrorCode>> = {
  [SQLITE.BUSY]: 'TAKT_STORE_BUSY',
  [SQLITE.LOCKED]: 'TAKT_STORE_BUSY',
  [SQLITE.IOERR]: 'TAKT_STORE_IO',
  [SQLITE.CORRUPT]: 'TAKT_STORE_CORRUPT',
  [SQLITE.NOTADB]: 'TAKT_STORE_CORRUPT',
  [SQLITE.FULL]: 'TAKT_STORE_FULL',
  [SQLITE.READONLY]: 'TAKT_STORE_UNWRITABLE',
  [SQLITE.CANTOPEN]: 'TAKT_STORE_UNWRITABLE',
}
const UNWRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT'])

/** What went wrong in the thread, as a coded error. */
export function sqliteError(failure: SqliteFailure, where: string): TaktError {
  const cause = Object.assign(new Error(failure.message), { code: failure.code, errcode: failure.errcode })
  const coded = (code: ErrorCode): TaktError => new TaktError(code, { what: failure.message, where, cause })
  if (failure.code === HELD_ELSEWHERE) return coded('TAKT_STORE_LOCKED')
  if (failure.code === 'ENOSPC' || failure.code === 'EDQUOT') return coded('TAKT_STORE_FULL')
  if (failure.code !== undefined && UNWRITABLE.has(failure.code)) return coded('TAKT_STORE_UNWRITABLE')
  if (failure.code === 'ERR_OUT_OF_RANGE') return coded('TAKT_STORE_VALUE')
  if (failure.message.includes('the ledger is append-only')) return coded('TAKT_LEDGER_APPEND_ONLY')
  return coded((failure.errcode === undefined ? undefined : CODE_OF[failure.errcode & 0xff]) ?? 'TAKT_STORE_QUERY')
}
