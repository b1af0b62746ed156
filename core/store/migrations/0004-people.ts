import { type Kysely, sql } from 'kysely'
import type { Dialect } from '../backend.ts'
import type { Migration } from '../migrate.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tables of this step's time
type Db = Kysely<any>

/** People, their secrets, and what they signed. People and signatures are never removed: an id belongs to one person for ever. */
export const people: Migration = {
  name: 'people',
  async up(db, dialect) {
    await projection(db, 'person')
      .addColumn('badge', 'text', (column) => column.unique())
      .addColumn('login', 'text', (column) => column.unique())
      .addColumn('active', 'integer', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('person_secret')
      .addColumn('person', 'text', (column) => column.primaryKey())
      .addColumn('secret', 'text', (column) => column.notNull())
      .addColumn('failures', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('last_failure', 'bigint')
      .execute()
    await projection(db, 'signature')
      .addColumn('record_kind', 'text', (column) => column.notNull())
      .addColumn('record_id', 'text', (column) => column.notNull())
      .addColumn('record_ledger', 'bigint', (column) => column.notNull())
      .addColumn('meaning', 'text', (column) => column.notNull())
      .addColumn('person', 'text', (column) => column.notNull())
      .addColumn('time', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('signature_once', ['record_kind', 'record_id', 'record_ledger', 'meaning', 'person'])
      .execute()
    await db.schema.createIndex('signature_by_person').on('signature').columns(['person']).execute()
    for (const table of ['person', 'signature']) await neverRemoved(db, table, dialect)
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

async function neverRemoved(db: Db, table: string, dialect: Dialect): Promise<void> {
  const what = `rows of ${table} are never removed`
  const statements =
    dialect === 'sqlite'
      ? [`create trigger ${table}_delete before delete on ${table} begin select raise(abort, '${what}'); end`]
      : [
          `create function ${table}_kept() returns trigger language plpgsql as $$ begin raise exception '${what}'; end $$`,
          `create trigger ${table}_delete before delete on ${table} for each row execute function ${table}_kept()`,
          `create trigger ${table}_truncate before truncate on ${table} for each statement execute function ${table}_kept()`,
        ]
  for (const statement of statements) await sql.raw(statement).execute(db)
}
