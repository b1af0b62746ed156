import type { Evidence } from '../messages/anomaly.ts'
import type { CyclePlace } from './cycles.ts'

/**
 * What a detector says of the value it was given last. `deviation` is 0 as expected, 1 at the detector's threshold, more beyond; null while it cannot
 * judge (it still learns). Expected value and band are null where the method has none. The same object each time: read it before the next update.
 */
export interface Score {
  readonly deviation: number | null
  readonly expected: number | null
  readonly lower: number | null
  readonly upper: number | null
  /** How strongly something unlike before *begins* with this value, 1 at the threshold; null where the method does not look for it. */
  readonly onset: number | null
  /** The deviation without `hard`, where there is such: what a false-alarm budget may scale. */
  readonly soft?: number | null
  /** The deviation from limits that somebody gave: they are as they are. */
  readonly hard?: number | null
}

/**
 * Judges one signal, value by value. `time` is epoch ms and does not go back, unless a clock was set back for good. `standing`: an alarm on this signal stands, so the value may be wrong and
 * is not to be learned as normal, or only slowly. `fixed`: nothing at all is to be learned from it: it is known to be wrong, or somebody froze what is known.
 */
export interface Detector {
  update(time: number, value: number, standing: boolean, fixed?: boolean): Score
  /** Where the next value lies in the cycle of its unit; undefined: nobody knows. Only of methods that go by cycles. */
  place?(place: CyclePlace | undefined): void
  /** Why it spoke: what it saw and expected in the last update. Only where the deviation is near 1 or beyond. */
  evidence(): Evidence[]
  /** All it remembers, as plain JSON; a detector made with it goes on as if it had never stopped. */
  readonly state: DetectorState
}

export type DetectorState = Readonly<Record<string, number | string | null | readonly number[]>>

/** Deviation from which a detector has evidence to give. */
export const NOTEWORTHY = 0.7

/** A score in [0, 1) for people and thresholds: 0.5 at a deviation of 1, 0.94 at 2. */
export function scoreOf(deviation: number): number {
  return deviation > 30 ? 1 : 1 - 2 ** -(deviation * deviation)
}

/** The Score that a detector fills in place: no garbage at thousands of values a second. */
export interface OpenScore {
  deviation: number | null
  expected: number | null
  lower: number | null
  upper: number | null
  onset: number | null
  soft?: number | null
  hard?: number | null
}

export function openScore(): OpenScore {
  return { deviation: null, expected: null, lower: null, upper: null, onset: null }
}

/** Probability that a normal variable lies at least `z` standard deviations from its mean, either side (Abramowitz & Stegun 7.1.26; beyond 6 its tail series). */
export function twoSidedTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  if (x > 4.2) return Math.exp(-x * x) / (x * Math.sqrt(Math.PI))
  const t = 1 / (1 + 0.3275911 * x)
  return Math.min(1, t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x))
}

/** A number of a saved state; the fallback where it is missing or no number. */
export function savedNumber(state: DetectorState | undefined, key: string, fallback: number): number {
  const value = state !== undefined && Object.hasOwn(state, key) ? state[key] : undefined
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback
}

export function savedNumbers(state: DetectorState | undefined, key: string): number[] {
  const value = state !== undefined && Object.hasOwn(state, key) ? state[key] : undefined
  return Array.isArray(value) ? value.filter((item) => Number.isFinite(item)) : []
}
