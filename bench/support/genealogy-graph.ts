import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { systemClock } from '../../core/base/clock.ts'
import { seededRandom } from '../../core/base/random.ts'
import { openStore } from '../../core/store/open-store.ts'

const LAYERS = 10
const WIDTH = 1000

export interface GenealogyGraph {
  /** input-to-output pairs, and rows of the edge table (lot to event, event to lot) */
  readonly relations: number
  readonly edges: number
  readonly lots: number
  /** has 10,000 ancestors, ten steps deep */
  readonly wide: string
  /** the same lots seen from the other end: something that 10,000 were made from */
  readonly root: string
  /** has 10,000 ancestors one after the other */
  readonly deep: string
  /** has 1,000 ancestors */
  readonly small: string
}

/**
 * Writes a graph of genealogy into a new SQLite file, with the tables that the store makes and rows as the store writes them, but without the ledger's, which no trace reads.
 * Blocks of 10,000 lots in ten layers, each lot made from three of the layer before; the blocks' rows are mixed, as they would be in a plant where many orders run.
 */
export async function writeGraph(file: string, relations: number): Promise<GenealogyGraph> {
  const store = openStore({ file, clock: systemClock })
  await store.head()
  await store.close()
  const db = new DatabaseSync(file)
  db.exec('pragma synchronous = off; begin')
  const writer = new GraphWriter(db)
  const random = seededRandom(5)
  const chain = writer.chain('deep', LAYERS * WIDTH)
  writer.chain('small', 1000)
  const blocks = Math.max(1, Math.round((relations - writer.relations) / (3 * (LAYERS - 1) * WIDTH + 2 * WIDTH)))
  const layers: number[][] = Array.from({ length: blocks }, (_, block) => {
    const root = writer.lot(`root-${block}`)
    return Array.from({ length: WIDTH }, (_unused, place) => writer.made(`b${block}-0-${place}`, [root]))
  })
  for (let layer = 1; layer < LAYERS; layer++) {
    for (let place = 0; place < WIDTH; place++) {
      for (let block = 0; block < blocks; block++) {
        const before = layers[block] as number[]
        // one of the three is the one in its own place, so that every lot leads to the end
        const from = new Set([place, Math.floor(random() * WIDTH), Math.floor(random() * WIDTH)])
        writer.next(
          layers,
          block,
          writer.made(
            `b${block}-${layer}-${place}`,
            Array.from(from, (at) => before[at] as number),
          ),
        )
      }
    }
    writer.turn(layers)
  }
  for (const [block, last] of layers.entries()) writer.made(`end-${block}`, last)
  db.exec('commit')
  db.exec('analyze')
  db.close()
  return { relations: writer.relations, edges: writer.edges, lots: writer.lots, wide: 'end-0', root: 'root-0', deep: chain, small: 'small-1000' }
}

class GraphWriter {
  relations = 0
  edges = 0
  lots = 0
  // above every number that the ledger of the benchmark reaches
  #node = 1_000_000_000
  readonly #next = new Map<number, number[]>()
  readonly #lot: StatementSync
  readonly #stock: StatementSync
  readonly #event: StatementSync
  readonly #edge: StatementSync

  constructor(db: DatabaseSync) {
    this.#lot = db.prepare('insert into lot (id, revision, ledger, document, material, disposition) values (?, 1, ?, ?, ?, ?)')
    this.#stock = db.prepare('insert into lot_stock (lot, node, material, unit, on_hand, packed, counted, written) values (?, ?, ?, ?, 1, 0, 0, 1)')
    this.#event = db.prepare('insert into genealogy (id, revision, ledger, document, event, time, pooled) values (?, 1, ?, ?, ?, ?, ?)')
    this.#edge = db.prepare('insert into genealogy_edge (source, target, quantity) values (?, ?, 1)')
  }

  lot(id: string): number {
    const node = ++this.#node
    const document = {
      kind: 'lot',
      id,
      material: 'part',
      quantity: { value: 1, unit: 'pcs' },
      disposition: 'released',
      location: 'p/unit-1',
      workOrder: null,
      revision: 1,
      ledger: node,
    }
    this.#lot.run(id, node, JSON.stringify(document), 'part', 'released')
    this.#stock.run(id, node, 'part', 'pcs')
    this.lots++
    return node
  }

  made(id: string, from: readonly number[]): number {
    const lot = this.lot(id)
    const event = ++this.#node
    const document = { kind: 'genealogy', id: `e-${id}`, event: 'transform', inputs: [], outputs: [], jobOrder: null, time: event, revision: 1, ledger: event }
    this.#event.run(`e-${id}`, event, JSON.stringify(document), 'transform', event, 0)
    for (const source of from) this.#edge.run(source, event)
    this.#edge.run(event, lot)
    this.edges += from.length + 1
    this.relations += from.length
    return lot
  }

  /** One made of the one before; gives the name of the last, which has `length` ancestors. */
  chain(name: string, length: number): string {
    let last = this.lot(`${name}-0`)
    for (let step = 1; step <= length; step++) last = this.made(`${name}-${step}`, [last])
    return `${name}-${length}`
  }

  next(layers: readonly number[][], block: number, node: number): void {
    const layer = this.#next.get(block)
    if (layer === undefined) this.#next.set(block, [node])
    else layer.push(node)
    if (layers[block] === undefined) throw new Error(`there is no block ${block}`)
  }

  /** The layer that was made becomes the one that is made from. */
  turn(layers: number[][]): void {
    for (const [block, layer] of this.#next) layers[block] = layer
    this.#next.clear()
  }
}
