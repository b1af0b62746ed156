import type { Slab } from './slab.ts'

/** How long it lasts: so long, or so many values, whichever is shorter. */
const LASTS_MS = 36 * 3_600_000
const LASTS_VALUES = 432
/** What speaks again at once must be worse by this factor; as time passes it comes down to the threshold. */
const WORSE_BY = 1.3
/** A strength below the threshold by so little is not told from it by anybody. */
const JUST_BELOW = 1 - 1e-6
/** The usual interval is a mean over this many; one long gap moves it no more than this many times itself. */
const INTERVALS = 100
const GAP_MOST = 10

const PEAK = 0
const SINCE = 1
const INTERVAL = 2
const LAST_TIME = 3
const SEEN = 4

/** One onset is one alarm: after it, strengths up to its own are held just below the threshold for a while. */
export class HoldOff {
  static readonly doubles = 5
  readonly #numbers: Float64Array

  constructor(slab: Slab) {
    this.#numbers = slab.doubles(HoldOff.doubles)
  }

  /** The strength as it may be told; 1 is the threshold. `isPaused`: what began goes on, so it lasts so much longer. */
  pass(time: number, strength: number, isPaused: boolean): number {
    const numbers = this.#numbers
    const sinceLast = numbers[SEEN] === 0 ? 0 : time - (numbers[LAST_TIME] as number)
    this.#pace(time)
    if (isPaused && sinceLast > 0 && numbers[PEAK] !== 0) numbers[SINCE] = (numbers[SINCE] as number) + sinceLast
    const peak = numbers[PEAK] as number
    if (peak > 0) {
      const lasts = Math.min(LASTS_MS, LASTS_VALUES * (numbers[INTERVAL] as number))
      // a clock that was set back far must not hold it for good
      if (time < (numbers[SINCE] as number) - lasts) numbers[SINCE] = time
      const passed = Math.max(0, time - (numbers[SINCE] as number))
      if (passed < lasts && strength < 1 + (peak * WORSE_BY - 1) * (1 - passed / lasts)) return Math.min(strength, JUST_BELOW)
    }
    if (strength >= 1) {
      numbers[PEAK] = strength
      numbers[SINCE] = time
    }
    return strength
  }

  #pace(time: number): void {
    const numbers = this.#numbers
    const seen = numbers[SEEN] as number
    const passed = time - (numbers[LAST_TIME] as number)
    if (seen === 0 || passed !== 0) numbers[LAST_TIME] = time
    if (seen > 0 && passed > 0) {
      const usual = numbers[INTERVAL] as number
      const step = seen === 1 ? passed : Math.min(passed, GAP_MOST * usual)
      numbers[INTERVAL] = usual + (step - usual) / Math.min(seen, INTERVALS)
    }
    if (seen === 0 || passed > 0) numbers[SEEN] = seen + 1
  }
}
