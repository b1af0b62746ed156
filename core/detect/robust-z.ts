import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber, savedNumbers, twoSidedTail } from './detector.ts'

export interface RobustZOptions {
  /** Values looked back on. */
  readonly window: number
  /** Robust standard deviations at which a value is out. */
  readonly threshold: number
  /** Values needed before it judges; at most `window`. */
  readonly warmup: number
}

/** Makes the median absolute deviation of a normal signal its standard deviation. */
const MAD_TO_SIGMA = 1.4826
/** While an alarm stands one value in so many is learned: a new level is normal at last, a failing machine is not soon. */
const LEARN_ONE_IN = 20

/** Distance to the median of the last values, measured by their median absolute deviation (Iglewicz & Hoaglin 1993). */
export class RobustZDetector implements Detector {
  readonly #options: RobustZOptions
  readonly #score = openScore()
  /** a ring in the order of arrival, and the same values sorted */
  readonly #ring: number[]
  readonly #sorted: number[]
  #next: number
  #skipped: number
  #value = 0

  constructor(options: RobustZOptions, state?: DetectorState) {
    this.#options = options
    this.#ring = savedNumbers(state, 'ring').slice(-options.window)
    this.#sorted = this.#ring.toSorted((a, b) => a - b)
    this.#next = savedNumber(state, 'next', 0) % options.window
    this.#skipped = savedNumber(state, 'skipped', 0)
  }

  update(_time: number, value: number, standing: boolean, fixed = false): Score {
    this.#value = value
    const { threshold, warmup, window } = this.#options
    const score = this.#score
    if (this.#sorted.length >= Math.min(warmup, window)) {
      const median = this.#median()
      // a signal that never moved may move by a thousandth
      const sigma = Math.max(MAD_TO_SIGMA * this.#deviationFrom(median), 1e-9 + 1e-3 * Math.abs(median))
      score.deviation = Math.abs(value - median) / (sigma * threshold)
      score.expected = median
      score.lower = median - sigma * threshold
      score.upper = median + sigma * threshold
    }
    if (!fixed && (!standing || ++this.#skipped >= LEARN_ONE_IN)) {
      this.#skipped = 0
      this.#remember(value)
    }
    return score
  }

  evidence(): Evidence[] {
    const { deviation, expected, lower, upper } = this.#score
    if (deviation === null || deviation < NOTEWORTHY || expected === null || lower === null || upper === null) return []
    return [{ source: 'robust-z', value: this.#value, expected, lower, upper, p: twoSidedTail(deviation * this.#options.threshold) }]
  }

  get state(): DetectorState {
    return { ring: this.#ring.slice(), next: this.#next, skipped: this.#skipped }
  }

  #median(): number {
    const sorted = this.#sorted
    const half = sorted.length >> 1
    const upper = sorted[half] ?? 0
    return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2
  }

  /** The median distance of the sorted values from their middle: walks outwards from it, half the values long. */
  #deviationFrom(middle: number): number {
    const sorted = this.#sorted
    let right = lowerBound(sorted, middle)
    let left = right - 1
    let distance = 0
    let before = 0
    for (let taken = sorted.length >> 1; taken >= 0; taken--) {
      before = distance
      const below = left >= 0 ? middle - (sorted[left] ?? 0) : Number.POSITIVE_INFINITY
      const above = right < sorted.length ? (sorted[right] ?? 0) - middle : Number.POSITIVE_INFINITY
      if (below < above) {
        distance = below
        left--
      } else {
        distance = above
        right++
      }
    }
    return sorted.length % 2 === 1 ? distance : (before + distance) / 2
  }

  #remember(value: number): void {
    const oldest = this.#ring[this.#next]
    if (oldest !== undefined && this.#ring.length === this.#options.window) this.#sorted.splice(lowerBound(this.#sorted, oldest), 1)
    this.#ring[this.#next] = value
    this.#next = (this.#next + 1) % this.#options.window
    this.#sorted.splice(lowerBound(this.#sorted, value), 0, value)
  }
}

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}
