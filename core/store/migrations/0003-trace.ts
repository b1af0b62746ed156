import { type CreateTableBuilder, type Kysely, sql } from 'kysely'
import type { Dialect } from '../backend.ts'
import type { Migration } from '../migrate.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tables of this step's time
type Db = Kysely<any>

/**
 * Genealogy: its events, the graph that they make, what is in stock, what is packed in what, what was shipped to whom; containments; EPCIS documents as they came.
 * In the graph an event and a lot are nodes alike, numbered by a row of the ledger that is theirs alone: lots lead into events, events into lots.
 */
export const trace: Migration = {
  name: 'trace',
  async up(db, dialect) {
    await projection(db, 'genealogy')
      .addColumn('event', 'text', (column) => column.notNull())
      .addColumn('job_order', 'text')
      .addColumn('equipment', 'text')
      .addColumn('time', 'bigint', (column) => column.notNull())
      .addColumn('pooled', 'integer', (column) => column.notNull())
      .execute()
    await sql.raw('create index genealogy_by_pooled on genealogy (pooled) where pooled = 1').execute(db)
    await sql.raw('create unique index genealogy_by_ledger on genealogy (ledger)').execute(db)
    await index(db, 'genealogy', ['job_order'])
    await index(db, 'genealogy', ['equipment', 'time'])
    await index(db, 'genealogy', ['time'])
    await db.schema
      .createTable('genealogy_edge')
      .addColumn('source', 'bigint', (column) => column.notNull())
      .addColumn('target', 'bigint', (column) => column.notNull())
      .addColumn('quantity', 'double precision', (column) => column.notNull())
      .addPrimaryKeyConstraint('genealogy_edge_key', ['source', 'target'])
      .execute()
    await index(db, 'genealogy_edge', ['target', 'source'])
    await stock(db, dialect)
    await projection(db, 'containment')
      .addColumn('anomaly', 'text', (column) => column.notNull())
      .addColumn('equipment', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('time', 'bigint', (column) => column.notNull())
      .execute()
    await index(db, 'containment', ['status'])
    await epcis(db)
  },
}

async function stock(db: Db, dialect: Dialect): Promise<void> {
  await db.schema
    .createTable('lot_stock')
    // the number is the key, because traces come from the graph: in SQLite only 'integer' makes it the row's own
    .addColumn('node', dialect === 'sqlite' ? 'integer' : 'bigint', (column) => column.primaryKey())
    .addColumn('lot', 'text', (column) => column.notNull().unique())
    .addColumn('material', 'text', (column) => column.notNull())
    .addColumn('unit', 'text', (column) => column.notNull())
    .addColumn('on_hand', 'double precision', (column) => column.notNull())
    .addColumn('packed', 'double precision', (column) => column.notNull())
    .addColumn('counted', 'double precision', (column) => column.notNull())
    .addColumn('written', 'double precision', (column) => column.notNull())
    .addColumn('location', 'text')
    .execute()
  await index(db, 'lot_stock', ['material'])
  await db.schema
    .createTable('lot_content')
    .addColumn('container', 'text', (column) => column.notNull())
    .addColumn('lot', 'text', (column) => column.notNull())
    .addColumn('quantity', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('lot_content_key', ['container', 'lot'])
    .execute()
  await index(db, 'lot_content', ['lot'])
  await db.schema
    .createTable('lot_shipment')
    .addColumn('lot', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('container', 'text', (column) => column.notNull())
    .addColumn('party', 'text', (column) => column.notNull())
    .addColumn('quantity', 'double precision', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('lot_shipment_key', ['lot', 'event', 'container'])
    .execute()
  await index(db, 'lot_shipment', ['container'])
  await index(db, 'lot_shipment', ['party'])
}

async function epcis(db: Db): Promise<void> {
  await db.schema
    .createTable('epcis_document')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('frame', 'text', (column) => column.notNull())
    .addColumn('ledger', 'bigint', (column) => column.notNull())
    .addColumn('received', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('epcis_event')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .addColumn('genealogy', 'text')
    .addColumn('problem', 'text')
    .execute()
  await index(db, 'epcis_event', ['time'])
  await index(db, 'epcis_event', ['genealogy'])
  await db.schema
    .createTable('epcis_place')
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('epcis_place_key', ['document', 'position'])
    .execute()
  await index(db, 'epcis_place', ['event'])
}

function projection(db: Db, table: string): CreateTableBuilder<string, 'id' | 'revision' | 'ledger' | 'document'> {
  return db.schema
    .createTable(table)
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('ledger', 'bigint', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
}

async function index(db: Db, table: string, columns: string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .on(table)
    .columns(columns)
    .execute()
}
