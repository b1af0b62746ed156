import type { SubspaceState } from './subspace.ts'
import type { TailState } from './tail-limit.ts'

/** All that a group detector remembers, as plain JSON. Matrices are upper triangles by rows, in the units of the signals. */
export interface SavedGroup {
  readonly format: 1
  readonly size: number
  /** rows learned */
  readonly rows: number
  readonly mean: readonly number[]
  readonly covariance: readonly number[]
  readonly slowCovariance: readonly number[]
  /** by signal: values learned, how many of them differed from the one before, and the last one */
  readonly counts: readonly number[]
  readonly moves: readonly number[]
  readonly last: readonly number[]
  /** moving average of the distances to the mean, in the units of the signals */
  readonly slow: readonly number[]
  /** moving averages of the contributions to the energy inside and outside of the subspace */
  readonly inside: readonly number[]
  readonly outside: readonly number[]
  readonly subspace: SubspaceState | null
  /** rows at which the subspace is computed again */
  readonly nextSubspace: number
  readonly limits: readonly TailState[]
  /** rows since an alarm began, 0: none */
  readonly alarmed: number
  /** by statistic: its highest value since the alarm began */
  readonly peaks: readonly number[]
  /** rows judged but not learned yet, oldest first: values, moving average, statistics, trust; a missing value is null once it was JSON */
  readonly pending: readonly number[]
}
