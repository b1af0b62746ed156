import type { Evidence } from '../messages/anomaly.ts'
import { Baseline } from './baseline.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber, savedNumbers } from './detector.ts'
import { periodOf } from './period.ts'
import { ShapeMemory } from './shape-memory.ts'

export interface DiscordOptions {
  /** Values in the window whose shape is compared: about a cycle. Not given: found by autocorrelation. */
  readonly shape?: number | undefined
  /** Values remembered, rounded up to a power of two. */
  readonly memory: number
  /** Factor on the threshold: below 1 it speaks earlier and errs more often. */
  readonly caution: number
}

/** Values that the length of a cycle is looked for in, where it is not given. */
const FIRST = 512
/** Otherwise so many windows. */
const FIRST_WINDOWS = 4
export const SHORTEST_SHAPE = 8
export const LONGEST_SHAPE = 256
/** Where no cycle is found. */
const NO_CYCLE = 32
/** Windows that vary less than this share of the usual variation count as flat. */
const FLAT = 0.1
/** The threshold on the distance: so many standard deviations above its mean, and so many times its mean, and no less than that. */
const SIGMAS = 6
const TIMES = 1.4
const LEAST = 0.15
/** Distances that the threshold looks back on. */
const CALIBRATION = 5000
/** Few distances say little of what is usual: the threshold is higher by this many, over their number. */
const UNSURE = 20

/**
 * Discord (Keogh et al. 2005): a stretch of the signal whose shape or size is like none of a bounded memory of its past, at the signal's own resolution. How
 * far apart stretches usually are is learned from the signal itself. It looks at rows, not at times, and needs a signal whose shapes come again.
 */
export class DiscordDetector implements Detector {
  readonly #options: DiscordOptions
  readonly #size: number
  readonly #score = openScore()
  /** until the window is known */
  readonly #first: number[]
  readonly #distances: Baseline
  #memory: ShapeMemory | undefined
  #origin: number
  /** values since the last one that was out */
  #quiet: number
  #distance = 0
  #threshold = 0

  constructor(options: DiscordOptions, state?: DetectorState) {
    this.#options = options
    this.#size = 2 ** Math.ceil(Math.log2(options.memory))
    const window = savedNumber(state, 'window', 0)
    const isSame = savedNumber(state, 'size', this.#size) === this.#size && savedNumber(state, 'shape', 0) === (options.shape ?? 0)
    const saved = isSame ? state : undefined
    this.#first = window > 0 ? [] : savedNumbers(saved, 'first')
    if (saved !== undefined && window >= 2 && 4 * window <= this.#size) {
      const memory = new ShapeMemory(window, this.#size, savedNumber(saved, 'floor', 1e-18), saved)
      this.#memory = memory
    }
    const isKnown = this.#memory !== undefined
    this.#origin = savedNumber(saved, 'origin', 0)
    this.#quiet = isKnown ? savedNumber(saved, 'quiet', 0) : 0
    const known = isKnown ? saved : undefined
    this.#distances = new Baseline(CALIBRATION, savedNumber(known, 'n', 0), savedNumber(known, 'mean', 0), savedNumber(known, 'variance', 0))
  }

  update(_time: number, value: number, standing: boolean): Score {
    if (this.#memory !== undefined) this.#compare(this.#memory, value - this.#origin, standing)
    else {
      this.#first.push(value)
      const { shape } = this.#options
      if (this.#first.length >= (shape === undefined ? Math.min(FIRST, this.#size) : FIRST_WINDOWS * shape)) this.#begin()
    }
    return this.#score
  }

  evidence(): Evidence[] {
    const memory = this.#memory
    if (memory === undefined || (this.#score.deviation ?? 0) < NOTEWORTHY) return []
    const text = `the last ${memory.window} values are like none of ${memory.windows} windows before: distance to the nearest, and the largest that is usual`
    return [{ source: 'discord', value: this.#distance, expected: this.#distances.mean, upper: this.#threshold, text }]
  }

  get state(): DetectorState {
    const { n, mean, variance } = this.#distances
    const own = { size: this.#size, shape: this.#options.shape ?? 0, origin: this.#origin, quiet: this.#quiet, n, mean, variance }
    return this.#memory === undefined ? { ...own, first: this.#first.slice() } : { ...own, ...this.#memory.state }
  }

  /** Enough was seen to choose the window; the values that it was chosen by are the first that are compared. */
  #begin(): void {
    const values = this.#first.splice(0)
    const longest = Math.min(LONGEST_SHAPE, this.#size / 4)
    const window = this.#options.shape ?? Math.min(longest, Math.max(SHORTEST_SHAPE, periodOf(values, SHORTEST_SHAPE / 2, longest) ?? NO_CYCLE))
    this.#origin = values.reduce((sum, value) => sum + value / values.length, 0)
    const memory = new ShapeMemory(window, this.#size, this.#floor(values, window))
    this.#memory = memory
    this.#quiet = window
    for (const value of values) this.#compare(memory, value - this.#origin, false)
  }

  /** Variance below which a window counts as flat. */
  #floor(values: readonly number[], window: number): number {
    let squares = 0
    let windows = 0
    for (let start = 0; start + window <= values.length; start += window) {
      const part = values.slice(start, start + window)
      const mean = part.reduce((sum, value) => sum + value / window, 0)
      squares += part.reduce((sum, value) => sum + (value - mean) ** 2 / window, 0)
      windows++
    }
    const level = 1e-9 + 1e-6 * Math.abs(this.#origin)
    return Math.max((FLAT * FLAT * squares) / Math.max(1, windows), level * level)
  }

  #compare(memory: ShapeMemory, value: number, standing: boolean): void {
    const { window } = memory
    const distances = this.#distances
    const score = this.#score
    const distance = memory.distance(value)
    // a memory that is hardly filled has no near neighbours yet
    const isFilled = memory.windows >= window && Number.isFinite(distance)
    score.deviation = null
    if (isFilled && distances.n >= window) {
      const { mean, sigma } = distances
      this.#distance = distance
      this.#threshold = this.#options.caution * (1 + UNSURE / distances.n) * Math.max(LEAST, TIMES * mean, mean + SIGMAS * sigma)
      score.deviation = distance / this.#threshold
    }
    const isOut = standing || (score.deviation ?? 0) >= 1
    if (isOut && score.deviation !== null) this.#quiet = 0
    else this.#quiet++
    if (isFilled && (!isOut || score.deviation === null)) distances.learn(distance)
    // only when nothing of the windows that hold the value was out
    memory.remember(this.#quiet >= window)
  }
}
