import { TaktError } from '../base/error.ts'
import type { Lot } from '../messages/lot.ts'
import type { Because } from '../orders/change-job-order.ts'
import { insertRows } from '../store/insert-rows.ts'
import type { StoreTransaction } from '../store/store.ts'
import { rest, sum } from './quantity.ts'
import { readMany } from './rows.ts'

/** What there is of a lot, inside a transaction. Quantities in the lot's unit. */
export interface Stock {
  lot: Lot
  /** its number in the graph */
  readonly node: number
  onHand: number
  /** the part of it that lies in containers */
  packed: number
  counted: number
  written: number
  location: string | null
  changed: boolean
  /** as it was read: nobody else may have changed it when it is written */
  before: { readonly onHand: number; readonly packed: number }
}

export function freeOf({ onHand, packed }: Stock): number {
  return rest(onHand, packed)
}

/** The stocks that a transaction works on: read at once, changed in memory, written at the end. */
export class StockBook {
  readonly #tx: StoreTransaction
  readonly #because: Because
  readonly #stocks = new Map<string, Stock>()

  constructor(tx: StoreTransaction, because: Because) {
    this.#tx = tx
    this.#because = because
  }

  get(lot: string): Stock | undefined {
    return this.#stocks.get(lot)
  }

  all(): Iterable<Stock> {
    return this.#stocks.values()
  }

  /** Reads lots that are not read yet; a lot that genealogy has not seen before gets its place in the graph, empty. Lots that the store does not know are left out. */
  async read(ids: readonly string[]): Promise<void> {
    const wanted = [...new Set(ids)].filter((id) => !this.#stocks.has(id))
    const { db } = this.#tx
    const [lots, rows] = await Promise.all([
      readMany(wanted, (id) => this.#tx.list('lot', { where: { id } })),
      readMany(wanted, (some) => db.selectFrom('lot_stock').selectAll().where('lot', 'in', some).execute()),
    ])
    const known = new Map(rows.map((row) => [row.lot, row]))
    for (const lot of lots) {
      const row = known.get(lot.id)
      if (row === undefined) {
        this.#register(lot, 0)
      } else {
        const { node, on_hand: onHand, packed, counted, written } = row
        this.#stocks.set(lot.id, { lot, node, onHand, packed, counted, written, location: lot.location, changed: false, before: { onHand, packed } })
      }
    }
  }

  /** A lot that is new, with nothing in it. */
  async create(lot: Omit<Lot, 'kind' | 'quantity'>, unit: string, value: number): Promise<Stock> {
    const saved = await this.#tx.save<'lot'>({ kind: 'lot', ...lot, quantity: { value, unit } }, { type: 'lot.created', ...this.#because })
    return this.#register(saved, value)
  }

  add(stock: Stock, quantity: number): void {
    stock.onHand = sum(stock.onHand, quantity)
    stock.changed = true
  }

  take(stock: Stock, quantity: number): void {
    stock.onHand = rest(stock.onHand, quantity)
    stock.changed = true
  }

  /** Writes what changed, and the lots' documents where they say something else now. */
  async write(): Promise<Lot[]> {
    const changed = [...this.#stocks.values()].filter((stock) => stock.changed)
    return Promise.all(changed.map((stock) => this.#write(stock)))
  }

  async #write(stock: Stock): Promise<Lot> {
    const { lot, onHand, location } = stock
    stock.written = onHand
    stock.changed = false
    const says = lot.quantity.value === onHand && lot.location === location
    this.#tx.later(this.#update(stock))
    if (!says)
      stock.lot = await this.#tx.save<'lot'>({ ...lot, quantity: { ...lot.quantity, value: onHand }, location }, { type: 'lot.stock', ...this.#because })
    return stock.lot
  }

  async #update(stock: Stock): Promise<void> {
    const { lot, onHand, packed, counted, written, location, before } = stock
    stock.before = { onHand, packed }
    const { numUpdatedRows } = await this.#tx.db
      .updateTable('lot_stock')
      .set({ on_hand: onHand, packed, counted, written, location })
      .where('lot', '=', lot.id)
      .where('on_hand', '=', before.onHand)
      .where('packed', '=', before.packed)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) throw new TaktError('TAKT_STORE_CONFLICT', { what: 'the stock of the lot was changed in the meantime', where: `lot ${lot.id}` })
  }

  #register(lot: Lot, quantity: number): Stock {
    // the row of the ledger that wrote the document is this lot's alone
    const node = lot.ledger ?? 0
    const { id, material, location } = lot
    const { unit } = lot.quantity
    const row = [id, node, material, unit, quantity, 0, 0, quantity, location]
    this.#tx.later(insertRows(this.#tx.db, 'lot_stock', STOCK_COLUMNS, [row]))
    const before = { onHand: quantity, packed: 0 }
    const stock: Stock = { lot, node, onHand: quantity, packed: 0, counted: 0, written: quantity, location, changed: false, before }
    this.#stocks.set(id, stock)
    return stock
  }
}

export interface Edge {
  readonly source: number
  readonly target: number
  readonly quantity: number
}

export function insertEdges(tx: StoreTransaction, edges: readonly Edge[]): void {
  const rows = edges.map(({ source, target, quantity }) => [source, target, quantity])
  tx.later(insertRows(tx.db, 'genealogy_edge', ['source', 'target', 'quantity'], rows))
}

const STOCK_COLUMNS = ['lot', 'node', 'material', 'unit', 'on_hand', 'packed', 'counted', 'written', 'location']
