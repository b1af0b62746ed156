import { type DetectorState, savedNumber, savedNumbers } from './detector.ts'

/**
 * The latest window of a signal against all windows of a bounded stretch of its past, at every offset (the left matrix profile of a stream; Yeh et al. 2016).
 * The products of the latest window with each window of the past are carried on from row to row along their diagonals, so a row costs a few operations a
 * remembered value; rounding is kept from adding up by computing two of them anew at each row. What is remembered is `window` values behind the present, so
 * nothing is its own neighbour, and what is not to be remembered can still be kept out when it is noticed.
 *
 * Distance: with variances a, b and covariance c of two windows (a + b − 2c) / √(a·b): the squared z-normalised distance a value, 2 (1 − correlation), and what
 * their sizes differ, √(a/b) + √(b/a) − 2. Below `floor` a variance counts as that: two flat windows are alike, whatever the noise on them does.
 */
export class ShapeMemory {
  readonly window: number
  readonly #floor: number
  readonly #size: number
  readonly #mask: number
  /** values of the past, and per window that begins there: mean, variance (infinite: not to be compared with), 1 / deviation */
  readonly #past: Float64Array
  readonly #means: Float64Array
  readonly #variances: Float64Array
  readonly #inverses: Float64Array
  /** product of the latest window with each window of the past, by (time − its beginning) */
  readonly #products: Float64Array
  /** the newest values */
  readonly #recent: Float64Array
  readonly #recentMask: number
  /** values seen, and values remembered */
  #seen = 0
  #taken = 0
  /** windows that begin before this and end at or after it have a gap within */
  #junction = 0
  #refreshed = 0
  #mean = 0
  #variance = 0

  /** `size`: values remembered, a power of two, at least four windows. `floor`: least variance. `saved`: what `state` gave, of the same window and size. */
  constructor(window: number, size: number, floor: number, saved?: DetectorState) {
    this.window = window
    this.#floor = floor
    this.#size = size
    this.#mask = size - 1
    this.#past = new Float64Array(size)
    this.#means = new Float64Array(size)
    this.#variances = new Float64Array(size)
    this.#inverses = new Float64Array(size)
    this.#products = new Float64Array(size)
    const room = 2 ** Math.ceil(Math.log2(window + 1))
    this.#recent = new Float64Array(room)
    this.#recentMask = room - 1
    if (saved !== undefined) this.#restore(saved)
  }

