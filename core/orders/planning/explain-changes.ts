import type { JobOrder } from '../../messages/job-order.ts'
import type { PlanChange } from '../../messages/plan.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Placement, Schedule } from '../../schedule/problem.ts'
import type { PlanningProblem } from './build-problem.ts'
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

/**
 * Says why a job order moves. From what is certain to what is likely: its unit is down, blocked or to be repaired in its old time; what comes before it ends
 * later; another job order has taken its place, and then for that one's reason; else the event that asked for the plan.
 */
export class ChangeExplainer {
  readonly #facts: PlanningFacts
  readonly #built: PlanningProblem
  readonly #plant: Plant
  readonly #options: DraftOptions
  readonly #places = new Map<string, Slot>()
  readonly #jobs = new Map<string, JobOrder>()
  readonly #onUnit = new Map<string, JobOrder[]>()
  readonly #causes = new Map<string, Cause>()
  readonly #clockFormat: Intl.DateTimeFormat
  readonly #dayFormat: Intl.DateTimeFormat

  constructor(facts: PlanningFacts, built: PlanningProblem, schedule: Schedule, plant: Plant, options: DraftOptions) {
    this.#facts = facts
    this.#built = built
    this.#plant = plant
    this.#options = options
    this.#clockFormat = new Intl.DateTimeFormat('en-GB', { timeZone: plant.timeZone, hour: '2-digit', minute: '2-digit' })
    this.#dayFormat = new Intl.DateTimeFormat('en-GB', { timeZone: plant.timeZone, day: 'numeric', month: 'short' })
    built.jobs.forEach((job, index) => {
      const { unit, start, end } = schedule.placements[index] as Placement
      const slot = { unit: built.units[unit] ?? '', start, end }
      this.#places.set(job.id, slot)
      this.#jobs.set(job.id, job)
      this.#onUnit.set(slot.unit, [...(this.#onUnit.get(slot.unit) ?? []), job])
    })
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
    // while it is being found out, whoever asks in a circle gets the event that started it all
    this.#causes.set(job.id, this.#trigger())
    const cause = this.#find(job)
    this.#causes.set(job.id, cause)
    return cause
  }

  #find(job: JobOrder): Cause {
    const problem = this.#built.problems.find((candidate) => candidate.jobOrder === job.id)
    if (problem !== undefined) return { id: problem.code, text: problem.why }
    const place = this.#places.get(job.id)
    if (place === undefined) return { id: job.workOrder, text: `${job.workOrder} is not released` }
    if (job.maintenance !== undefined) return this.#repairCause(job)
    if (job.pinned) return { id: job.id, text: `${job.id} is pinned` }
    if (job.equipment === null || job.plannedStart === null) return this.#newCause(job)

    const old = { unit: job.equipment, start: job.plannedStart, end: job.plannedEnd ?? job.plannedStart }
    const later = place.start > old.start
    return (
      this.#unitCause(old, place) ??
      (later || place.unit !== old.unit ? this.#predecessorCause(job, old) : undefined) ??
      (later || place.unit !== old.unit ? this.#takenCause(job, old) : undefined) ??
      (place.unit === old.unit && !later ? { id: this.#trigger().id, text: 'There is room for it' } : undefined) ??
      this.#trigger()
    )
  }

  #newCause(job: JobOrder): Cause {
    if (job.continues !== undefined) return { id: job.continues, text: `The rest of ${job.continues}` }
    // what a unit had been told is taken back from it when it is blocked
    const block = this.#built.blocks.find(({ equipment, span }) => equipment === job.equipment && span.from <= this.#facts.now)
    if (block !== undefined) return { id: block.disruption, text: `${this.#name(block.equipment)} is blocked (${block.disruption})` }
    return { id: job.workOrder, text: `${job.workOrder} is new in the plan` }
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
    const repair = this.#onUnit.get(old.unit)?.find((job) => job.maintenance !== undefined)
    const repairPlace = repair === undefined ? undefined : this.#places.get(repair.id)
    if (this.#built.down.has(old.unit)) {
      const id = repair === undefined ? undefined : (this.#disruptionOf(repair)?.id ?? repair.workOrder)
      return { id: id ?? this.#latestDisruption(old.unit) ?? old.unit, text: `${this.#name(old.unit)} is down` }
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
    return block === undefined ? undefined : { id: block.disruption, text: `${this.#name(old.unit)} is blocked (${block.disruption})` }
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
    for (const other of this.#onUnit.get(old.unit) ?? []) {
      const place = this.#places.get(other.id)
      if (other === job || place === undefined || place.start >= old.end || place.end <= old.start) continue
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

  #disruptionOf(repair: JobOrder): PlanningFacts['disruptions'][number] | undefined {
    return this.#facts.disruptions.findLast(({ maintenanceOrder }) => maintenanceOrder === repair.workOrder || maintenanceOrder === repair.id)
  }

  #latestDisruption(unit: string): string | undefined {
    return this.#facts.disruptions.findLast((disruption) => disruption.equipment === unit)?.id
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
    const clock = this.#clockFormat.format(time)
    const day = this.#dayFormat.format(time)
    return day === this.#dayFormat.format(this.#facts.now) ? clock : `${clock} on ${day}`
  }
}
