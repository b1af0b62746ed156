import type { Clock } from '../../core/base/clock.ts'
import type { Plan } from '../../core/messages/plan.ts'
import { buildProblem, type PlanningProblem, type PlanningSettings } from '../../core/orders/planning/build-problem.ts'
import { publishPlan } from '../../core/orders/planning/publish-plan.ts'
import { readFacts } from '../../core/orders/planning/read-facts.ts'
import { draftPlan, type PlanTrigger } from '../../core/orders/planning/to-plan.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { ScheduleProblem } from '../../core/schedule/problem.ts'
import { doNothing } from '../../core/schedule/search.ts'
import type { Store } from '../../core/store/store.ts'

export interface RightShiftOptions {
  readonly store: Store
  readonly plant: Plant
  readonly clock: Clock
  readonly settings: PlanningSettings
  readonly toleranceMs: number
}

/**
 * Who only shifts a plan: every job order stays on its unit and in its turn, a repair that is asked for comes next on its unit, and all that is in its way waits.
 * Null where nothing moves, or there is no plan yet.
 */
export async function shiftRight({ store, plant, clock, settings, toleranceMs }: RightShiftOptions, trigger: PlanTrigger): Promise<Plan | null> {
  const facts = await readFacts(store, plant, clock.now())
  if (facts.plan === undefined) return null
  const built = withRepairsNext(buildProblem(facts, plant, settings))
  const schedule = doNothing(built.problem)
  if (schedule === null) return null
  const draft = draftPlan(facts, built, { schedule, doNothing: schedule }, plant, { trigger, toleranceMs })
  return draft.material ? publishPlan(store, draft, 'planner') : null
}

/** A repair that no plan has a place for yet is put where it would be if it began now. */
function withRepairsNext(built: PlanningProblem): PlanningProblem {
  const { problem, jobs } = built
  const operations = problem.operations.map((operation, index): ScheduleProblem['operations'][number] => {
    const unit = operation.alternatives[0]?.unit
    if (jobs[index]?.maintenance === undefined || operation.frozen !== undefined || operation.baseline !== undefined || unit === undefined) return operation
    return { ...operation, baseline: { unit, start: problem.now } }
  })
  return { ...built, problem: { ...problem, operations } }
}
