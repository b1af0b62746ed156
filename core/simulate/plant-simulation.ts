import { TaktError } from '../base/error.ts'
import type { Receipt } from '../messages/command.ts'
import type { Plant } from '../plant/plant.ts'
import type { MachineCommand } from './commands.ts'
import { seedOf } from './dice.ts'
import type { SimulatedOrder, Step } from './happenings.ts'
import { type OrderState, OrderStream } from './orders.ts'
import { newUnitState, UnitSimulation, type UnitState } from './unit.ts'

export interface SimulationOptions {
  readonly plant: Plant
  readonly seed: number
  /** plant time at which it begins, epoch ms; not used when it continues */
  readonly start: number
  /** id, or last part of the id, of the unit that is nearly worn out at the start; empty for none */
  readonly wornUnit: string
  /** its wear at the start, 0 new … 1 failed */
  readonly wornAt: number
  /** orders per plant hour; 0 for none after the first */
  readonly ordersPerHour: number
  /** orders at once at the start */
  readonly ordersAhead: number
}

/** The whole simulation as plain JSON. */
export interface SimulationState {
  readonly version: 1
  readonly seed: number
  readonly start: number
  readonly time: number
  readonly orders: OrderState
  readonly units: Readonly<Record<string, UnitState>>
}

/** Wear to which `break` pushes a unit: it is felt at once, and failure is under an hour of cutting away. */
export const BREAK_WEAR = 0.8

/** A plant that lives in memory: pure and seeded, moved by `advance`, told by `command`. Saving and talking to the outside is the runner's work. */
export class PlantSimulation {
  readonly #options: SimulationOptions
  readonly #units = new Map<string, UnitSimulation>()
  readonly #orders: OrderStream
  readonly #seed: number
  readonly #start: number
  #time: number

  /** Begins anew, or continues from a saved state. A unit that the plant did not have then begins as new. */
  constructor(options: SimulationOptions, saved?: SimulationState) {
    this.#options = options
    this.#seed = saved?.seed ?? options.seed
    this.#start = saved?.start ?? options.start
    this.#time = saved?.time ?? options.start
    for (const equipment of options.plant.units) {
      const state = saved?.units[equipment.id] ?? this.#fresh(equipment.id)
      this.#units.set(equipment.id, new UnitSimulation(options.plant, equipment, state))
    }
    this.#orders = new OrderStream(
      {
        seed: this.#seed,
        workMasters: options.plant.model.workMasters ?? [],
        start: this.#start,
        perHour: options.ordersPerHour,
        ahead: options.ordersAhead,
      },
      saved?.orders,
    )
  }

  /** Plant time up to which it has lived, epoch ms. */
  get time(): number {
    return this.#time
  }

  /** A copy of its state is made when it is serialised: do so at once. */
  get state(): SimulationState {
    const units = Object.fromEntries([...this.#units].map(([id, unit]) => [id, unit.state]))
    return { version: 1, seed: this.#seed, start: this.#start, time: this.#time, orders: this.#orders.state, units }
  }

  /** Lives up to plant time `to`; what happened comes in order of time. */
  advance(to: number): Step {
    const step: Step = { publications: [], rows: [] }
    if (to > this.#time) {
      for (const unit of this.#units.values()) unit.advance(to, step)
      this.#time = to
    }
    for (const { time, order } of this.#orders.advance(this.#time)) step.rows.push({ kind: 'order', time, order })
    step.publications.sort((a, b) => a.time - b.time)
    step.rows.sort((a, b) => a.time - b.time)
    return step
  }

  /** Gives a unit a command at the present time. Throws TAKT_SIMULATOR_UNIT_UNKNOWN. */
  command(unit: string, command: MachineCommand, step: Step): Receipt {
    return this.#unit(unit).command(command, this.#time, step)
  }

  /** Wears a unit, by id or the last part of it. */
  break(unit: string, wear: number, step: Step): void {
    this.#unit(unit).break(wear, this.#time, step)
  }

  /** The unit's next `parts` parts will be out of specification. */
  spoil(unit: string, parts: number, step: Step): void {
    this.#unit(unit).spoil(parts, this.#time, step)
  }

  /** Every machine as first delivered; time, counters and orders go on. */
  reset(step: Step): void {
    for (const [id, unit] of this.#units) unit.reset(this.#fresh(id), this.#time, step)
  }

  /** The newest orders, oldest first; their ids stay, so whoever has them already knows them. */
  get recentOrders(): readonly SimulatedOrder[] {
    return this.#orders.state.recent.map(({ order }) => order)
  }

  /** What every unit says about itself now. */
  present(): Step {
    const step: Step = { publications: [], rows: [] }
    for (const unit of this.#units.values()) unit.publishStatus(this.#time, step)
    return step
  }

  #fresh(id: string): UnitState {
    const { wornUnit, wornAt } = this.#options
    const worn = wornUnit !== '' && (id === wornUnit || id.endsWith(`/${wornUnit}`))
    const state = newUnitState(id, this.#seed, this.#time, worn ? wornAt : undefined)
    // the counter of the unit that people watch is about to roll over, so that this is seen to work
    if (worn) state.good = 65_500 + (seedOf(this.#seed, id) % 24)
    return state
  }

  #unit(name: string): UnitSimulation {
    const found = this.#units.get(name) ?? [...this.#units].find(([id]) => id.endsWith(`/${name}`))?.[1]
    if (found === undefined) throw new TaktError('TAKT_SIMULATOR_UNIT_UNKNOWN', { what: `there is no unit '${name}'`, where: 'simulator' })
    return found
  }
}
