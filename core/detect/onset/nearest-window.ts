import type { Slab } from './slab.ts'

export interface WindowShape {
  /** Points of a window, a multiple of 5. */
  readonly points: number
  /** Values that make a point: their mean. */
  readonly pace: number
  /** Windows that are remembered. */
  readonly remembered: number
}

/** Points that are compared at a time. */
const STRIDE = 5

const SUM = 0
const SUMMED = 1
const POINTS_SEEN = 2
const LAST = 3
const NEAREST = 4

/** How unlike the latest window of values is to every one of the last few hundred windows: root mean square distance to the nearest. */
export class NearestWindow {
  readonly #shape: WindowShape
  /** the points of the latest window, a ring */
  readonly #ring: Float32Array
  /** the windows, one after the other, oldest overwritten first */
  readonly #windows: Float32Array
  readonly #numbers: Float64Array
  readonly #latest: Float64Array

  constructor(slab: Slab, shape: WindowShape) {
    this.#shape = shape
    this.#ring = slab.singles(shape.points)
    this.#windows = slab.singles(shape.points * shape.remembered)
    this.#numbers = slab.doubles(NearestWindow.doubles)
    this.#latest = new Float64Array(shape.points)
  }

  static singles({ points, remembered }: WindowShape): number {
    return points * (remembered + 1)
  }

  static readonly doubles = 5

  /** The distance of the window that ends with this value, then it is remembered, unless it is not to be; between two points that of the last one. */
  distance(value: number, learns: boolean): number {
    const { points, pace, remembered } = this.#shape
    const numbers = this.#numbers
    const sum = (numbers[SUM] as number) + value
    const summed = (numbers[SUMMED] as number) + 1
    if (summed < pace) {
      numbers[SUM] = sum
      numbers[SUMMED] = summed
      return numbers[LAST] as number
    }
    numbers[SUM] = 0
    numbers[SUMMED] = 0
    const seen = numbers[POINTS_SEEN] as number
    this.#ring[seen % points] = sum / pace
    numbers[POINTS_SEEN] = seen + 1
    const windows = seen + 1 - points
    if (windows < 0) return 0
    for (let at = 0; at < points; at++) this.#latest[at] = this.#ring[(seen + 1 + at) % points] as number
    numbers[LAST] = this.#nearest(Math.min(windows, remembered))
    // a place that was never filled would be a window of zeros
    if (learns || windows < remembered) this.#windows.set(this.#latest, (windows % remembered) * points)
    return numbers[LAST] as number
  }

  #nearest(kept: number): number {
    if (kept === 0) return 0
    const { points, remembered } = this.#shape
    const latest = this.#latest
    const windows = this.#windows
    const numbers = this.#numbers
    // what follows the window that was nearest last is often nearest now, and then the others are soon out of the running
    let nearest = ((numbers[NEAREST] as number) + 1) % remembered
    if (nearest >= kept) nearest = 0
    let least = Number.POSITIVE_INFINITY
    for (let nth = 0, window = nearest; nth < kept; nth++, window = window + 1 < kept ? window + 1 : 0) {
      const end = (window + 1) * points
      let square = 0
      for (let at = end - points, point = 0; at < end && square < least; at += STRIDE, point += STRIDE) {
        const a = (latest[point] as number) - (windows[at] as number)
        const b = (latest[point + 1] as number) - (windows[at + 1] as number)
        const c = (latest[point + 2] as number) - (windows[at + 2] as number)
        const d = (latest[point + 3] as number) - (windows[at + 3] as number)
        const e = (latest[point + 4] as number) - (windows[at + 4] as number)
        square += a * a + b * b + c * c + d * d + e * e
      }
      if (square >= least) continue
      least = square
      nearest = window
    }
    numbers[NEAREST] = nearest
    return Math.sqrt(least / points)
  }
}
