import { TaktError } from '../../base/error.ts'
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
import { circles, FARTHEST_MS, isOpen, isTime, orderProblems, orderTermsOf, workOn } from './screen-input.ts'

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
  const steps = new ProblemBuilder(facts, plant, settings).build()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The same, a few milliseconds at a time, so that nothing else has to wait for it. Rejects with what the signal was aborted for. */
export async function buildProblemInSlices(facts: PlanningFacts, plant: Plant, settings: PlanningSettings, signal?: AbortSignal): Promise<PlanningProblem> {
  const steps = new ProblemBuilder(facts, plant, settings).build()
  for (let begun = performance.now(); ; ) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() - begun < SLICE_MS) continue
    await new Promise((resolve) => setImmediate(resolve))
    if (signal?.aborted === true) throw new TaktError('TAKT_SCHEDULE_CANCELED', { where: 'plan' })
    begun = performance.now()
  }
}

/** So long it builds at once, ms, and so many job orders between two looks at the time. */
const SLICE_MS = 5
const JOBS_A_STEP = 50

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
  /** Open time by unit, asked of every alternative. */
  readonly #timelines = new Map<string, Timeline>()
  /** By job order: where it could be done at some time. */
  readonly #possible = new Map<string, readonly ProblemAlternative[]>()
  readonly #matrices = new Map<string, readonly (readonly number[])[]>()

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
    this.#horizon = new CalendarHorizon(plant, facts.now, Math.max(settings.lookAheadMs ?? 0, this.#workMs() + this.#reachMs()))
    for (const job of facts.jobs) if (job.setupFamily !== undefined) this.#familyOf(job.setupFamily)
    for (const family of facts.lastFamily.values()) this.#familyOf(family)
  }

  *build(): Generator<undefined, PlanningProblem> {
    const facts = this.#facts
    this.#problems.push(...orderProblems(facts))
    const blocks = this.#blocks()
    yield
    const jobs = yield* this.#plannable(blocks)
    const index = new Map(jobs.map((job, at) => [job.id, at]))
    const orders = [...new Set(jobs.map((job) => job.workOrder))]
    const orderIndex = new Map(orders.map((id, at) => [id, at]))
    const heads = this.#heads(jobs)
    yield
    const operations: ProblemOperation[] = []
    for (const job of jobs) {
      operations.push(this.#operation(job, index, orderIndex, heads.get(job.id)))
      if (operations.length % JOBS_A_STEP === 0) yield
    }
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
    const { release, due, weight } = orderTermsOf(order)
    // of an order that is released too far ahead only what has begun is planned
    return { id, release: release > this.#facts.now + FARTHEST_MS ? 0 : release, due, weight }
  }

  #operation(job: JobOrder, index: ReadonlyMap<string, number>, orderIndex: ReadonlyMap<string, number>, first: number | undefined): ProblemOperation {
    const base = {
      id: job.id,
      order: orderIndex.get(job.workOrder) ?? 0,
      // what has begun waits for nothing any more, and the repair of a unit that is down for nobody
      after: isUnderWay(job) || (first !== undefined && job.maintenance !== undefined) ? [] : [...new Set(job.after.flatMap((id) => index.get(id) ?? []))],
      family: job.setupFamily === undefined ? -1 : this.#familyOf(job.setupFamily),
      resumable: job.maintenance === undefined && this.#settings.resumable,
      ...(job.equipment !== null && isTime(job.plannedStart) && this.#unitIndex.has(job.equipment)
        ? { baseline: { unit: this.#unitIndex.get(job.equipment) ?? 0, start: job.plannedStart } }
        : {}),
    }
    if (isUnderWay(job)) {
      const remaining = this.#remainingMs(job)
      // on a unit that is down it cannot go on before the repair, whatever its state says
      if (job.equipment !== null && this.#waitsForRepair(job, job.equipment))
        return { ...base, alternatives: [{ unit: this.#unitIndex.get(job.equipment) ?? 0, duration: remaining, setup: 0 }], first: first ?? 0 }
      return { ...base, alternatives: [], frozen: this.#frozen(job, remaining) }
    }
    return {
      ...base,
      alternatives: this.#possible.get(job.id) ?? [],
      ...(first === undefined ? {} : { first }),
      ...(job.maintenance !== undefined && isTime(job.deadline) ? { startBy: job.deadline } : {}),
      ...(job.pinned && isTime(job.plannedStart) ? { notBefore: job.plannedStart, startBy: Math.max(job.plannedStart, this.#facts.now) } : {}),
    }
  }

  #frozen(job: JobOrder, remaining: number): NonNullable<ProblemOperation['frozen']> {
    const { now } = this.#facts
    const unit = this.#unitIndex.get(job.equipment ?? '') ?? 0
    const closed = job.maintenance === undefined ? this.#horizon.closed(this.#units[unit] ?? '') : []
    const timeline = new Timeline([mergeSpans(closed, now)])
    timeline.fit(0, now, remaining, true)
    // it runs, whatever a calendar without open time says
    const end = timeline.end < now + FOREVER_MS ? timeline.end : now + remaining
    return { unit, start: isTime(job.actualStart) ? Math.min(job.actualStart, now) : now, end }
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
    const remaining = Math.max(expected, left > 1 ? (left - 1) * perPieceMs : Math.min(perPieceMs, MINUTE_MS), SOON_MS)
    if (remaining < FOREVER_MS) return Math.ceil(remaining)
    this.#problem(job, 'TAKT_PLAN_NO_DURATION', `its quantity and times do not say when it ends; it is planned to end at once`, true)
    return SOON_MS
  }

  #alternatives(job: JobOrder): ProblemAlternative[] {
    const own = job.maintenance === undefined ? undefined : this.#repairTime(job.equipment ?? '')
    const usable = new Map<number, ProblemAlternative>()
    for (const alternative of job.alternatives) {
      const unit = this.#unitIndex.get(alternative.equipment)
      const duration = workOn(alternative, job.quantity.value)
      if (unit === undefined || duration === undefined || usable.has(unit)) continue
      if (this.#mustStay(job) && alternative.equipment !== job.equipment) continue
      usable.set(unit, { unit, duration, setup: Math.round(alternative.setupMs), ...(own === undefined ? {} : { closed: own }) })
    }
    return [...usable.values()]
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
      else if (this.#isCommanded(job)) heads.set(job.id, 2 + (isTime(job.plannedStart) ? job.plannedStart : this.#facts.now) / 1e16)
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
  *#plannable(blocks: PlanningProblem['blocks']): Generator<undefined, JobOrder[]> {
    const { jobs, workOrders, heldLots, now } = this.#facts
    const open = new Map<string, JobOrder>()
    const seen = new Set<string>()
    for (const job of jobs) {
      const order = workOrders.get(job.workOrder)
      if (seen.has(job.id)) {
        this.#problem(job, 'TAKT_PLAN_DUPLICATE', 'there is another job order with this id; only the first is planned', true)
        continue
      }
      seen.add(job.id)
      if (seen.size % JOBS_A_STEP === 0) yield
      if (isUnderWay(job)) {
        const unit = this.#unitIndex.has(job.equipment ?? '') ? job.equipment : null
        if (unit !== null && this.#waitsForRepair(job, unit) && !this.#opensAgain(unit, blocks))
          this.#problem(job, 'TAKT_PLAN_UNIT_DOWN', `it was begun on ${this.#plant.nameOf(unit)}, and nothing says when that can go on`)
        else if (unit !== null) open.set(job.id, job)
        else this.#problem(job, 'TAKT_PLAN_UNIT_UNKNOWN', `it runs on '${job.equipment ?? 'no unit'}', which is not in the plant model`)
        continue
      }
      if (order === undefined) {
        this.#problem(job, 'TAKT_PLAN_ORDER_UNKNOWN', `its work order ${job.workOrder} is not there`)
        continue
      }
      if (!isOpen(order)) {
        this.#unplanned.push(job)
        continue
      }
      if (job.lot !== null && heldLots.has(job.lot)) this.#problem(job, 'TAKT_PLAN_LOT_HELD', `its lot ${job.lot} is held`)
      else if (job.maintenance === undefined && orderTermsOf(order).release > now + FARTHEST_MS)
        this.#problem(job, 'TAKT_PLAN_TOO_FAR', `${job.workOrder} is released on ${dayOf(order.release)}, too far ahead to plan`)
      else if (this.#canRun(job, blocks)) open.set(job.id, job)
    }
    yield
    const waiting = new Map([...open].filter(([, job]) => !isUnderWay(job)))
    for (const [id, way] of circles(waiting)) {
      this.#problem(waiting.get(id) as JobOrder, 'TAKT_PLAN_CIRCLE', `it waits for itself: ${[...way, way.length < 6 ? way[0] : '…'].join(' → ')}`)
      open.delete(id)
    }
    yield
    this.#dropFollowers(open)
    return [...open.values()]
  }

  #canRun(job: JobOrder, blocks: PlanningProblem['blocks']): boolean {
    const name = (unit: string): string => this.#plant.nameOf(unit)
    const { now } = this.#facts
    if (job.maintenance === undefined && !(job.quantity.value > 0 && Number.isFinite(job.quantity.value)))
      return this.#problem(job, 'TAKT_PLAN_NO_QUANTITY', `its quantity is ${job.quantity.value}`)
    if (job.pinned && job.plannedStart !== null && !(job.plannedStart <= now + FARTHEST_MS))
      return this.#problem(job, 'TAKT_PLAN_TOO_FAR', `it is pinned to ${dayOf(job.plannedStart)}, too far ahead to plan`)
    const alternatives = this.#alternatives(job)
    const senseless = job.alternatives.filter((one) => this.#unitIndex.has(one.equipment) && workOn(one, job.quantity.value) === undefined)
    if (senseless.length > 0 && (alternatives.length === 0 || job.maintenance === undefined)) {
      const where = senseless.map(({ equipment, setupMs, perPieceMs }) => `${name(equipment)} (set-up ${setupMs} ms, ${perPieceMs} ms each)`).join(', ')
      const why =
        job.maintenance === undefined
          ? `${job.operation} has times that are none on ${where}`
          : `nothing says how long the repair of ${name(job.equipment ?? '')} takes`
      this.#problem(job, 'TAKT_PLAN_NO_DURATION', why, alternatives.length > 0)
      if (alternatives.length === 0) return false
    }
    if (alternatives.length === 0) {
      const asked = [...new Set(job.alternatives.map((alternative) => alternative.equipment))]
      const gone = asked.filter((unit) => !this.#unitIndex.has(unit))
      if (job.pinned && asked.some((unit) => this.#unitIndex.has(unit)))
        return this.#problem(job, 'TAKT_PLAN_PIN', `it is pinned to ${name(job.equipment ?? '')}, which cannot do ${job.operation}`)
      if (gone.length > 0) return this.#problem(job, 'TAKT_PLAN_UNIT_UNKNOWN', `${gone.join(', ')} cannot be found in the plant model`)
      return this.#problem(job, 'TAKT_PLAN_NO_ALTERNATIVE', `no unit can do ${job.operation}`)
    }
    const onUnits = alternatives.map((alternative) => name(this.#units[alternative.unit] ?? '')).join(', ')
    const open = alternatives.filter((alternative) => this.#fits(job, alternative, blocks))
    this.#possible.set(job.id, open)
    if (open.length > 0) return this.#isInTime(job)
    const down = alternatives.every((alternative) => this.#isOut(this.#units[alternative.unit] ?? ''))
    if (down) return this.#problem(job, 'TAKT_PLAN_UNIT_DOWN', `${onUnits} ${alternatives.length > 1 ? 'are' : 'is'} down and no repair is planned`)
    const hours = (Math.min(...alternatives.map((alternative) => alternative.duration)) / HOUR_MS).toFixed(1)
    return this.#problem(job, 'TAKT_PLAN_NO_OPEN_TIME', `${job.operation} takes ${hours} h and fits into no open time of ${onUnits}`)
  }

  /** A repair whose deadline has passed is planned all the same, as soon as it can be: but somebody should know. */
  #isInTime(job: JobOrder): true {
    if (job.maintenance === undefined || job.deadline === undefined || job.deadline === null) return true
    const unit = this.#plant.nameOf(job.equipment ?? '')
    if (!isTime(job.deadline)) this.#problem(job, 'TAKT_PLAN_TIME_INVALID', `its deadline is ${job.deadline}; it is planned without`, true)
    else if (job.deadline < this.#facts.now - MINUTE_MS)
      this.#problem(job, 'TAKT_PLAN_DEADLINE', `the repair of ${unit} should have begun by ${new Date(job.deadline).toISOString()}`, true)
    return true
  }

  /** Is there any time in sight at which it could be done there? */
  #fits(job: JobOrder, alternative: ProblemAlternative, blocks: PlanningProblem['blocks']): boolean {
    const unit = this.#units[alternative.unit] ?? ''
    if (job.maintenance === undefined && this.#isOut(unit)) return false
    const resumable = job.maintenance === undefined && this.#settings.resumable
    const timeline = job.maintenance === undefined ? this.#timelineOf(unit, blocks) : new Timeline([mergeSpans(alternative.closed ?? [], this.#facts.now)])
    timeline.fit(0, this.#facts.now, alternative.setup + alternative.duration, resumable)
    return timeline.end < this.#facts.now + FOREVER_MS
  }

  /** It was begun on a unit that is down, and is not the repair itself. */
  #waitsForRepair(job: JobOrder, unit: string): boolean {
    return this.#down.has(unit) && this.#repairs.get(unit)?.id !== job.id
  }

  #opensAgain(unit: string, blocks: PlanningProblem['blocks']): boolean {
    const timeline = this.#timelineOf(unit, blocks)
    timeline.fit(0, this.#facts.now, SOON_MS, true)
    return timeline.end < this.#facts.now + FOREVER_MS
  }

  #timelineOf(unit: string, blocks: PlanningProblem['blocks']): Timeline {
    const known = this.#timelines.get(unit) ?? new Timeline([mergeSpans(this.#closed(unit, blocks), this.#facts.now)])
    this.#timelines.set(unit, known)
    return known
  }

  /** Down, with nobody to repair it and no guess when it will be back. */
  #isOut(unit: string): boolean {
    return this.#down.has(unit) && !this.#repairs.has(unit) && this.#plant.equipment(unit)?.maintenance === undefined
  }

  /** What waits for something that cannot be planned cannot be planned either. */
  #dropFollowers(open: Map<string, JobOrder>): void {
    const followers = new Map<string, JobOrder[]>()
    for (const job of open.values()) {
      if (isUnderWay(job)) continue
      for (const id of job.after) followers.set(id, [...(followers.get(id) ?? []), job])
    }
    const missing = this.#unplanned.map((job) => job.id)
    for (const id of missing) {
      if (open.has(id)) continue
      for (const job of followers.get(id) ?? []) {
        if (!open.delete(job.id)) continue
        this.#problem(job, 'TAKT_PLAN_PREDECESSOR', `it waits for ${id}, which cannot be planned`)
        missing.push(job.id)
      }
    }
  }

  /** Names what is wrong with a job order; it is left out of the plan unless that is possible all the same. */
  #problem(job: JobOrder, code: string, why: string, planned = false): false {
    this.#problems.push({ workOrder: job.workOrder, jobOrder: job.id, code, why: `${job.id}: ${why}`.slice(0, LONGEST_WHY) })
    if (!planned) this.#unplanned.push(job)
    return false
  }

  /** Blocks of disruptions that are in force. One whose repair is over has ended with it; one whose repair is open ends with that. */
  #blocks(): PlanningProblem['blocks'] {
    return this.#facts.disruptions.flatMap((disruption) => {
      const span = disruption.unavailable
      if (span === null || !this.#unitIndex.has(disruption.equipment)) return []
      if (Number.isNaN(span.from) || Number.isNaN(span.to)) {
        const why = `disruption ${disruption.id} blocks ${this.#plant.nameOf(disruption.equipment)} at a time that is none, and is left out`
        this.#problems.push({ workOrder: null, code: 'TAKT_PLAN_TIME_INVALID', why })
        return []
      }
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
    const calendar = this.#horizon.closed(unit)
    const blocked = blocks.filter((block) => block.equipment === unit)
    // the same array for units of one calendar: it goes to the searching thread only once
    if (blocked.length === 0 && !this.#down.has(unit)) return calendar
    const spans = [...calendar, ...blocked.map((block) => block.span)]
    const guess = this.#plant.equipment(unit)?.maintenance?.unplanned.durationMs
    if (this.#down.has(unit) && !this.#repairs.has(unit)) {
      const { now, states } = this.#facts
      // nobody has ordered the repair yet: a guess keeps the plan honest until somebody does
      const since = Math.min(states.get(unit)?.since ?? now, now)
      const back = guess === undefined ? Number.POSITIVE_INFINITY : Math.max(Number.isNaN(since) ? now : since + guess, now + guess / 2)
      spans.push({ from: now, to: back })
    }
    return spans
  }

  #setups(unit: string): readonly (readonly number[])[] | undefined {
    if (this.#families.size === 0) return undefined
    // units of the same classes have the same matrix, which goes to the searching thread only once
    const classes = (this.#plant.equipment(unit)?.classes ?? []).join('\n')
    const known = this.#matrices.get(classes) ?? this.#matrix(unit)
    this.#matrices.set(classes, known)
    return known
  }

  #matrix(unit: string): readonly (readonly number[])[] {
    const families = [...this.#families.keys()]
    const setup = (from: string, to: string): number => this.#plant.setupMs(unit, from, to) ?? (from === to ? 0 : -1)
    // without a matrix, the same family needs no set-up and another one the alternative's own
    return families.map((from) => families.map((to) => setup(from, to)))
  }

  /** How long something may have to wait before it can begin at all: for a release, a pin, the end of a block. */
  #reachMs(): number {
    const { now, workOrders, jobs, disruptions } = this.#facts
    let reach = 0
    const until = (time: number | null | undefined): void => {
      if (isTime(time) && time <= now + FARTHEST_MS) reach = Math.max(reach, time - now)
    }
    for (const { release } of workOrders.values()) until(release)
    for (const { pinned, plannedStart } of jobs) if (pinned) until(plannedStart)
    for (const { unavailable } of disruptions) until(unavailable?.to)
    return reach
  }

  /** All open work, as if one unit did it: no sensible plan is longer. */
  #workMs(): number {
    let work = 0
    for (const job of this.#facts.jobs) {
      let most = 0
      for (const alternative of job.alternatives) most = Math.max(most, alternative.setupMs + (workOn(alternative, job.quantity.value) ?? 0))
      if (most < FOREVER_MS) work += most
    }
    return work
  }
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** The least that a job order under way still takes. */
const SOON_MS = 1000
/** What cannot have ended by then, begun now, is not planned. */
const FOREVER_MS = FARTHEST_MS
const LONGEST_WHY = 1000

function dayOf(time: number): string {
  return isTime(time) ? new Date(time).toISOString().slice(0, 10) : String(time)
}

function isUnderWay(job: JobOrder): boolean {
  return job.state === 'Running' || job.state === 'Interrupted'
}
