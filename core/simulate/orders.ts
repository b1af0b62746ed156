import type { WorkMaster } from '../plant/model.ts'
import { Dice, seedOf } from './dice.ts'
import type { SimulatedOrder } from './happenings.ts'

const HOUR_MS = 3_600_000
const FIRST_NUMBER = 100_001
const RECENT = 20

export interface OrderStreamOptions {
  readonly seed: number
  readonly workMasters: readonly WorkMaster[]
  /** plant time of the first order, epoch ms */
  readonly start: number
  readonly perHour: number
  /** orders that are there at the start, so that there is work at once */
  readonly ahead: number
}

/** Where the stream stands; saved, so that a restart makes no order anew. */
export interface OrderState {
  count: number
  nextAt: number
  /** the newest orders, to be sent again after a restart: nobody knows whether the last ones arrived */
  recent: TimedOrder[]
}

export interface TimedOrder {
  readonly time: number
  readonly order: SimulatedOrder
}

/** Customers' orders from a seed. Order number n is the same in every run with the same seed and start, so an order that is sent again is known by its id. */
export class OrderStream {
  readonly #options: OrderStreamOptions
  readonly state: OrderState

  constructor(options: OrderStreamOptions, state: OrderState = { count: 0, nextAt: options.start, recent: [] }) {
    this.#options = options
    this.state = state
  }

  /** The orders that have come in up to `to`, each with its time. */
  advance(to: number): TimedOrder[] {
    const arrived: TimedOrder[] = []
    const { perHour, ahead, workMasters } = this.#options
    while (this.state.nextAt <= to && workMasters.length > 0) {
      if (this.state.count >= ahead && perHour <= 0) break
      arrived.push({ time: this.state.nextAt, order: this.#order(this.state.count, this.state.nextAt) })
      this.state.count++
      if (this.state.count >= ahead && perHour > 0) this.state.nextAt += Math.round((HOUR_MS / perHour) * this.#dice(this.state.count, 'gap').between(0.5, 1.5))
    }
    this.state.recent = [...this.state.recent, ...arrived].slice(-RECENT)
    return arrived
  }

  #order(number: number, time: number): SimulatedOrder {
    const dice = this.#dice(number, 'order')
    const { workMasters } = this.#options
    // the first ones in turn, so that every kind of machine has work from the start
    const master =
      workMasters[number < workMasters.length * 2 ? workMasters.length - 1 - (number % workMasters.length) : Math.floor(dice.next() * workMasters.length)]
    if (master === undefined) throw new RangeError('no work masters')
    const quantity = 8 + 2 * Math.floor(dice.between(0, 7))
    const rush = dice.chance(0.1)
    const leadMs = HOUR_MS + workMs(master, quantity) * (rush ? 1.3 : dice.between(1.8, 4))
    const due = Math.ceil((time + leadMs) / 900_000) * 900_000
    return { id: `SO-${FIRST_NUMBER + number}`, product: master.id, quantity, due: new Date(due).toISOString(), priority: rush ? 9 : 5 }
  }

  #dice(number: number, what: string): Dice {
    return new Dice(seedOf(this.#options.seed, `${what}-${number}`))
  }
}

/** Machine time of an order if nothing waits. */
function workMs(master: WorkMaster, quantity: number): number {
  return master.operations.reduce((sum, { alternatives }) => sum + (alternatives[0]?.setupMs ?? 0) + quantity * (alternatives[0]?.perPieceMs ?? 0), 0)
}
