import { TaktError } from '../base/error.ts'
import type { Genealogy, GenealogyEvent, LotQuantity } from '../messages/genealogy.ts'
import type { StoreTransaction } from '../store/store.ts'
import { contentsOf, packedIn } from './containers.ts'
import { rest, suffices, sum } from './quantity.ts'
import { placeOf } from './rules.ts'
import type { Stock, StockBook } from './stock-book.ts'

/** Packing leaves material what and where in the graph it is; everything else takes from stock or gives to it. */
export function kindOfMove(event: GenealogyEvent): 'stock' | 'packing' {
  return event === 'pack' || event === 'unpack' ? 'packing' : 'stock'
}

export interface Moves {
  readonly inputs: readonly LotQuantity[]
  readonly taken: readonly Stock[]
  readonly outputs: readonly LotQuantity[]
  readonly given: readonly Stock[]
  /** those of `given` that were made with their quantity */
  readonly created: readonly Stock[]
}

/** What an event does to stock, containers and shipments. Throws TAKT_TRACE_PACKED, TAKT_TRACE_CYCLE, TAKT_TRACE_BEYOND_STOCK, TAKT_TRACE_LOT_HELD. */
export async function applyToStock(tx: StoreTransaction, book: StockBook, event: Genealogy, moves: Moves): Promise<void> {
  if (event.event === 'pack') return pack(tx, event, moves)
  if (event.event === 'unpack') return unpack(tx, book, event, moves)
  if (event.event === 'ship') await ship(tx, book, event, moves)
  else await refuseFull(tx, event, moves.taken)
  for (const [index, { quantity }] of moves.inputs.entries()) book.take(moves.taken[index] as Stock, quantity.value)
  for (const [index, { quantity }] of moves.outputs.entries()) {
    const stock = moves.given[index] as Stock
    if (!moves.created.includes(stock)) book.add(stock, quantity.value)
    const place = event.location ?? (event.event === 'receive' ? event.equipment : undefined)
    if (place === undefined || place === stock.location) continue
    stock.location = place
    stock.changed = true
  }
}

async function refuseFull({ db }: StoreTransaction, event: Genealogy, taken: readonly Stock[]): Promise<void> {
  for (const { lot } of taken.filter(({ lot }) => lot.quantity.unit === 'pcs')) {
    const row = await db.selectFrom('lot_content').select('lot').where('container', '=', lot.id).limit(1).executeTakeFirst()
    if (row !== undefined) throw new TaktError('TAKT_TRACE_PACKED', { what: `'${lot.id}' is a container with '${row.lot}' in it`, where: placeOf(event) })
  }
}

async function pack({ db }: StoreTransaction, event: Genealogy, { inputs, taken, given }: Moves): Promise<void> {
  const container = given[0] as Stock
  const where = placeOf(event)
  if (container.lot.disposition === 'scrapped') throw new TaktError('TAKT_TRACE_LOT_HELD', { what: `'${container.lot.id}' is scrapped`, where })
  const around = new Set(await packedIn({ db }, container.lot.id))
  for (const [index, { lot, quantity }] of inputs.entries()) {
    if (around.has(lot)) throw new TaktError('TAKT_TRACE_CYCLE', { what: `'${container.lot.id}' lies in '${lot}'`, where })
    const stock = taken[index] as Stock
    stock.packed = sum(stock.packed, quantity.value)
    stock.changed = true
    const row = await db.selectFrom('lot_content').select('quantity').where('container', '=', container.lot.id).where('lot', '=', lot).executeTakeFirst()
    await db
      .insertInto('lot_content')
      .values({ container: container.lot.id, lot, quantity: quantity.value })
      .onConflict((conflict) => conflict.columns(['container', 'lot']).doUpdateSet({ quantity: sum(row?.quantity ?? 0, quantity.value) }))
      .execute()
  }
  // one that had left and is used again
  if (container.onHand === 0) container.onHand = 1
  if (event.location !== undefined) container.location = event.location
  container.changed = true
}

async function unpack(tx: StoreTransaction, book: StockBook, event: Genealogy, { inputs, outputs }: Moves): Promise<void> {
  const container = inputs[0]?.lot ?? ''
  const inside = await contentsOf(tx, container)
  if (inside.size === 0) throw new TaktError('TAKT_TRACE_BEYOND_STOCK', { what: `there is nothing in '${container}'`, where: placeOf(event) })
  await book.read([...inside.keys()])
  const wanted = outputs.length === 0 ? inside : new Map(outputs.map(({ lot, quantity }) => [lot, quantity.value]))
  for (const [lot, quantity] of wanted) {
    const there = inside.get(lot) ?? 0
    if (!suffices(there, quantity))
      throw new TaktError('TAKT_TRACE_BEYOND_STOCK', { what: `${quantity} of lot '${lot}' where ${there} lie in '${container}'`, where: placeOf(event) })
    await takeOut(tx, container, lot, rest(there, quantity))
    const stock = book.get(lot) as Stock
    stock.packed = rest(stock.packed, quantity)
    if (event.location !== undefined) stock.location = event.location
    stock.changed = true
  }
}

async function ship(tx: StoreTransaction, book: StockBook, event: Genealogy, { inputs }: Moves): Promise<void> {
  const party = event.party ?? ''
  const row = (lot: string, container: string, quantity: number) => ({ lot, event: event.id ?? '', container, party, quantity, time: event.time })
  for (const { lot, quantity } of inputs) {
    await tx.db
      .insertInto('lot_shipment')
      .values(row(lot, '', quantity.value))
      .execute()
    await shipContents(tx, book, event, lot, (inner, amount) => row(inner, lot, amount))
  }
}

/** What lies in a container goes with it, and what lies in a container in it. */
async function shipContents(
  tx: StoreTransaction,
  book: StockBook,
  event: Genealogy,
  container: string,
  row: (lot: string, quantity: number) => { lot: string; event: string; container: string; party: string; quantity: number; time: number },
): Promise<void> {
  const inside = await contentsOf(tx, container)
  await book.read([...inside.keys()])
  for (const [lot, quantity] of inside) {
    const stock = book.get(lot) as Stock
    if (stock.lot.disposition === 'held')
      throw new TaktError('TAKT_TRACE_LOT_HELD', {
        what: `lot '${lot}' in '${container}' is held: ${stock.lot.reason ?? 'no reason was given'}`,
        where: placeOf(event),
      })
    stock.packed = rest(stock.packed, quantity)
    book.take(stock, quantity)
    const { lot: id, ...values } = row(lot, quantity)
    await tx.db
      .insertInto('lot_shipment')
      .values({ lot: id, ...values })
      .onConflict((conflict) =>
        conflict.columns(['lot', 'event', 'container']).doUpdateSet((old) => ({ quantity: old('lot_shipment.quantity', '+', quantity) })),
      )
      .execute()
    await takeOut(tx, container, lot, 0)
    await shipContents(tx, book, event, lot, row)
  }
}

async function takeOut({ db }: StoreTransaction, container: string, lot: string, left: number): Promise<void> {
  if (left === 0) await db.deleteFrom('lot_content').where('container', '=', container).where('lot', '=', lot).execute()
  else await db.updateTable('lot_content').set({ quantity: left }).where('container', '=', container).where('lot', '=', lot).execute()
}
