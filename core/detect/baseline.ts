/** One value moves a learned baseline no further than this many standard deviations do … */
const CLIP = 4
/** … once it rests on so many values. */
const CLIP_AFTER = 20

/** Mean and variance of what was seen so far, a value at a time (Welford 1962): wild values count for little, and old ones fade after `memory` values. */
export class Baseline {
  readonly #memory: number
  n: number
  mean: number
  variance: number

  constructor(memory: number, n: number, mean: number, variance: number) {
    this.#memory = memory
    this.n = n
    this.mean = mean
    this.variance = Math.max(0, variance)
  }

  /** Standard deviation; a signal that never moved may move by a thousandth of its level. */
  get sigma(): number {
    return Math.max(Math.sqrt(this.variance), 1e-9 + 1e-3 * Math.abs(this.mean))
  }

  learn(value: number): void {
    this.n++
    const weight = Math.max(1 / this.n, 1 / this.#memory)
    const reach = this.n > CLIP_AFTER ? CLIP * this.sigma : Number.POSITIVE_INFINITY
    const step = Math.max(-reach, Math.min(reach, value - this.mean))
    this.mean += weight * step
    this.variance += weight * ((1 - weight) * step * step - this.variance)
  }
}
