import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber } from './detector.ts'

export interface VarianceOptions {
  /** Values that the short-term variance looks back on. */
  readonly window: number
  /** How many times larger, or smaller, the standard deviation may be than it used to; above 1. */
  readonly factor: number
  /** Values that the long-term variance is learned from before it judges. */
  readonly warmup: number
}

/** Values that the long-term variance looks back on. */
const MEMORY = 5000
/** One step counts for no more than this many standard deviations: a spike or a new level is no change of variance. */
const CLIP = 3
/** While it learns, only from so many values on. */
const CLIP_AFTER = 20
/** Nothing is learned from this deviation on: the change it may be seeing must not become normal. */
const DOUBT = 0.8

/**
 * Restlessness, and the lack of it: variance of the last values against that of many, from the steps between neighbours (von Neumann 1941), so that a level
 * that moves is none of its business.
 */
export class VarianceDetector implements Detector {
  readonly #options: VarianceOptions
  readonly #weight: number
  readonly #score = openScore()
  #n: number
  #last: number
  #short: number
  #long: number

  constructor(options: VarianceOptions, state?: DetectorState) {
    this.#options = options
    this.#weight = 2 / (options.window + 1)
    this.#n = savedNumber(state, 'n', 0)
    this.#last = savedNumber(state, 'last', 0)
    this.#short = Math.max(0, savedNumber(state, 'short', 0))
    this.#long = Math.max(0, savedNumber(state, 'long', 0))
  }

  update(_time: number, value: number, standing: boolean): Score {
    const { warmup, factor } = this.#options
    const step = this.#n === 0 ? 0 : (value - this.#last) / Math.SQRT2
    // of a wild value's two steps the other end is the level
    const level = Math.min(Math.abs(value), Math.abs(this.#last))
    this.#last = value
    this.#n++
    if (this.#n === 1) return this.#score
    // a signal that never moved may move by a thousandth of its level
    const least = (1e-9 + 1e-3 * level) ** 2
    if (this.#n <= warmup) {
      const most = this.#n > CLIP_AFTER ? CLIP * CLIP * Math.max(this.#long, least) : Number.POSITIVE_INFINITY
      this.#long += (Math.min(step * step, most) - this.#long) / (this.#n - 1)
      this.#short = this.#long
      return this.#score
    }
    const square = Math.min(step * step, CLIP * CLIP * Math.max(this.#short, this.#long, least))
    this.#short += this.#weight * (square - this.#short)
    const score = this.#score
    score.deviation = Math.abs(Math.log(Math.max(this.#short, least) / Math.max(this.#long, least))) / (2 * Math.log(factor))
    if (!standing && score.deviation < DOUBT) this.#long += Math.max(1 / this.#n, 1 / MEMORY) * (square - this.#long)
    return score
  }

  evidence(): Evidence[] {
    if ((this.#score.deviation ?? 0) < NOTEWORTHY) return []
    const [short, long] = [Math.sqrt(this.#short), Math.sqrt(this.#long)]
    const { factor, window } = this.#options
    const text = `standard deviation from value to value, over about ${window} values: ${short > long ? 'restless' : 'too quiet'}`
    return [{ source: 'variance', value: short, expected: long, lower: long / factor, upper: long * factor, text }]
  }

  get state(): DetectorState {
    return { n: this.#n, last: this.#last, short: this.#short, long: this.#long }
  }
}
