/** A mean and its two-sided 95 % interval, from values of runs that do not depend on each other (Student's t). */
export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

export function intervalOf(values: readonly number[]): Interval {
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  if (n < 2) return { mean, low: Number.NaN, high: Number.NaN }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  const half = t975(n - 1) * Math.sqrt(variance / n)
  return { mean, low: mean - half, high: mean + half }
}

const Z = 1.959963984540054
/** Exact where the expansion below is not close enough. */
const FEW = [12.7062, 4.3027, 3.1824, 2.7764]

/** The 97.5 % quantile of Student's t. Expansion in 1/ν: Abramowitz & Stegun 26.7.5. */
export function t975(freedom: number): number {
  const exact = FEW[freedom - 1]
  if (exact !== undefined) return exact
  const z3 = Z ** 3
  const z5 = Z ** 5
  const z7 = Z ** 7
  return Z + (z3 + Z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * Z) / (96 * freedom ** 2) + (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * freedom ** 3)
}
