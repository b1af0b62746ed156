import type { JobOrder } from '../../../messages/job-order.ts'
import type { ProblemAlternative } from '../../../schedule/problem.ts'
import type { PlanningFacts } from '../read-facts.ts'
import { isTime } from '../screen-input.ts'
import { isUnderWay } from './planning-problem.ts'
import type { PlanningUnits } from './planning-units.ts'

/** A job order that keeps its unit, and its place in the sequence there: by the start that the plan in force gives it. */
export interface Kept {
  readonly unit: number
  readonly start: number
}

/**
 * What the frozen horizon keeps: job orders that the plan in force starts within it, unless their unit is down, blocked or about to be repaired, or what they wait for
 * (a job order before them, their material) does not come within the horizon: a unit must not stand idle for the sake of a sequence.
 */
export function keptJobs(
  jobs: readonly JobOrder[],
  facts: PlanningFacts,
  units: PlanningUnits,
  possible: ReadonlyMap<string, readonly ProblemAlternative[]>,
  heads: ReadonlyMap<string, number>,
  endOf: (job: JobOrder) => number,
  frozenMs: number,
): ReadonlyMap<string, Kept> {
  const kept = new Map<string, Kept>()
  const { now, plan } = facts
  const horizon = now + frozenMs
  if (frozenMs <= 0 || plan === undefined) return kept
  const open = new Map(jobs.map((job) => [job.id, job]))
  const comesInTime = (id: string): boolean => {
    const before = open.get(id)
    return before === undefined || kept.has(id) || (isUnderWay(before) ? endOf(before) <= horizon : heads.has(id))
  }
  // in the order of their starts: what a job order waits for is looked at before it
  for (const { jobOrder, equipment, start, end } of plan.assignments.toSorted((a, b) => a.start - b.start)) {
    if (start > horizon) break
    const job = open.get(jobOrder)
    if (job === undefined || job.state !== 'NotAllowedToStart' || job.equipment !== equipment || job.plannedStart === null) continue
    if (units.down.has(equipment) || units.repairFirst.has(equipment) || isToBeRepaired(equipment, units)) continue
    if (units.blocksOn(equipment).some(({ span }) => span.from < Math.max(end, horizon) && span.to > now)) continue
    if (isTime(job.materialAt) && job.materialAt > Math.max(start, horizon)) continue
    // the place that a person has given it since counts, not the one of the plan
    if (job.pinned && Math.abs(job.plannedStart - start) > 0) continue
    const unit = units.index.get(equipment) ?? -1
    if (!possible.get(job.id)?.some((alternative) => alternative.unit === unit)) continue
    if (job.after.every(comesInTime)) kept.set(job.id, { unit, start })
  }
  return kept
}

/** A repair that the plan in force knows nothing of, or has too late, goes before what was to be kept. */
function isToBeRepaired(equipment: string, { repairs }: PlanningUnits): boolean {
  const repair = repairs.get(equipment)
  if (repair === undefined || isUnderWay(repair)) return false
  return repair.plannedStart === null || (isTime(repair.deadline) && repair.deadline < repair.plannedStart)
}
