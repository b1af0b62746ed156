import type { Steps } from '../../base/in-slices.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { PlanChange, PlanProblem } from '../../messages/plan.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Placement, Schedule } from '../../schedule/problem.ts'
import type { PlanningProblem } from './build-problem.ts'
import { WaitReasons } from './explain-waits.ts'
import type { Block } from './problem/planning-problem.ts'
import type { PlanningFacts } from './read-facts.ts'
import { IMPROVEMENT } from './replan-trigger.ts'
import { isTime } from './screen-input.ts'
import type { DraftOptions, JobOrderUpdate } from './to-plan.ts'

/** What made a change necessary: an id that people can look up, and the beginning of a sentence. */
interface Cause {
  readonly id: string
  readonly text: string
}

interface Slot {
  readonly unit: string
  readonly start: number
  readonly end: number
}

interface Placed {
  readonly job: JobOrder
  readonly slot: Slot
}

type Disruption = PlanningFacts['disruptions'][number]

const JOBS_A_STEP = 200

/**
 * Says why a job order moves. From what is certain to what is likely: its unit is down, blocked or to be repaired in its old time; what comes before it ends
 * later or its material does, people or tools are elsewhere, its unit may fail; another job order has taken its place, and then for that one's reason; else the event
 * that asked for the plan.
 */
export class ChangeExplainer {
  readonly #facts: PlanningFacts
  readonly #built: PlanningProblem
  readonly #plant: Plant
  readonly #options: DraftOptions
  readonly #places = new Map<string, Slot>()
  readonly #jobs = new Map<string, JobOrder>()
  /** By unit, in the order of their starts. */
  readonly #onUnit = new Map<string, Placed[]>()
  readonly #repairs = new Map<string, Placed>()
  readonly #problems = new Map<string, PlanProblem>()
  readonly #disruptionsOf = new Map<string, Disruption>()
  readonly #latestOn = new Map<string, Disruption>()
  readonly #causes = new Map<string, Cause>()
  readonly #waits: WaitReasons
  #depth = 0
  readonly #clockFormat: Intl.DateTimeFormat
  readonly #dayFormat: Intl.DateTimeFormat
  readonly #today: string
  /** Local times by epoch minute: a plan has fewer of them than starts. */
  readonly #minutes = new Map<number, string>()

