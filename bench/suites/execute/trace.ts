import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../core/base/clock.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'
import { lineage } from '../../../core/trace/lineage.ts'
import { recallList } from '../../../core/trace/recall.ts'
import { recordEvent } from '../../../core/trace/record-event.ts'
import { type GenealogyGraph, writeGraph } from '../../support/genealogy-graph.ts'
import type { Row } from '../../support/table.ts'

const ROUNDS = 9
const TARGET = { atMost: 200 } as const
const EVENTS = 2000
const WRITERS = 64

/** Traces at 100,000 and 1,000,000 input-to-output relations, and how fast events of genealogy are recorded beside them. */
export async function run(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-trace-'))
  try {
    const small = await measure(join(folder, 'small.db'), 100_000, false)
    const large = await measure(join(folder, 'large.db'), 1_000_000, true)
    const { graph } = large
    const row = (what: string, { wall, slowest, cpu }: Taken): Row => ({
      what,
      figure: wall,
      unit: 'ms',
      target: TARGET,
      note: `slowest of ${ROUNDS} ${slowest.toFixed(0)} ms, CPU ${cpu.toFixed(0)} ms`,
    })
    return [
      row('backward, a lot with 10,000 ancestors, ten steps deep', large.wide),
      row('forward, a lot with 10,000 descendants', large.forward),
      row('backward, 10,000 ancestors one after the other', large.deep),
      { what: 'the graph they are in', figure: graph.relations, unit: 'relations', note: `${graph.edges} edges, ${graph.lots} lots` },
      { what: 'recall list of 10,000 lots, with whereabouts', figure: large.recall.wall, unit: 'ms', note: `CPU ${large.recall.cpu.toFixed(0)} ms` },
      { what: 'the first trace after opening the store', figure: large.first.wall, unit: 'ms' },
      { what: 'growth with ten times the graph (100,000 to 1,000,000), same trace, by CPU', figure: large.wide.cpu / small.wide.cpu, unit: '×' },
      { what: 'growth with ten times the ancestors (1,000 to 10,000), same graph, by CPU', figure: large.deep.cpu / large.thousand.cpu, unit: '×' },
      { what: `events of genealogy recorded (transform, 1 in, 1 out: 4 rows of the ledger), ${WRITERS} at a time`, figure: large.recorded, unit: 'events/s' },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** ms, medians; `cpu` of the whole process, which is what the trace costs where others want the same processors. */
interface Taken {
  readonly wall: number
  readonly slowest: number
  readonly cpu: number
}

interface Figures {
  readonly graph: GenealogyGraph
  readonly first: Taken
  readonly wide: Taken
  readonly forward: Taken
  readonly deep: Taken
  readonly thousand: Taken
  readonly recall: Taken
  /** events/s */
  readonly recorded: number
}

async function measure(file: string, relations: number, records: boolean): Promise<Figures> {
  const graph = await writeGraph(file, relations)
  const store = openStore({ file, clock: systemClock })
  try {
    await store.head()
    const first = await times(1, () => expect(lineage(store, graph.wide, 'backward'), 10_001))
    const wide = await times(ROUNDS, () => expect(lineage(store, graph.wide, 'backward'), 10_001))
    const forward = await times(ROUNDS, () => expect(lineage(store, graph.root, 'forward'), 10_001))
    const deep = await times(ROUNDS, () => expect(lineage(store, graph.deep, 'backward'), 10_000))
    const thousand = await times(ROUNDS, () => expect(lineage(store, graph.small, 'backward'), 1000))
    const recall = await times(3, async () =>
      expect(
        recallList(store, graph.root).then(({ lots }) => lots),
        10_002,
      ),
    )
    const recorded = records ? await recordRate(store) : Number.NaN
    return { graph, first, wide, forward, deep, thousand, recall, recorded }
  } finally {
    await store.close()
  }
}

async function expect(answer: Promise<readonly unknown[]>, length: number): Promise<void> {
  const found = await answer
  if (found.length !== length) throw new Error(`${found.length} lots were found where ${length} are`)
}

async function recordRate(store: Store): Promise<number> {
  const plant = checkPlant({ plant: 'p', timeZone: 'UTC', equipment: [{ id: 'p/unit-1', level: 'workUnit' }] }, 'bench')
  const options = { actor: 'bench', heldLots: 'refuse', unknownLots: 'refuse' } as const
  const quantity = { value: 1, unit: 'pcs' }
  let next = 0
  const one = async (): Promise<void> => {
    for (let event = next++; event < EVENTS; event = next++) {
      const told = { kind: 'genealogy', id: `new-${event}`, event: 'transform', jobOrder: null, time: event } as const
      const [inputs, outputs] = [
        [{ lot: `b0-0-${event % 1000}`, quantity: { value: 0.25, unit: 'pcs' } }],
        [{ lot: `new-${event}`, material: 'new', quantity }],
      ]
      await store.transaction((tx) => recordEvent(tx, plant, { ...told, inputs, outputs }, options))
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: WRITERS }, one))
  return EVENTS / ((performance.now() - began) / 1000)
}

async function times(rounds: number, work: () => Promise<void>): Promise<Taken> {
  const walls: number[] = []
  const cpus: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    const began = performance.now()
    await work()
    walls.push(performance.now() - began)
    const { user, system } = process.cpuUsage(before)
    cpus.push((user + system) / 1000)
  }
  return { wall: median(walls), slowest: Math.max(...walls), cpu: median(cpus) }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
