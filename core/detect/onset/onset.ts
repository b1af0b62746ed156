import { BestForecast } from './best-forecast.ts'
import { HoldOff } from './hold-off.ts'
import { MeanShift } from './mean-shift.ts'
import { NearestWindow, type WindowShape } from './nearest-window.ts'
import { NewRange } from './new-range.ts'
import { Slab } from './slab.ts'
import { TailCalibration } from './tail-calibration.ts'

/** What is further out than this is no measurement; it is passed over and not learned. */
const MOST = 1e30
/** The scale of the signal is taken from its first values; the logarithmic view is straight below this share of it. */
const SCALE_VALUES = 50
const STRAIGHT_SHARE = 0.03

/** Values after which a source's own scores are calibrated: when its memory is filled in part. */
const FORECASTS_AFTER = 150
const WINDOWS_AFTER = 200
const SHIFT_AFTER = 100
const RANGE_AFTER = 200

const SHORT: WindowShape = { points: 20, pace: 1, remembered: 80 }
const LONG: WindowShape = { points: 10, pace: 3, remembered: 100 }
const SHIFT_VALUES = 70

/** By this share beyond all seen so far, and how improbable that is; in inverse proportion beyond it. */
const RANGE_SHARE = 0.03
const RANGE_TAIL = 1e-3
const RANGE_LEAST = 1e-9

/** No source says more than this, in powers of ten; and the root of the summed squares from which it is an alarm. */
const SURPRISE_MOST = 8
const THRESHOLD = 4

const SEEN = 0
const ORIGIN = 1
const SCALE = 2

const SOURCES = 5
const SINGLES =
  2 * BestForecast.singles + NearestWindow.singles(SHORT) + NearestWindow.singles(LONG) + MeanShift.singles(SHIFT_VALUES) + SOURCES * TailCalibration.singles
const DOUBLES =
  3 + 2 * BestForecast.doubles + 2 * NearestWindow.doubles + MeanShift.doubles + NewRange.doubles + SOURCES * TailCalibration.doubles + HoldOff.doubles

/** What is remembered, as text; what is no text is passed over. */
export interface OnsetState {
  readonly singles: unknown
  readonly doubles: unknown
}

/**
 * Tells when something begins that is unlike what was, for one signal of any unit and season. Cheap sources of evidence, each turned into a tail probability
 * by its own past; their surprises (-log10 p) are squared and summed (as in Fisher's method, but one strong source counts more than many weak ones).
 */
export class Onset {
  readonly #slab = new Slab(SINGLES, DOUBLES)
  readonly #numbers = this.#slab.doubles(3)
  readonly #plain = new BestForecast(this.#slab)
  readonly #logarithmic = new BestForecast(this.#slab)
  readonly #short = new NearestWindow(this.#slab, SHORT)
  readonly #long = new NearestWindow(this.#slab, LONG)
  readonly #shift = new MeanShift(this.#slab, SHIFT_VALUES)
  readonly #range = new NewRange(this.#slab)
  readonly #plainTail = new TailCalibration(this.#slab)
  readonly #logarithmicTail = new TailCalibration(this.#slab)
  readonly #shortTail = new TailCalibration(this.#slab)
  readonly #longTail = new TailCalibration(this.#slab)
  readonly #shiftTail = new TailCalibration(this.#slab)
  readonly #holdOff = new HoldOff(this.#slab)

  /** A state that makes no sense is passed over. */
  constructor(state?: OnsetState) {
    if (state !== undefined) this.#slab.read(state.singles, state.doubles)
  }

  /**
   * Strength of the evidence that something begins with this value: 1 at the threshold, 0 while it learns or the value cannot be judged. `time`: epoch ms.
   * `learns`: what is usual is learned from it too; if not, it is only measured.
   */
  update(time: number, value: number, learns = true): number {
    if (!Number.isFinite(time) || !(Math.abs(value) < MOST)) return 0
    const numbers = this.#numbers
    const seen = numbers[SEEN] as number
    numbers[SEEN] = seen + 1
    if (seen === 0) numbers[ORIGIN] = value
    if (seen < SCALE_VALUES || numbers[SCALE] === 0) numbers[SCALE] = (numbers[SCALE] as number) + (Math.abs(value) - (numbers[SCALE] as number)) / (seen + 1)
    // from its first value on, so that small moves of a large value stay exact
    const x = value - (numbers[ORIGIN] as number)
    const evidence =
      this.#ofForecasts(time, value, x, seen, learns) +
      this.#ofWindows(x, seen, learns) +
      this.#ofShift(x, seen, learns) +
      this.#ofRange(x, RANGE_LEAST * Math.abs(value), seen, learns)
    return this.#holdOff.pass(time, Math.sqrt(evidence) / THRESHOLD, !learns)
  }

  get state(): { readonly singles: string; readonly doubles: string } {
    return this.#slab.write()
  }

  /** Bytes that it remembers. */
  get bytes(): number {
    return this.#slab.bytes
  }

  #ofForecasts(time: number, value: number, x: number, seen: number, learns: boolean): number {
    const plain = this.#plain.distance(time, x, learns)
    const scale = (this.#numbers[SCALE] as number) * STRAIGHT_SHARE
    if (seen < SCALE_VALUES || scale === 0) return 0
    const logarithmic = this.#logarithmic.distance(time, Math.asinh(value / scale) - Math.asinh((this.#numbers[ORIGIN] as number) / scale), learns)
    if (seen < FORECASTS_AFTER) return 0
    return surprise(this.#plainTail.tail(plain, learns)) + surprise(this.#logarithmicTail.tail(logarithmic, learns))
  }

  #ofWindows(x: number, seen: number, learns: boolean): number {
    const short = this.#short.distance(x, learns)
    const long = this.#long.distance(x, learns)
    if (seen < WINDOWS_AFTER) return 0
    return surprise(this.#shortTail.tail(short, learns)) + surprise(this.#longTail.tail(long, learns))
  }

  #ofShift(x: number, seen: number, learns: boolean): number {
    const shift = this.#shift.distance(x)
    return seen < SHIFT_AFTER ? 0 : surprise(this.#shiftTail.tail(shift, learns))
  }

  #ofRange(x: number, floor: number, seen: number, learns: boolean): number {
    const share = this.#range.beyond(x, floor, learns)
    return seen < RANGE_AFTER || share <= RANGE_SHARE ? 0 : surprise(RANGE_TAIL / (1 + share / RANGE_SHARE))
  }
}

function surprise(p: number): number {
  const tens = Math.min(SURPRISE_MOST, -Math.log10(p))
  return tens * tens
}
