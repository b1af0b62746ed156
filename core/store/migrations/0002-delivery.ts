import { type Kysely, sql } from 'kysely'
import type { Dialect } from '../backend.ts'
import type { Migration } from '../migrate.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tables of this step's time
type Db = Kysely<any>

/**
 * What guaranteed delivery needs: the inbox in two tables, one that knows for long what was received and one that holds messages until they are settled;
 * keyed effects that know their row of the inbox; when a message of the outbox is due; the ring of recent samples.
 */
export const delivery: Migration = {
  name: 'delivery',
  async up(db, dialect) {
    await inbox(db, dialect)
    await db.schema.alterTable('effect').addColumn('inbox', 'bigint').execute()
    await sql.raw('create index effect_by_inbox on effect (inbox) where inbox is not null').execute(db)
    await db.schema
      .alterTable('outbox')
      .addColumn('due', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
    await sampleRing(db)
  },
}

async function inbox(db: Db, dialect: Dialect): Promise<void> {
  await sql.raw('drop index inbox_by_settled_id').execute(db)
  await db.schema.alterTable('inbox').renameTo('inbox_before').execute()
  await db.schema
    .createTable('inbox')
    // numbered by the inbox itself, which needs the numbers before the rows are written
    .addColumn('id', dialect === 'sqlite' ? 'integer' : 'bigint', (column) => column.primaryKey())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('session', 'text')
    .addColumn('sequence', 'bigint')
    .addColumn('content_hash', 'text', (column) => column.notNull())
    .addColumn('received', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('inbox_pending')
    .addColumn('id', dialect === 'sqlite' ? 'integer' : 'bigint', (column) => column.primaryKey())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await sql.raw('insert into inbox select id, source, session, sequence, content_hash, received from inbox_before').execute(db)
  await sql.raw('insert into inbox_pending select id, source, body from inbox_before where settled = 0').execute(db)
  await db.schema.dropTable('inbox_before').execute()
  await sql.raw('create unique index inbox_key on inbox (source, session, sequence) where sequence is not null').execute(db)
  await sql.raw('create index inbox_by_content on inbox (content_hash) where sequence is null').execute(db)
}

async function sampleRing(db: Db): Promise<void> {
  await db.schema
    .createTable('sample_ring')
    .addColumn('equipment', 'text', (column) => column.notNull())
    .addColumn('signal', 'text', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('quality', 'text', (column) => column.notNull())
    .addColumn('unit', 'text')
    .addPrimaryKeyConstraint('sample_ring_key', ['equipment', 'signal', 'time'])
    .execute()
}
