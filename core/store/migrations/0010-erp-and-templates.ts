import type { Kysely } from 'kysely'
import type { Migration } from '../migrate.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tables of this step's time
type Db = Kysely<any>

/** What the ERP is told and what it has confirmed, and templates of orders. */
export const erpAndTemplates: Migration = {
  name: 'erp and templates',
  async up(db) {
    await projection(db, 'erp_message')
      .addColumn('channel', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('work_order', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addUniqueConstraint('erp_message_once', ['channel', 'subject', 'version'])
      .execute()
    await db.schema.createIndex('erp_message_by_state').on('erp_message').columns(['state', 'channel']).execute()
    await projection(db, 'order_template')
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('active', 'integer', (column) => column.notNull())
      .addUniqueConstraint('order_template_once', ['name', 'version'])
      .execute()
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
