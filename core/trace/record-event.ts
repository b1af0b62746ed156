import { TaktError } from '../base/error.ts'
import type { Genealogy, LotQuantity } from '../messages/genealogy.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Lot } from '../messages/lot.ts'
import type { Because } from '../orders/change-job-order.ts'
import { setLotDisposition } from '../orders/lots.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreTransaction } from '../store/store.ts'
import { canonical } from './canonical.ts'
import { bookCounted } from './counted-lots.ts'
import { refuseCycle } from './cycles.ts'
import { applyToStock, fullContainers, kindOfMove } from './moves.ts'
import { same, suffices, sum } from './quantity.ts'
import { checkConserved, checkEvent, contentOf, eachLotOnce, idOf, placeOf } from './rules.ts'
import { freeOf, insertEdges, type Stock, StockBook } from './stock-book.ts'

export interface TraceOptions {
  readonly actor: string
  /** What is taken from a held lot: refused, or recorded, and what is made from it is held too. Shipping and packing it is always refused. */
  readonly heldLots: 'refuse' | 'follow'
  /** An input that the store does not know: refused, or opened with what is taken from it. */
  readonly unknownLots: 'refuse' | 'open'
}

export interface Recorded {
  readonly event: Genealogy
  /** It had been recorded before: nothing was changed. */
  readonly replayed: boolean
  /** The lots that it changed, as they are now. */
  readonly lots: readonly Lot[]
}

/**
 * Records an event of genealogy in one transaction: the event with its row of the ledger, the edges of the graph, what is in stock, the lots. The same event again
 * changes nothing. Refuses, with nothing changed, what cannot be: more taken than there is, another unit, quantities that are not conserved, a lot that is its own
 * ancestor, the id of another event (TAKT_TRACE_*), an unknown lot or job order (TAKT_LOT_UNKNOWN, TAKT_JOB_ORDER_UNKNOWN).
 */
export async function recordEvent(tx: StoreTransaction, plant: Plant, told: Genealogy, options: TraceOptions): Promise<Recorded> {
  checkEvent(told)
  const event: Genealogy = { ...contentOf(told), id: idOf(told) }
  const recording = new Recording(tx, plant, event, options)
  // asked for together: the way to the database and back is most of what an event costs
  const [known] = await Promise.all([tx.get('genealogy', idOf(event)), recording.read()])
  if (known !== undefined) return { event: sameEvent(known, event), replayed: true, lots: [] }
  return recording.run()
}

/** Throws TAKT_TRACE_EXISTS_DIFFERENT where the id is taken by another one. */
function sameEvent(known: Genealogy, event: Genealogy): Genealogy {
  if (canonical(contentOf(known)) === canonical(event)) return known
  throw new TaktError('TAKT_TRACE_EXISTS_DIFFERENT', { what: `event '${event.id}' was recorded as another ${known.event}`, where: placeOf(event) })
}

class Recording {
  readonly #tx: StoreTransaction
  readonly #plant: Plant
  readonly #event: Genealogy
  readonly #options: TraceOptions
  readonly #because: Because
  readonly #where: string
  readonly #book: StockBook
  #job: JobOrder | undefined
  #full: ReadonlyMap<string, string> = new Map()

  constructor(tx: StoreTransaction, plant: Plant, event: Genealogy, options: TraceOptions) {
    this.#tx = tx
    this.#plant = plant
    this.#event = event
    this.#options = options
    this.#because = { actor: options.actor, why: event.reason }
    this.#where = placeOf(event)
    this.#book = new StockBook(tx, this.#because)
  }

  /** What it needs to know, as far as the event itself names it. */
  async read(): Promise<void> {
    const { inputs, outputs, jobOrder } = this.#event
    const lots = inputs.map(({ lot }) => lot)
    ;[this.#job, this.#full] = await Promise.all([
      jobOrder === null ? undefined : this.#tx.get('job-order', jobOrder),
      fullContainers(this.#tx, [...new Set(lots)]),
      this.#book.read([...lots, ...outputs.map(({ lot }) => lot)]),
    ])
  }

