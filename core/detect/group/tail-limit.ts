/** What it remembers: rows learned, mean of the cube root, and mean square of what lies above it. */
export type TailState = readonly [rows: number, mean: number, above: number]

/** So many of its own upward spreads above its mean lies the limit. */
const SPREADS = 2.6
/** Rows that what it began with counts for, and the spread it began with. */
const PRIOR_ROWS = 20
const PRIOR_SPREAD = 0.25
/** Rows remembered. */
const MEMORY = 2000
/** A row teaches no more than so many spreads: one fault's beginning is not to raise the limit for it. */
const CLIP = 3

/**
 * The control limit of a statistic that is a sum of squares, learned from its own history: the cube root of such a sum is nearly normal, whatever the number of its terms
 * (Wilson & Hilferty 1931), so the limit is that root's mean plus so many of its upward spreads. What the statistic ought to be by theory is where it begins, not where it ends. O(1) memory.
 */
export class TailLimit {
  #rows: number
  #mean: number
  #above: number

  /** `expected`: of the statistic, by theory. */
  constructor(expected: number, state?: TailState) {
    this.#rows = state?.[0] ?? 0
    this.#mean = state?.[1] ?? Math.cbrt(expected)
    this.#above = state?.[2] ?? PRIOR_SPREAD * PRIOR_SPREAD
  }

  get limit(): number {
    return (this.#mean + SPREADS * Math.sqrt(this.#above)) ** 3
  }

  /** A row that passed for normal; `trust` from 0 to 1. */
  learn(statistic: number, trust: number): void {
    this.#rows++
    const weight = trust * Math.max(1 / (this.#rows + PRIOR_ROWS), 1 / MEMORY)
    const most = CLIP * Math.sqrt(this.#above)
    const distance = Math.max(-most, Math.min(most, Math.cbrt(statistic) - this.#mean))
    this.#mean += weight * distance
    // about half of the rows lie above
    if (distance > 0) this.#above += 2 * weight * (distance * distance - this.#above)
  }

  get state(): TailState {
    return [this.#rows, this.#mean, this.#above]
  }
}
