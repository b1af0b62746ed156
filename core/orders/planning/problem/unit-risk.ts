import type { JobOrder } from '../../../messages/job-order.ts'
import type { Plant } from '../../../plant/plant.ts'
import type { ProblemUnit } from '../../../schedule/problem.ts'
import { maintenanceDurationMs } from '../../maintenance.ts'
import type { PlanningFacts } from '../read-facts.ts'
import { excessHazard, threatOf, type UnitThreat } from '../unit-threat.ts'
import { isUnderWay } from './planning-problem.ts'
import type { PlanningUnits } from './planning-units.ts'

/** A unit that was just repaired fails so much more often than usual, until its trial has passed: as one of which an anomaly of high severity is told. */
const ON_TRIAL = 8

/** What stands against each unit that is not down or under repair already. */
export function threatsOf(
  { anomalies = [], proposals = [], disruptions, renewedAt, limits = new Map() }: PlanningFacts,
  units: PlanningUnits,
): ReadonlyMap<string, UnitThreat> {
  const threats = new Map<string, UnitThreat>()
  const standing = { anomalies, disruptions: [...disruptions, ...proposals] }
  for (const unit of new Set([...standing.anomalies, ...standing.disruptions].map(({ equipment }) => equipment).concat(...limits.keys()))) {
    const repair = units.repairs.get(unit)
    if (!units.index.has(unit) || units.down.has(unit) || (repair !== undefined && isUnderWay(repair))) continue
    const threat = threatOf(unit, renewedAt?.get(unit) ?? Number.NEGATIVE_INFINITY, standing)
    if (threat !== undefined) threats.set(unit, threat)
    // nobody has seen yet that the repair helped
    else if (limits.has(unit)) threats.set(unit, { hazard: ON_TRIAL, because: limits.get(unit)?.workOrder ?? unit })
  }
  return threats
}

/** What work on such a unit is expected to lose, ms per ms: the failures expected beyond the usual times what an unplanned repair takes; until its repair, where one is planned. */
export function risksOf(
  threats: ReadonlyMap<string, UnitThreat>,
  jobs: readonly JobOrder[],
  plant: Plant,
  now: number,
): ReadonlyMap<string, NonNullable<ProblemUnit['risk']>> {
  const risks = new Map<string, NonNullable<ProblemUnit['risk']>>()
  for (const [unit, threat] of threats) {
    const perTime = Math.min(1, excessHazard(threat, now) * maintenanceDurationMs(plant, unit, 'unplanned'))
    const repair = jobs.findIndex((job) => job.maintenance !== undefined && job.equipment === unit)
    if (perTime > 0) risks.set(unit, repair < 0 ? { perTime } : { perTime, until: repair })
  }
  return risks
}
