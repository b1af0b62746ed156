import type { Insertable } from 'kysely'
import { TaktError } from '../base/error.ts'
import type { Genealogy, GenealogyEvent, LotQuantity } from '../messages/genealogy.ts'
import type { Tables } from '../store/schema.ts'
import type { StoreTransaction } from '../store/store.ts'
import { contentsOf, packedIn } from './containers.ts'
import { rest, suffices, sum } from './quantity.ts'
import { readMany, slicesOf } from './rows.ts'
import { placeOf } from './rules.ts'
import type { Stock, StockBook } from './stock-book.ts'

const ROWS_AT_ONCE = 100

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
  /** containers among the inputs, with a lot that lies in each */
  readonly full: ReadonlyMap<string, string>
}

/** What an event does to stock, containers and shipments. Throws TAKT_TRACE_PACKED, TAKT_TRACE_CYCLE, TAKT_TRACE_BEYOND_STOCK, TAKT_TRACE_LOT_HELD. */
export async function applyToStock(tx: StoreTransaction, book: StockBook, event: Genealogy, moves: Moves): Promise<void> {
  if (event.event === 'pack') return pack(tx, event, moves)
  if (event.event === 'unpack') return unpack(tx, book, event, moves)
  if (event.event === 'ship') await ship(tx, book, event, moves)
  else refuseFull(event, moves)
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

/** Which of some lots are containers with something in them, and one of the lots in each. */
export async function fullContainers({ db }: StoreTransaction, lots: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await readMany(lots, (some) =>
    db
      .selectFrom('lot_content')
      .select(['container', (content) => content.fn.min('lot').as('lot')])
      .where('container', 'in', some)
      .groupBy('container')
      .execute(),
  )
  return new Map(rows.map(({ container, lot }) => [container, lot]))
}

function refuseFull(event: Genealogy, { taken, full }: Moves): void {
  for (const { lot } of taken) {
    const inside = lot.quantity.unit === 'pcs' ? full.get(lot.id) : undefined
    if (inside !== undefined) throw new TaktError('TAKT_TRACE_PACKED', { what: `'${lot.id}' is a container with '${inside}' in it`, where: placeOf(event) })
  }
}

async function pack({ db }: StoreTransaction, event: Genealogy, { inputs, taken, given }: Moves): Promise<void> {
  const container = given[0] as Stock
  const where = placeOf(event)
  if (container.lot.disposition === 'scrapped') throw new TaktError('TAKT_TRACE_LOT_HELD', { what: `'${container.lot.id}' is scrapped`, where })
  const around = new Set(await packedIn({ db }, container.lot.id))
  const inside = await contentsOf({ db }, container.lot.id)
  const rows = inputs.map(({ lot, quantity }, index) => {
    if (around.has(lot)) throw new TaktError('TAKT_TRACE_CYCLE', { what: `'${container.lot.id}' lies in '${lot}'`, where })
    const stock = taken[index] as Stock
    stock.packed = sum(stock.packed, quantity.value)
    stock.changed = true
    return { container: container.lot.id, lot, quantity: sum(inside.get(lot) ?? 0, quantity.value) }
  })
  for (const some of slicesOf(rows, ROWS_AT_ONCE))
    await db
      .insertInto('lot_content')
      .values([...some])
      .onConflict((conflict) => conflict.columns(['container', 'lot']).doUpdateSet((row) => ({ quantity: row.ref('excluded.quantity') })))
      .execute()
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
  const emptied: string[] = []
  for (const [lot, quantity] of wanted) {
    const there = inside.get(lot) ?? 0
    if (!suffices(there, quantity))
      throw new TaktError('TAKT_TRACE_BEYOND_STOCK', { what: `${quantity} of lot '${lot}' where ${there} lie in '${container}'`, where: placeOf(event) })
    const left = rest(there, quantity)
    if (left === 0) emptied.push(lot)
    else await tx.db.updateTable('lot_content').set({ quantity: left }).where('container', '=', container).where('lot', '=', lot).execute()
    const stock = book.get(lot) as Stock
    stock.packed = rest(stock.packed, quantity)
    if (event.location !== undefined) stock.location = event.location
    stock.changed = true
  }
  for (const some of slicesOf(emptied, ROWS_AT_ONCE))
    await tx.db.deleteFrom('lot_content').where('container', '=', container).where('lot', 'in', some).execute()
}

async function ship(tx: StoreTransaction, book: StockBook, event: Genealogy, { inputs }: Moves): Promise<void> {
  const shipped: Insertable<Tables['lot_shipment']>[] = []
  const row = (lot: string, container: string, quantity: number) =>
    shipped.push({ lot, event: event.id ?? '', container, party: event.party ?? '', quantity, time: event.time })
  for (const { lot, quantity } of inputs) {
    row(lot, '', quantity.value)
    for (const [inner, amount] of await takeContents(tx, book, event, lot)) row(inner, lot, amount)
  }
  for (const some of slicesOf(shipped, ROWS_AT_ONCE))
    await tx.db
      .insertInto('lot_shipment')
      .values([...some])
      .execute()
}

/** What lies in a container goes with it, and what lies in a container in it: lot to quantity. It is no longer in stock, nor in its container. */
async function takeContents(tx: StoreTransaction, book: StockBook, event: Genealogy, container: string): Promise<ReadonlyMap<string, number>> {
  const gone = new Map<string, number>()
  for (let outer = [container]; outer.length > 0; ) {
    const rows = await readMany(outer, (some) =>
      tx.db.selectFrom('lot_content').select(['container', 'lot', 'quantity']).where('container', 'in', some).execute(),
    )
    const full = [...new Set(rows.map((row) => row.container))]
    for (const some of slicesOf(full, ROWS_AT_ONCE)) await tx.db.deleteFrom('lot_content').where('container', 'in', some).execute()
    for (const { lot, quantity } of rows) gone.set(lot, sum(gone.get(lot) ?? 0, quantity))
    outer = [...new Set(rows.map(({ lot }) => lot))]
  }
  await book.read([...gone.keys()])
  for (const [lot, quantity] of gone) {
    const stock = book.get(lot) as Stock
    if (stock.lot.disposition === 'held') {
      const what = `lot '${lot}' in '${container}' is held: ${stock.lot.reason ?? 'no reason was given'}`
      throw new TaktError('TAKT_TRACE_LOT_HELD', { what, where: placeOf(event) })
    }
    stock.packed = rest(stock.packed, quantity)
    book.take(stock, quantity)
  }
  return gone
}
