import type { JobOrder } from '../../../messages/job-order.ts'
import type { PlanningFacts } from '../read-facts.ts'
import { isTime } from '../screen-input.ts'
import type { JobsUnderWay } from './jobs-under-way.ts'
import { isUnderWay, type PlanningSettings } from './planning-problem.ts'
import type { PlanningResources } from './planning-resources.ts'
import type { PlanningUnits } from './planning-units.ts'
import type { JobScreen } from './screen-jobs.ts'

/** A job order that keeps its unit, and its place in the sequence there: by the start that the plan in force gives it. */
export interface Kept {
  readonly unit: number
  readonly start: number
}

export interface KeepParts {
  readonly facts: PlanningFacts
  readonly settings: PlanningSettings
  readonly units: PlanningUnits
  readonly resources: PlanningResources
  readonly underWay: JobsUnderWay
  readonly screen: JobScreen
}

/**
 * What the frozen horizon keeps: job orders that the plan in force starts within it, unless their unit is down, blocked or about to be repaired, or what they wait for
 * (a job order before them, their material, people or tools) does not come within the horizon: a unit must not stand idle for the sake of a sequence.
 */
export function keptJobs(jobs: readonly JobOrder[], heads: ReadonlyMap<string, number>, parts: KeepParts): ReadonlyMap<string, Kept> {
  const { facts, units, resources, underWay, screen, settings } = parts
  const kept = new Map<string, Kept>()
  const { now, plan } = facts
  const { frozenMs = 0 } = settings
  const horizon = now + frozenMs
  if (frozenMs <= 0 || plan === undefined) return kept
  const open = new Map(jobs.map((job) => [job.id, job]))
  const comesInTime = (id: string): boolean => {
    const before = open.get(id)
    if (before === undefined || kept.has(id)) return true
    if (!isUnderWay(before)) return heads.has(id)
    return (before.transferLot !== undefined && underWay.goesOn(before) ? underWay.firstLotAt(before) : underWay.endOf(before)) <= horizon
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
    const alternative = screen.possible.get(job.id)?.find((one) => one.unit === unit)
    if (alternative === undefined || resources.closedFor(alternative.needs ?? []).some(({ from, to }) => from <= start && to > horizon)) continue
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