  /** Windows to compare with. */
  get windows(): number {
    return Math.max(0, this.#last() - this.#begin() + 1)
  }

  /** Takes a value; the distance of the window that ends with it from the nearest of the past, infinite while there is none. */
  distance(value: number): number {
    const { window } = this
    const time = this.#seen++
    const leaving = time >= window ? (this.#recent[(time - window) & this.#recentMask] ?? 0) : 0
    this.#recent[time & this.#recentMask] = value
    if (time < window - 1) return Number.POSITIVE_INFINITY
    this.#describeLatest(time)
    const begin = this.#begin()
    const last = this.#last()
    if (last < begin) return Number.POSITIVE_INFINITY
    const past = this.#past
    const products = this.#products
    const means = this.#means
    const variances = this.#variances
    const inverses = this.#inverses
    const mask = this.#mask
    for (let at = begin; at < last; at++) {
      const slot = (time - 1 - at) & mask
      products[slot] = (products[slot] as number) + (past[(at + window) & mask] as number) * value - (past[at & mask] as number) * leaving
    }
    // the oldest has no predecessor any more
    products[(time - begin) & mask] = this.#product(time, begin)
    this.#refreshed = (this.#refreshed + 1) % (last - begin + 1)
    const anew = begin + this.#refreshed
    products[(time - anew) & mask] = this.#product(time, anew)
    const mean = this.#mean
    const variance = this.#variance
    let nearest = Number.POSITIVE_INFINITY
    for (let at = begin; at <= last; at++) {
      const index = at & mask
      const covariance = (products[(time - at) & mask] as number) / window - mean * (means[index] as number)
      const distance = (variance + (variances[index] as number) - 2 * covariance) * (inverses[index] as number)
      if (distance < nearest) nearest = distance
    }
    return Math.sqrt(Math.max(0, nearest / Math.sqrt(Math.max(variance, this.#floor))))
  }

  /** After `distance`: the value that came a window's length ago is remembered, or left out, which makes a gap. */
  remember(isWorthIt: boolean): void {
    const { window } = this
    const time = this.#seen - 1
    if (time < window) return
    if (!isWorthIt) {
      this.#junction = this.#taken
      return
    }
    const mask = this.#mask
    const leaving = this.#recent[(time - window) & this.#recentMask] ?? 0
    const before = this.#last()
    const begin = this.#begin()
    // the same value leaves the latest window and joins the past
    const joining = leaving
    const first = this.#past[before & mask] ?? 0
    this.#past[this.#taken & mask] = joining
    this.#taken++
    const at = this.#last()
    if (at < 0) return
    const slot = (time - at) & mask
    if (before < begin) this.#products[slot] = this.#product(time, at)
    else this.#products[slot] = (this.#products[slot] ?? 0) + joining * (this.#recent[time & this.#recentMask] ?? 0) - first * leaving
    this.#describe(at, this.#junction > at && this.#junction < at + window && this.#junction > 0)
  }

  get state(): DetectorState {
    const past: number[] = []
    const products: number[] = []
    const apart: number[] = []
    for (let at = this.#begin(); at < this.#taken; at++) past.push(this.#past[at & this.#mask] ?? 0)
    for (let at = this.#begin(); at <= this.#last(); at++) {
      products.push(this.#products[(this.#seen - 1 - at) & this.#mask] ?? 0)
      if (this.#variances[at & this.#mask] === Number.POSITIVE_INFINITY) apart.push(at)
    }
    const { window } = this
    return {
      window,
      size: this.#size,
      floor: this.#floor,
      seen: this.#seen,
      taken: this.#taken,
      junction: this.#junction,
      refreshed: this.#refreshed,
      past,
      products,
      apart,
      recent: Array.from(this.#recent),
    }
  }

  #restore(saved: DetectorState): void {
    const seen = savedNumber(saved, 'seen', 0)
    const taken = savedNumber(saved, 'taken', 0)
    const past = savedNumbers(saved, 'past')
    const products = savedNumbers(saved, 'products')
    const recent = savedNumbers(saved, 'recent')
    const windows = Math.max(0, past.length - this.window + 1)
    // what does not fit together is not worth guessing at
    if (past.length !== Math.min(taken, this.#size) || products.length !== windows || recent.length !== this.#recent.length) return
    this.#seen = seen
    this.#taken = taken
    this.#junction = savedNumber(saved, 'junction', 0)
    this.#refreshed = savedNumber(saved, 'refreshed', 0)
    this.#recent.set(recent)
    const begin = this.#begin()
    past.forEach((value, at) => {
      this.#past[(begin + at) & this.#mask] = value
    })
    products.forEach((product, at) => {
      this.#products[(seen - 1 - begin - at) & this.#mask] = product
    })
    const apart = new Set(savedNumbers(saved, 'apart'))
    for (let at = begin; at <= this.#last(); at++) this.#describe(at, apart.has(at))
  }

  /** Where the oldest and the newest complete window of the past begin. */
  #begin(): number {
    return Math.max(0, this.#taken - this.#size)
  }

  #last(): number {
    return this.#taken - this.window
  }

  #product(time: number, at: number): number {
    const start = time - this.window + 1
    let sum = 0
    for (let n = 0; n < this.window; n++) sum += (this.#recent[(start + n) & this.#recentMask] as number) * (this.#past[(at + n) & this.#mask] as number)
    return sum
  }

  #describeLatest(time: number): void {
    const { window } = this
    let sum = 0
    for (let n = 0; n < window; n++) sum += this.#recent[(time - n) & this.#recentMask] as number
    const mean = sum / window
    let squares = 0
    for (let n = 0; n < window; n++) squares += ((this.#recent[(time - n) & this.#recentMask] as number) - mean) ** 2
    this.#mean = mean
    this.#variance = squares / window
  }

  #describe(at: number, isApart: boolean): void {
    const { window } = this
    const index = at & this.#mask
    let sum = 0
    for (let n = 0; n < window; n++) sum += this.#past[(at + n) & this.#mask] as number
    const mean = sum / window
    let squares = 0
    for (let n = 0; n < window; n++) squares += ((this.#past[(at + n) & this.#mask] as number) - mean) ** 2
    this.#means[index] = mean
    this.#variances[index] = isApart ? Number.POSITIVE_INFINITY : squares / window
    this.#inverses[index] = 1 / Math.sqrt(Math.max(squares / window, this.#floor))
  }
}
