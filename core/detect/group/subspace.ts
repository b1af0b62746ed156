import type { Baseline } from './baseline.ts'
import { eigenOfSymmetric } from './eigen.ts'

export interface SubspaceState {
  readonly components: number
  readonly sigma: readonly number[]
  readonly vectors: readonly number[]
  readonly inside: readonly number[]
  readonly slowInside: readonly number[]
  readonly outside: readonly number[]
  readonly slowOutside: readonly number[]
}

/** Rows for which it is believed that the moving average varies as much as the rows themselves: signals may be slow, and few rows do not show how slow. */
const SLOW_PRIOR_ROWS = 30
/** A fitted value is off by this much more variance than with the best fit there is: it is found in a few rounds. */
const FITTED_ERROR = 2
/**
 * A direction counts with so many average variances. One (Kaiser's rule) leaves so much in the residual that a signal which is loosely bound to the others hides a tight relation among them;
 * from 0.4 to 0.5 finds most, 0.3 and 0.6 less (`npm run bench detect`).
 */
const DIRECTION_LEAST = 0.45
/** A residual is never taken to vary less than this share of its signal's variance. */
const RESIDUAL_LEAST = 1e-4

/**
 * The directions in which the standardised signals vary together (principal components with a good share of the average variance), and how much rows, and their moving averages, vary
 * inside and outside of them. Hotelling's T² inside, the squared residual (Q, SPE) outside, each residual measured by its own variance (Jackson & Mudholkar 1979, MacGregor & Kourti 1995).
 */
export class Subspace {
  readonly size: number
  readonly components: number
  /** by signal */
  readonly sigma: Float64Array
  /** one direction after the other, each `size` long */
  readonly #vectors: Float64Array
  /** variance along each direction, of rows and of their moving average */
  readonly #inside: Float64Array
  readonly #slowInside: Float64Array
  /** variance of each signal's residual, of rows and of their moving average */
  readonly #outside: Float64Array
  readonly #slowOutside: Float64Array
  readonly #along: Float64Array
  readonly #leverage: Float64Array

  constructor(size: number, state: SubspaceState) {
    this.size = size
    this.components = state.components
    this.sigma = Float64Array.from(state.sigma)
    this.#vectors = Float64Array.from(state.vectors)
    this.#inside = Float64Array.from(state.inside)
    this.#slowInside = Float64Array.from(state.slowInside)
    this.#outside = Float64Array.from(state.outside)
    this.#slowOutside = Float64Array.from(state.slowOutside)
    this.#along = new Float64Array(state.components)
    this.#leverage = new Float64Array(size)
  }

  /** From what was learned so far. Little data makes correlations by chance: they are shrunk, less with every row (Ledoit & Wolf 2004, with a fixed rule for how much). */
  static of(baseline: Baseline): Subspace {
    const { size, covariance, slowCovariance, rows } = baseline
    const sigma = Float64Array.from({ length: size }, (_, i) => baseline.sigma(i))
    const kept = 1 - size / (size + 2 * rows)
    const correlation = new Float64Array(size * size)
    const slow = new Float64Array(size * size)
    const trusted = rows / (rows + SLOW_PRIOR_ROWS)
    for (let i = 0; i < size; i++) {
      for (let j = i; j < size; j++) {
        const scale = 1 / ((sigma[i] as number) * (sigma[j] as number))
        const both = i === j ? 1 : kept * scale * (covariance[i * size + j] as number)
        correlation[i * size + j] = correlation[j * size + i] = both
        const slowly = (i === j ? 1 : kept) * scale * (slowCovariance[i * size + j] as number)
        slow[i * size + j] = slow[j * size + i] = trusted * slowly + (1 - trusted) * both
      }
    }
    const { values, vectors } = eigenOfSymmetric(correlation, size)
    let components = 1
    while (components < size - 1 && (values[components] as number) > DIRECTION_LEAST) components++
    const used = vectors.slice(0, components * size)
    const inside = Array.from({ length: components }, (_, c) => Math.max(values[c] as number, RESIDUAL_LEAST))
    const slowInside = inside.map((variance, c) => Math.max(quadratic(slow, used, c, size), 1e-3 * variance))
    const outside = residuals(correlation, used, components, size).map((variance) => Math.max(variance, RESIDUAL_LEAST))
    const slowOutside = residuals(slow, used, components, size).map((variance, i) => Math.max(variance, 1e-3 * (outside[i] as number)))
    return new Subspace(size, { components, sigma: [...sigma], vectors: [...used], inside, slowInside, outside, slowOutside })
  }

