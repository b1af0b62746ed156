import type { SavedGroup } from './state.ts'

/** Rows that the running covariances look back on. */
const MEMORY = 3000
/** Rows that the running mean looks back on: levels wander, how they wander together does not. */
const MEAN_MEMORY = 120
/** Of many rows one in so many is enough to learn how signals go together. */
const PAIRS_EVERY = 3
/** A moving average changes little from row to row: after the first rows one in so many teaches how it varies. */
const SLOW_EVERY = 5
const SLOW_ALWAYS = 100
/** A row teaches no more than so many standard deviations … */
const LEARN_CLIP = 5
/** … once so many rows were learned. */
const CLIP_AFTER = 30
/** A signal that hardly ever moved may move by so much of its level; with every move it counts less. */
const STILL_SHARE = 0.002
const MOVES_TRUSTED = 10

/** Running mean, covariance of the rows and covariance of their moving average, signal by signal: O(size²). A signal that a row lacks is left out of it. */
export class Baseline {
  readonly size: number
  readonly mean: Float64Array
  /** by rows, upper triangle only */
  readonly covariance: Float64Array
  readonly slowCovariance: Float64Array
  readonly #counts: Float64Array
  readonly #moves: Float64Array
  readonly #last: Float64Array
  readonly #step: Float64Array
  readonly #weight: Float64Array
  readonly #toMean: Float64Array
  #rows: number

  constructor(size: number, saved?: SavedGroup) {
    this.size = size
    const vector = (values: readonly number[] | undefined, length: number): Float64Array => Float64Array.from({ length }, (_, i) => values?.[i] ?? 0)
    this.mean = vector(saved?.mean, size)
    this.covariance = unpacked(saved?.covariance, size)
    this.slowCovariance = unpacked(saved?.slowCovariance, size)
    this.#counts = vector(saved?.counts, size)
    this.#moves = vector(saved?.moves, size)
    this.#last = vector(saved?.last, size)
    this.#step = new Float64Array(size)
    this.#weight = new Float64Array(size)
    this.#toMean = new Float64Array(size)
    this.#rows = saved?.rows ?? 0
  }

  /** Rows learned. */
  get rows(): number {
    return this.#rows
  }

  /** A standard deviation to measure with, never 0. */
  sigma(i: number): number {
    const variance = this.covariance[i * this.size + i] as number
    const still = STILL_SHARE * (this.mean[i] as number)
    return Math.max(Math.sqrt(variance + (still * still * MOVES_TRUSTED) / (MOVES_TRUSTED + (this.#moves[i] as number))), 1e-9)
  }

  /** `slow`: moving average of the distances to the mean. `trust` from 0 to 1. */
  learn(row: ArrayLike<number>, slow: Float64Array, trust: number): void {
    const { size, mean } = this
    this.#rows++
    for (let i = 0; i < size; i++) {
      const value = row[i] as number
      this.#weight[i] = 0
      if (!Number.isFinite(value)) continue
      const count = ((this.#counts[i] as number) += 1)
      if (value !== this.#last[i]) this.#moves[i] = (this.#moves[i] as number) + 1
      this.#last[i] = value
      const sigma = this.sigma(i)
      const distance = value - (mean[i] as number)
      const clip = count > CLIP_AFTER ? LEARN_CLIP * sigma : Number.POSITIVE_INFINITY
      this.#step[i] = count === 1 ? 0 : Math.max(-clip, Math.min(clip, distance))
      const weight = count === 1 ? 1 : trust * Math.max(1 / count, 1 / MEMORY)
      this.#weight[i] = weight
      if (count === 1) mean[i] = value
      this.#toMean[i] = Math.max(1 / count, 1 / MEAN_MEMORY)
    }
    if (this.#rows < SLOW_ALWAYS) this.#learnPairs(this.covariance, this.#step, 1)
    else if (this.#rows % PAIRS_EVERY === 0) this.#learnPairs(this.covariance, this.#step, PAIRS_EVERY)
    if (this.#rows < SLOW_ALWAYS) this.#learnPairs(this.slowCovariance, slow, 1)
    else if (this.#rows % SLOW_EVERY === 0) this.#learnPairs(this.slowCovariance, slow, SLOW_EVERY)
    for (let i = 0; i < size; i++) if ((this.#weight[i] as number) > 0) mean[i] = (mean[i] as number) + (this.#toMean[i] as number) * (this.#step[i] as number)
  }

  /** The most of a row's cost: private fields are read once, not for every pair. */
  #learnPairs(covariance: Float64Array, values: Float64Array, more: number): void {
    const { size } = this
    const weights = this.#weight
    for (let i = 0; i < size; i++) {
      const weight = weights[i] as number
      if (weight === 0) continue
      const value = values[i] as number
      for (let j = i, at = i * size + i; j < size; j++, at++) {
        const other = weights[j] as number
        if (other === 0) continue
        const share = Math.min(1, more * (other > weight ? other : weight))
        const before = covariance[at] as number
        covariance[at] = before + share * (value * (values[j] as number) - before)
      }
    }
  }

  /** Only the mean goes on, by `trust` from 0 to 1 a signal. */
  followMean(row: ArrayLike<number>, trust: Float64Array): void {
    for (let i = 0; i < this.size; i++) {
      const value = row[i] as number
      if (!Number.isFinite(value)) continue
      const clip = LEARN_CLIP * this.sigma(i)
      const weight = (trust[i] as number) / MEAN_MEMORY
      this.mean[i] = (this.mean[i] as number) + weight * Math.max(-clip, Math.min(clip, value - (this.mean[i] as number)))
    }
  }

  get state(): Pick<SavedGroup, 'rows' | 'mean' | 'covariance' | 'slowCovariance' | 'counts' | 'moves' | 'last'> {
    return {
      rows: this.#rows,
      mean: [...this.mean],
      covariance: packed(this.covariance, this.size),
      slowCovariance: packed(this.slowCovariance, this.size),
      counts: [...this.#counts],
      moves: [...this.#moves],
      last: [...this.#last],
    }
  }
}

/** The upper triangle of a square, by rows. */
function packed(square: Float64Array, size: number): number[] {
  const triangle: number[] = []
  for (let i = 0; i < size; i++) for (let j = i; j < size; j++) triangle.push(square[i * size + j] as number)
  return triangle
}

function unpacked(triangle: readonly number[] | undefined, size: number): Float64Array {
  const square = new Float64Array(size * size)
  let at = 0
  for (let i = 0; i < size; i++) for (let j = i; j < size; j++) square[i * size + j] = triangle?.[at++] ?? 0
  return square
}
