/**
 * Takes the outliers out of a signal: a value far from what the last ones lead to expect is moved to the edge of what they do (Huber), until so many in a row
 * are out on the same side that the signal itself must have moved. Beside it a short average for people and charts.
 */
export interface IndicatorState {
  readonly centre: number
  readonly spread: number
  readonly smooth: number
  readonly out: number
  readonly seen: number
}

const FOLLOW = 0.25
const SMOOTH = 0.1
const EDGE = 4
/** Values in a row, on one side, that are believed. */
const BELIEVED = 4
const LEARNING = 10

export class HealthIndicator {
  #centre: number
  #spread: number
  #smooth: number
  #out: number
  #seen: number

  constructor(state?: IndicatorState) {
    this.#centre = state?.centre ?? 0
    this.#spread = state?.spread ?? 0
    this.#smooth = state?.smooth ?? 0
    this.#out = state?.out ?? 0
    this.#seen = state?.seen ?? 0
  }

  /** The value as it may be learned from. */
  update(value: number): number {
    this.#seen++
    if (this.#seen === 1) {
      this.#centre = value
      this.#smooth = value
      return value
    }
    const deviation = value - this.#centre
    const edge = EDGE * this.#spread
    const isOut = this.#seen > LEARNING && Math.abs(deviation) > edge
    this.#out = isOut ? (Math.sign(this.#out) === Math.sign(deviation) ? this.#out + Math.sign(deviation) : Math.sign(deviation)) : 0
    const cleaned = isOut && Math.abs(this.#out) < BELIEVED ? this.#centre + Math.sign(deviation) * edge : value
    const learned = cleaned - this.#centre
    const weight = Math.max(1 / this.#seen, 0.03)
    // 1.25: from mean deviation to standard deviation; a growing noise must not lock itself out
    this.#spread += weight * (1.25 * Math.min(Math.abs(deviation), Math.max(2 * edge, Math.abs(learned))) - this.#spread)
    this.#centre += FOLLOW * learned
    this.#smooth += Math.max(1 / this.#seen, SMOOTH) * (cleaned - this.#smooth)
    return cleaned
  }

  /** A short average of the cleaned values. */
  get smooth(): number {
    return this.#smooth
  }

  /** Standard deviation of a single value about what was expected. */
  get spread(): number {
    return this.#spread
  }

  get state(): IndicatorState {
    return { centre: this.#centre, spread: this.#spread, smooth: this.#smooth, out: this.#out, seen: this.#seen }
  }
}