  /** `fitted`: what the directions make of the standardised row, size long. */
  fit(row: Float64Array, fitted: Float64Array): void {
    this.#project(row)
    fitted.fill(0)
    for (let c = 0; c < this.components; c++) this.#add(c, this.#along[c] as number, fitted)
  }

  /**
   * Contributions of each signal to T² of the row (`inside`) and to the squared residual (`outside`); `slow`: the row is a moving average; `doubt`: variance that the residuals have besides their
   * own. Also fits.
   */
  contributions(row: Float64Array, slow: boolean, doubt: Float64Array, fitted: Float64Array, inside: Float64Array, outside: Float64Array): void {
    this.fit(row, fitted)
    const alongVariance = slow ? this.#slowInside : this.#inside
    const residualVariance = slow ? this.#slowOutside : this.#outside
    inside.fill(0)
    for (let c = 0; c < this.components; c++) this.#add(c, (this.#along[c] as number) / (alongVariance[c] as number), inside)
    for (let i = 0; i < this.size; i++) {
      inside[i] = (inside[i] as number) * (row[i] as number)
      const residual = (row[i] as number) - (fitted[i] as number)
      outside[i] = (residual * residual) / ((residualVariance[i] as number) + (doubt[i] as number))
    }
  }

  /** Adds the variance that the residuals have because signal `i` was not measured but fitted, badly so where no other signal goes with it. */
  addDoubt(i: number, doubt: Float64Array): void {
    const { size, components } = this
    this.#leverage.fill(0)
    for (let c = 0; c < components; c++) this.#add(c, this.#vectors[c * size + i] as number, this.#leverage)
    const error = FITTED_ERROR * Math.max(this.#outside[i] as number, this.#leverage[i] as number)
    for (let j = 0; j < size; j++) doubt[j] = (doubt[j] as number) + (this.#leverage[j] as number) ** 2 * error
  }

  get state(): SubspaceState {
    return {
      components: this.components,
      sigma: [...this.sigma],
      vectors: [...this.#vectors],
      inside: [...this.#inside],
      slowInside: [...this.#slowInside],
      outside: [...this.#outside],
      slowOutside: [...this.#slowOutside],
    }
  }

  #project(row: Float64Array): void {
    const { size, components } = this
    const vectors = this.#vectors
    for (let c = 0, at = 0; c < components; c++) {
      let sum = 0
      for (let i = 0; i < size; i++, at++) sum += (vectors[at] as number) * (row[i] as number)
      this.#along[c] = sum
    }
  }

  #add(c: number, factor: number, to: Float64Array): void {
    const { size } = this
    const vectors = this.#vectors
    for (let i = 0, at = c * size; i < size; i++, at++) to[i] = (to[i] as number) + factor * (vectors[at] as number)
  }
}

/** Variance along direction c. */
function quadratic(matrix: Float64Array, vectors: Float64Array, c: number, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) {
    let row = 0
    for (let j = 0; j < size; j++) row += (matrix[i * size + j] as number) * (vectors[c * size + j] as number)
    sum += row * (vectors[c * size + i] as number)
  }
  return sum
}

/** Variance of each signal's residual: the diagonal of P·matrix·P, where P takes the directions out. */
function residuals(matrix: Float64Array, vectors: Float64Array, components: number, size: number): number[] {
  const out = Float64Array.from(matrix)
  const take = (of: Float64Array, offset: number, step: number): void => {
    for (let c = 0; c < components; c++) {
      let along = 0
      for (let i = 0; i < size; i++) along += (vectors[c * size + i] as number) * (of[offset + i * step] as number)
      for (let i = 0; i < size; i++) of[offset + i * step] = (of[offset + i * step] as number) - along * (vectors[c * size + i] as number)
    }
  }
  for (let i = 0; i < size; i++) take(out, i * size, 1)
  for (let j = 0; j < size; j++) take(out, j, size)
  return Array.from({ length: size }, (_, i) => out[i * size + i] as number)
}
