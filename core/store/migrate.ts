import { type Kysely, sql } from 'kysely'
import { TaktError, toTaktError } from '../base/error.ts'
import type { Backend, Dialect } from './backend.ts'
import { MIGRATIONS } from './migrations/index.ts'

/** One step of the tables' history. Never changed once released: a correction is a new step. */
export interface Migration {
  readonly name: string
  /** Statements alone: they travel together, and none is answered. */
  // biome-ignore lint/suspicious/noExplicitAny: a step knows the tables of its time, not today's
  up(db: Kysely<any>, dialect: Dialect): Promise<void>
}

/** Which steps the tables have. */
export const MIGRATION_TABLE = 'create table if not exists migration (version integer primary key, name text not null, applied bigint not null)'

interface MigrationTable {
  migration: { version: number; name: string; applied: number }
}

/**
 * Brings the tables to this version. Each step and the note that it is done are one transaction, so a process killed midway leaves whole
 * steps and the next start goes on from there.
 */
export async function migrate(backend: Backend, now: number, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  for (;;) {
    const session = backend.begin()
    try {
      const db = session.db(() => {})
      const done = await appliedVersion(db as unknown as Kysely<MigrationTable>, backend.dialect)
      if (done > migrations.length) {
        throw new TaktError('TAKT_STORE_NEWER', { what: `the tables have version ${done}, this Takt knows ${migrations.length}`, where: backend.where })
      }
      const next = migrations[done]
      if (next === undefined) return await session.rollback()
      const script = session.script()
      await next.up(script, backend.dialect)
      await (script as unknown as Kysely<MigrationTable>)
        .insertInto('migration')
        .values({ version: done + 1, name: next.name, applied: now })
        .execute()
      await session.commit(null)
    } catch (thrown) {
      await session.rollback().catch(() => {})
      const error = toTaktError(thrown, backend.where)
      throw error.code === 'TAKT_STORE_QUERY' || error.code === 'TAKT_INTERNAL'
        ? new TaktError('TAKT_STORE_MIGRATION', { what: `the tables could not be brought to this version: ${error.what}`, where: backend.where, cause: error })
        : error
    }
  }
}

async function appliedVersion(db: Kysely<MigrationTable>, dialect: Dialect): Promise<number> {
  // PostgreSQL asks for the right to make tables even where there is nothing to make
  const isThere =
    dialect === 'postgres' && (await sql`select 1 from pg_tables where schemaname = current_schema() and tablename = 'migration'`.execute(db)).rows.length > 0
  if (!isThere) await sql.raw(MIGRATION_TABLE).execute(db)
  const row = await db
    .selectFrom('migration')
    .select((expression) => expression.fn.max('version').as('version'))
    .executeTakeFirst()
  return row?.version ?? 0
}
