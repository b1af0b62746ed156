import type { Severity } from '../../messages/anomaly.ts'

/** When a disruption is seen in what the plant says. Times are plant time, ms. */
export interface DisruptionSettings {
  readonly minSeverity: Severity
  readonly minScore: number
  /** So long an anomaly must stand, or a unit be silent, before anything is done about it. */
  readonly persistMs: number
  /** By when a repair must have begun, from when it was asked for. */
  readonly deadlineMs: Readonly<Record<Severity, number>>
  /** A repair that a prognosis asks for must have begun when this share of the time to the earliest end has passed, 0 to 1. */
  readonly prognosisShare: number
  /** So many alarms a week may be false; beyond that they only propose. */
  readonly falseAlarmBudget: number
  /** For so long after a repair its unit's anomalies are not believed. */
  readonly cooldownMs: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export const DISRUPTION_DEFAULTS: DisruptionSettings = {
  minSeverity: 'medium',
  minScore: 0.5,
  persistMs: 5 * MINUTE,
  deadlineMs: { low: 24 * HOUR, medium: 8 * HOUR, high: 4 * HOUR },
  prognosisShare: 0.8,
  falseAlarmBudget: 3,
  cooldownMs: 30 * MINUTE,
}
