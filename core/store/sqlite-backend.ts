import { readFile } from 'node:fs/promises'
import type { Kysely } from 'kysely'
import { TaktError } from '../base/error.ts'
import { type Anchor, anchorPath, parseAnchor } from './anchor.ts'
import type { Backend, WriteSession } from './backend.ts'
import type { Tables } from './schema.ts'
import { SqliteClient } from './sqlite-client.ts'
import { sqliteKysely } from './sqlite-dialect.ts'
import { SqliteSession } from './sqlite-session.ts'
import type { Verification } from './store.ts'
import type { VerifyOptions } from './verify.ts'
import { verifyInThread } from './verify-thread.ts'

/** The database in a file of its own, through Node's SQLite in a thread of its own. */
export class SqliteBackend implements Backend {
  readonly dialect = 'sqlite'
  readonly shared = false
  readonly where: string
  readonly reader: Kysely<Tables>
  readonly #file: string
  readonly #client: SqliteClient

  /** `whenOpen` is awaited before each read, so that the reader can be used at once; `onLost` says that the database must be opened anew. */
  constructor(file: string, whenOpen: () => Promise<void>, onLost: () => void) {
    this.#file = file
    this.where = `database ${file}`
    this.#client = new SqliteClient(this.where, onLost)
    this.reader = sqliteKysely(async (sql, parameters) => {
      await whenOpen()
      return this.#client.call({ do: 'run', on: 'read', sql, parameters }).catch((error: unknown) => {
        if (!(error instanceof TaktError) || error.code !== 'TAKT_STORE_UNWRITABLE') throw error
        throw new TaktError('TAKT_STORE_READ_ONLY', { where: this.where, cause: error })
      })
    }, this.where)
  }

  async open(): Promise<void> {
    await this.#client.call({ do: 'open', file: this.#file })
  }

  begin(): WriteSession {
    // not answered, so that it travels with the first statement, which is refused when it fails
    this.#client.send({ do: 'begin' })
    return new SqliteSession(this.#client, this.where)
  }

  async readAnchor(): Promise<Anchor | null | undefined> {
    if (this.#file === ':memory:') return undefined
    try {
      return parseAnchor(JSON.parse(await readFile(anchorPath(this.#file), 'utf8'))) ?? null
    } catch {
      return null
    }
  }

  verify(options: VerifyOptions): Promise<Verification> | undefined {
    return this.#file === ':memory:' ? undefined : verifyInThread({ file: this.#file, publicKey: options.publicKey })
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}
