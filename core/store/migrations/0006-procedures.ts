import type { Kysely } from 'kysely'
import type { Migration } from '../migrate.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tables of this step's time
type Db = Kysely<any>

/** Procedures by version, and how far each job order is with its own. */
export const procedures: Migration = {
  name: 'procedures',
  async up(db) {
    await projection(db, 'procedure_version')
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addUniqueConstraint('procedure_version_once', ['name', 'version'])
      .execute()
    await projection(db, 'procedure_run')
      .addColumn('procedure', 'text', (column) => column.notNull())
      .addColumn('equipment', 'text', (column) => column.notNull())
      .addColumn('phase', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('procedure_run_by_phase').on('procedure_run').columns(['phase', 'equipment']).execute()
  },
}

function projection(db: Db, table: string) {
  return db.schema
    .createTable(table)
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('ledger', 'bigint', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
}
