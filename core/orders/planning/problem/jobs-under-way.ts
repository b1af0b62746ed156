import type { JobOrder } from '../../../messages/job-order.ts'
import type { ProblemOperation, Span } from '../../../schedule/problem.ts'
import { mergeSpans, Timeline } from '../../../schedule/timeline.ts'
import type { PlanningFacts } from '../read-facts.ts'
import { isTime } from '../screen-input.ts'
import { FOREVER_MS, isUnderWay, MINUTE_MS, type ProblemLog, SOON_MS } from './planning-problem.ts'
import type { PlanningUnits } from './planning-units.ts'

type Frozen = NonNullable<ProblemOperation['frozen']>

/** What runs, and how long it still takes as far as its counts say. */
export class JobsUnderWay {
  readonly #facts: PlanningFacts
  readonly #units: PlanningUnits
  readonly #log: ProblemLog
  readonly #plannedSetups: ReadonlyMap<string, number>
  readonly #jobs: ReadonlyMap<string, JobOrder>
  readonly #frozen = new Map<string, Frozen>()
  readonly #remaining = new Map<string, number>()

  constructor(facts: PlanningFacts, units: PlanningUnits, log: ProblemLog) {
    this.#facts = facts
    this.#units = units
    this.#log = log
    this.#plannedSetups = new Map(facts.plan?.assignments.map((assignment) => [assignment.jobOrder, assignment.setupMs]))
    this.#jobs = new Map(facts.jobs.filter(isUnderWay).map((job) => [job.id, job]))
  }

  get(id: string): JobOrder | undefined {
    return this.#jobs.get(id)
  }

  /** Does it go on without anybody deciding anything? On a unit that is down it cannot before the repair, whatever its state says. */
  goesOn(job: JobOrder): boolean {
    return job.equipment === null || !this.#units.waitsForRepair(job, job.equipment)
  }

  /** When it ends; never as long as it waits for a repair. */
  endOf(job: JobOrder): number {
    return this.goesOn(job) ? this.frozen(job).end : Number.POSITIVE_INFINITY
  }

  /** Where it runs, since when and until when. */
  frozen(job: JobOrder): Frozen {
    const known = this.#frozen.get(job.id) ?? this.#frozenOf(job)
    this.#frozen.set(job.id, known)
    return known
  }

  #frozenOf(job: JobOrder): Frozen {
    const { now } = this.#facts
    const unit = this.#units.index.get(job.equipment ?? '') ?? 0
    const closed = job.maintenance === undefined ? this.#units.closedByCalendar(this.#units.ids[unit] ?? '') : []
    const end = Math.max(this.#through(closed, now, this.remainingMs(job)), this.#fedUntil(job, closed))
    return { unit, start: isTime(job.actualStart) ? Math.min(job.actualStart, now) : now, end }
  }

  /** So much work is done by then; at once, whatever a calendar without open time says: it runs. */
  #through(closed: readonly Span[], from: number, work: number): number {
    const timeline = new Timeline([mergeSpans(closed, this.#facts.now)])
    timeline.fit(0, from, work, true)
    return timeline.end < this.#facts.now + FOREVER_MS ? timeline.end : from + work
  }

  /** It began on the first transfer lot of one that still runs: the last lot comes at that one's end. */
  #fedUntil(job: JobOrder, closed: readonly Span[]): number {
    let until = 0
    for (const id of job.after) {
      const before = this.#jobs.get(id)
      if (before?.transferLot === undefined || !this.goesOn(before) || before.id === job.id) continue
      const lot = Math.min(before.transferLot, job.quantity.value)
      until = Math.max(until, this.#through(closed, this.frozen(before).end, lot * this.#timesOf(job).perPieceMs))
    }
    return until
  }

  /** When the first transfer lot of one that runs will have been made; now when it has been. */
  firstLotAt(job: JobOrder): number {
    const { now } = this.#facts
    const missing = (job.transferLot ?? job.quantity.value) - job.good
    return missing > 0 ? Math.min(this.frozen(job).end, now + missing * this.#timesOf(job).perPieceMs) : now
  }

  /** Work left of a job order under way: by the parts counted, and by the clock while its first part is not. */
  remainingMs(job: JobOrder): number {
    const known = this.#remaining.get(job.id) ?? this.#remainingOf(job)
    this.#remaining.set(job.id, known)
    return known
  }

  #remainingOf(job: JobOrder): number {
    const { now, lastCounted } = this.#facts
    const { setupMs, perPieceMs } = this.#timesOf(job)
    const made = job.good + job.scrap
    const left = Math.max(0, job.quantity.value - made)
    const since = Math.max(0, now - Math.max(job.actualStart ?? now, lastCounted.get(job.id) ?? 0))
    // before the first part it is set up, for as long as the plan said
    const expected = (made > 0 ? 0 : (this.#plannedSetups.get(job.id) ?? setupMs)) + left * perPieceMs - since
    // what takes longer than expected is about to end, as far as anybody knows: one more piece, and at least a little
    const remaining = Math.max(expected, left > 1 ? (left - 1) * perPieceMs : Math.min(perPieceMs, MINUTE_MS), SOON_MS)
    if (remaining < FOREVER_MS) return Math.ceil(remaining)
    this.#log.job(job, 'TAKT_PLAN_NO_DURATION', 'its quantity and times do not say when it ends; it is planned to end at once', true)
    return SOON_MS
  }

  #timesOf(job: JobOrder): { readonly setupMs: number; readonly perPieceMs: number } {
    return job.alternatives.find(({ equipment }) => equipment === job.equipment) ?? job.alternatives[0] ?? { setupMs: 0, perPieceMs: 0 }
  }
}