  private constructor(facts: PlanningFacts, built: PlanningProblem, plant: Plant, options: DraftOptions) {
    this.#facts = facts
    this.#built = built
    this.#plant = plant
    this.#options = options
    this.#clockFormat = new Intl.DateTimeFormat('en-GB', { timeZone: plant.timeZone, hour: '2-digit', minute: '2-digit' })
    this.#dayFormat = new Intl.DateTimeFormat('en-GB', { timeZone: plant.timeZone, day: 'numeric', month: 'short' })
    this.#today = this.#dayFormat.format(facts.now)
    this.#waits = new WaitReasons(facts, built, plant, (time) => this.#clock(time))
    for (const problem of built.problems)
      if (problem.jobOrder !== undefined && !this.#problems.has(problem.jobOrder)) this.#problems.set(problem.jobOrder, problem)
    // oldest first, so that the latest stays
    for (const disruption of facts.disruptions) {
      this.#latestOn.set(disruption.equipment, disruption)
      if (disruption.maintenanceOrder !== undefined) this.#disruptionsOf.set(disruption.maintenanceOrder, disruption)
    }
  }

  /** Knows where the schedule has everything; a step is a few hundred job orders. */
  static *of(facts: PlanningFacts, built: PlanningProblem, schedule: Schedule, plant: Plant, options: DraftOptions): Steps<ChangeExplainer> {
    const explainer = new ChangeExplainer(facts, built, plant, options)
    for (const [index, job] of built.jobs.entries()) {
      explainer.#learn(job, schedule.placements[index] as Placement)
      if (index % JOBS_A_STEP === 0) yield
    }
    for (const placed of explainer.#onUnit.values()) {
      placed.sort((a, b) => a.slot.start - b.slot.start)
      yield
    }
    return explainer
  }

  #learn(job: JobOrder, placement: Placement): void {
    const { unit, start, end } = placement
    this.#waits.learn(job, placement)
    const slot = { unit: this.#built.units[unit] ?? '', start, end }
    const placed = { job, slot }
    this.#places.set(job.id, slot)
    this.#jobs.set(job.id, job)
    const others = this.#onUnit.get(slot.unit)
    if (others === undefined) this.#onUnit.set(slot.unit, [placed])
    else others.push(placed)
    if (job.maintenance !== undefined && !this.#repairs.has(slot.unit)) this.#repairs.set(slot.unit, placed)
  }

  explain({ job, equipment, plannedStart }: JobOrderUpdate): PlanChange {
    const from = job.equipment === null || job.plannedStart === null ? null : { equipment: job.equipment, start: job.plannedStart }
    const to = equipment === null || plannedStart === null ? null : { equipment, start: plannedStart }
    const cause = this.#causeOf(job)
    return { jobOrder: job.id, from, to, because: cause.id.slice(0, 500), text: `${cause.text}: ${this.#what(job, from, to)}.`.slice(0, 500) }
  }

  #what(job: JobOrder, from: PlanChange['from'], to: PlanChange['to']): string {
    const name = job.maintenance === undefined ? `${job.operation} of ${job.workOrder}` : `the repair of ${this.#name(job.equipment ?? '')}`
    if (to === null) return `${name} has no place in the plan`
    if (from === null) return `${name} goes to ${this.#name(to.equipment)} at ${this.#clock(to.start)}`
    if (from.equipment !== to.equipment)
      return `${name} moves from ${this.#name(from.equipment)} at ${this.#clock(from.start)} to ${this.#name(to.equipment)} at ${this.#clock(to.start)}`
    const direction = to.start > from.start ? 'later' : to.start < from.start ? 'earlier' : 'at the same time'
    return `${name} starts ${direction} on ${this.#name(to.equipment)}, at ${this.#clock(to.start)} instead of ${this.#clock(from.start)}`
  }

  #causeOf(job: JobOrder): Cause {
    const known = this.#causes.get(job.id)
    if (known !== undefined) return known
    // whoever asks at the end of a very long chain, or in a circle, gets the event that started it all
    if (this.#depth === DEEPEST) return this.#trigger()
    this.#causes.set(job.id, this.#trigger())
    this.#depth++
    const cause = this.#find(job)
    this.#depth--
    this.#causes.set(job.id, cause)
    return cause
  }

  #find(job: JobOrder): Cause {
    const problem = this.#problems.get(job.id)
    if (problem !== undefined) return { id: problem.code, text: problem.why }
    const place = this.#places.get(job.id)
    if (place === undefined) return this.#notReleased(job)
    if (job.maintenance !== undefined) return this.#waits.resource(job) ?? this.#repairCause(job)
    if (job.pinned) return { id: job.id, text: `${job.id} is pinned` }
    if (job.equipment === null || job.plannedStart === null) return this.#newCause(job)

    const old = { unit: job.equipment, start: job.plannedStart, end: job.plannedEnd ?? job.plannedStart }
    const later = place.start > old.start
    return (
      this.#unitCause(old, place) ??
      (later ? this.#waits.material(job) : undefined) ??
      (later || place.unit !== old.unit ? this.#predecessorCause(job, old) : undefined) ??
      (later ? this.#waits.resource(job) : undefined) ??
      this.#waits.risk(old.unit, place.unit) ??
      (later || place.unit !== old.unit ? this.#takenCause(job, old) : undefined) ??
      (place.unit === old.unit && !later ? { id: this.#trigger().id, text: 'There is room for it' } : undefined) ??
      this.#trigger()
    )
  }

  #newCause(job: JobOrder): Cause {
    if (job.continues !== undefined) return { id: job.continues, text: `The rest of ${job.continues}` }
    // what a unit had been told is taken back from it when it is blocked
    const block = this.#built.blocks.find(({ equipment, span }) => equipment === job.equipment && span.from <= this.#facts.now)
    if (block !== undefined) return this.#blockCause(block)
    return this.#waits.material(job, null) ?? this.#waits.resource(job) ?? { id: job.workOrder, text: `${job.workOrder} is new in the plan` }
  }

  #repairCause(job: JobOrder): Cause {
    const disruption = this.#disruptionOf(job)
    const why = this.#facts.workOrders.get(job.workOrder)?.cause
    return disruption === undefined
      ? { id: job.workOrder, text: why ?? `${job.workOrder} asks for it` }
      : { id: disruption.id, text: `${disruption.id}: ${disruption.why}` }
  }

  /** The unit itself: down, blocked, or repaired in the time that the job order had there. */
  #unitCause(old: Slot, place: Slot): Cause | undefined {
    const overlaps = (from: number, to: number): boolean => from < old.end && to > old.start
    const placed = this.#repairs.get(old.unit)
    const [repair, repairPlace] = [placed?.job, placed?.slot]
    if (this.#built.down.has(old.unit)) {
      const id = repair === undefined ? undefined : (this.#disruptionOf(repair)?.id ?? repair.workOrder)
      return { id: id ?? this.#latestOn.get(old.unit)?.id ?? old.unit, text: `${this.#name(old.unit)} is down` }
    }
    if (repair !== undefined && repairPlace !== undefined) {
      const was = repair.plannedStart === null ? undefined : { from: repair.plannedStart, to: repair.plannedEnd ?? repair.plannedStart }
      const pushed = place.unit === old.unit && place.start >= repairPlace.end && (was === undefined || was.from > old.start)
      if (overlaps(repairPlace.start, repairPlace.end) || pushed) {
        const disruption = this.#disruptionOf(repair)
        return {
          id: disruption?.id ?? repair.workOrder,
          text: `${this.#name(old.unit)} is being repaired${disruption === undefined ? '' : ` (${disruption.id})`}`,
        }
      }
    }
    const block = this.#built.blocks.find(({ equipment, span }) => equipment === old.unit && overlaps(span.from, span.to))
    return block === undefined ? undefined : this.#blockCause(block)
  }

  #notReleased({ workOrder: id }: JobOrder): Cause {
    if (this.#facts.workOrders.get(id)?.state !== 'Held') return { id, text: `${id} is not released` }
    const why = this.#facts.holdReasons?.get(id)
    return { id, text: `${id} is held${why === undefined ? '' : `: ${why}`}` }
  }

  #blockCause({ equipment, disruption, held }: Block): Cause {
    return { id: disruption, text: `${this.#name(equipment)} is ${held === undefined ? `blocked (${disruption})` : `held: ${held}`}` }
  }

  /** Something before it ends after its old start. */
  #predecessorCause(job: JobOrder, old: Slot): Cause | undefined {
    for (const id of job.after) {
      const before = this.#jobs.get(id)
      const place = this.#places.get(id)
      if (before === undefined || place === undefined || place.end <= old.start) continue
      return this.#moved(before) ? this.#causeOf(before) : { id, text: `${id} before it ends later` }
    }
    return undefined
  }

  /** Another job order is now in its old time on its old unit. */
  #takenCause(job: JobOrder, old: Slot): Cause | undefined {
    const placed = this.#onUnit.get(old.unit) ?? []
    for (let at = firstAfter(placed, old.start); at < placed.length; at++) {
      const { job: other, slot } = placed[at] as Placed
      if (slot.start >= old.end) break
      if (other === job || slot.end <= old.start) continue
      if (other.state === 'Running' || other.state === 'Interrupted') return { id: other.id, text: `${other.id} takes longer on ${this.#name(old.unit)}` }
      if (this.#moved(other)) return this.#causeOf(other)
    }
    return undefined
  }

  #moved(job: JobOrder): boolean {
    const place = this.#places.get(job.id)
    if (place === undefined || job.state === 'Running' || job.state === 'Interrupted') return false
    return job.equipment !== place.unit || job.plannedStart === null || Math.abs(place.start - job.plannedStart) > this.#options.toleranceMs
  }

  /** The latest that asks for it, by its work order or by itself. */
  #disruptionOf(repair: JobOrder): Disruption | undefined {
    return this.#disruptionsOf.get(repair.workOrder) ?? this.#disruptionsOf.get(repair.id)
  }

  #trigger(): Cause {
    const { type, id } = this.#options.trigger
    if (type === IMPROVEMENT) return { id: type, text: 'A better plan was found' }
    return { id: id ?? type, text: `After ${type}${id === undefined ? '' : ` of ${id}`}` }
  }

  #name(equipment: string): string {
    return this.#plant.nameOf(equipment)
  }

  /** Local time of the plant; with the day when it is not today. */
  #clock(time: number): string {
    if (!isTime(time)) return 'no time'
    const minute = Math.floor(time / MINUTE_MS)
    const known = this.#minutes.get(minute)
    if (known !== undefined) return known
    const day = this.#dayFormat.format(time)
    const text = day === this.#today ? this.#clockFormat.format(time) : `${this.#clockFormat.format(time)} on ${day}`
    this.#minutes.set(minute, text)
    return text
  }
}

const MINUTE_MS = 60_000
/** One job order moves for another, and that for a third: so many are followed, far below what the stack holds. */
const DEEPEST = 500

/** Index of the first that ends after this time: on one unit, what starts later ends later. */
function firstAfter(placed: readonly Placed[], time: number): number {
  let [from, to] = [0, placed.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((placed[middle] as Placed).slot.end > time) to = middle
    else from = middle + 1
  }
  return from
}
