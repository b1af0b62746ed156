import type { Slab } from './slab.ts'

const SEEN = 0
const LOW = 1
const HIGH = 2

/** How far a value is beyond everything seen so far, as a share of that range; 0 within it. */
export class NewRange {
  static readonly doubles = 3
  readonly #numbers: Float64Array

  constructor(slab: Slab) {
    this.#numbers = slab.doubles(NewRange.doubles)
  }

  /** `floor`: the least that the range is taken to be. `learns`: it becomes part of the range. */
  beyond(value: number, floor: number, learns: boolean): number {
    const numbers = this.#numbers
    if (numbers[SEEN] === 0) {
      numbers[SEEN] = 1
      numbers[LOW] = value
      numbers[HIGH] = value
      return 0
    }
    const low = numbers[LOW] as number
    const high = numbers[HIGH] as number
    if (learns && value < low) numbers[LOW] = value
    if (learns && value > high) numbers[HIGH] = value
    const beyond = Math.max(0, value - high, low - value)
    return beyond === 0 ? 0 : beyond / Math.max(high - low, floor)
  }
}
