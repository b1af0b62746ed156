import assert from 'node:assert/strict'
import { seededRandom } from '../../../../core/base/random.ts'
import type { GenealogyEvent } from '../../../../core/messages/genealogy.ts'
import { lineage } from '../../../../core/trace/lineage.ts'
import type { Ground, Side } from '../support/ground.ts'

const EVENTS: readonly GenealogyEvent[] = [
  'receive',
  'transform',
  'transform',
  'split',
  'merge',
  'rework',
  'consume',
  'ship',
  'scrap',
  'pack',
  'unpack',
  'adjust',
]

interface Model {
  /** what an independent book says of each lot */
  readonly stock: Map<string, number>
  readonly parents: Map<string, Set<string>>
}

/** Random events, sensible and not; what was taken is booked by the test itself from the documents alone. */
async function play(ground: Ground, seed: number, steps: number): Promise<Model & { refused: number; recorded: number }> {
  const random = seededRandom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const stock = new Map<string, number>()
  const parents = new Map<string, Set<string>>()
  let refused = 0
  let recorded = 0
  let next = 0
  const quantity = (): number => (random() < 0.05 ? -1 : pick([0.1, 0.2, 0.3, 0.3, 1, 2.5, 7]))
  const some = (most: number): Side =>
    Object.fromEntries(
      Array.from({ length: 1 + Math.floor(random() * most) }, () => [
        random() < 0.02 ? 'lot-none' : pick([...stock].filter(([, quantity]) => quantity > 0 || random() < 0.1).map(([lot]) => lot)),
        quantity(),
      ]),
    )
  const made = (): string => (random() < 0.8 || stock.size === 0 ? `lot-${next++}` : pick([...stock.keys()]))
  const side = (most: number): Side => Object.fromEntries(Array.from({ length: 1 + Math.floor(random() * most) }, () => [made(), quantity()]))

  for (let step = 0; step < steps; step++) {
    const event = stock.size < 5 ? 'receive' : pick(EVENTS)
    let inputs: Side = event === 'receive' ? {} : some(event === 'split' || event === 'unpack' ? 1 : 3)
    let outputs: Side = ['receive', 'transform'].includes(event)
      ? side(3)
      : event === 'merge' || event === 'rework' || event === 'split'
        ? side(event === 'merge' ? 1 : 2)
        : {}
    const total = Object.values(inputs).reduce<number>((sum, value) => sum + (value as number), 0)
    // most of them conserve, so that most are taken
    if (['transform', 'split', 'merge', 'rework'].includes(event) && random() < 0.85) {
      const names = Object.keys(outputs)
      outputs = Object.fromEntries(names.map((name) => [name, total / names.length]))
    }
    if (event === 'pack') outputs = { [pick(['box-1', 'box-2'])]: [1, 'pcs'] }
    if (event === 'unpack') inputs = { [pick(['box-1', 'box-2'])]: [1, 'pcs'] }
    if (event === 'adjust' && random() < 0.5) [inputs, outputs] = [{}, inputs]
    const told = ground.event(event, inputs, outputs, { id: `e-${seed}-${step}` })
    try {
      await ground.record(told)
    } catch (error) {
      assert.match((error as { code: string }).code, /^TAKT_(TRACE_|LOT_UNKNOWN)/)
      refused++
      continue
    }
    recorded++
    // as anyone would book it by hand
    if (event === 'pack' || event === 'unpack') {
      if (event === 'pack') stock.set(told.outputs[0]!.lot, 1)
      continue
    }
    for (const { lot, quantity } of told.inputs) stock.set(lot, (stock.get(lot) ?? 0) - quantity.value)
    for (const { lot, quantity } of told.outputs) {
      stock.set(lot, (stock.get(lot) ?? 0) + quantity.value)
      const from = parents.get(lot) ?? new Set()
      for (const input of told.inputs) from.add(input.lot)
      parents.set(lot, from)
    }
  }
  return { stock, parents, refused, recorded }
}

function ancestorsBy(parents: ReadonlyMap<string, ReadonlySet<string>>, lot: string): string[] {
  const found = new Set<string>()
  const walk = (of: string): void => {
    for (const parent of parents.get(of) ?? []) {
      if (found.has(parent)) continue
      found.add(parent)
      walk(parent)
    }
  }
  walk(lot)
  return [...found].sort()
}

/** What must hold whatever is told, and whatever database it stands in. */
export function randomEvents(newGround: () => Ground, seeds: readonly number[]): void {
  describe('genealogy: random events', () => {
    for (const seed of seeds) {
      it(`conserve quantities, stay acyclic and closed, and agree forward and backward (seed ${seed})`, async () => {
        const ground = newGround()
        try {
          const { stock, parents, refused, recorded } = await play(ground, seed, 250)
          assert.ok(recorded > 60 && refused > 30, `${recorded} recorded, ${refused} refused`)
          const { db } = ground.store
          for (const { lot, on_hand: onHand, packed } of await db.selectFrom('lot_stock').selectAll().execute()) {
            assert.ok(onHand >= 0 && packed >= 0 && packed <= onHand + 1e-9, lot)
            // a container that was shipped or scrapped is counted by its own events
            assert.ok(Math.abs(onHand - (stock.get(lot) ?? 0)) < 1e-6, `${lot}: ${onHand} where the events give ${stock.get(lot)}`)
            assert.equal(await ground.stock(lot), onHand)
            const inside = await db.selectFrom('lot_content').select('quantity').where('lot', '=', lot).execute()
            assert.ok(Math.abs(inside.reduce((sum, { quantity }) => sum + quantity, 0) - packed) < 1e-6, `${lot} packed`)
          }
          // closed: every end of an edge is an event or a lot
          const nodes = new Set([
            ...(await db.selectFrom('lot_stock').select('node').execute()).map(({ node }) => node),
            ...(await db.selectFrom('genealogy').select('ledger').execute()).map(({ ledger }) => ledger),
          ])
          for (const { source, target } of await db.selectFrom('genealogy_edge').selectAll().execute()) assert.ok(nodes.has(source) && nodes.has(target))

          const backward = new Map<string, string[]>()
          for (const lot of stock.keys()) {
            if (lot.startsWith('box-')) continue
            const found = (await lineage(ground.store, lot, 'backward')).map((traced) => traced.lot)
            assert.deepEqual(found, ancestorsBy(parents, lot), lot)
            assert.ok(!found.includes(lot), `${lot} is its own ancestor`)
            backward.set(lot, found)
          }
          for (const lot of backward.keys()) {
            const forward = (await lineage(ground.store, lot, 'forward')).map((traced) => traced.lot)
            const expected = Array.from(backward).flatMap(([child, from]) => (from.includes(lot) ? [child] : []))
            assert.deepEqual(forward, expected.sort(), lot)
          }
          assert.ok((await ground.store.verify()).ok)
        } finally {
          await ground.close()
        }
      })
    }
  })
}
