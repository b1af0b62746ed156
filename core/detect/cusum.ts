import type { Evidence } from '../messages/anomaly.ts'
import { Baseline } from './baseline.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber } from './detector.ts'

export interface CusumOptions {
  /** What the signal should be, and its standard deviation, both in its own unit; what is not given is learned. */
  readonly target?: number | undefined
  readonly sigma?: number | undefined
  /** k: a shift of up to this many standard deviations is let pass at each value; half the shift that matters. */
  readonly allowance: number
  /** h: standard deviations of excess that must add up. */
  readonly decision: number
  /** Values that target and spread are learned from before it judges. */
  readonly warmup: number
}

/** Values that a learned target looks back on. */
const MEMORY = 5000
/** No sum grows beyond this many times h, so that it is back soon after the signal is. */
const CAP = 3
/** Of what h asks for, one value alone brings no more than this share. */
const MOST_OF_ONE = 0.3
/** Nothing is learned while a sum is this share of h: the shift it may be seeing must not become the target. */
const DOUBT = 0.5

/** Two-sided tabular CUSUM (Page 1954): adds up what lies beyond an allowance, so that a small shift which lasts is seen and a single value is not. */
export class CusumDetector implements Detector {
  readonly #options: CusumOptions
  readonly #score = openScore()
  readonly #baseline: Baseline
  #up: number
  #down: number

  constructor(options: CusumOptions, state?: DetectorState) {
    this.#options = options
    this.#baseline = new Baseline(MEMORY, savedNumber(state, 'n', 0), savedNumber(state, 'mean', 0), savedNumber(state, 'variance', 0))
    this.#up = savedNumber(state, 'up', 0)
    this.#down = savedNumber(state, 'down', 0)
  }

  update(_time: number, value: number, standing: boolean): Score {
    const { allowance, decision, warmup } = this.#options
    const baseline = this.#baseline
    const isGiven = this.#options.target !== undefined && this.#options.sigma !== undefined
    if (!isGiven && baseline.n < warmup) {
      baseline.learn(value)
      return this.#score
    }
    const target = this.#options.target ?? baseline.mean
    const sigma = this.#options.sigma ?? baseline.sigma
    const distance = (value - target) / sigma
    const most = MOST_OF_ONE * decision
    this.#up = Math.min(CAP * decision, Math.max(0, this.#up + Math.min(most, distance - allowance)))
    this.#down = Math.min(CAP * decision, Math.max(0, this.#down + Math.min(most, -distance - allowance)))
    const score = this.#score
    score.deviation = Math.max(this.#up, this.#down) / decision
    score.expected = target
    // beyond these the next value brings it to its end, or the allowance is used up
    score.lower = target - sigma * (allowance + Math.max(0, decision - this.#down))
    score.upper = target + sigma * (allowance + Math.max(0, decision - this.#up))
    if (!isGiven && !standing && score.deviation < DOUBT) baseline.learn(value)
    return score
  }

  evidence(): Evidence[] {
    const { deviation, expected } = this.#score
    if (deviation === null || deviation < NOTEWORTHY || expected === null) return []
    const sigma = this.#options.sigma ?? this.#baseline.sigma
    const sum = Math.max(this.#up, this.#down)
    const [lower, upper] = [expected - this.#options.allowance * sigma, expected + this.#options.allowance * sigma]
    const side = this.#up >= this.#down ? 'above' : 'below'
    return [
      { source: 'cusum', value: sum, expected, lower, upper, text: `${sum.toFixed(1)} standard deviations ${side} added up, of ${this.#options.decision}` },
    ]
  }

  get state(): DetectorState {
    const { n, mean, variance } = this.#baseline
    return { n, mean, variance, up: this.#up, down: this.#down }
  }
}
