import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber, savedNumbers, twoSidedTail } from './detector.ts'
import { SortedWindow } from './sorted-window.ts'

export interface HampelOptions {
  /** Values on either side that a value is compared with; it is judged so many values after it came. */
  readonly reach: number
  /** Robust standard deviations at which a value is out. */
  readonly threshold: number
}

/** Makes the median absolute deviation of a normal signal its standard deviation. */
const MAD_TO_SIGMA = 1.4826
/** Values that the usual spread of a window looks back on. */
const MEMORY = 1000

/**
 * Hampel identifier (Hampel 1974; Pearson 2002): a value against the median of its neighbours on both sides, in median absolute deviations. It sees values
 * that fit neither what was before nor what comes after; a step or a ramp is none. The spread of a short window is an uncertain thing, so the usual spread
 * of such windows is the least it is measured by.
 */
export class HampelDetector implements Detector {
  readonly #options: HampelOptions
  readonly #score = openScore()
  readonly #window: SortedWindow
  #n: number
  /** usual standard deviation within a window */
  #usual: number
  #judged = 0

  constructor(options: HampelOptions, state?: DetectorState) {
    this.#options = options
    this.#window = new SortedWindow(2 * options.reach + 1, savedNumbers(state, 'ring'), savedNumber(state, 'next', 0))
    this.#n = savedNumber(state, 'n', 0)
    this.#usual = savedNumber(state, 'usual', 0)
  }

  update(_time: number, value: number, standing: boolean): Score {
    const { reach, threshold } = this.#options
    const window = this.#window
    window.push(value)
    if (!window.isFull) return this.#score
    const median = window.median()
    const spread = MAD_TO_SIGMA * window.deviationFrom(median)
    if (!standing || this.#n === 0) this.#usual += Math.max(1 / ++this.#n, 1 / MEMORY) * (spread - this.#usual)
    const sigma = Math.max(spread, this.#usual, 1e-9 + 1e-3 * Math.abs(median))
    this.#judged = window.ago(reach)
    const score = this.#score
    score.deviation = Math.abs(this.#judged - median) / (sigma * threshold)
    score.expected = median
    score.lower = median - sigma * threshold
    score.upper = median + sigma * threshold
    return score
  }

  evidence(): Evidence[] {
    const { deviation, expected, lower, upper } = this.#score
    if (deviation === null || deviation < NOTEWORTHY || expected === null || lower === null || upper === null) return []
    const { reach, threshold } = this.#options
    return [{ source: 'hampel', value: this.#judged, expected, lower, upper, p: twoSidedTail(deviation * threshold), text: `the value ${reach} values ago` }]
  }

  get state(): DetectorState {
    return { ring: this.#window.ring.slice(), next: this.#window.next, n: this.#n, usual: this.#usual }
  }
}
