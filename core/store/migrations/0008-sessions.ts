import type { Migration } from '../migrate.ts'

/** Who has signed in: known to all instances, and ended for all at once. A token and a connection are there as hashes alone. */
export const sessions: Migration = {
  name: 'sessions',
  async up(db) {
    await db.schema
      .createTable('person_session')
      .addColumn('token', 'text', (column) => column.primaryKey())
      .addColumn('person', 'text', (column) => column.notNull())
      .addColumn('connection', 'text', (column) => column.unique())
      .addColumn('ledger', 'bigint', (column) => column.notNull())
      .addColumn('started', 'bigint', (column) => column.notNull())
      .addColumn('used', 'bigint', (column) => column.notNull())
      .addColumn('ends', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('person_session_by_person').on('person_session').columns(['person', 'started']).execute()
  },
}
