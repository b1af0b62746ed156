import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, openScore, type Score } from './detector.ts'

/** Several detectors on one signal: the strongest deviation counts, expected value and band are of the first that has them, evidence is of all. */
export class AnyOf implements Detector {
  readonly #first: Detector
  readonly #others: readonly Detector[]
  readonly #score = openScore()
  readonly #seen: Score[] = []

  /** Only the first may have a state worth keeping. */
  constructor(first: Detector, ...others: readonly Detector[]) {
    this.#first = first
    this.#others = others
  }

  update(time: number, value: number, standing: boolean, fixed = false): Score {
    let isOut = false
    for (let at = 0; at < this.#others.length; at++) {
      const also = (this.#others[at] as Detector).update(time, value, standing, fixed)
      this.#seen[at] = also
      if ((also.deviation ?? 0) >= 1) isOut = true
    }
    // what another one knows to be out is nothing to learn from
    const { deviation, expected, lower, upper, onset } = this.#first.update(time, value, standing, fixed || isOut)
    const score = this.#score
    score.deviation = deviation
    score.expected = expected
    score.lower = lower
    score.upper = upper
    score.onset = onset
    score.soft = deviation
    score.hard = null
    for (const also of this.#seen) {
      if (also.deviation !== null) {
        score.deviation = Math.max(score.deviation ?? 0, also.deviation)
        score.hard = Math.max(score.hard ?? 0, also.deviation)
      }
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
