import { type DataTypeNode, type Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { Tables } from './schema.ts'
import { type RunSql, type SqlFlavour, statementKysely } from './statement-dialect.ts'

/** A Kysely that writes PostgreSQL's SQL and hands it to `run`. */
export function postgresKysely(run: RunSql, where: string): Kysely<Tables> {
  return statementKysely(POSTGRES_FLAVOUR, run, where)
}

/** Columns of text are made with the collation of bytes, so that texts have the same order and equality as in SQLite, whatever the database's own is. */
class BytewiseCompiler extends PostgresQueryCompiler {
  protected override visitDataType(node: DataTypeNode): void {
    super.visitDataType(node)
    if (node.dataType === 'text' && this.parentNode?.kind === 'ColumnDefinitionNode') this.append(' collate "C"')
  }
}

const POSTGRES_FLAVOUR: SqlFlavour = {
  compiler: () => new BytewiseCompiler(),
  adapter: () => new PostgresAdapter(),
  introspector: (db) => new PostgresIntrospector(db),
}
