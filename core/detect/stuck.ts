import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber } from './detector.ts'

const FEWEST_VALUES = 5

/** A value that should move and does not: within `tolerance` of the same level for `forMs`, and at least five values long. */
export class StuckDetector implements Detector {
  readonly #forMs: number
  readonly #tolerance: number
  readonly #score = openScore()
  #level: number
  #since: number
  #run: number
  #lastedMs = 0

  constructor(forMs: number, tolerance: number, state?: DetectorState) {
    this.#forMs = forMs
    this.#tolerance = tolerance
    this.#level = savedNumber(state, 'level', Number.NaN)
    this.#since = savedNumber(state, 'since', 0)
    this.#run = savedNumber(state, 'run', 0)
  }

  update(time: number, value: number): Score {
    if (Math.abs(value - this.#level) <= this.#tolerance) this.#run++
    else {
      this.#level = value
      this.#since = time
      this.#run = 1
    }
    this.#since = Math.min(this.#since, time)
    this.#lastedMs = time - this.#since
    this.#score.deviation = this.#run < FEWEST_VALUES ? 0 : this.#lastedMs / this.#forMs
    return this.#score
  }

  evidence(): Evidence[] {
    if ((this.#score.deviation ?? 0) < NOTEWORTHY) return []
    return [{ source: 'stuck', value: this.#level, text: `unchanged for ${Math.round(this.#lastedMs / 1000)} s over ${this.#run} values` }]
  }

  get state(): DetectorState {
    return { level: Number.isNaN(this.#level) ? null : this.#level, since: this.#since, run: this.#run }
  }
}
