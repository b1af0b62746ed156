import { type DetectorState, savedNumber } from '../detector.ts'

/** What was done with a value: `taken`; or passed over because it is no finite number, repeats the time of the last one, or is older than it. */
export type Outcome = 'taken' | 'not-a-number' | 'repeated' | 'late'

/** Gaps longer than so many usual spacings count as so many: a machine that says nothing does not run, and does not wear. */
const LONGEST_GAP = 5
/** Times older than the newest, so many in a row, mean that a clock was set back. */
const LATE_BEFORE_SET_BACK = 10

/** Running time of a signal from its source times: irregular times are taken as they are, gaps are cut, a clock that was set back goes on. */
export class LifeClock {
  #time: number
  #spacing: number
  #late: number
  #elapsed = 0

  constructor(state?: DetectorState) {
    this.#time = savedNumber(state, 'time', Number.NEGATIVE_INFINITY)
    this.#spacing = savedNumber(state, 'spacing', 0)
    this.#late = savedNumber(state, 'late', 0)
  }

  update(time: number, value: number): Outcome {
    if (!Number.isFinite(value) || !Number.isFinite(time)) return 'not-a-number'
    if (time <= this.#time) {
      if (time === this.#time) return 'repeated'
      if (++this.#late <= LATE_BEFORE_SET_BACK) return 'late'
      this.#late = 0
      this.#time = time
      this.#elapsed = this.#spacing
      return 'taken'
    }
    this.#late = 0
    const passed = time - this.#time
    this.#time = time
    if (!Number.isFinite(passed)) {
      this.#elapsed = 0
      return 'taken'
    }
    if (this.#spacing === 0) this.#spacing = passed
    this.#elapsed = Math.min(passed, LONGEST_GAP * this.#spacing)
    this.#spacing += 0.05 * (this.#elapsed - this.#spacing)
    return 'taken'
  }

  /** Running time since the value before, ms. */
  get elapsed(): number {
    return this.#elapsed
  }

  /** Usual time between two values, ms; 0 before the second. */
  get spacing(): number {
    return this.#spacing
  }

  /** Source time of the newest value. */
  get time(): number {
    return this.#time
  }

  get state(): DetectorState {
    return { time: Number.isFinite(this.#time) ? this.#time : null, spacing: this.#spacing, late: this.#late }
  }
}
