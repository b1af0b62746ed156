import type { Steps } from '../../../base/in-slices.ts'
import type { JobOrder } from '../../../messages/job-order.ts'
import type { Plant } from '../../../plant/plant.ts'
import type { ProblemAlternative, Span } from '../../../schedule/problem.ts'
import { mergeSpans, Timeline } from '../../../schedule/timeline.ts'
import type { PlanningFacts } from '../read-facts.ts'
import { circles, FARTHEST_MS, isOpen, isTime, orderTermsOf, workOn } from '../screen-input.ts'
import { FOREVER_MS, HOUR_MS, isUnderWay, JOBS_A_STEP, MINUTE_MS, type PlanningSettings, type ProblemLog } from './planning-problem.ts'
import type { PlanningResources } from './planning-resources.ts'
import type { PlanningUnits } from './planning-units.ts'

const NEVER_CLOSED: readonly Span[] = []

/** Which job orders can be planned, and where; the others are named. */
export class JobScreen {
  /** By job order: where it could be done at some time. */
  readonly possible = new Map<string, readonly ProblemAlternative[]>()
  readonly #facts: PlanningFacts
  readonly #plant: Plant
  readonly #settings: PlanningSettings
  readonly #units: PlanningUnits
  readonly #resources: PlanningResources
  readonly #log: ProblemLog
  /** Open time, asked of every alternative: by what is needed, and by closed time. Equal needs are the same array, and units of one calendar have the same spans. */
  readonly #timelines = new Map<ProblemAlternative['needs'], Map<readonly Span[], Timeline>>()

  constructor(facts: PlanningFacts, plant: Plant, settings: PlanningSettings, units: PlanningUnits, resources: PlanningResources, log: ProblemLog) {
    this.#facts = facts
    this.#plant = plant
    this.#settings = settings
    this.#units = units
    this.#resources = resources
    this.#log = log
  }

  *plannable(): Steps<JobOrder[]> {
    const open = new Map<string, JobOrder>()
    const seen = new Set<string>()
    for (const job of this.#facts.jobs) {
      if (seen.has(job.id)) {
        this.#log.job(job, 'TAKT_PLAN_DUPLICATE', 'there is another job order with this id; only the first is planned', true)
        continue
      }
      seen.add(job.id)
      if (seen.size % JOBS_A_STEP === 0) yield
      if (isUnderWay(job) ? this.#canGoOn(job) : this.#canBegin(job)) open.set(job.id, job)
    }
    yield
    const waiting = new Map([...open].filter(([, job]) => !isUnderWay(job)))
    for (const [id, way] of circles(waiting)) {
      this.#log.job(waiting.get(id) as JobOrder, 'TAKT_PLAN_CIRCLE', `it waits for itself: ${[...way, way.length < 6 ? way[0] : '…'].join(' → ')}`)
      open.delete(id)
    }
    yield
    this.#dropFollowers(open)
    return [...open.values()]
  }

  /** Told to its unit already: taking it back is for people or for the unit's failure. */
  isCommanded(job: JobOrder): boolean {
    return job.state === 'AllowedToStart' && job.equipment !== null && !this.#units.repairFirst.has(job.equipment)
  }

  #canGoOn(job: JobOrder): boolean {
    const unit = this.#units.index.has(job.equipment ?? '') ? job.equipment : null
    if (unit === null) return this.#log.job(job, 'TAKT_PLAN_UNIT_UNKNOWN', `it runs on '${job.equipment ?? 'no unit'}', which is not in the plant model`)
    if (this.#units.waitsForRepair(job, unit) && !this.#units.opensAgain(unit))
      return this.#log.job(job, 'TAKT_PLAN_UNIT_DOWN', `it was begun on ${this.#plant.nameOf(unit)}, and nothing says when that can go on`)
    return true
  }

  #canBegin(job: JobOrder): boolean {
    const { workOrders, heldLots, holdReasons, now } = this.#facts
    const order = workOrders.get(job.workOrder)
    if (order === undefined) return this.#log.job(job, 'TAKT_PLAN_ORDER_UNKNOWN', `its work order ${job.workOrder} is not there`)
    if (!isOpen(order)) {
      this.#log.unplanned.push(job)
      return false
    }
    if (job.lot !== null && heldLots.has(job.lot)) {
      const why = holdReasons?.get(job.lot)
      return this.#log.job(job, 'TAKT_PLAN_LOT_HELD', `its lot ${job.lot} is held${why === undefined ? '' : `: ${why}`}`)
    }
    if (job.maintenance === undefined && orderTermsOf(order).release > now + FARTHEST_MS)
      return this.#log.job(job, 'TAKT_PLAN_TOO_FAR', `${job.workOrder} is released on ${dayOf(order.release)}, too far ahead to plan`)
    if (job.maintenance === undefined && !(job.quantity.value > 0 && Number.isFinite(job.quantity.value)))
      return this.#log.job(job, 'TAKT_PLAN_NO_QUANTITY', `its quantity is ${job.quantity.value}`)
    if (job.pinned && job.plannedStart !== null && !(job.plannedStart <= now + FARTHEST_MS))
      return this.#log.job(job, 'TAKT_PLAN_TOO_FAR', `it is pinned to ${dayOf(job.plannedStart)}, too far ahead to plan`)
    if (isTime(job.materialAt) && job.materialAt > now + FARTHEST_MS)
      return this.#log.job(job, 'TAKT_PLAN_TOO_FAR', `its material is there on ${dayOf(job.materialAt)}, too far ahead to plan`)
    return this.#canRun(job)
  }

