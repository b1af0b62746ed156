import { type Random, seededRandom } from '../base/random.ts'
import { anneal } from './annealing.ts'
import type { Built } from './builder.ts'
import { checkProblem } from './check-problem.ts'
import { buildByDue, buildFromBaseline, buildInTime, DISPATCH_RULES, rightShift } from './dispatch-rules.ts'
import { searchByElite } from './elite-search.ts'
import { holdBaseline } from './hold-baseline.ts'
import { Model } from './model.ts'
import type { Schedule, ScheduleProblem } from './problem.ts'
import type { Progress } from './progress.ts'
import { restore, type Snapshot, snapshotOf } from './snapshot.ts'
import { Timetable } from './timetable.ts'
import { searchRules } from './tuned-rule.ts'

export interface SearchOptions {
  /** Real milliseconds to search for; needs `elapsedMs`. Results then depend on the machine's speed. */
  readonly timeMs?: number
  /** Moves to try: the same seed and number give the same schedule on every machine. */
  readonly moves?: number
  readonly seed?: number
  /** Real milliseconds since any fixed moment; injected, because core asks no clock. */
  readonly elapsedMs?: () => number
  /** Asked now and then; true ends the search with the best so far. */
  readonly stopped?: () => boolean
  /** May it end sooner, when search after search finds nothing better? Default: it uses all that it is given. */
  readonly mayEndEarly?: boolean
}

/**
 * The best schedule found for a problem within the limits: dispatch rules and the plan in force give the start, local search improves it.
 * Feasible at any moment it is stopped. Throws TAKT_SCHEDULE_INVALID for a problem that makes no sense.
 */
export function solve(problem: ScheduleProblem, options: SearchOptions = {}): Schedule {
  checkProblem(problem)
  const model = new Model(problem)
  const table = new Timetable(model)
  const limit = limitOf(table, options)
  const random = seededRandom(options.seed ?? 1)
  if (model.count === 0) return scheduleOf(table)
  let best = bestStart(table, random, limit)
  restore(table, best)
  const found = model.count > 1 ? improve(table, best, random, limit, options.mayEndEarly === true) : bestPlaceOfOne(table)
  if (found.cost < best.cost) best = found
  restore(table, best)
  if (problem.holdBaseline === true) holdBaseline(table)
  return scheduleOf(table)
}

function scheduleOf(table: Timetable): Schedule {
  return table.model.toSchedule(
    { unit: (at) => table.unit(at), start: (at) => table.start[at] as number, end: (at) => table.end[at] as number, setup: (at) => table.setup[at] as number },
    table.evaluations,
  )
}

/** The cheapest alternative of the only operation: the rules that built the start know only when it ends. */
function bestPlaceOfOne(table: Timetable): Snapshot {
  const { alternativeUnit } = table.model
  let best = snapshotOf(table)
  for (let alternative = 0; alternative < alternativeUnit.length; alternative++) {
    if (alternative !== table.alternative[0]) table.move(0, alternative, -1)
    if (table.cost < best.cost) best = snapshotOf(table)
  }
  return best
}

/** Annealing sees the whole where many goals pull; tabu search then does the fine work. For the makespan alone tabu search does both better. */
function improve(table: Timetable, start: Snapshot, random: Random, limit: Progress, mayEndEarly: boolean): Snapshot {
  restore(table, start)
  if (isMakespanOnly(table.model)) return searchByElite(table, random, limit, { settles: false, mayEndEarly })
  const from = limit()
  const share = table.model.coupled ? ANNEALING_SHARE_COUPLED : ANNEALING_SHARE
  const until = isLarge(table.model) ? 1 : from + (1 - from) * share
  const found = anneal(table, random, () => {
    const used = limit()
    return used >= until ? 1 : (used - from) / (until - from)
  })
  restore(table, found.cost < start.cost ? found : start)
  return searchByElite(table, random, limit, { settles: true, mayEndEarly })
}

