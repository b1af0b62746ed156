import { join } from 'node:path'
import { countingIds } from '../../core/base/id.ts'
import { packageRoot } from '../../core/base/package-root.ts'
import { seededRandom } from '../../core/base/random.ts'
import { loadPlant } from '../../core/plant/load-plant.ts'
import type { ConditionPublication, StatusPublication, Step } from '../../core/simulate/happenings.ts'
import { PlantSimulation } from '../../core/simulate/plant-simulation.ts'

/** What watches a plant: it hears what machines say, and which job order makes which product. */
export interface Watcher {
  status(said: StatusPublication): void
  condition(said: ConditionPublication): void
  started?(jobOrder: string, product: string, operation: string): void
}

/** One machine from new, or repaired, to its failure; `wearAt` finds how worn it was, 0 new to 1 failed. */
export interface UnitLife {
  readonly unit: string
  readonly from: number
  /** epoch ms; absent: it had not failed by the end */
  readonly failed?: number
  /** since when its damage can be felt at all, epoch ms; absent: not yet */
  readonly felt?: number
}

/** A blow that ages each machine at once, so long after it was new or repaired: little was learned by then. */
export interface Shock {
  readonly afterMs: number
  readonly wear: number
}

/** Wear from which the simulated machines begin to feel different; below it whatever is said of one is false. */
const FELT = 0.6
const HOUR_MS = 3_600_000
const START = Date.UTC(2026, 5, 1, 4)
const STEP_MS = 30_000

/**
 * Machines of the reference plant that work day and night on all their products, a new one every hour or so, with pauses; nobody heeds any alarm, so each runs to failure and is then repaired.
 * Seeded. What they say goes to `watcher` in order of time.
 */
export function unitLives(seed: number, days: number, watcherOf: (plant: ReturnType<typeof loadPlant>) => Watcher, shock?: Shock): UnitLife[] {
  const plant = loadPlant(join(packageRoot, 'flows', 'reference-plant.json'))
  const watcher = watcherOf(plant)
  const simulation = new PlantSimulation({ plant, seed, start: START, wornUnit: '', wornAt: 0, ordersPerHour: 0, ordersAhead: 0 })
  const random = seededRandom(seed)
  const newId = countingIds()
  const lives: UnitLife[] = []
  const present = new Map<string, { from: number; felt?: number; failed?: number }>(plant.units.map(({ id }) => [id, { from: START }]))
  const hear = ({ publications, rows }: Step): void => {
    for (const row of rows) {
      const life = 'unit' in row ? present.get(row.unit) : undefined
      if (life === undefined) continue
      if (row.kind === 'stop' && row.cause === 'failure') life.failed = row.time
      if (row.kind !== 'repair-ended') continue
      lives.push({ unit: row.unit, ...life })
      present.set(row.unit, { from: row.time })
    }
    for (const said of publications) {
      if (said.kind === 'status') watcher.status(said)
      if (said.kind === 'condition') watcher.condition(said)
    }
  }
  const command = (unit: string, name: string, args: Record<string, unknown>): void => {
    const step: Step = { publications: [], rows: [] }
    simulation.command(unit, { id: newId('c'), name, arguments: args }, step)
    hear(step)
  }
  const work = plant.units.map(({ id }) => ({
    id,
    pauseUntil: 0,
    operations: (plant.model.workMasters ?? []).flatMap((master) =>
      master.operations
        .filter((operation) => plant.unitsFor(operation).some(({ equipment }) => equipment === id))
        .map(({ id: operation }) => [master.id, operation] as const),
    ),
  }))
  const end = START + days * 24 * HOUR_MS
  while (simulation.time < end) {
    hear(simulation.advance(simulation.time + STEP_MS))
    for (const unit of work) {
      const state = simulation.state.units[unit.id]
      const life = present.get(unit.id)
      if (state === undefined || life === undefined) continue
      if (
        shock !== undefined &&
        life.felt === undefined &&
        life.failed === undefined &&
        state.mode === 'Produce' &&
        simulation.time >= life.from + shock.afterMs
      ) {
        const step: Step = { publications: [], rows: [] }
        simulation.break(unit.id, Math.max(shock.wear, state.wear), step)
        hear(step)
      }
      if (life.felt === undefined && state.wear >= FELT) life.felt = simulation.time
      if (state.due !== null) continue
      if (state.state === 'Aborted') command(unit.id, 'enter-maintenance', { jobOrder: newId('mo') })
      if (!['Idle', 'Complete'].includes(state.state)) continue
      if (unit.pauseUntil === 0) unit.pauseUntil = simulation.time + (random() < 0.7 ? 1 : random() * HOUR_MS)
      const [product, operation] = unit.operations[Math.floor(random() * unit.operations.length)] ?? []
      if (simulation.time < unit.pauseUntil || product === undefined || operation === undefined) continue
      unit.pauseUntil = 0
      const jobOrder = newId('jo')
      watcher.started?.(jobOrder, product, operation)
      command(unit.id, 'start-job', { jobOrder, lot: 'lot', quantity: 10 + Math.floor(random() * 50), product, operation })
    }
  }
  return [...lives, ...[...present].map(([unit, life]) => ({ unit, ...life }))]
}

/** Hours of all lives in which nothing can be felt yet: where every alarm is false. */
export function healthyHours(lives: readonly UnitLife[], days: number): number {
  const end = START + days * 24 * HOUR_MS
  return lives.reduce((sum, { from, felt, failed }) => sum + ((felt ?? failed ?? end) - from), 0) / HOUR_MS
}
