import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber, twoSidedTail } from './detector.ts'

export interface EwmaOptions {
  /** Weight of the newest value, 0…1; small sees small shifts, large sees sudden ones. */
  readonly lambda: number
  /** Width of the band in standard deviations of the average. */
  readonly width: number
  /** Values that mean and spread are learned from before it judges. */
  readonly warmup: number
}

/** Values that mean and spread look back on once they are learned. */
const MEMORY = 5000
const SLOWER_WHILE_STANDING = 20
/** One value moves mean and spread no further than this many standard deviations do. */
const CLIP = 3
/** Nor the average further than so many: a wild one would be seen in it for long. */
const WILD = 1000

/** EWMA control chart (Roberts 1959) whose centre and spread follow the signal slowly. */
export class EwmaDetector implements Detector {
  readonly #options: EwmaOptions
  readonly #sigmas: number
  readonly #score = openScore()
  #n: number
  #mean: number
  #variance: number
  #average: number

  constructor(options: EwmaOptions, state?: DetectorState) {
    this.#options = options
    this.#sigmas = Math.sqrt(options.lambda / (2 - options.lambda))
    this.#n = savedNumber(state, 'n', 0)
    this.#mean = savedNumber(state, 'mean', 0)
    this.#variance = savedNumber(state, 'variance', 0)
    this.#average = savedNumber(state, 'average', 0)
  }

  update(_time: number, value: number, standing: boolean, fixed = false): Score {
    const { lambda, width, warmup } = this.#options
    if (this.#n < warmup) {
      this.#warm(value)
      this.#average = this.#mean
      return this.#score
    }
    const sigma = Math.max(Math.sqrt(this.#variance), 1e-9 + 1e-6 * Math.abs(this.#mean))
    this.#average += lambda * (Math.max(this.#mean - WILD * sigma, Math.min(this.#mean + WILD * sigma, value)) - this.#average)
    const reach = width * sigma * this.#sigmas
    const score = this.#score
    score.deviation = Math.abs(this.#average - this.#mean) / reach
    score.expected = this.#mean
    score.lower = this.#mean - reach
    score.upper = this.#mean + reach
    if (!fixed) this.#learn(value, sigma, standing)
    return score
  }

  evidence(): Evidence[] {
    const { deviation, expected, lower, upper } = this.#score
    if (deviation === null || deviation < NOTEWORTHY || expected === null || lower === null || upper === null) return []
    return [{ source: 'ewma', value: this.#average, expected, lower, upper, p: twoSidedTail(deviation * this.#options.width) }]
  }

  get state(): DetectorState {
    return { n: this.#n, mean: this.#mean, variance: this.#variance, average: this.#average }
  }

  /** Welford's running mean and variance. */
  #warm(value: number): void {
    this.#n++
    const step = value - this.#mean
    this.#mean += step / this.#n
    this.#variance += (step * (value - this.#mean) - this.#variance) / this.#n
  }

  #learn(value: number, sigma: number, standing: boolean): void {
    this.#n++
    const weight = Math.max(1 / this.#n, 1 / MEMORY) / (standing ? SLOWER_WHILE_STANDING : 1)
    const step = Math.max(-CLIP * sigma, Math.min(CLIP * sigma, value - this.#mean))
    this.#mean += weight * step
    this.#variance += weight * (step * step - this.#variance)
  }
}
