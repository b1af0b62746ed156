import { seededRandom } from '../../core/base/random.ts'
import type { Receipt } from '../../core/messages/command.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { MachineCommand } from '../../core/simulate/commands.ts'
import type { ConditionPublication, LedgerRow, SimulatedOrder, StatusPublication, Step } from '../../core/simulate/happenings.ts'
import { OrderStream } from '../../core/simulate/orders.ts'
import { PlantSimulation } from '../../core/simulate/plant-simulation.ts'

export const HOUR_MS = 3_600_000
/** Between two looks at the machines, plant ms. */
export const STEP_MS = 30_000
/** A unit whose state stays the same tells its counters this often, plant ms. */
const COUNTERS_EVERY_MS = 20 * 60_000
/** Work that the world offers: what keeps the lathes and mills of the plant busy for more than three quarters of the time. */
const ORDERS_PER_HOUR = 4
const ORDERS_AHEAD = 8
/** Machines begin somewhere in their life, before any damage can be felt. */
const YOUNGEST = 0.02
const OLDEST = 0.58

export interface TimedOrder {
  readonly time: number
  readonly order: SimulatedOrder
}

/** The simulated plant and its customers: the same seed gives the same machines, wear and orders, whoever runs the plant. */
export class LoopWorld {
  readonly simulation: PlantSimulation
  /** wear of each unit at the start, 0 new to 1 failed */
  readonly worn: ReadonlyMap<string, number>
  readonly rows: LedgerRow[] = []
  readonly #orders: OrderStream
  /** what each unit says now; what it said before within the same look is gone */
  readonly #said = new Map<string, StatusPublication>()
  readonly #told = new Map<string, StatusPublication>()
  readonly #hear: (said: StatusPublication | ConditionPublication) => void

  /** `hear`: all that machines publish, in order of time. */
  constructor(plant: Plant, seed: number, start: number, hear: (said: StatusPublication | ConditionPublication) => void) {
    this.#hear = hear
    this.simulation = new PlantSimulation({ plant, seed, start, wornUnit: '', wornAt: 0, ordersPerHour: 0, ordersAhead: 0 })
    this.#orders = new OrderStream({ seed, workMasters: plant.model.workMasters ?? [], start, perHour: ORDERS_PER_HOUR, ahead: ORDERS_AHEAD })
    const random = seededRandom(seed * 7919 + 17)
    this.worn = new Map(plant.units.map(({ id }) => [id, YOUNGEST + random() * (OLDEST - YOUNGEST)]))
    const step: Step = { publications: [], rows: [] }
    for (const [unit, wear] of this.worn) this.simulation.break(unit, wear, step)
    this.#take(this.simulation.present())
  }

  /** Orders that customers give up to `to`, each with its time: an ERP system knows them before they are released. */
  orders(to: number): TimedOrder[] {
    return this.#orders.advance(to)
  }

  advance(to: number): void {
    this.#take(this.simulation.advance(to))
  }

  command(unit: string, command: MachineCommand): Receipt {
    const step: Step = { publications: [], rows: [] }
    const receipt = this.simulation.command(unit, command, step)
    this.#take(step)
    return receipt
  }

  /** What units say that they have not told yet: another state, mode or job, and now and then their counters. */
  listen(): StatusPublication[] {
    const news: StatusPublication[] = []
    for (const [unit, said] of this.#said) {
      const told = this.#told.get(unit)
      const same = told !== undefined && (told.state === said.state || (isBusy(told) && isBusy(said))) && told.mode === said.mode && told.job === said.job
      const counted = told?.good !== said.good || told.scrap !== said.scrap
      if (same && (!counted || said.time - told.time < COUNTERS_EVERY_MS)) continue
      this.#told.set(unit, said)
      news.push(said)
    }
    return news.sort((a, b) => a.time - b.time || (a.unit < b.unit ? -1 : 1))
  }

  #take({ publications, rows }: Step): void {
    this.rows.push(...rows)
    for (const said of publications) {
      if (said.kind === 'gauge') continue
      this.#hear(said)
      if (said.kind === 'status') this.#said.set(said.unit, said)
    }
  }
}

/** Set-up and execution are one thing for its job order. */
function isBusy({ state }: StatusPublication): boolean {
  return state === 'Starting' || state === 'Execute' || state === 'Completing'
}
