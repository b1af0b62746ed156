import type { Random } from '../base/random.ts'
import type { Timetable } from './timetable.ts'

/** Iterations for which a change of alternative and a change of order are not taken back, at least. */
const TABU_ALTERNATIVE = 12
const TABU_ORDER = 7
/** Where set-ups differ, operations have to pass each other to and fro. */
const TABU_ORDER_SETUPS = 4
const TABU_SPREAD = 8
const PAIRS = 1 << 17

/** Until which iteration one operation may not come before another again, and an operation not return to an alternative. */
export class TabuList {
  readonly #table: Timetable
  readonly #random: Random
  readonly #leastOrder: number
  readonly #pair = new Int32Array(PAIRS)
  readonly #alternative: Int32Array

  constructor(table: Timetable, random: Random) {
    const { model } = table
    this.#table = table
    this.#random = random
    const setups = model.problem.units.some((unit) => unit.setups !== undefined)
    this.#leastOrder = (setups ? TABU_ORDER_SETUPS : TABU_ORDER) + Math.floor(model.count / Math.max(1, model.units) / 4)
    this.#alternative = new Int32Array(model.alternativeUnit.length)
  }

  /** May `a` not come before `b`? */
  isOrderTabu(a: number, b: number, iteration: number): boolean {
    return (this.#pair[pairOf(a, b)] as number) > iteration
  }

  isAlternativeTabu(alternative: number, iteration: number): boolean {
    return (this.#alternative[alternative] as number) > iteration
  }

  /** Keeps a move that is about to be made from being undone for a while. */
  forbid(operation: number, alternative: number, previous: number, iteration: number): void {
    const table = this.#table
    const { model } = table
    const present = table.alternative[operation] as number
    if (alternative !== present) {
      const choices = (model.alternativeFirst[operation + 1] as number) - (model.alternativeFirst[operation] as number)
      this.#alternative[present] = iteration + TABU_ALTERNATIVE + choices + Math.floor(this.#random() * TABU_SPREAD)
      return
    }
    const until = iteration + this.#leastOrder + Math.floor(this.#random() * TABU_SPREAD)
    // which way it goes: the target lies ahead when walking on from the operation meets it
    let other = table.next[operation] as number
    while (other >= 0 && other !== previous) other = table.next[other] as number
    if (other >= 0 && previous >= 0) {
      for (let passed = table.next[operation] as number; ; passed = table.next[passed] as number) {
        this.#pair[pairOf(operation, passed)] = until
        if (passed === previous) return
      }
    }
    for (let passed = table.previous[operation] as number; passed >= 0 && passed !== previous; passed = table.previous[passed] as number)
      this.#pair[pairOf(passed, operation)] = until
  }
}

/** A place in the table for "`a` comes before `b`". */
function pairOf(a: number, b: number): number {
  return (Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)) & (PAIRS - 1)
}
