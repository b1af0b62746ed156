import { atOnce, type Steps } from '../../base/in-slices.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { Assignment, Plan, PlanChange, PlanProblem } from '../../messages/plan.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Placement, Schedule } from '../../schedule/problem.ts'
import type { PlanningProblem } from './build-problem.ts'
import { ChangeExplainer } from './explain-changes.ts'
import { effectOf, effectText, type Lateness, latenessOf, promisedLateness, spanText, weightsOfOrders } from './plan-effect.ts'
import type { PlanningFacts } from './read-facts.ts'
import { isTime } from './screen-input.ts'

/** What made somebody ask for a plan: the type of an event, `start`, `message`, `late`, … and what it was about. */
export interface PlanTrigger {
  readonly type: string
  readonly id?: string
}

/** A plan that is not published yet: what it will be, and which job orders it changes. */
export interface DraftPlan {
  readonly plan: Plan
  /** Job orders as they were read, with what the plan makes of them; only those that the plan changes in a way that matters. */
  readonly updates: readonly JobOrderUpdate[]
  /** False when it differs from the plan in force by nothing that matters to anybody. */
  readonly material: boolean
  /** How late each order with a due time ends in it, and what its lateness counts. */
  readonly lateness: Lateness
  readonly weights: ReadonlyMap<string, number>
}

export interface JobOrderUpdate {
  readonly job: JobOrder
  readonly equipment: string | null
  readonly plannedStart: number | null
  readonly plannedEnd: number | null
}

/** What a search found, and what doing nothing would give. */
export interface SolvedPlan {
  readonly schedule: Schedule
  readonly doNothing: Schedule | null
}

export interface DraftOptions {
  readonly trigger: PlanTrigger
  /** A start that differs by no more than this is the same start, ms. */
  readonly toleranceMs: number
}

/** The plan document of a schedule, with what changes against the plan in force and why. */
export function draftPlan(facts: PlanningFacts, built: PlanningProblem, solved: SolvedPlan, plant: Plant, options: DraftOptions): DraftPlan {
  return atOnce(draftSteps(facts, built, solved, plant, options))
}

/** The same in steps: thousands of job orders take a while to be told of. */
export function* draftSteps(facts: PlanningFacts, built: PlanningProblem, solved: SolvedPlan, plant: Plant, options: DraftOptions): Steps<DraftPlan> {
  const { schedule, doNothing } = solved
  const previous = facts.plan
  const assignments = assignmentsOf(facts, built, schedule)
  yield
  assignments.sort((a, b) => a.start - b.start || (a.equipment < b.equipment ? -1 : 1))
  yield
  const updates = updatesOf(built, schedule, options.toleranceMs)
  yield
  const explainer = yield* ChangeExplainer.of(facts, built, schedule, plant, options)
  const changes = yield* explained(updates, explainer)
  yield
  const problems = [...built.problems, ...missedProblems(facts, built, schedule, plant)]
  yield
  const lateness = latenessOf(built, schedule)
  const weights = weightsOfOrders(built)
  const orderIds = built.problem.orders.map((order) => order.id)
  yield
  const plan: Plan = {
    kind: 'plan',
    version: (previous?.version ?? 0) + 1,
    previous: previous?.version ?? null,
    now: facts.now,
    trigger: { ...options.trigger },
    objective: {
      tardinessMs: schedule.cost.tardiness,
      makespanMs: schedule.cost.makespan,
      setups: schedule.cost.setups,
      moved: changes.filter((change) => change.from !== null).length,
    },
    effect: effectOfPlan(built, lateness, weights, doNothing, previous),
    assignments,
    changes,
    doNothing: doNothing === null ? null : { tardinessMs: doNothing.cost.tardiness, late: doNothing.cost.late.map((index) => orderIds[index] ?? '') },
    problems,
  }
  const material = updates.length > 0 || (previous === undefined ? assignments.length > 0 : problemKeys(previous.problems) !== problemKeys(problems))
  return { plan, updates, material, lateness, weights }
}

/** In the order of their new starts, because one job order mostly moves for another that is before it. */
function* explained(updates: readonly JobOrderUpdate[], explainer: ChangeExplainer): Steps<PlanChange[]> {
  const changes: PlanChange[] = new Array(updates.length)
  const order = Array.from(updates.keys()).sort((a, b) => (updates[a]?.plannedStart ?? 0) - (updates[b]?.plannedStart ?? 0))
  yield
  for (const [count, index] of order.entries()) {
    changes[index] = explainer.explain(updates[index] as JobOrderUpdate)
    if (count % CHANGES_A_STEP === 0) yield
  }
  return changes
}

const CHANGES_A_STEP = 50

