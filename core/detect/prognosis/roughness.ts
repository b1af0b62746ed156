/**
 * How rough a signal is at each scale: variance of the second differences of means over 1, 2, 4, … values (Hadamard variance). A straight trend does not show in it.
 * Noise without memory falls with the scale (6 σ²/m), a wandering level such as wear in random steps grows with it (m D): together they say how far a forecast may be wrong.
 */
export interface RoughnessState {
  /** by scale: sum and number of values in the open mean, the last two means, mean and variance of the differences, number of differences */
  readonly open: readonly number[]
  readonly filled: readonly number[]
  readonly last: readonly number[]
  readonly before: readonly number[]
  readonly mean: readonly number[]
  readonly variance: readonly number[]
  readonly count: readonly number[]
}

const SCALES = 12
/** Differences that a variance remembers, and those it takes for granted when it has none yet. */
const REMEMBERED = 24

export class Roughness {
  readonly #open: number[]
  readonly #filled: number[]
  readonly #last: number[]
  readonly #before: number[]
  readonly #mean: number[]
  readonly #variance: number[]
  readonly #count: number[]

  constructor(state?: RoughnessState) {
    const from = (saved: readonly number[] | undefined): number[] => Array.from({ length: SCALES }, (_, index) => saved?.[index] ?? 0)
    this.#open = from(state?.open)
    this.#filled = from(state?.filled)
    this.#last = from(state?.last)
    this.#before = from(state?.before)
    this.#mean = from(state?.mean)
    this.#variance = from(state?.variance)
    this.#count = from(state?.count)
  }

  update(value: number): void {
    let mean = value
    for (let j = 0; j < SCALES; j++) {
      // `count` counts the means until there are two, then the differences
      const count = (this.#count[j] as number) + 1
      this.#count[j] = count
      if (count > 2) {
        const difference = mean - 2 * (this.#last[j] as number) + (this.#before[j] as number)
        const weight = Math.max(1 / (count - 2), 1 / REMEMBERED)
        // about their own mean: a trend that bends is no roughness
        const deviation = difference - (this.#mean[j] as number)
        this.#mean[j] = (this.#mean[j] as number) + weight * deviation
        this.#variance[j] = (1 - weight) * ((this.#variance[j] as number) + weight * deviation * deviation)
      }
      this.#before[j] = this.#last[j] as number
      this.#last[j] = mean
      if (this.#filled[j] === 0) {
        this.#open[j] = mean
        this.#filled[j] = 1
        return
      }
      mean = (mean + (this.#open[j] as number)) / 2
      this.#filled[j] = 0
    }
  }

  /** Variance of noise without memory, as it acts on means over about `memory` values. */
  noise(memory: number): number {
    return this.#parts(memory, false)
  }

  /** Variance that the level gathers from one value to the next by wandering, as seen at the scale of `memory` values. */
  wander(memory: number): number {
    return this.#parts(memory, true)
  }

  /** Non-negative least squares of v(m) = A/m + B m over the scales up to half the memory, each relative to its own size. */
  #parts(memory: number, wander: boolean): number {
    let aa = 0
    let ab = 0
    let bb = 0
    let a1 = 0
    let b1 = 0
    for (let j = 0, m = 1; j < SCALES && m <= Math.max(1, memory / 2); j++, m *= 2) {
      const differences = (this.#count[j] as number) - 2
      const variance = this.#variance[j] as number
      if (differences < 3 || variance <= 0) continue
      // long scales say most of long horizons; few differences say little
      const weight = Math.min(differences, REMEMBERED) * Math.sqrt(m)
      const a = 1 / m / variance
      const b = m / variance
      aa += weight * a * a
      ab += weight * a * b
      bb += weight * b * b
      a1 += weight * a
      b1 += weight * b
    }
    if (aa === 0) return 0
    const determinant = aa * bb - ab * ab
    let noise = determinant > 1e-12 * aa * bb ? (a1 * bb - b1 * ab) / determinant : a1 / aa
    let drift = determinant > 1e-12 * aa * bb ? (b1 * aa - a1 * ab) / determinant : 0
    if (noise < 0) {
      noise = 0
      drift = b1 / bb
    } else if (drift < 0) {
      drift = 0
      noise = a1 / aa
    }
    return wander ? drift : noise / 6
  }

  get state(): RoughnessState {
    return {
      open: [...this.#open],
      filled: [...this.#filled],
      last: [...this.#last],
      before: [...this.#before],
      mean: [...this.#mean],
      variance: [...this.#variance],
      count: [...this.#count],
    }
  }
}
