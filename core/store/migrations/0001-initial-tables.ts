import { type CreateTableBuilder, type Kysely, sql } from 'kysely'
import type { Dialect } from '../backend.ts'
import type { Migration } from '../migrate.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tables of this step's time
type Db = Kysely<any>

/** The ledger, its projections, and the bookkeeping of nodes. */
export const initialTables: Migration = {
  name: 'initial tables',
  async up(db, dialect) {
    await ledger(db, dialect)
    await messages(db, dialect)
    await projections(db)
    await machines(db, dialect)
  },
}

async function ledger(db: Db, dialect: Dialect): Promise<void> {
  await db.schema
    .createTable('ledger')
    // in SQLite only 'integer' makes the row's own number the key
    .addColumn('sequence', dialect === 'sqlite' ? 'integer' : 'bigint', (column) => column.primaryKey())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('why', 'text')
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .addColumn('time', 'bigint', (column) => column.notNull())
    .addColumn('previous_hash', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute()
  await index(db, 'ledger', ['subject', 'sequence'])
  await index(db, 'ledger', ['type', 'sequence'])
  await index(db, 'ledger', ['time'])
  for (const statement of dialect === 'sqlite' ? SQLITE_APPEND_ONLY : POSTGRES_APPEND_ONLY) await sql.raw(statement).execute(db)
}

/** A row cannot be changed, removed, or replaced by one of the same number. */
const SQLITE_APPEND_ONLY = [
  `create trigger ledger_update before update on ledger begin select raise(abort, 'the ledger is append-only'); end`,
  `create trigger ledger_delete before delete on ledger begin select raise(abort, 'the ledger is append-only'); end`,
  `create trigger ledger_replace before insert on ledger when exists (select 1 from ledger where sequence = new.sequence)
   begin select raise(abort, 'the ledger is append-only'); end`,
]
const POSTGRES_APPEND_ONLY = [
  `create function ledger_append_only() returns trigger language plpgsql as $$ begin raise exception 'the ledger is append-only'; end $$`,
  `create trigger ledger_change before update or delete on ledger for each row execute function ledger_append_only()`,
  `create trigger ledger_truncate before truncate on ledger for each statement execute function ledger_append_only()`,
]

async function messages(db: Db, dialect: Dialect): Promise<void> {
  await db.schema
    .createTable('effect')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('ledger', 'bigint', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .execute()
  await numbered(db, 'inbox', dialect)
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('session', 'text', (column) => column.notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('content_hash', 'text', (column) => column.notNull())
    .addColumn('received', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('settled', 'integer', (column) => column.notNull().defaultTo(0))
    .addUniqueConstraint('inbox_key', ['source', 'session', 'sequence'])
    .execute()
  await index(db, 'inbox', ['settled', 'id'])
  await numbered(db, 'outbox', dialect)
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('created', 'bigint', (column) => column.notNull())
    .addColumn('leased_by', 'text')
    .addColumn('leased_until', 'bigint')
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await index(db, 'outbox', ['destination', 'id'])
  await numbered(db, 'quarantine', dialect)
    .addColumn('code', 'text', (column) => column.notNull())
    .addColumn('what', 'text', (column) => column.notNull())
    .addColumn('where', 'text', (column) => column.notNull())
    .addColumn('remedy', 'text', (column) => column.notNull())
    .addColumn('received', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('excerpt', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('node_state')
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('saved', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('node_state_key', ['node', 'key'])
    .execute()
}

async function projections(db: Db): Promise<void> {
  await projection(db, 'work_order')
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('due', 'bigint')
    .addColumn('external_system', 'text')
    .addColumn('external_id', 'text')
    .addColumn('equipment', 'text')
    .execute()
  await index(db, 'work_order', ['state', 'due'])
  await index(db, 'work_order', ['external_system', 'external_id'])
  await projection(db, 'job_order')
    .addColumn('work_order', 'text', (column) => column.notNull())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('substate', 'text')
    .addColumn('equipment', 'text')
    .addColumn('lot', 'text')
    .addColumn('planned_start', 'bigint')
    .addColumn('actual_start', 'bigint')
    .addColumn('actual_end', 'bigint')
    .execute()
  await index(db, 'job_order', ['work_order'])
  await index(db, 'job_order', ['state', 'equipment', 'planned_start'])
  await index(db, 'job_order', ['lot'])
  await projection(db, 'job_response')
    .addColumn('job_order', 'text', (column) => column.notNull())
    .addColumn('work_order', 'text', (column) => column.notNull())
    .addColumn('equipment', 'text')
    .addColumn('end', 'bigint')
    .execute()
  await index(db, 'job_response', ['job_order'])
  await index(db, 'job_response', ['work_order'])
  await index(db, 'job_response', ['end'])
  await projection(db, 'plan')
    .addColumn('version', 'bigint', (column) => column.notNull().unique())
    .addColumn('now', 'bigint', (column) => column.notNull())
    .execute()
  await projection(db, 'disruption')
    .addColumn('equipment', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .execute()
  await index(db, 'disruption', ['equipment', 'status'])
  await index(db, 'disruption', ['status'])
  await projection(db, 'anomaly')
    .addColumn('equipment', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .execute()
  await index(db, 'anomaly', ['equipment', 'state'])
  await index(db, 'anomaly', ['since'])
  await projection(db, 'quality_result')
    .addColumn('lot', 'text')
    .addColumn('job_order', 'text')
    .addColumn('characteristic', 'text', (column) => column.notNull())
    .addColumn('decision', 'text', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .execute()
  await index(db, 'quality_result', ['lot'])
  await index(db, 'quality_result', ['job_order'])
  await index(db, 'quality_result', ['time'])
  await projection(db, 'lot')
    .addColumn('material', 'text', (column) => column.notNull())
    .addColumn('disposition', 'text', (column) => column.notNull())
    .addColumn('work_order', 'text')
    .execute()
  await index(db, 'lot', ['work_order'])
  await index(db, 'lot', ['disposition'])
}

async function machines(db: Db, dialect: Dialect): Promise<void> {
  await numbered(db, 'machine_state', dialect)
    .addColumn('equipment', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('mode', 'text')
    .addColumn('element', 'text')
    .addColumn('reason', 'text')
    .addColumn('job_order', 'text')
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('until', 'bigint')
    .execute()
  await index(db, 'machine_state', ['equipment', 'since'])
  await index(db, 'machine_state', ['until', 'equipment'])
  await index(db, 'machine_state', ['job_order'])
  await db.schema
    .createTable('counter')
    .addColumn('equipment', 'text', (column) => column.notNull())
    .addColumn('signal', 'text', (column) => column.notNull())
    .addColumn('raw', 'double precision', (column) => column.notNull())
    .addColumn('total', 'double precision', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('counter_key', ['equipment', 'signal'])
    .execute()
  await db.schema
    .createTable('job_count')
    .addColumn('equipment', 'text', (column) => column.notNull())
    .addColumn('job_order', 'text', (column) => column.notNull())
    .addColumn('good', 'double precision', (column) => column.notNull())
    .addColumn('scrap', 'double precision', (column) => column.notNull())
    .addColumn('first', 'bigint', (column) => column.notNull())
    .addColumn('last', 'bigint', (column) => column.notNull())
    .addColumn('ledger', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('job_count_key', ['equipment', 'job_order'])
    .execute()
  await index(db, 'job_count', ['job_order'])
}

function projection(db: Db, table: string): CreateTableBuilder<string, 'id' | 'revision' | 'ledger' | 'document'> {
  return db.schema
    .createTable(table)
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('ledger', 'bigint', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
}

/** A table whose rows number themselves; a number is never used again. */
function numbered(db: Db, table: string, dialect: Dialect): CreateTableBuilder<string, 'id'> {
  const builder = db.schema.createTable(table)
  return dialect === 'sqlite'
    ? builder.addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    : builder.addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
}

async function index(db: Db, table: string, columns: string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .on(table)
    .columns(columns)
    .execute()
}