/** What the plan makes late or saves, against what was promised before and against doing nothing. */
function effectOfPlan(
  built: PlanningProblem,
  after: Lateness,
  weights: ReadonlyMap<string, number>,
  doNothing: Schedule | null,
  previous: Plan | undefined,
): NonNullable<Plan['effect']> {
  const againstBefore = previous === undefined ? null : effectOf(promisedLateness(built, previous.assignments), after, weights)
  const againstDoingNothing = doNothing === null ? null : effectOf(latenessOf(built, doNothing), after, weights)
  return { againstBefore, againstDoingNothing, text: effectText(againstBefore, previous?.version ?? null, againstDoingNothing).slice(0, 1000) }
}

function assignmentsOf(facts: PlanningFacts, { jobs, units, problem }: PlanningProblem, schedule: Schedule): Assignment[] {
  const setups = new Map(facts.plan?.assignments.map((assignment) => [assignment.jobOrder, assignment.setupMs]))
  return jobs.map((job, index) => {
    const { unit, start, end, setup } = schedule.placements[index] as Placement
    const frozen = problem.operations[index]?.frozen !== undefined
    return {
      jobOrder: job.id,
      workOrder: job.workOrder,
      equipment: units[unit] ?? '',
      start,
      end,
      setupMs: frozen ? (setups.get(job.id) ?? 0) : setup,
      frozen,
      ...(job.maintenance === undefined ? {} : { maintenance: true }),
    }
  })
}

/** Job orders not yet begun that get another unit or another start, or lose their place. */
export function updatesOf(built: PlanningProblem, schedule: Schedule, toleranceMs: number): JobOrderUpdate[] {
  const updates: JobOrderUpdate[] = []
  built.jobs.forEach((job, index) => {
    if (job.state !== 'NotAllowedToStart' && job.state !== 'AllowedToStart') return
    const { unit, start, end } = schedule.placements[index] as Placement
    const equipment = built.units[unit] ?? null
    const same =
      job.equipment === equipment &&
      job.plannedStart !== null &&
      Math.abs(start - job.plannedStart) <= toleranceMs &&
      Math.abs(end - (job.plannedEnd ?? 0)) <= Math.max(toleranceMs, 0.1 * (end - start))
    if (!same) updates.push({ job, equipment, plannedStart: start, plannedEnd: end })
  })
  for (const job of built.unplanned) {
    if (job.plannedStart === null || (job.state !== 'NotAllowedToStart' && job.state !== 'AllowedToStart')) continue
    // a repair and a pin keep their unit: it is not the plan's to take away
    const keeps = job.maintenance !== undefined || job.pinned
    updates.push({ job, equipment: keeps ? job.equipment : null, plannedStart: null, plannedEnd: null })
  }
  return updates
}

/** What a person should look at although it could be planned: late orders, late repairs, pins that cannot be kept. */
function missedProblems(facts: PlanningFacts, built: PlanningProblem, schedule: Schedule, plant: Plant): PlanProblem[] {
  const problems: PlanProblem[] = []
  built.problem.operations.forEach((operation, index) => {
    const job = built.jobs[index]
    const placement = schedule.placements[index]
    if (job === undefined || placement === undefined || operation.frozen !== undefined || operation.startBy === undefined) return
    const pinLateMs = job.pinned ? placement.start - operation.startBy : 0
    if (pinLateMs > 60_000)
      problems.push({ workOrder: job.workOrder, jobOrder: job.id, code: 'TAKT_PLAN_PIN', why: `${job.id} can begin only ${spanText(pinLateMs)} after its pin` })
    const deadline = job.maintenance === undefined ? null : (job.deadline ?? null)
    if (deadline === null || deadline <= facts.now || placement.start <= deadline) return
    const unit = plant.nameOf(built.units[placement.unit] ?? '')
    const why = `the repair of ${unit} ${job.pinned ? 'is pinned to' : 'can begin only'} ${spanText(placement.start - deadline)} after its deadline`
    problems.push({ workOrder: job.workOrder, jobOrder: job.id, code: 'TAKT_PLAN_DEADLINE', why })
  })
  const ends = new Map<number, number>()
  built.problem.operations.forEach(({ order }, index) => {
    ends.set(order, Math.max(ends.get(order) ?? 0, schedule.placements[index]?.end ?? 0))
  })
  const materials = new Map(built.jobs.flatMap(({ workOrder, materialAt }) => (isTime(materialAt) ? [[workOrder, materialAt] as const] : [])))
  for (const index of schedule.cost.late) {
    const order = built.problem.orders[index]
    if (order?.due === undefined || order.due === null) continue
    const waitMs = (materials.get(order.id) ?? 0) - facts.now
    const material = waitMs > 0 ? `; its material comes in ${spanText(waitMs)}` : ''
    problems.push({ workOrder: order.id, code: 'TAKT_PLAN_LATE', why: `${order.id} will be ${spanText((ends.get(index) ?? 0) - order.due)} late${material}` })
  }
  return problems
}

function problemKeys(problems: readonly PlanProblem[]): string {
  return problems
    .map(({ code, workOrder, jobOrder }) => `${code} ${workOrder ?? ''} ${jobOrder ?? ''}`)
    .sort()
    .join('\n')
}