function isTardy({ problem: { weights, orders } }: Model): boolean {
  return weights.tardiness > 0 && orders.some((order) => order.due !== null)
}

function isMakespanOnly(model: Model): boolean {
  const { problem, timeline } = model
  const { weights, operations } = problem
  const lateStart = weights.lateStart > 0 && operations.some((operation) => operation.startBy !== undefined)
  const stable = (weights.reassigned > 0 || weights.deviation > 0) && operations.some((operation) => operation.baseline !== undefined)
  return timeline.alwaysOpen && !model.coupled && !model.risky && !isTardy(model) && !lateStart && !stable && weights.setup === 0
}

/** The best of the plan in force, the dispatch rules and what comes of tuning them, as far as time allows. */
function bestStart(table: Timetable, random: Random, limit: Progress): Snapshot {
  const { model } = table
  let best: Snapshot | undefined
  const offer = (built: Built): boolean => {
    table.load(built.sequence, built.alternative)
    // so that a limit of moves bounds this too
    table.evaluations += Math.ceil(model.count / MOVES_A_BUILD)
    if (best !== undefined && table.cost >= best.cost) return false
    best = snapshotOf(table)
    return true
  }
  const known = model.baselineUnit.reduce((sum, unit) => sum + (unit >= 0 ? 1 : 0), 0)
  offer(known > 0 ? buildFromBaseline(model, false) : buildByDue(model))
  const within = (share: number) => (): number => limit() / share
  const large = isLarge(model) && isTardy(model)
  for (const rule of large ? [] : DISPATCH_RULES) {
    const built = buildInTime(model, rule, within(RULES_SHARE))
    if (built === undefined) break
    offer(built)
  }
  // a large plan that is in force is mended, not made anew: thousands of job orders would move for one repair
  if (isTardy(model) && !(large && 2 * known > model.count)) searchRules(model, random, within(tuningShare(model, large)), offer)
  return best ?? snapshotOf(table)
}

/** So many operations that moving them one by one gets nowhere in a second. */
function isLarge(model: Model): boolean {
  return model.count > 1500
}

/** Where operations share resources, a move is a matter of the whole order from its place on: at some hundred operations builds get further than moves. */
function tuningShare({ coupled, count }: Model, large: boolean): number {
  if (large || (coupled && count > 300)) return TUNING_SHARE_LARGE
  return coupled ? TUNING_SHARE_COUPLED : TUNING_SHARE
}

/** What building a schedule costs, in moves. */
const MOVES_A_BUILD = 20
/** Until when, of all the time, starts are built: by the plain rules, by tuned ones. */
const RULES_SHARE = 0.3
const TUNING_SHARE = 0.04
const TUNING_SHARE_COUPLED = 0.15
const TUNING_SHARE_LARGE = 0.6
/** Of the search that annealing gets. */
const ANNEALING_SHARE = 0.1
/** The same where operations share resources or hand on transfer lots: what a move does there cannot be estimated, only tried. */
const ANNEALING_SHARE_COUPLED = 0.9
const DEFAULT_MOVES = 20_000

function limitOf(table: Timetable, options: SearchOptions): Progress {
  const { timeMs, elapsedMs, stopped } = options
  const moves = options.moves ?? (timeMs === undefined ? DEFAULT_MOVES : Number.POSITIVE_INFINITY)
  const begun = elapsedMs?.() ?? 0
  return () => {
    if (stopped?.() === true) return 1
    const byTime = timeMs === undefined || elapsedMs === undefined ? 0 : (elapsedMs() - begun) / Math.max(1, timeMs)
    return Math.max(byTime, table.evaluations / Math.max(1, moves))
  }
}

/** The plan in force shifted right as far as facts demand, what happens if nobody replans; null when there is none. */
export function doNothing(problem: ScheduleProblem): Schedule | null {
  checkProblem(problem)
  const model = new Model(problem)
  return model.baselineUnit.some((unit) => unit >= 0) ? rightShift(model) : null
}
