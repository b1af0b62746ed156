import type { Slab } from './slab.ts'

const SEEN = 0
const NEW_SUM = 1
const OLD_SUM = 2

/** How far the mean of the last values lies from the mean of as many before them. */
export class MeanShift {
  readonly #length: number
  readonly #ring: Float32Array
  readonly #numbers: Float64Array

  constructor(slab: Slab, length: number) {
    this.#length = length
    this.#ring = slab.singles(MeanShift.singles(length))
    this.#numbers = slab.doubles(MeanShift.doubles)
  }

  static singles(length: number): number {
    return 2 * length
  }

  static readonly doubles = 3

  distance(value: number): number {
    const length = this.#length
    const numbers = this.#numbers
    const seen = numbers[SEEN] as number
    const at = seen % (2 * length)
    const oldest = this.#ring[at] as number
    const middle = this.#ring[(at + length) % (2 * length)] as number
    this.#ring[at] = value
    const kept = this.#ring[at] as number
    numbers[SEEN] = seen + 1
    numbers[NEW_SUM] = (numbers[NEW_SUM] as number) + kept - middle
    numbers[OLD_SUM] = (numbers[OLD_SUM] as number) + middle - oldest
    return seen < 2 * length ? 0 : Math.abs((numbers[NEW_SUM] as number) - (numbers[OLD_SUM] as number)) / length
  }
}
