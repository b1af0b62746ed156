import type { Evidence } from '../messages/anomaly.ts'
import { Baseline } from './baseline.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber } from './detector.ts'

export interface DriftOptions {
  /** Standard deviations of single values that the long average may wander from where it was. */
  readonly size: number
  /** Values that the long average looks back on. */
  readonly over: number
  /** Values that the reference is learned from; it is frozen then. */
  readonly warmup: number
}

/** One value counts for no more than this many standard deviations: a spike is no drift. */
const CLIP = 4

/** Slow change of level: a long moving average against a reference that was learned once and stays. What creeps cannot take the reference along. */
export class DriftDetector implements Detector {
  readonly #options: DriftOptions
  readonly #weight: number
  readonly #score = openScore()
  readonly #reference: Baseline
  #average: number

  constructor(options: DriftOptions, state?: DetectorState) {
    this.#options = options
    this.#weight = 2 / (options.over + 1)
    this.#reference = new Baseline(Number.POSITIVE_INFINITY, savedNumber(state, 'n', 0), savedNumber(state, 'mean', 0), savedNumber(state, 'variance', 0))
    this.#average = savedNumber(state, 'average', 0)
  }

  /** The reference is frozen whether an alarm stands or not; the average only measures. */
  update(_time: number, value: number): Score {
    const reference = this.#reference
    if (reference.n < this.#options.warmup) {
      reference.learn(value)
      this.#average = reference.mean
      return this.#score
    }
    const { sigma, mean } = reference
    this.#average += this.#weight * Math.max(-CLIP * sigma, Math.min(CLIP * sigma, value - this.#average))
    const reach = this.#options.size * sigma
    const score = this.#score
    score.deviation = Math.abs(this.#average - mean) / reach
    score.expected = mean
    score.lower = mean - reach
    score.upper = mean + reach
    return score
  }

  evidence(): Evidence[] {
    const { deviation, expected, lower, upper } = this.#score
    if (deviation === null || deviation < NOTEWORTHY || expected === null || lower === null || upper === null) return []
    return [{ source: 'drift', value: this.#average, expected, lower, upper, text: `mean of about ${this.#options.over} values` }]
  }

  get state(): DetectorState {
    const { n, mean, variance } = this.#reference
    return { n, mean, variance, average: this.#average }
  }
}
