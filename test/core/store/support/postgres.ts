import { basename } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../../../core/base/clock.ts'
import type { TaktError } from '../../../../core/base/error.ts'
import { migrate } from '../../../../core/store/migrate.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import { PostgresBackend, type PostgresOptions } from '../../../../core/store/postgres-backend.ts'
import type { Store } from '../../../../core/store/store.ts'
import type { VerifyOptions } from '../../../../core/store/verify.ts'
import { verifyPostgres } from '../../../../core/store/verify-postgres.ts'
import type { PostgresServer } from '../../../support/postgres-server.ts'
import type { Ask, TestDatabases } from './store.ts'

/** Databases on one server: a file's name stands for one of them. Made by copying one that has its tables, and used again once they are emptied: that is quicker. */
export class PostgresDatabases implements TestDatabases {
  readonly dialect = 'postgres'
  readonly #server: PostgresServer
  readonly #template: string
  readonly #names = new Map<string, Promise<string>>()
  readonly #used: Promise<string>[] = []
  #free: string[] = []

  static async on(server: PostgresServer): Promise<PostgresDatabases> {
    const template = await server.database()
    const backend = new PostgresBackend(
      { url: server.url(template) },
      async () => {},
      () => {},
    )
    await backend.open()
    await migrate(backend, 1)
    await backend.close()
    return new PostgresDatabases(server, template)
  }

  private constructor(server: PostgresServer, template: string) {
    this.#server = server
    this.#template = template
  }

  /** What opens the database that stands for this file. */
  async options(file: string): Promise<PostgresOptions> {
    return { url: this.#server.url(await this.name(file)), anchor: anchorOf(file) }
  }

  name(file: string): Promise<string> {
    if (file === ':memory:') return this.#take()
    let name = this.#names.get(file)
    if (name === undefined) {
      name = this.#take()
      this.#names.set(file, name)
    }
    return name
  }

  /** Everything that was used is empty again. */
  async release(): Promise<void> {
    const names = await Promise.all(this.#used.splice(0))
    this.#names.clear()
    await Promise.all(
      names.map(async (name) => {
        await this.#server.ask(EMPTY, name)
        this.#free.push(name)
      }),
    )
  }

  #take(): Promise<string> {
    const free = this.#free.pop()
    const name = free === undefined ? this.#server.database(this.#template) : Promise.resolve(free)
    this.#used.push(name)
    return name
  }

  backend(file: string, whenOpen: () => Promise<void>, onLost: () => void): PostgresBackend {
    const name = this.name(file)
    name.catch(() => {})
    const options = { url: this.#server.url('template1'), anchor: anchorOf(file) }
    return new LateBackend(options, async () => this.#server.url(await name), whenOpen, onLost)
  }

  async verify(file: string, options?: VerifyOptions) {
    return verifyPostgres(await this.options(file), options)
  }

  /** Another instance on the same database, with an anchor of its own. */
  async openBeside(file: string, instance: string): Promise<{ store: Store; warnings: TaktError[] }> {
    const warnings: TaktError[] = []
    const postgres = { ...(await this.options(file)), anchor: `${file}.${instance}` }
    return { store: openStore({ postgres, clock: systemClock, onWarning: (error) => warnings.push(error) }), warnings }
  }

  async verifyBeside(file: string, instance: string) {
    return verifyPostgres({ ...(await this.options(file)), anchor: `${file}.${instance}` })
  }

  async tamper(file: string, change: (ask: Ask) => Promise<void>): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#server.url(await this.name(file)),
      types: { getTypeParser: (type: number) => (type === 20 ? Number : String) } as never,
    })
    await client.connect()
    try {
      await client.query(UNTRIGGERED)
      await change(async (sql, ...values) => {
        let count = 0
        return (
          await client.query(
            sql.replaceAll('?', () => `$${++count}`),
            values,
          )
        ).rows
      })
    } finally {
      await client.end()
    }
  }
}

/** For the server's owner no trigger is called. */
export const UNTRIGGERED = 'set session_replication_role = replica'

const EMPTY = `do $$ declare one record; begin
  perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
  drop table if exists takt_move;
  set session_replication_role = replica;
  for one in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'migration' loop
    execute format('delete from %I', one.relname);
  end loop;
  for one in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S' loop
    execute format('alter sequence %I restart', one.relname);
  end loop;
end $$`

function anchorOf(file: string): string | undefined {
  return file === ':memory:' ? undefined : `${file}.${basename(file)}.anchor`
}

/** A backend whose database is made when it is opened. */
class LateBackend extends PostgresBackend {
  readonly #options: { url: string }
  readonly #url: () => Promise<string>

  constructor(options: { url: string; anchor: string | undefined }, url: () => Promise<string>, whenOpen: () => Promise<void>, onLost: () => void) {
    super(options, whenOpen, onLost)
    this.#options = options
    this.#url = url
  }

  override async open(): Promise<void> {
    this.#options.url = await this.#url()
    await super.open()
  }
}
