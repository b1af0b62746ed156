import type { Disruption } from '../../messages/disruption.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { PlanProblem } from '../../messages/plan.ts'
import type { Plant } from '../../plant/plant.ts'
import type { ProblemAlternative, ProblemOperation, ProblemOrder, ScheduleProblem, Span } from '../../schedule/problem.ts'
import { mergeSpans, Timeline } from '../../schedule/timeline.ts'
import { CalendarHorizon } from './calendar-horizon.ts'
import { type Objective, weightsOf } from './objectives.ts'
import type { PlanningFacts } from './read-facts.ts'

/** A schedule problem and what its numbers stand for. */
export interface PlanningProblem {
  readonly problem: ScheduleProblem
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
  readonly blocks: readonly { readonly equipment: string; readonly span: Span; readonly disruption: string }[]
  /** The calendars are known until then; a plan that ends later needs a longer look ahead. */
  readonly horizon: number
}

export interface PlanningSettings {
  readonly objective: Objective
  /** May closed time interrupt a job order? A repair is never interrupted. */
  readonly resumable: boolean
  /** How far ahead to look at least, ms. */
  readonly lookAheadMs?: number
}

const DOWN_STATES: ReadonlySet<MachineState['state']> = new Set(['Aborting', 'Aborted', 'Clearing', 'Deactivating', 'Deactivated'])

/** From what the store and the plant model say to a schedule problem. What the plant cannot do is named, the rest is planned. */
export function buildProblem(facts: PlanningFacts, plant: Plant, settings: PlanningSettings): PlanningProblem {
  return new ProblemBuilder(facts, plant, settings).build()
}

class ProblemBuilder {
  readonly #facts: PlanningFacts
  readonly #plant: Plant
  readonly #settings: PlanningSettings
  readonly #units: readonly string[]
  readonly #unitIndex: ReadonlyMap<string, number>
  readonly #families = new Map<string, number>()
  readonly #problems: PlanProblem[] = []
  readonly #unplanned: JobOrder[] = []
  readonly #repairs: ReadonlyMap<string, JobOrder>
  readonly #plannedSetups: ReadonlyMap<string, number>
  readonly #down: ReadonlySet<string>
  /** Units that take no other work before their repair: those that are down, and those that people or the disruption node want repaired now. */
  readonly #repairFirst: ReadonlySet<string>
  readonly #horizon: CalendarHorizon

  constructor(facts: PlanningFacts, plant: Plant, settings: PlanningSettings) {
    this.#facts = facts
    this.#plant = plant
    this.#settings = settings
    this.#units = plant.units.map((unit) => unit.id)
    this.#unitIndex = new Map(this.#units.map((id, index) => [id, index]))
    this.#repairs = new Map(facts.jobs.flatMap((job) => (job.maintenance !== undefined && job.equipment !== null ? [[job.equipment, job] as const] : [])))
    this.#plannedSetups = new Map(facts.plan?.assignments.map((assignment) => [assignment.jobOrder, assignment.setupMs]))
    this.#down = new Set([...facts.states].flatMap(([unit, { state }]) => (DOWN_STATES.has(state) ? [unit] : [])))
    const repairNow = facts.disruptions.filter((disruption) => disruption.action === 'repair-now' && this.#isOpenRepair(disruption))
    this.#repairFirst = new Set([...this.#down, ...repairNow.map((disruption) => disruption.equipment)])
    this.#horizon = new CalendarHorizon(plant, facts.now, Math.max(settings.lookAheadMs ?? 0, this.#workMs()))
    for (const job of facts.jobs) if (job.setupFamily !== undefined) this.#familyOf(job.setupFamily)
    for (const family of facts.lastFamily.values()) this.#familyOf(family)
  }

  build(): PlanningProblem {
    const facts = this.#facts
    const blocks = this.#blocks()
    const jobs = this.#plannable(blocks)
    const index = new Map(jobs.map((job, at) => [job.id, at]))
    const orders = [...new Set(jobs.map((job) => job.workOrder))]
    const orderIndex = new Map(orders.map((id, at) => [id, at]))
    const heads = this.#heads(jobs)
    const operations = jobs.map((job) => this.#operation(job, index, orderIndex, heads.get(job.id)))
    const durations = operations.flatMap((operation) => operation.alternatives.map((alternative) => alternative.duration))
    const mean = durations.reduce((sum, duration) => sum + duration, 0) / Math.max(1, durations.length)
    return {
      problem: {
        now: facts.now,
        units: this.#units.map((id) => ({
          id,
          closed: this.#closed(id, blocks),
          setups: this.#setups(id),
          family: this.#families.get(facts.lastFamily.get(id) ?? '') ?? -1,
        })),
        orders: orders.map((id) => this.#order(id)),
        operations,
        resumable: this.#settings.resumable,
        setupIs: 'attached',
        holdBaseline: this.#settings.objective === 'few-changes',
        weights: weightsOf(this.#settings.objective, mean),
      },
      units: this.#units,
      jobs,
      problems: this.#problems,
      unplanned: this.#unplanned,
      down: this.#down,
      blocks,
      horizon: this.#horizon.end,
    }
  }

  #familyOf(name: string): number {
    const known = this.#families.get(name) ?? this.#families.size
    this.#families.set(name, known)
    return known
  }

