import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score } from './detector.ts'

/** A deviation of 1 more for each tenth of the range beyond a limit; an alarm clears 3 % of the range within it. */
const STEEPNESS = 10

/** Fixed limits. The range between them is the measure; with one limit only, the limit itself. */
export class LimitsDetector implements Detector {
  readonly #low: number | undefined
  readonly #high: number | undefined
  readonly #range: number
  readonly #score = openScore()
  #value = 0

  constructor(low: number | undefined, high: number | undefined) {
    this.#low = low
    this.#high = high
    const range = low !== undefined && high !== undefined ? high - low : Math.abs(high ?? low ?? 1)
    this.#range = range > 0 ? range : 1
    this.#score.lower = low ?? null
    this.#score.upper = high ?? null
  }

  update(_time: number, value: number): Score {
    this.#value = value
    const over = this.#high === undefined ? Number.NEGATIVE_INFINITY : (value - this.#high) / this.#range
    const under = this.#low === undefined ? Number.NEGATIVE_INFINITY : (this.#low - value) / this.#range
    this.#score.deviation = Math.max(0, 1 + STEEPNESS * Math.max(over, under))
    return this.#score
  }

  evidence(): Evidence[] {
    if ((this.#score.deviation ?? 0) < NOTEWORTHY) return []
    const evidence: Evidence = { source: 'limits', value: this.#value }
    if (this.#low !== undefined) evidence.lower = this.#low
    if (this.#high !== undefined) evidence.upper = this.#high
    return [evidence]
  }

  get state(): DetectorState {
    return {}
  }
}
