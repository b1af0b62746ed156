import type { Findings } from './findings.ts'
import type { Source } from './source.ts'

interface LotQuantity {
  readonly lot: string
  readonly quantity: { readonly value: number }
}
interface Event {
  readonly id: string
  readonly event: string
  readonly inputs: readonly LotQuantity[]
  readonly outputs: readonly LotQuantity[]
  readonly jobOrder: string | null
  readonly ledger: number
}

/** The graph of genealogy is closed (every end of an edge is there, every event has its edges), has no circle, and gives what is in stock. */
export async function checkGenealogy(source: Source, findings: Findings): Promise<void> {
  const events = (await source.rows('SELECT document FROM genealogy ORDER BY ledger')).map(({ document }) => JSON.parse(String(document)) as Event)
  const stocks = await source.rows('SELECT lot, node, on_hand, packed FROM lot_stock')
  const edges = (await source.rows('SELECT source, target, quantity FROM genealogy_edge')).map((row) => ({
    source: Number(row.source),
    target: Number(row.target),
    quantity: Number(row.quantity),
  }))
  const lotOf = new Map(stocks.map(({ node, lot }) => [Number(node), String(lot)]))
  const nodeOf = new Map(stocks.map(({ node, lot }) => [String(lot), Number(node)]))
  const eventAt = new Map(events.map((event) => [event.ledger, event]))
  const known = new Map<string, number>()
  for (const { source: from, target: to, quantity } of edges) {
    known.set(`${from} ${to}`, quantity)
    const isClosed = (eventAt.has(from) && lotOf.has(to)) || (lotOf.has(from) && eventAt.has(to))
    if (!isClosed) findings.wrong(`the edge ${from} → ${to} leads from or to nothing`)
  }
  checkEdges(events, nodeOf, known, findings)
  checkCircles(edges, findings)
  checkStock(events, stocks, findings)
  const lots = new Set((await source.rows('SELECT id FROM lot')).map(({ id }) => String(id)))
  for (const lot of nodeOf.keys()) if (!lots.has(lot)) findings.missing(`lot ${lot}, which is in stock`)
}

/** Packing leads into its event from both sides. */
function checkEdges(events: readonly Event[], nodeOf: ReadonlyMap<string, number>, known: ReadonlyMap<string, number>, findings: Findings): void {
  for (const { id, event, inputs, outputs, ledger } of events) {
    const packing = event === 'pack' || event === 'unpack'
    const sides = [...inputs.map((entry) => ({ ...entry, into: true })), ...outputs.map((entry) => ({ ...entry, into: packing }))]
    for (const { lot, quantity, into } of sides) {
      const node = nodeOf.get(lot)
      const there = node === undefined ? undefined : known.get(into ? `${node} ${ledger}` : `${ledger} ${node}`)
      if (there === undefined) findings.missing(`the edge between ${id} (${event}) and lot ${lot}`)
      else if (Math.abs(there - quantity.value) > 1e-6) findings.wrong(`the edge between ${id} and ${lot} has ${there}, not ${quantity.value}`)
    }
  }
}

function checkCircles(edges: ReadonlyArray<{ readonly source: number; readonly target: number }>, findings: Findings): void {
  const out = Map.groupBy(edges, ({ source }) => source)
  const waits = new Map<number, number>()
  for (const { source, target } of edges) {
    waits.set(target, (waits.get(target) ?? 0) + 1)
    if (!waits.has(source)) waits.set(source, 0)
  }
  const free = [...waits].filter(([, count]) => count === 0).map(([node]) => node)
  let done = 0
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    done++
    for (const { target } of out.get(node) ?? []) {
      const left = (waits.get(target) ?? 0) - 1
      waits.set(target, left)
      if (left === 0) free.push(target)
    }
  }
  if (done < waits.size) findings.wrong(`${waits.size - done} nodes of the genealogy lie on circles or behind them`)
}

/** What there must be of each lot by all that happened to it, in its order. */
function checkStock(events: readonly Event[], stocks: Awaited<ReturnType<Source['rows']>>, findings: Findings): void {
  const there = new Map<string, number>()
  const inside = new Map<string, Map<string, number>>()
  const move = (lot: string, value: number): void => void there.set(lot, (there.get(lot) ?? 0) + value)
  const contentOf = (container: string): Map<string, number> => inside.get(container) ?? inside.set(container, new Map()).get(container) ?? new Map()
  /** What lies in a container goes with it. */
  const leave = (container: string): void => {
    for (const [lot, quantity] of contentOf(container)) {
      move(lot, -quantity)
      leave(lot)
    }
    inside.delete(container)
  }
  for (const { event, inputs, outputs } of events) {
    if (event === 'pack') {
      for (const { lot: container } of outputs) {
        // a container is one, however much is put in
        if ((there.get(container) ?? 0) === 0) there.set(container, 1)
        const content = contentOf(container)
        for (const { lot, quantity } of inputs) content.set(lot, (content.get(lot) ?? 0) + quantity.value)
      }
    } else if (event === 'unpack') {
      const content = contentOf(inputs[0]?.lot ?? '')
      if (outputs.length === 0) content.clear()
      for (const { lot, quantity } of outputs) content.set(lot, (content.get(lot) ?? 0) - quantity.value)
    } else {
      for (const { lot, quantity } of inputs) move(lot, -quantity.value)
      for (const { lot, quantity } of outputs) move(lot, quantity.value)
      if (event === 'ship') for (const { lot } of inputs) leave(lot)
    }
    const [into, out] = [inputs, outputs].map((side) => side.reduce((sum, { quantity }) => sum + quantity.value, 0)) as [number, number]
    if (['split', 'merge', 'rework'].includes(event) && Math.abs(into - out) > 1e-6) findings.wrong(`a ${event} takes ${into} and gives ${out}`)
  }
  const packed = new Map<string, number>()
  for (const content of inside.values()) for (const [lot, quantity] of content) packed.set(lot, (packed.get(lot) ?? 0) + quantity)
  for (const row of stocks) {
    const [lot, onHand, inBoxes] = [String(row.lot), Number(row.on_hand), Number(row.packed)]
    const sum = there.get(lot) ?? 0
    if (Math.abs(sum - onHand) > 1e-6 || onHand < 0) findings.wrong(`of lot ${lot} ${onHand} are in stock, its events give ${sum}`)
    const lies = packed.get(lot) ?? 0
    if (Math.abs(lies - inBoxes) > 1e-6) findings.wrong(`of lot ${lot} ${inBoxes} are packed, its events give ${lies}`)
  }
}
