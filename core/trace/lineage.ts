import { sql } from 'kysely'
import { TaktError } from '../base/error.ts'
import type { StoreReader } from '../store/store.ts'
import { everIn } from './containers.ts'
import { readMany } from './rows.ts'

export type Direction = 'backward' | 'forward'

/** A lot of a trace; `quantity` is what is on hand, in `unit`. */
export interface TracedLot {
  readonly lot: string
  readonly material: string
  readonly quantity: number
  readonly unit: string
}

export const LINEAGE_LIMIT = 100_000

/**
 * Every lot that a lot was made from (backward), or that was made from it (forward), each once, ordered by id; not the lot itself. One statement. Of a container, backward also what lies in it or left with it. Throws TAKT_LOT_UNKNOWN, and TAKT_TRACE_LIMIT beyond `limit` lots.
 */
export async function lineage(reader: StoreReader, lot: string, direction: Direction, limit = LINEAGE_LIMIT): Promise<readonly TracedLot[]> {
  const inside = direction === 'backward' ? await everIn(reader, lot) : []
  const nodes = await nodesOf(reader, [lot, ...inside])
  const start = nodes.get(lot)
  if (start === undefined) {
    if ((await reader.get('lot', lot)) === undefined) throw new TaktError('TAKT_LOT_UNKNOWN', { what: `there is no lot '${lot}'`, where: 'trace' })
    return []
  }
  const byEvent = direction === 'backward' && (await hasPooled(reader))
  const found = new Map<string, TracedLot>()
  for (const node of nodes.values()) {
    for (const traced of await reach(reader, node, direction, limit + 1, byEvent)) if (traced.lot !== lot) found.set(traced.lot, traced)
    if (found.size > limit) throw new TaktError('TAKT_TRACE_LIMIT', { what: `more than ${limit} lots`, where: `trace of ${lot}` })
  }
  return [...found.values()].sort((a, b) => (a.lot < b.lot ? -1 : 1))
}

/** The lots that some lots come from or lead to directly, through one event; for drawing a graph. */
export interface Relation {
  readonly from: string
  readonly to: string
  /** id of the event of genealogy */
  readonly event: string
}

/** Relations among the given lots. */
export async function relationsAmong(reader: StoreReader, lots: readonly string[]): Promise<readonly Relation[]> {
  const nodes = await nodesOf(reader, lots)
  const names = new Map(Array.from(nodes, ([lot, node]) => [node, lot]))
  const rows = await readMany([...nodes.values()], (some) =>
    reader.db
      .selectFrom('genealogy_edge as taken')
      .innerJoin('genealogy as event', 'event.ledger', 'taken.target')
      .innerJoin('genealogy_edge as given', 'given.source', 'taken.target')
      .select(['taken.source as from', 'given.target as to', 'event.id as event'])
      .where('taken.source', 'in', some)
      .execute(),
  )
  return rows.flatMap(({ from, to, event }) => {
    const [source, target] = [names.get(from), names.get(to)]
    return source === undefined || target === undefined ? [] : [{ from: source, to: target, event }]
  })
}

export async function nodesOf({ db }: StoreReader, lots: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await readMany(lots, (some) => db.selectFrom('lot_stock').select(['lot', 'node']).where('lot', 'in', some).execute())
  return new Map(rows.map(({ lot, node }) => [lot, node]))
}

/**
 * The lots that a node leads to. Forward, and with `byEvent`, lots and events are steps alike, each looked at once. Backward steps otherwise go from lot to lot, over the
 * event between them, which is looked at once for each lot that it gave: few as a rule, so that this takes a third less.
 */
async function reach({ db }: StoreReader, node: number, direction: Direction, limit: number, byEvent: boolean): Promise<readonly TracedLot[]> {
  // `cross join` keeps SQLite from beginning at the larger table; ordering is cheaper here than there
  const step =
    direction === 'forward'
      ? sql`select edge.target, 1 - reach.lots from reach cross join genealogy_edge edge where edge.source = reach.node`
      : byEvent
        ? sql`select edge.source, 1 - reach.lots from reach cross join genealogy_edge edge where edge.target = reach.node`
        : sql`select taken.source, 1 from reach cross join genealogy_edge given cross join genealogy_edge taken
              where given.target = reach.node and taken.target = given.source`
  const { rows } = await sql<TracedLot>`
    with recursive reach(node, lots) as (select cast(${node} as bigint), 1 union ${step})
    select stock.lot, stock.material, stock.on_hand as quantity, stock.unit
    from reach cross join lot_stock stock where reach.lots = 1 and stock.node = reach.node
    limit ${limit}`.execute(db)
  return rows
}

async function hasPooled({ db }: StoreReader): Promise<boolean> {
  return (await db.selectFrom('genealogy').select('id').where('pooled', '=', 1).limit(1).executeTakeFirst()) !== undefined
}
