import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber } from './detector.ts'

/** Change per second against a limit, from each value to the next. */
export class RateDetector implements Detector {
  readonly #perSecond: number
  readonly #score = openScore()
  #time: number
  #value: number
  #rate = 0

  constructor(maxPerSecond: number, state?: DetectorState) {
    this.#perSecond = maxPerSecond
    this.#time = savedNumber(state, 'time', Number.NaN)
    this.#value = savedNumber(state, 'value', 0)
  }

  update(time: number, value: number): Score {
    const seconds = (time - this.#time) / 1000
    this.#score.deviation = Number.isNaN(this.#time) ? null : 0
    if (seconds > 0) {
      const reach = this.#perSecond * seconds
      this.#rate = (value - this.#value) / seconds
      this.#score.deviation = Math.abs(this.#rate) / this.#perSecond
      this.#score.expected = this.#value
      this.#score.lower = this.#value - reach
      this.#score.upper = this.#value + reach
    }
    // of several values in one millisecond the first is kept: a rate over no time means nothing
    if (seconds !== 0) {
      this.#time = time
      this.#value = value
    }
    return this.#score
  }

  evidence(): Evidence[] {
    if ((this.#score.deviation ?? 0) < NOTEWORTHY) return []
    return [{ source: 'rate', value: this.#rate, expected: 0, lower: -this.#perSecond, upper: this.#perSecond, text: 'change per second' }]
  }

  get state(): DetectorState {
    return { time: Number.isNaN(this.#time) ? null : this.#time, value: this.#value }
  }
}