  #canRun(job: JobOrder): boolean {
    const name = (unit: string): string => this.#plant.nameOf(unit)
    const alternatives = this.#alternatives(job)
    const senseless = job.alternatives.filter((one) => this.#units.index.has(one.equipment) && workOn(one, job.quantity.value) === undefined)
    if (senseless.length > 0 && (alternatives.length === 0 || job.maintenance === undefined)) {
      const where = senseless.map(({ equipment, setupMs, perPieceMs }) => `${name(equipment)} (set-up ${setupMs} ms, ${perPieceMs} ms each)`).join(', ')
      const why =
        job.maintenance === undefined
          ? `${job.operation} has times that are none on ${where}`
          : `nothing says how long the repair of ${name(job.equipment ?? '')} takes`
      this.#log.job(job, 'TAKT_PLAN_NO_DURATION', why, alternatives.length > 0)
      if (alternatives.length === 0) return false
    }
    if (alternatives.length === 0) {
      const asked = [...new Set(job.alternatives.map((alternative) => alternative.equipment))]
      const gone = asked.filter((unit) => !this.#units.index.has(unit))
      if (job.pinned && asked.some((unit) => this.#units.index.has(unit)))
        return this.#log.job(job, 'TAKT_PLAN_PIN', `it is pinned to ${name(job.equipment ?? '')}, which cannot do ${job.operation}`)
      if (gone.length > 0) return this.#log.job(job, 'TAKT_PLAN_UNIT_UNKNOWN', `${gone.join(', ')} cannot be found in the plant model`)
      return this.#log.job(job, 'TAKT_PLAN_NO_ALTERNATIVE', `no unit can do ${job.operation}`)
    }
    const served = this.#withNeeds(job, alternatives)
    if (served.length === 0) return false
    const onUnits = served.map((alternative) => name(this.#units.ids[alternative.unit] ?? '')).join(', ')
    const open = served.filter((alternative) => this.#fits(job, alternative))
    this.possible.set(job.id, open)
    if (open.length > 0) return this.#isInTime(job)
    const down = served.every((alternative) => this.#units.isOut(this.#units.ids[alternative.unit] ?? ''))
    if (down) return this.#log.job(job, 'TAKT_PLAN_UNIT_DOWN', `${onUnits} ${served.length > 1 ? 'are' : 'is'} down and no repair is planned`)
    const hours = (Math.min(...served.map((alternative) => alternative.duration)) / HOUR_MS).toFixed(1)
    if (served.some(({ needs: _, ...alone }) => this.#fits(job, alone))) {
      const needed = [...new Set(served.flatMap(({ needs = [] }) => needs.map(({ resource, amount }) => `${amount} of ${this.#resources.nameOf(resource)}`)))]
      return this.#log.job(
        job,
        'TAKT_PLAN_RESOURCE_SHORT',
        `${job.operation} takes ${hours} h and needs ${needed.join(', ')}: there is no time with so many on ${onUnits}`,
      )
    }
    return this.#log.job(job, 'TAKT_PLAN_NO_OPEN_TIME', `${job.operation} takes ${hours} h and fits into no open time of ${onUnits}`)
  }

  #alternatives(job: JobOrder): ProblemAlternative[] {
    const own = job.maintenance === undefined ? undefined : this.#units.repairTime(job.equipment ?? '')
    const usable = new Map<number, ProblemAlternative>()
    for (const alternative of job.alternatives) {
      const unit = this.#units.index.get(alternative.equipment)
      const duration = workOn(alternative, job.quantity.value)
      if (unit === undefined || duration === undefined || usable.has(unit)) continue
      if (this.#mustStay(job) && alternative.equipment !== job.equipment) continue
      usable.set(unit, { unit, duration, setup: Math.round(alternative.setupMs), ...(own === undefined ? {} : { closed: own }) })
    }
    return [...usable.values()]
  }

  /** The alternatives for which the plant has what they need. */
  #withNeeds(job: JobOrder, alternatives: readonly ProblemAlternative[]): ProblemAlternative[] {
    const served: ProblemAlternative[] = []
    const unknown = new Set<string>()
    const short = new Set<string>()
    for (const alternative of alternatives) {
      const asked = job.alternatives.find(({ equipment }) => equipment === this.#units.ids[alternative.unit])
      const found = asked === undefined ? undefined : this.#resources.of(job, asked)
      for (const id of found?.unknown ?? []) unknown.add(id)
      for (const { resource, needed, most } of found?.short ?? []) short.add(`${needed} of ${this.#plant.nameOf(resource)}, and there are ${most}`)
      if (found === undefined || found.unknown.length + found.short.length > 0) continue
      served.push(found.needs.length === 0 ? alternative : { ...alternative, needs: found.needs })
    }
    const planned = served.length > 0
    if (unknown.size > 0) this.#log.job(job, 'TAKT_PLAN_RESOURCE_UNKNOWN', `${job.operation} needs ${[...unknown].join(', ')}, not in the plant model`, planned)
    if (short.size > 0) this.#log.job(job, 'TAKT_PLAN_RESOURCE_SHORT', `${job.operation} needs ${[...short].join('; ')}`, planned || unknown.size > 0)
    return served
  }

  #mustStay(job: JobOrder): boolean {
    return job.equipment !== null && (job.maintenance !== undefined || job.pinned || this.isCommanded(job))
  }

  /** A repair whose deadline has passed is planned all the same, as soon as it can be: but somebody should know. */
  #isInTime(job: JobOrder): true {
    if (job.materialAt !== undefined && job.materialAt !== null && !isTime(job.materialAt))
      this.#log.job(job, 'TAKT_PLAN_TIME_INVALID', `its material is there at ${job.materialAt}, which is no time; it is planned without`, true)
    if (job.maintenance === undefined || job.deadline === undefined || job.deadline === null) return true
    const unit = this.#plant.nameOf(job.equipment ?? '')
    if (!isTime(job.deadline)) this.#log.job(job, 'TAKT_PLAN_TIME_INVALID', `its deadline is ${job.deadline}; it is planned without`, true)
    else if (job.deadline < this.#facts.now - MINUTE_MS)
      this.#log.job(job, 'TAKT_PLAN_DEADLINE', `the repair of ${unit} should have begun by ${new Date(job.deadline).toISOString()}`, true)
    return true
  }

  /** Is there any time in sight at which it could be done there? */
  #fits(job: JobOrder, alternative: ProblemAlternative): boolean {
    const unit = this.#units.ids[alternative.unit] ?? ''
    if (job.maintenance === undefined && this.#units.isOut(unit)) return false
    const resumable = job.maintenance === undefined && this.#settings.resumable
    const timeline = this.#timelineOf(job.maintenance === undefined ? this.#units.closed(unit) : (alternative.closed ?? NEVER_CLOSED), alternative.needs)
    timeline.fit(0, this.#facts.now, alternative.setup + alternative.duration, resumable)
    return timeline.end < this.#facts.now + FOREVER_MS
  }

  #timelineOf(closed: readonly Span[], needs: ProblemAlternative['needs']): Timeline {
    const byClosed = this.#timelines.get(needs) ?? new Map<readonly Span[], Timeline>()
    this.#timelines.set(needs, byClosed)
    const timeline = byClosed.get(closed) ?? new Timeline([mergeSpans([...closed, ...this.#resources.closedFor(needs ?? [])], this.#facts.now)])
    byClosed.set(closed, timeline)
    return timeline
  }

  /** What waits for something that cannot be planned cannot be planned either. */
  #dropFollowers(open: Map<string, JobOrder>): void {
    const followers = new Map<string, JobOrder[]>()
    for (const job of open.values()) {
      if (isUnderWay(job)) continue
      for (const id of job.after) followers.set(id, [...(followers.get(id) ?? []), job])
    }
    const missing = this.#log.unplanned.map((job) => job.id)
    for (const id of missing) {
      if (open.has(id)) continue
      for (const job of followers.get(id) ?? []) {
        if (!open.delete(job.id)) continue
        this.#log.job(job, 'TAKT_PLAN_PREDECESSOR', `it waits for ${id}, which cannot be planned`)
        missing.push(job.id)
      }
    }
  }
}

function dayOf(time: number): string {
  return isTime(time) ? new Date(time).toISOString().slice(0, 10) : String(time)
}
