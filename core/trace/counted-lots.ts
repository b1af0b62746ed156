import type { Genealogy } from '../messages/genealogy.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import { contentHash, idFrom } from './canonical.ts'
import { kept, rest, suffices } from './quantity.ts'
import { readMany } from './rows.ts'
import { freeOf, insertEdges, type Stock, StockBook } from './stock-book.ts'

/**
 * Brings into stock what work orders have made since: orders write into a lot's document what they counted, and genealogy follows with an event of its own.
 * What a rework order made good it took from the lot with the bad parts.
 */
export async function bookCounted(tx: StoreTransaction, book: StockBook, actor: string): Promise<void> {
  const stocks = [...book.all()]
  const orders = await ordersOf(tx, stocks)
  for (const stock of stocks) {
    const { lot } = stock
    const order = lot.workOrder === null ? undefined : orders.get(lot.workOrder)
    const counted = countedOf(stock, order)
    const change = kept(counted - stock.counted)
    if (change === 0) continue
    stock.counted = counted
    if (change > 0) await bookMade(tx, book, stock, order, change, actor)
    else await bookLess(tx, book, stock, -change, actor)
  }
}

async function ordersOf(tx: StoreTransaction, stocks: readonly Stock[]): Promise<ReadonlyMap<string, WorkOrder>> {
  const ids = new Set(stocks.flatMap(({ lot }) => lot.workOrder ?? []))
  const orders = await readMany([...ids], (id) => tx.list('work-order', { where: { id } }))
  return new Map(orders.map((order) => [order.id, order]))
}

/** For one lot, by itself. */
export async function followCounted(tx: StoreTransaction, lot: string, actor: string): Promise<void> {
  const book = new StockBook(tx, { actor, why: 'counted by its work order' })
  await book.read([lot])
  await bookCounted(tx, book, actor)
  await book.write()
}

function countedOf({ lot, written, counted }: Stock, order: WorkOrder | undefined): number {
  // the document was written by the order since, or was there before genealogy was
  if (lot.quantity.value !== written) return Math.max(0, lot.quantity.value)
  if (order === undefined || order.lots.length !== 1 || order.lots[0] !== lot.id) return counted
  return Math.max(counted, order.progress.good)
}

async function bookMade(tx: StoreTransaction, book: StockBook, stock: Stock, order: WorkOrder | undefined, quantity: number, actor: string): Promise<void> {
  const parent = await reworkedFrom(book, order, quantity)
  const entry = entryOf(stock, quantity)
  const why = order === undefined ? 'in the store before' : `counted by work order ${order.id}`
  if (parent === undefined) {
    await save(tx, { event: 'produce', inputs: [], outputs: [entry] }, stock, why, actor, [], [stock])
  } else {
    await save(tx, { event: 'rework', inputs: [entryOf(parent, quantity)], outputs: [entry] }, stock, why, actor, [parent], [stock])
    book.take(parent, quantity)
  }
  book.add(stock, quantity)
}

async function bookLess(tx: StoreTransaction, book: StockBook, stock: Stock, less: number, actor: string): Promise<void> {
  const quantity = suffices(stock.onHand, less) ? less : stock.onHand
  if (quantity === 0) {
    stock.changed = true
    return
  }
  await save(tx, { event: 'adjust', inputs: [entryOf(stock, quantity)], outputs: [] }, stock, 'its work order counts less', actor, [stock], [])
  book.take(stock, quantity)
}

/** The lot that the bad parts were in, when it has so many. */
async function reworkedFrom(book: StockBook, order: WorkOrder | undefined, quantity: number): Promise<Stock | undefined> {
  const id = order?.type === 'rework' ? order.of?.lot : undefined
  if (id === undefined) return undefined
  await book.read([id])
  const parent = book.get(id)
  return parent !== undefined && rest(freeOf(parent), 0) > 0 && suffices(freeOf(parent), quantity) ? parent : undefined
}

function entryOf({ lot }: Stock, value: number): Genealogy['inputs'][number] {
  return { lot: lot.id, quantity: { ...lot.quantity, value } }
}

async function save(
  tx: StoreTransaction,
  sides: Pick<Genealogy, 'event' | 'inputs' | 'outputs'>,
  { lot, counted }: Stock,
  reason: string,
  actor: string,
  taken: readonly Stock[],
  given: readonly Stock[],
): Promise<void> {
  const id = idFrom('counted', lot.id, String(counted), contentHash([lot.revision ?? 0, lot.ledger ?? 0]).slice(0, 8))
  const event = await tx.save<'genealogy'>(
    { kind: 'genealogy', id, ...sides, jobOrder: null, reason, time: tx.now },
    { type: `genealogy.${sides.event}`, actor, why: reason },
  )
  const node = event.ledger ?? 0
  insertEdges(tx, [
    ...taken.map((stock) => ({ source: stock.node, target: node, quantity: sides.inputs[0]?.quantity.value ?? 0 })),
    ...given.map((stock) => ({ source: node, target: stock.node, quantity: sides.outputs[0]?.quantity.value ?? 0 })),
  ])
}
