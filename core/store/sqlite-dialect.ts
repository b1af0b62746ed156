import { type Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { Tables } from './schema.ts'
import { type RunSql, type SqlFlavour, statementKysely } from './statement-dialect.ts'

/** A Kysely that writes SQLite's SQL and hands it to `run`. */
export function sqliteKysely(run: RunSql, where: string): Kysely<Tables> {
  return statementKysely(SQLITE_FLAVOUR, run, where)
}

/** The thread takes statements one after the other anyway, so Kysely need not hold them back. */
class PipelinedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

const SQLITE_FLAVOUR: SqlFlavour = {
  compiler: () => new SqliteQueryCompiler(),
  adapter: () => new PipelinedAdapter(),
  introspector: (db) => new SqliteIntrospector(db),
}
