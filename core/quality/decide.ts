import type { QualityDecision } from '../messages/quality-result.ts'

/** Limits of a characteristic; null where there is none on that side. */
export interface Limits {
  readonly target: number | null
  readonly lower: number | null
  readonly upper: number | null
  /** A part outside its limits is never made good: it is rejected, not reworked. */
  readonly critical: boolean
}

export interface DecisionOptions {
  /**
   * A part that lies farther beyond a limit than this share of the tolerance cannot be made good and is rejected;
   * null: out of limits is always held for rework (unless critical).
   */
  readonly rejectBeyond: number | null
  /** Why good values are not trusted either, e.g. an anomaly that stands on the unit; null when there is no doubt. */
  readonly doubt: string | null
}

export interface Decision {
  readonly decision: QualityDecision
  /** Names of the rules that spoke: `above-upper`, `below-lower`, `reject-beyond`, `critical`, `anomaly-window`. */
  readonly rules: readonly string[]
  /** The same as sentences. */
  readonly reasons: readonly string[]
  /** Values outside their limits, or all of them while there is doubt. */
  readonly bad: number
}

const LARGEST_REASONS = 5

/** Judges measured values (one a part) against their limits. Pure; a limit itself is still good (ISO 286, ASME Y14.5: limits are inclusive). */
export function decide(values: readonly number[], limits: Limits, unit: string | undefined, options: DecisionOptions): Decision {
  const rules = new Set<string>()
  const reasons: string[] = []
  let bad = 0
  let rejected = false
  for (const value of values) {
    const beyond = beyondLimits(value, limits)
    if (beyond === null) continue
    bad++
    rules.add(beyond.rule)
    const tolerance = toleranceOf(limits)
    const farOut = options.rejectBeyond !== null && tolerance !== null && beyond.by > options.rejectBeyond * tolerance
    if (limits.critical) rules.add('critical')
    if (farOut) rules.add('reject-beyond')
    rejected ||= limits.critical || farOut
    reasons.push(sentence(value, beyond, unit, limits.critical, farOut))
  }
  if (bad === 0 && options.doubt !== null) return { decision: 'hold', rules: ['anomaly-window'], reasons: [options.doubt], bad: values.length }
  const told = reasons.slice(0, LARGEST_REASONS)
  if (reasons.length > told.length) told.push(`and ${reasons.length - told.length} more of ${values.length}`)
  return { decision: rejected ? 'reject' : bad > 0 ? 'hold' : 'pass', rules: [...rules], reasons: told, bad }
}

interface Beyond {
  readonly rule: 'above-upper' | 'below-lower'
  readonly limit: number
  readonly by: number
}

function beyondLimits(value: number, { lower, upper }: Limits): Beyond | null {
  if (upper !== null && value > upper) return { rule: 'above-upper', limit: upper, by: value - upper }
  if (lower !== null && value < lower) return { rule: 'below-lower', limit: lower, by: lower - value }
  return null
}

/** Width between the limits; with one limit only, twice its distance from the target; null where neither can be said. */
function toleranceOf({ target, lower, upper }: Limits): number | null {
  if (lower !== null && upper !== null) return upper - lower
  const only = upper ?? lower
  return only === null || target === null ? null : 2 * Math.abs(only - target)
}

function sentence(value: number, beyond: Beyond, unit: string | undefined, critical: boolean, farOut: boolean): string {
  const suffix = unit === undefined ? '' : ` ${unit}`
  const side = beyond.rule === 'above-upper' ? 'above the upper' : 'below the lower'
  const grave = critical ? '; the characteristic is critical' : farOut ? '; too far out to be made good' : ''
  return `${trim(value)}${suffix} is ${trim(beyond.by)}${suffix} ${side} limit ${trim(beyond.limit)}${suffix}${grave}`
}

/** Without the noise of binary fractions: 0.050000000000004 is 0.05. */
function trim(value: number): string {
  return String(Number(value.toPrecision(10)))
}
