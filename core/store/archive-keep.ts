import { type Kysely, type RawBuilder, sql } from 'kysely'
import { PROJECTIONS } from './projections.ts'
import type { Tables } from './schema.ts'
import type { LedgerHead, StoreTransaction } from './store.ts'

/** A stretch of the ledger by its first and last number. */
export interface Stretch {
  readonly first: number
  readonly last: number
}

/**
 * Rows that stay whatever they are about: what the ledger says of itself, what was kept to be signed, who people are, what people who were known did, and how lots were
 * held and let go.
 */
const ALWAYS = sql`(type like 'ledger.%' or type like 'person.%' or type in ('record.kept', 'record.signed', 'lot.held', 'lot.released') or actor like 'person:%')`

/** Documents that are not settled: every row about them stays, so that what decides on them reads all of it. */
const OPEN: readonly RawBuilder<unknown>[] = [
  sql`select id from work_order where state not in ('Completed', 'Closed', 'Canceled')`,
  sql`select job_order.id from job_order left join work_order on work_order.id = job_order.work_order
    where job_order.state not in ('Ended', 'Aborted') or work_order.state not in ('Completed', 'Closed', 'Canceled')`,
  sql`select id from lot where disposition in ('in-process', 'held')`,
  sql`select lot from lot_stock where on_hand > 0`,
  sql`select id from disruption where status in ('proposed', 'accepted')`,
  sql`select id from anomaly where state <> 'cleared'`,
  sql`select id from containment where status = 'proposed'`,
  sql`select id from procedure_run where phase <> 'done'`,
]

/** True of a row of the ledger that has to stay in the table: the one that last wrote a document or was signed, what is about something open, and `ALWAYS`. */
function stays({ first, last }: Stretch): RawBuilder<unknown> {
  const within = (column: string, table: string): RawBuilder<unknown> =>
    sql`select ${sql.ref(column)} from ${sql.table(table)} where ${sql.ref(column)} between ${first} and ${last}`
  const written = Object.values(PROJECTIONS).map(({ table }) => within('ledger', table))
  const nodes = [within('node', 'lot_stock'), within('record_ledger', 'signature')]
  return sql`(${ALWAYS} or sequence in (${sql.join([...written, ...nodes], sql` union all `)}) or subject in (${sql.join(OPEN, sql` union all `)}))`
}

/** The rows of a stretch that stay, in their order. */
export async function keptRows(db: Kysely<Tables>, stretch: Stretch): Promise<readonly LedgerHead[]> {
  const query = sql<LedgerHead>`select sequence, hash from ledger where sequence between ${stretch.first} and ${stretch.last} and ${stays(stretch)} order by sequence`
  return (await query.execute(db)).rows
}

/** Removes the others. Only where the newest row is the event that allows it. */
export async function removeRows(db: Kysely<Tables>, stretch: Stretch): Promise<number> {
  const removed = await sql`delete from ledger where sequence between ${stretch.first} and ${stretch.last} and not ${stays(stretch)}`.execute(db)
  return Number(removed.numAffectedRows ?? 0n)
}

/** Removes the versions of plans that were written in a stretch, but the newest and those that a job order goes by that is not over. Returns how many. */
export async function removePlans(tx: StoreTransaction, { first, last }: Stretch): Promise<number> {
  const { version: newest } = await tx.db
    .selectFrom('plan')
    .select((expression) => expression.fn.max('version').as('version'))
    .executeTakeFirstOrThrow()
  if (newest === null) return 0
  const jobs = await tx.list('job-order', { where: { state: ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted'] } })
  const used = new Set<number | null>([newest, ...jobs.map(({ planVersion }) => planVersion)])
  const old = await tx.db.selectFrom('plan').select(['id', 'version']).where('ledger', '>=', first).where('ledger', '<=', last).execute()
  const ids = old.filter(({ version }) => !used.has(version)).map(({ id }) => id)
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE)
    await tx.db
      .deleteFrom('plan')
      .where('id', 'in', ids.slice(from, from + IDS_AT_ONCE))
      .execute()
  return ids.length
}

const IDS_AT_ONCE = 500
