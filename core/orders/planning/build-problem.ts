import { TaktError } from '../../base/error.ts'
import { atOnce, inSlices, type Steps } from '../../base/in-slices.ts'
import type { Plant } from '../../plant/plant.ts'
import type { ProblemOperation, ProblemOrder, ProblemUnit } from '../../schedule/problem.ts'
import { CalendarHorizon } from './calendar-horizon.ts'
import { weightsOf } from './objectives.ts'
import { foldPlentiful } from './problem/fold-resources.ts'
import { reachMs, workMs } from './problem/how-far.ts'
import { JobsUnderWay } from './problem/jobs-under-way.ts'
import { PlanningOperations } from './problem/planning-operations.ts'
import { JOBS_A_STEP, type PlanningProblem, type PlanningSettings, ProblemLog } from './problem/planning-problem.ts'
import { PlanningResources } from './problem/planning-resources.ts'
import { PlanningUnits } from './problem/planning-units.ts'
import { JobScreen } from './problem/screen-jobs.ts'
import { SetupFamilies } from './problem/setup-families.ts'
import { risksOf, threatsOf } from './problem/unit-risk.ts'
import type { PlanningFacts } from './read-facts.ts'
import { FARTHEST_MS, orderProblems, orderTermsOf } from './screen-input.ts'

export type { PlanningProblem, PlanningSettings } from './problem/planning-problem.ts'

/** From what the store and the plant model say to a schedule problem. What the plant cannot do is named, the rest is planned. */
export function buildProblem(facts: PlanningFacts, plant: Plant, settings: PlanningSettings): PlanningProblem {
  return atOnce(build(facts, plant, settings))
}

/** The same, a few milliseconds at a time, so that nothing else has to wait for it. Rejects with TAKT_SCHEDULE_CANCELED once the signal is aborted. */
export function buildProblemInSlices(facts: PlanningFacts, plant: Plant, settings: PlanningSettings, signal?: AbortSignal): Promise<PlanningProblem> {
  return inSlices(build(facts, plant, settings), () => {
    if (signal?.aborted === true) throw new TaktError('TAKT_SCHEDULE_CANCELED', { where: 'plan' })
  })
}

function* build(facts: PlanningFacts, plant: Plant, settings: PlanningSettings): Steps<PlanningProblem> {
  const log = new ProblemLog()
  log.problems.push(...orderProblems(facts))
  yield
  const lookAheadMs = Math.max(settings.lookAheadMs ?? 0, workMs(facts) + reachMs(facts))
  yield
  const horizon = yield* CalendarHorizon.of(plant, facts.now, lookAheadMs)
  const units = new PlanningUnits(facts, plant, horizon, log)
  yield
  const resources = new PlanningResources(facts, plant, horizon.end)
  yield
  const families = new SetupFamilies(facts, plant)
  const underWay = new JobsUnderWay(facts, units, log)
  const screen = new JobScreen(facts, plant, settings, units, resources, log)
  yield
  const jobs = yield* screen.plannable()
  const orders = [...new Set(jobs.map((job) => job.workOrder))]
  const planned = new PlanningOperations({ facts, settings, units, resources, families, underWay, screen }, jobs, orders)
  yield
  const operations: ProblemOperation[] = []
  for (const job of jobs) {
    operations.push(planned.of(job))
    if (operations.length % JOBS_A_STEP === 0) yield
  }
  const threats = threatsOf(facts, units)
  const machines = problemUnits(facts, units, families, risksOf(threats, jobs, plant, facts.now))
  yield
  const asked = { operations, resources: resources.list }
  const searched = yield* foldPlentiful(asked, machines)
  return {
    problem: {
      now: facts.now,
      units: machines,
      ...(searched.resources.length === 0 ? {} : { resources: searched.resources }),
      orders: orders.map((id) => orderOf(facts, id)),
      operations: searched.operations,
      resumable: settings.resumable,
      setupIs: 'attached',
      holdBaseline: settings.objective === 'few-changes',
      weights: weightsOf(settings.objective, meanDuration(operations)),
    },
    asked,
    units: units.ids,
    jobs,
    problems: log.problems,
    unplanned: log.unplanned,
    down: units.down,
    blocks: units.blocks,
    threats,
    kept: new Set(planned.kept.keys()),
    horizon: horizon.end,
  }
}

function problemUnits(
  { lastFamily }: PlanningFacts,
  units: PlanningUnits,
  families: SetupFamilies,
  risks: ReadonlyMap<string, NonNullable<ProblemUnit['risk']>>,
): ProblemUnit[] {
  return units.ids.map((id) => {
    const risk = risks.get(id)
    return { id, closed: units.closed(id), setups: families.matrix(id), family: families.of(lastFamily.get(id)), ...(risk === undefined ? {} : { risk }) }
  })
}

function orderOf({ workOrders, now }: PlanningFacts, id: string): ProblemOrder {
  const order = workOrders.get(id)
  if (order === undefined) return { id, release: 0, due: null, weight: 1 }
  // the deadline of a repair is the start's, not the end's: it is its operation's `startBy`
  if (order.type === 'maintenance') return { id, release: 0, due: null, weight: 1, counts: false }
  const { release, due, weight } = orderTermsOf(order)
  // of an order that is released too far ahead only what has begun is planned
  return { id, release: release > now + FARTHEST_MS ? 0 : release, due, weight }
}

/** The mean length of what is to be placed; of what runs nothing is decided any more. */
function meanDuration(operations: readonly ProblemOperation[]): number {
  let [sum, count] = [0, 0]
  for (const { alternatives, frozen } of operations) {
    if (frozen !== undefined) continue
    for (const { duration } of alternatives) sum += duration
    count += alternatives.length
  }
  return sum / Math.max(1, count)
}