  async run(): Promise<Recorded> {
    const inputs = eachLotOnce(this.#event.inputs, this.#where)
    const outputs = eachLotOnce(this.#event.outputs, this.#where)
    const job = this.#jobOrder()
    // what a job order consumes goes into its lot, whose quantity the job order's counts give
    const into = this.#event.event === 'consume' ? (job?.lot ?? null) : null
    if (into !== null) await this.#book.read([into])
    await bookCounted(this.#tx, this.#book, this.#options.actor)

    const taken = inputs.map((input) => this.#inputStock(input))
    const opened = await this.#openUnknown(inputs, taken)
    this.#checkInputs(inputs, opened)
    const materials = outputs.map((output) => this.#materialOf(output, opened, job))
    const amount = ({ quantity }: LotQuantity, material: string) => ({ material, unit: quantity.unit, value: quantity.value })
    const moves = kindOfMove(this.#event.event)
    if (moves === 'stock') {
      checkConserved(
        this.#event,
        inputs.map((input, index) => amount(input, opened[index]?.lot.material ?? '')),
        outputs.map((output, index) => amount(output, materials[index] ?? '')),
      )
    }
    const sink = into === null ? undefined : this.#book.get(into)
    if (into !== null && sink === undefined) throw new TaktError('TAKT_LOT_UNKNOWN', { what: `there is no lot '${into}' of its job order`, where: this.#where })
    if (sink !== undefined && inputs.some(({ lot }) => lot === into))
      throw new TaktError('TAKT_TRACE_SELF_PARENT', { what: `job order ${job?.id} makes lot '${into}' and cannot consume it`, where: this.#where })
    const giving = outputs.flatMap(({ lot }) => this.#book.get(lot) ?? []).concat(sink ?? [])
    if (moves === 'stock') await refuseCycle(this.#tx, giving, opened, this.#where)

    const suspect = opened.some(({ lot }) => lot.disposition === 'held')
    const given = await this.#outputStocks(outputs, materials, opened, job)
    const saved = await this.#tx.save<'genealogy'>(this.#event as Genealogy & { readonly kind: 'genealogy' }, {
      type: `genealogy.${this.#event.event}`,
      ...this.#because,
    })
    const node = saved.ledger ?? 0
    const incoming = inputs.map(({ quantity }, index) => ({ source: opened[index]?.node ?? 0, target: node, quantity: quantity.value }))
    // what packs and unpacks makes nothing: the container leads into the event, as what lies in it does
    const outgoing = outputs.map(({ quantity }, index) => {
      const lot = given[index]?.node ?? 0
      return moves === 'stock' ? { source: node, target: lot, quantity: quantity.value } : { source: lot, target: node, quantity: quantity.value }
    })
    const sunk = sink === undefined ? [] : [{ source: node, target: sink.node, quantity: 0 }]
    insertEdges(this.#tx, [...incoming, ...outgoing, ...sunk])
    const created = given.filter((_, index) => !giving.some(({ node: known }) => known === given[index]?.node))
    await applyToStock(this.#tx, this.#book, saved, { inputs, taken: opened, outputs, given, created, full: this.#full })
    const changed = await this.#book.write()
    const lots = new Map([...created.map(({ lot }) => lot), ...changed].map((lot) => [lot.id, lot]))
    for (const id of this.#follow(suspect, giving)) lots.set(id, await setLotDisposition(this.#tx, id, 'held', { actor: 'trace', why: reasonOf(opened) }))
    for (const { lot, onHand } of this.#event.event === 'scrap' ? opened : []) {
      // a lot whose order still runs gets more
      if (onHand === 0 && lot.disposition !== 'scrapped' && lot.disposition !== 'in-process')
        lots.set(lot.id, await setLotDisposition(this.#tx, lot.id, 'scrapped', this.#because))
    }
    return { event: saved, replayed: false, lots: [...lots.values()] }
  }

  #jobOrder(): JobOrder | undefined {
    const { jobOrder } = this.#event
    if (jobOrder !== null && this.#job === undefined)
      throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `there is no job order '${jobOrder}'`, where: this.#where })
    return this.#job
  }

  #inputStock({ lot, quantity }: LotQuantity): Stock | undefined {
    const stock = this.#book.get(lot)
    if (stock === undefined) {
      // what lies in a container can only be known to the store
      if (this.#options.unknownLots === 'open' && this.#event.event !== 'unpack' && this.#event.event !== 'adjust') return undefined
      throw new TaktError('TAKT_LOT_UNKNOWN', { what: `there is no lot '${lot}'`, where: this.#where })
    }
    this.#checkUnit(lot, quantity.unit, stock.lot.quantity.unit)
    return stock
  }

  /** Lots that are told of for the first time where something is taken from them: what is taken came in before. */
  async #openUnknown(inputs: readonly LotQuantity[], stocks: ReadonlyArray<Stock | undefined>): Promise<Stock[]> {
    const opened: Stock[] = []
    for (const [index, input] of inputs.entries()) {
      const stock = stocks[index]
      opened.push(stock ?? (await this.#open(input)))
    }
    return opened
  }

  async #open(input: LotQuantity): Promise<Stock> {
    const { lot, quantity } = input
    const material = this.#materialOf(input, [], undefined)
    const reason = 'first told of when it was used'
    const stock = await this.#book.create(
      { id: lot, material, disposition: 'released', location: this.#event.equipment ?? null, workOrder: null },
      quantity.unit,
      quantity.value,
    )
    const event = await this.#tx.save<'genealogy'>(
      {
        kind: 'genealogy',
        id: `${idOf(this.#event).slice(0, 150)}-opened-${stock.node}`,
        event: 'receive',
        inputs: [],
        outputs: [{ lot, quantity, material }],
        jobOrder: null,
        reason,
        time: this.#event.time,
      },
      { type: 'genealogy.receive', actor: this.#options.actor, why: reason },
    )
    insertEdges(this.#tx, [{ source: event.ledger ?? 0, target: stock.node, quantity: quantity.value }])
    return stock
  }

  #checkInputs(inputs: readonly LotQuantity[], stocks: readonly Stock[]): void {
    const { event } = this.#event
    for (const [index, { lot, quantity }] of inputs.entries()) {
      const stock = stocks[index] as Stock
      const { disposition } = stock.lot
      if (disposition === 'scrapped' && event !== 'scrap' && event !== 'adjust' && event !== 'unpack')
        throw new TaktError('TAKT_TRACE_LOT_HELD', { what: `lot '${lot}' is scrapped`, where: this.#where })
      const guarded = event === 'ship' || event === 'pack' || (this.#options.heldLots === 'refuse' && (event === 'consume' || event === 'transform'))
      if (disposition === 'held' && guarded)
        throw new TaktError('TAKT_TRACE_LOT_HELD', { what: `lot '${lot}' is held: ${stock.lot.reason ?? 'no reason was given'}`, where: this.#where })
      if (event === 'unpack') continue
      this.#checkSerial(lot, stock.lot.material, quantity.value)
      if (!suffices(freeOf(stock), quantity.value)) {
        const packed = stock.packed > 0 ? `, ${stock.packed} of ${stock.onHand} packed` : ''
        const what = `${quantity.value} ${quantity.unit} of lot '${lot}' where ${freeOf(stock)} ${stock.lot.quantity.unit} are free${packed}`
        throw new TaktError('TAKT_TRACE_BEYOND_STOCK', { what, where: this.#where })
      }
    }
  }

  #checkUnit(lot: string, given: string, unit: string): void {
    if (given !== unit) throw new TaktError('TAKT_TRACE_UNIT', { what: `lot '${lot}' is kept in ${unit}, not in ${given}`, where: this.#where })
  }

  /** A lot's material: the one it has, the one that is named, or what follows: the product of the job order, the one material that went in. */
  #materialOf({ lot, quantity, material }: LotQuantity, inputs: readonly Stock[], job: JobOrder | undefined): string {
    const stock = this.#book.get(lot)
    if (stock !== undefined) {
      this.#checkUnit(lot, quantity.unit, stock.lot.quantity.unit)
      if (material !== undefined && material !== stock.lot.material)
        throw new TaktError('TAKT_TRACE_MATERIAL', { what: `lot '${lot}' is ${stock.lot.material}, not ${material}`, where: this.#where })
      if (stock.lot.disposition === 'scrapped' && this.#event.event !== 'pack' && this.#event.event !== 'unpack')
        throw new TaktError('TAKT_TRACE_LOT_HELD', { what: `lot '${lot}' is scrapped`, where: this.#where })
      this.#checkSerial(lot, stock.lot.material, sum(quantity.value, stock.onHand))
      return stock.lot.material
    }
    const { event } = this.#event
    const one = new Set(inputs.map((input) => input.lot.material))
    const follows =
      event === 'split' || event === 'merge' || event === 'rework'
        ? one.size === 1
          ? [...one][0]
          : undefined
        : event === 'pack'
          ? 'container'
          : job === undefined || job.lot === null
            ? undefined
            : this.#book.get(job.lot)?.lot.material
    const found = material ?? follows
    if (found === undefined) throw new TaktError('TAKT_TRACE_MATERIAL', { what: `lot '${lot}' is new and nothing says of what material`, where: this.#where })
    const known = this.#plant.model.materials?.find(({ id }) => id === found)
    if (known !== undefined) this.#checkUnit(lot, quantity.unit, known.unit)
    this.#checkSerial(lot, found, quantity.value)
    return found
  }

  /** A numbered part is one. */
  #checkSerial(lot: string, material: string, quantity: number): void {
    if (this.#event.event === 'pack' || this.#event.event === 'unpack') return
    const tracking = this.#plant.model.materials?.find(({ id }) => id === material)?.tracking
    if (tracking === 'serial' && !same(quantity, 1))
      throw new TaktError('TAKT_TRACE_QUANTITY', {
        what: `'${lot}' is a numbered part of ${material}, so there is 1 of it, not ${quantity}`,
        where: this.#where,
      })
  }

  async #outputStocks(outputs: readonly LotQuantity[], materials: readonly string[], inputs: readonly Stock[], job: JobOrder | undefined): Promise<Stock[]> {
    const { event, location, equipment } = this.#event
    const suspect = inputs.some(({ lot }) => lot.disposition === 'held')
    const unknown = event === 'unpack' ? outputs.find(({ lot }) => this.#book.get(lot) === undefined) : undefined
    if (unknown !== undefined) throw new TaktError('TAKT_LOT_UNKNOWN', { what: `there is no lot '${unknown.lot}' to unpack`, where: this.#where })
    // side by side: the store takes them in this order, and need not be waited for between them
    const given = outputs.map(({ lot, quantity }, index): Stock | Promise<Stock> => {
      const known = this.#book.get(lot)
      if (known !== undefined) return known
      const inherited = event === 'split' || event === 'merge' || event === 'rework' ? inputs[0]?.lot : undefined
      const disposition = suspect && event !== 'pack' ? ('held' as const) : (inherited?.disposition ?? (job === undefined ? 'released' : 'in-process'))
      const reason = disposition === 'held' ? { reason: reasonOf(inputs) } : {}
      const workOrder = inherited?.workOrder ?? job?.workOrder ?? null
      return this.#book.create(
        { id: lot, material: materials[index] ?? '', disposition, location: location ?? equipment ?? inherited?.location ?? null, workOrder, ...reason },
        quantity.unit,
        event === 'pack' ? 1 : quantity.value,
      )
    })
    return Promise.all(given)
  }

  /** Lots that were there before and are in doubt now, because what went into them is. */
  #follow(suspect: boolean, giving: readonly Stock[]): string[] {
    const { event } = this.#event
    if (!suspect || event === 'pack' || event === 'unpack') return []
    return giving.filter(({ lot }) => lot.disposition !== 'held' && lot.disposition !== 'scrapped').map(({ lot }) => lot.id)
  }
}

function reasonOf(inputs: readonly Stock[]): string {
  const held = inputs.find(({ lot }) => lot.disposition === 'held')
  return `made from lot ${held?.lot.id}, which is held: ${held?.lot.reason ?? 'no reason was given'}`.slice(0, 1000)
}
