import type { Anomaly } from '../../messages/anomaly.ts'
import type { Disruption } from '../../messages/disruption.ts'

/**
 * What stands against a unit since its last repair: that it will probably not last until a deadline (`foretold`), or only that it fails sooner than usual, so many
 * times as often (`hazard`). `because` is what says so: an anomaly's or a disruption's id.
 */
export interface UnitThreat {
  readonly hazard?: number
  readonly foretold?: { readonly by: number; readonly probability: number; readonly since: number }
  readonly because: string
}

export interface Standing {
  readonly disruptions: readonly Disruption[]
  readonly anomalies: readonly Anomaly[]
}

/** Nothing else known, a machine works so long from failure to failure. */
export const USUAL_LIFE_MS = 200 * 3_600_000
/** How much more often units fail while an anomaly stands that nobody has given a deadline; twice that when a person has confirmed it. */
const HAZARD = { low: 2, medium: 4, high: 8 } as const
/** That a unit does not last until the deadline of the repair that a prognosis or an anomaly asks for: deadlines lie before what they are to forestall. */
const FAILS_BEFORE_DEADLINE = { prognosis: 0.05, anomaly: 0.1 } as const

/** `renewedAt`: when it last came back from a repair; what was seen before is over. A deadline says more than an anomaly without one. */
export function threatOf(unit: string, renewedAt: number, { disruptions, anomalies }: Standing): UnitThreat | undefined {
  let foretold: (UnitThreat & Required<Pick<UnitThreat, 'foretold'>>) | undefined
  for (const { id, equipment, action, deadline, time, cause } of disruptions) {
    if (equipment !== unit || action !== 'maintain-before' || deadline === null || time <= renewedAt) continue
    if (foretold !== undefined && foretold.foretold.by <= deadline) continue
    const by = cause.prognosis !== undefined ? 'prognosis' : cause.anomaly !== undefined ? 'anomaly' : undefined
    if (by !== undefined) foretold = { foretold: { by: deadline, probability: FAILS_BEFORE_DEADLINE[by], since: time }, because: id }
  }
  if (foretold !== undefined) return foretold
  let threat: (UnitThreat & { readonly hazard: number }) | undefined
  for (const { id, equipment, severity, verdict, time } of anomalies) {
    if (equipment !== unit || verdict?.decision === 'refused' || time <= renewedAt) continue
    const hazard = HAZARD[severity] * (verdict?.decision === 'confirmed' ? 2 : 1)
    if (threat === undefined || hazard > threat.hazard) threat = { hazard, because: id }
  }
  return threat
}

/** Failures per ms of work that are expected beyond those of a unit of which nothing is said. */
export function excessHazard({ hazard, foretold }: UnitThreat, now: number): number {
  if (foretold === undefined) return ((hazard ?? 1) - 1) / USUAL_LIFE_MS
  // the chance is spread over the time that is left; of what was to be repaired long ago an hour is
  const left = Math.max(foretold.by - now, LEAST_LEFT_MS)
  return Math.max(0, -Math.log(1 - foretold.probability) / left - 1 / USUAL_LIFE_MS)
}

const LEAST_LEFT_MS = 3_600_000
