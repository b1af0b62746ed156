import { TaktError } from '../base/error.ts'
import type { Lot } from '../messages/lot.ts'
import type { StoreReader } from '../store/store.ts'
import { LINEAGE_LIMIT, lineage } from './lineage.ts'
import { readMany } from './rows.ts'

export interface Shipment {
  readonly party: string
  readonly quantity: number
  /** epoch ms */
  readonly time: number
}

/** Where a lot is now: what is on hand and where, what it is packed in, and what was shipped to whom. */
export interface Whereabouts {
  readonly lot: string
  readonly material: string
  readonly quantity: { readonly value: number; readonly unit: string }
  readonly disposition: Lot['disposition']
  readonly location: string | null
  readonly containers: readonly string[]
  readonly shipped: readonly Shipment[]
}

export interface RecallList {
  readonly lot: string
  /** the lot itself first, then everything that was made from it, by id */
  readonly lots: readonly Whereabouts[]
  readonly onHand: number
  readonly shipped: number
  /** everyone who got something of it */
  readonly parties: readonly string[]
}

/** What to call back of a lot: it and its descendants, where they are and who has them. Throws TAKT_LOT_UNKNOWN, TAKT_TRACE_LIMIT. */
export async function recallList(reader: StoreReader, lot: string, limit = LINEAGE_LIMIT): Promise<RecallList> {
  const made = await lineage(reader, lot, 'forward', limit)
  const lots = await whereaboutsOf(reader, [lot, ...made.map((traced) => traced.lot)])
  if (lots.length === 0) throw new TaktError('TAKT_LOT_UNKNOWN', { what: `there is no lot '${lot}'`, where: 'recall' })
  const parties = new Set(lots.flatMap(({ shipped }) => shipped.map(({ party }) => party)))
  return {
    lot,
    lots,
    onHand: lots.filter(({ quantity }) => quantity.value > 0).length,
    shipped: lots.filter(({ shipped }) => shipped.length > 0).length,
    parties: [...parties].sort(),
  }
}

/** In the order they are asked for; lots that the store does not know are left out. */
export async function whereaboutsOf(reader: StoreReader, ids: readonly string[]): Promise<readonly Whereabouts[]> {
  const { db } = reader
  const [documents, stocks, contents, shipments] = await Promise.all([
    readMany(ids, (some) => db.selectFrom('lot').select(['id', 'document']).where('id', 'in', some).execute()),
    readMany(ids, (some) => db.selectFrom('lot_stock').select(['lot', 'on_hand']).where('lot', 'in', some).execute()),
    readMany(ids, (some) => db.selectFrom('lot_content').select(['lot', 'container']).where('lot', 'in', some).orderBy('container').execute()),
    readMany(ids, (some) =>
      db.selectFrom('lot_shipment').select(['lot', 'party', 'quantity', 'time']).where('lot', 'in', some).orderBy('time').orderBy('event').execute(),
    ),
  ])
  const lots = new Map(documents.map(({ id, document }) => [id, JSON.parse(document) as Lot]))
  const onHand = new Map(stocks.map((row) => [row.lot, row.on_hand]))
  const containers = grouped(contents, ({ container }) => container)
  const shipped = grouped(shipments, ({ party, quantity, time }) => ({ party, quantity, time }))
  return ids.flatMap((id) => {
    const lot = lots.get(id)
    if (lot === undefined) return []
    const { material, disposition, location, quantity } = lot
    return {
      lot: id,
      material,
      quantity: { ...quantity, value: onHand.get(id) ?? quantity.value },
      disposition,
      location,
      containers: containers.get(id) ?? [],
      shipped: shipped.get(id) ?? [],
    }
  })
}

function grouped<R extends { readonly lot: string }, T>(rows: readonly R[], value: (row: R) => T): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const group = groups.get(row.lot)
    if (group === undefined) groups.set(row.lot, [value(row)])
    else group.push(value(row))
  }
  return groups
}