  #order(id: string): ProblemOrder {
    const order = this.#facts.workOrders.get(id)
    if (order === undefined) return { id, release: 0, due: null, weight: 1 }
    // the deadline of a repair is the start's, not the end's: it is its operation's `startBy`
    if (order.type === 'maintenance') return { id, release: 0, due: null, weight: 1, counts: false }
    return { id, release: order.release, due: order.due, weight: order.weight * Math.max(0.1, order.priority / 5) }
  }

  #operation(job: JobOrder, index: ReadonlyMap<string, number>, orderIndex: ReadonlyMap<string, number>, first: number | undefined): ProblemOperation {
    const base = {
      id: job.id,
      order: orderIndex.get(job.workOrder) ?? 0,
      after: job.after.flatMap((id) => index.get(id) ?? []),
      family: job.setupFamily === undefined ? -1 : this.#familyOf(job.setupFamily),
      resumable: job.maintenance === undefined && this.#settings.resumable,
      ...(job.equipment !== null && job.plannedStart !== null && this.#unitIndex.has(job.equipment)
        ? { baseline: { unit: this.#unitIndex.get(job.equipment) ?? 0, start: job.plannedStart } }
        : {}),
    }
    if (isUnderWay(job)) {
      const remaining = this.#remainingMs(job)
      // on a unit that is down it cannot go on before the repair, whatever its state says
      if (job.equipment !== null && this.#down.has(job.equipment) && this.#repairs.get(job.equipment)?.id !== job.id)
        return { ...base, alternatives: [{ unit: this.#unitIndex.get(job.equipment) ?? 0, duration: remaining, setup: 0 }], first: first ?? 0 }
      return { ...base, alternatives: [], frozen: this.#frozen(job, remaining) }
    }
    return {
      ...base,
      alternatives: this.#alternatives(job),
      ...(first === undefined ? {} : { first }),
      ...(job.maintenance !== undefined && job.deadline !== undefined && job.deadline !== null ? { startBy: job.deadline } : {}),
      ...(job.pinned && job.plannedStart !== null ? { notBefore: job.plannedStart, startBy: Math.max(job.plannedStart, this.#facts.now) } : {}),
    }
  }

  #frozen(job: JobOrder, remaining: number): NonNullable<ProblemOperation['frozen']> {
    const { now } = this.#facts
    const unit = this.#unitIndex.get(job.equipment ?? '') ?? 0
    const closed = job.maintenance === undefined ? this.#horizon.closed(this.#units[unit] ?? '') : []
    const timeline = new Timeline([mergeSpans(closed, now)])
    timeline.fit(0, now, remaining, true)
    return { unit, start: Math.min(job.actualStart ?? now, now), end: timeline.end }
  }

  /** Work left of a job order under way: by the parts counted, and by the clock while its first part is not. */
  #remainingMs(job: JobOrder): number {
    const { now, lastCounted } = this.#facts
    const { setupMs, perPieceMs } = job.alternatives.find((alternative) => alternative.equipment === job.equipment) ??
      job.alternatives[0] ?? { setupMs: 0, perPieceMs: 0 }
    const made = job.good + job.scrap
    const left = Math.max(0, job.quantity.value - made)
    const since = Math.max(0, now - Math.max(job.actualStart ?? now, lastCounted.get(job.id) ?? 0))
    // before the first part it is set up, for as long as the plan said
    const expected = (made > 0 ? 0 : (this.#plannedSetups.get(job.id) ?? setupMs)) + left * perPieceMs - since
    // what takes longer than expected is about to end, as far as anybody knows: one more piece, and at least a little
    return Math.max(expected, left > 1 ? (left - 1) * perPieceMs : Math.min(perPieceMs, MINUTE_MS), SOON_MS)
  }

  #alternatives(job: JobOrder): ProblemAlternative[] {
    const usable = job.alternatives.filter((alternative) => {
      if (!this.#unitIndex.has(alternative.equipment)) return false
      return !this.#mustStay(job) || alternative.equipment === job.equipment
    })
    const own = job.maintenance === undefined ? undefined : this.#repairTime(job.equipment ?? '')
    return usable.map(({ equipment, setupMs, perPieceMs }) => ({
      unit: this.#unitIndex.get(equipment) ?? 0,
      duration: Math.round(perPieceMs * job.quantity.value),
      setup: setupMs,
      ...(own === undefined ? {} : { closed: own }),
    }))
  }

  /** A repair is done when its crew works, if the plant has a calendar of the crew's name, else when the unit is open. Blocks do not keep it away. */
  #repairTime(unit: string): readonly Span[] {
    const crew = this.#plant.equipment(unit)?.maintenance?.crew
    const calendar = crew === undefined ? undefined : this.#plant.model.calendars?.[crew]
    return calendar === undefined ? this.#horizon.closed(unit) : this.#horizon.closedOf(crew ?? '', calendar)
  }

  /** Job orders that come first on their unit, with their rank: the repair of a unit that is down, what is under way there, what it has been told. */
  #heads(jobs: readonly JobOrder[]): ReadonlyMap<string, number> {
    const heads = new Map<string, number>()
    const waiting = new Set(jobs.filter((job) => !isUnderWay(job)).map((job) => job.id))
    for (const job of jobs) {
      if (job.equipment === null) continue
      const free = job.after.every((id) => !waiting.has(id))
      if (job.maintenance !== undefined && !isUnderWay(job) && this.#repairFirst.has(job.equipment)) heads.set(job.id, 0)
      else if (this.#down.has(job.equipment) && isUnderWay(job)) heads.set(job.id, 1)
      else if (!free) continue
      else if (this.#isCommanded(job)) heads.set(job.id, 2 + (job.plannedStart ?? this.#facts.now) / 1e13)
    }
    return heads
  }

  /** Told to its unit already: taking it back is for people or for the unit's failure. */
  #isCommanded(job: JobOrder): boolean {
    return job.state === 'AllowedToStart' && job.equipment !== null && !this.#repairFirst.has(job.equipment)
  }

  #mustStay(job: JobOrder): boolean {
    return job.equipment !== null && (job.maintenance !== undefined || job.pinned || this.#isCommanded(job))
  }

  /** Job orders that can be planned; the others are named in `problems`. */
  #plannable(blocks: PlanningProblem['blocks']): JobOrder[] {
    const { jobs, workOrders, heldLots } = this.#facts
    const open = new Map<string, JobOrder>()
    for (const job of jobs) {
      const order = workOrders.get(job.workOrder)
      if (isUnderWay(job)) {
        if (job.equipment !== null && this.#unitIndex.has(job.equipment)) open.set(job.id, job)
        else this.#problem(job, 'TAKT_PLAN_UNIT_UNKNOWN', `it runs on '${job.equipment ?? 'no unit'}', which is not in the plant model`)
        continue
      }
      if (order === undefined || (order.state !== 'Released' && order.state !== 'Running')) {
        this.#unplanned.push(job)
        continue
      }
      if (job.lot !== null && heldLots.has(job.lot)) this.#problem(job, 'TAKT_PLAN_LOT_HELD', `its lot ${job.lot} is held`)
      else if (this.#canRun(job, blocks)) open.set(job.id, job)
    }
    this.#dropFollowers(open)
    return [...open.values()]
  }

  #canRun(job: JobOrder, blocks: PlanningProblem['blocks']): boolean {
    const name = (unit: string): string => this.#plant.nameOf(unit)
    const alternatives = this.#alternatives(job)
    if (alternatives.length === 0) {
      const asked = [...new Set(job.alternatives.map((alternative) => alternative.equipment))]
      const gone = asked.filter((unit) => !this.#unitIndex.has(unit))
      if (job.pinned && asked.some((unit) => this.#unitIndex.has(unit)))
        return this.#problem(job, 'TAKT_PLAN_PIN', `it is pinned to ${name(job.equipment ?? '')}, which cannot do ${job.operation}`)
      if (gone.length > 0) return this.#problem(job, 'TAKT_PLAN_UNIT_UNKNOWN', `${gone.join(', ')} cannot be found in the plant model`)
      return this.#problem(job, 'TAKT_PLAN_NO_ALTERNATIVE', `no unit can do ${job.operation}`)
    }
    if (job.maintenance !== undefined && alternatives.every((alternative) => !(alternative.duration > 0)))
      return this.#problem(job, 'TAKT_PLAN_NO_DURATION', `nothing says how long the repair of ${name(job.equipment ?? '')} takes`)
    const onUnits = alternatives.map((alternative) => name(this.#units[alternative.unit] ?? '')).join(', ')
    const open = alternatives.filter((alternative) => this.#fits(job, alternative, blocks))
    if (open.length > 0) return true
    const down = alternatives.every((alternative) => this.#isOut(this.#units[alternative.unit] ?? ''))
    if (down) return this.#problem(job, 'TAKT_PLAN_UNIT_DOWN', `${onUnits} ${alternatives.length > 1 ? 'are' : 'is'} down and no repair is planned`)
    const hours = (Math.min(...alternatives.map((alternative) => alternative.duration)) / HOUR_MS).toFixed(1)
    return this.#problem(job, 'TAKT_PLAN_NO_OPEN_TIME', `${job.operation} takes ${hours} h and fits into no open time of ${onUnits}`)
  }

  /** Is there any time, however late, at which it could be done there? */
  #fits(job: JobOrder, alternative: ProblemAlternative, blocks: PlanningProblem['blocks']): boolean {
    const unit = this.#units[alternative.unit] ?? ''
    if (job.maintenance === undefined && this.#isOut(unit)) return false
    const spans = mergeSpans(alternative.closed ?? this.#closed(unit, blocks), this.#facts.now)
    const resumable = job.maintenance === undefined && this.#settings.resumable
    const timeline = new Timeline([spans])
    timeline.fit(0, this.#facts.now, alternative.setup + alternative.duration, resumable)
    return timeline.end < this.#facts.now + FOREVER_MS
  }

  /** Down, with nobody to repair it and no guess when it will be back. */
  #isOut(unit: string): boolean {
    return this.#down.has(unit) && !this.#repairs.has(unit) && this.#plant.equipment(unit)?.maintenance === undefined
  }

  /** What waits for something that cannot be planned cannot be planned either. */
  #dropFollowers(open: Map<string, JobOrder>): void {
    const missing = new Map(this.#unplanned.map((job) => [job.id, job]))
    for (let again = true; again; ) {
      again = false
      for (const job of [...open.values()]) {
        const before = isUnderWay(job) ? undefined : job.after.find((id) => missing.has(id))
        if (before === undefined) continue
        this.#problem(job, 'TAKT_PLAN_PREDECESSOR', `it waits for ${before}, which cannot be planned`)
        open.delete(job.id)
        missing.set(job.id, job)
        again = true
      }
    }
  }

  #problem(job: JobOrder, code: string, why: string): false {
    this.#problems.push({ workOrder: job.workOrder, jobOrder: job.id, code, why: `${job.id}: ${why}` })
    this.#unplanned.push(job)
    return false
  }

  /** Blocks of disruptions that are in force. One whose repair is over has ended with it; one whose repair is open ends with that. */
  #blocks(): PlanningProblem['blocks'] {
    return this.#facts.disruptions.flatMap((disruption) => {
      const span = disruption.unavailable
      if (span === null || !this.#unitIndex.has(disruption.equipment)) return []
      if (disruption.maintenanceOrder !== undefined || disruption.action !== 'block') return this.#untilRepaired(disruption)
      return [{ equipment: disruption.equipment, span: { from: span.from, to: span.to ?? Number.POSITIVE_INFINITY }, disruption: disruption.id }]
    })
  }

  /** A block with a repair: only its known end counts, and only while the repair is to come. The repair itself occupies the unit in the plan. */
  #untilRepaired(disruption: Disruption): PlanningProblem['blocks'] {
    const { id, equipment, unavailable } = disruption
    if (unavailable === null || unavailable.to === null || !this.#isOpenRepair(disruption)) return []
    return [{ equipment, span: { from: unavailable.from, to: unavailable.to }, disruption: id }]
  }

  /** Is the repair that a disruption asks for still to begin? */
  #isOpenRepair({ equipment, maintenanceOrder }: Disruption): boolean {
    const repair = this.#repairs.get(equipment)
    if (repair === undefined || isUnderWay(repair)) return false
    return maintenanceOrder === undefined || maintenanceOrder === repair.id || maintenanceOrder === repair.workOrder
  }

  #closed(unit: string, blocks: PlanningProblem['blocks']): readonly Span[] {
    const spans = [...this.#horizon.closed(unit), ...blocks.filter((block) => block.equipment === unit).map((block) => block.span)]
    const guess = this.#plant.equipment(unit)?.maintenance?.unplanned.durationMs
    if (this.#down.has(unit) && !this.#repairs.has(unit)) {
      const { now, states } = this.#facts
      // nobody has ordered the repair yet: a guess keeps the plan honest until somebody does
      const back = guess === undefined ? Number.POSITIVE_INFINITY : Math.max((states.get(unit)?.since ?? now) + guess, now + guess / 2)
      spans.push({ from: now, to: back })
    }
    return spans
  }

  #setups(unit: string): readonly (readonly number[])[] | undefined {
    const families = [...this.#families.keys()]
    // without a matrix, the same family needs no set-up and another one the alternative's own
    return families.length === 0 ? undefined : families.map((from) => families.map((to) => this.#plant.setupMs(unit, from, to) ?? (from === to ? 0 : -1)))
  }

  /** All open work, as if one unit did it: no sensible plan is longer. */
  #workMs(): number {
    let work = 0
    for (const job of this.#facts.jobs) {
      work += Math.max(0, ...job.alternatives.map(({ setupMs, perPieceMs }) => setupMs + perPieceMs * job.quantity.value))
    }
    return work
  }
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** The least that a job order under way still takes. */
const SOON_MS = 1000
/** Ends later than this from now on are no ends. */
const FOREVER_MS = 1e12

function isUnderWay(job: JobOrder): boolean {
  return job.state === 'Running' || job.state === 'Interrupted'
}
