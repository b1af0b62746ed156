import type { JobOrder } from '../../../messages/job-order.ts'
import type { PlanProblem } from '../../../messages/plan.ts'
import type { ScheduleProblem, Span } from '../../../schedule/problem.ts'
import type { Objective } from '../objectives.ts'
import type { UnitThreat } from '../unit-threat.ts'
import type { Resourced } from './fold-resources.ts'

/** A schedule problem and what its numbers stand for. */
export interface PlanningProblem {
  readonly problem: ScheduleProblem
  /** What operations need beside their unit, also what there is plenty of and the search is not told. */
  readonly asked: Resourced
  /** Unit ids by index. */
  readonly units: readonly string[]
  /** Job orders by operation index. */
  readonly jobs: readonly JobOrder[]
  /** What cannot be planned, and why; the rest is in the problem. */
  readonly problems: readonly PlanProblem[]
  /** Job orders that could not be planned. */
  readonly unplanned: readonly JobOrder[]
  /** Units that take no work until they are repaired. */
  readonly down: ReadonlySet<string>
  /** Blocks that lie on units, with the disruption behind each. */
  readonly blocks: readonly Block[]
  /** Units that may fail, and what says so. */
  readonly threats?: ReadonlyMap<string, UnitThreat>
  /** Job orders that the frozen horizon keeps where they are. */
  readonly kept?: ReadonlySet<string>
  /** The calendars are known until then; a plan that ends later needs a longer look ahead. */
  readonly horizon: number
}

export interface Block {
  readonly equipment: string
  readonly span: Span
  readonly disruption: string
  /** A person holds the unit: why. */
  readonly held?: string
}

export interface PlanningSettings {
  readonly objective: Objective
  /** May closed time interrupt a job order? A repair is never interrupted. */
  readonly resumable: boolean
  /** How far ahead to look at least, ms. */
  readonly lookAheadMs?: number
  /** What the plan in force starts within this time keeps its unit and its sequence, ms. Default 0: nothing does. */
  readonly frozenMs?: number
}

/** What cannot have ended so long from now, begun now, is not planned. */
export { FARTHEST_MS as FOREVER_MS } from '../screen-input.ts'
export const HOUR_MS = 3_600_000
export const MINUTE_MS = 60_000
/** The least that a job order under way still takes. */
export const SOON_MS = 1000
/** So many job orders between two looks at the time. */
export const JOBS_A_STEP = 10

const LONGEST_WHY = 1000

/** What is wrong with what the store says: named while the problem is built. */
export class ProblemLog {
  readonly problems: PlanProblem[] = []
  readonly unplanned: JobOrder[] = []

  /** Names what is wrong with a job order; it is left out of the plan unless that is possible all the same. Always false. */
  job(job: JobOrder, code: string, why: string, planned = false): false {
    this.problems.push({ workOrder: job.workOrder, jobOrder: job.id, code, why: `${job.id}: ${why}`.slice(0, LONGEST_WHY) })
    if (!planned) this.unplanned.push(job)
    return false
  }
}

export function isUnderWay(job: JobOrder): boolean {
  return job.state === 'Running' || job.state === 'Interrupted'
}
