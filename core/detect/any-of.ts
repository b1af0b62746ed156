import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, openScore, type Score } from './detector.ts'

/** Several detectors on one signal: the strongest deviation counts, expected value and band are of the first that has them, evidence is of all. */
export class AnyOf implements Detector {
  readonly #first: Detector
  readonly #others: readonly Detector[]
  readonly #score = openScore()

  /** Only the first may have a state worth keeping. */
  constructor(first: Detector, ...others: readonly Detector[]) {
    this.#first = first
    this.#others = others
  }

  update(time: number, value: number, standing: boolean): Score {
    const { deviation, expected, lower, upper, onset } = this.#first.update(time, value, standing)
    const score = this.#score
    score.deviation = deviation
    score.expected = expected
    score.lower = lower
    score.upper = upper
    score.onset = onset
    for (const other of this.#others) {
      const also = other.update(time, value, standing)
      if (also.deviation !== null) score.deviation = Math.max(score.deviation ?? 0, also.deviation)
      score.lower ??= also.lower
      score.upper ??= also.upper
      if (also.onset !== null) score.onset = Math.max(score.onset ?? 0, also.onset)
    }
    return score
  }

  evidence(): Evidence[] {
    return [this.#first, ...this.#others].flatMap((detector) => detector.evidence())
  }

  get state(): DetectorState {
    return this.#first.state
  }
}
