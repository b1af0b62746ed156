import type { JobOrder } from '../../../messages/job-order.ts'
import type { ProblemAlternative, ProblemOperation } from '../../../schedule/problem.ts'
import { FARTHEST_MS, isTime } from '../screen-input.ts'
import { type KeepParts, type Kept, keptJobs } from './frozen-horizon.ts'
import { isUnderWay } from './planning-problem.ts'
import type { SetupFamilies } from './setup-families.ts'

export interface OperationParts extends KeepParts {
  readonly families: SetupFamilies
}

/** Ranks of what comes first on its unit: a repair, what was begun on a unit that is down, what it was told, what the frozen horizon keeps. */
const FIRST = { repair: 0, begun: 1, told: 2, kept: 3 } as const
/** A rank and a time in one number: the times of a rank stay in order and below the next rank. */
const ranked = (rank: number, time: number): number => rank + time / 1e16

/** Job orders that can be planned, as operations of the problem. */
export class PlanningOperations {
  readonly kept: ReadonlyMap<string, Kept>
  readonly #parts: OperationParts
  readonly #index: ReadonlyMap<string, number>
  readonly #orderIndex: ReadonlyMap<string, number>
  readonly #heads: ReadonlyMap<string, number>

  constructor(parts: OperationParts, jobs: readonly JobOrder[], orders: readonly string[]) {
    this.#parts = parts
    this.#index = new Map(jobs.map((job, at) => [job.id, at]))
    this.#orderIndex = new Map(orders.map((id, at) => [id, at]))
    const heads = this.#headsOf(jobs)
    this.kept = keptJobs(jobs, heads, parts)
    for (const [id, { start }] of this.kept) if (!heads.has(id)) heads.set(id, ranked(FIRST.kept, start))
    this.#heads = heads
  }

  of(job: JobOrder): ProblemOperation {
    const { facts, settings, units, families, underWay, screen } = this.#parts
    const first = this.#heads.get(job.id)
    const base = {
      id: job.id,
      order: this.#orderIndex.get(job.workOrder) ?? 0,
      // what has begun waits for nothing any more, and the repair of a unit that is down for nobody
      after:
        isUnderWay(job) || (first !== undefined && job.maintenance !== undefined) ? [] : [...new Set(job.after.flatMap((id) => this.#index.get(id) ?? []))],
      ...transferOf(job),
      family: families.of(job.setupFamily),
      resumable: job.maintenance === undefined && settings.resumable,
      ...(job.equipment !== null && isTime(job.plannedStart) && units.index.has(job.equipment)
        ? { baseline: { unit: units.index.get(job.equipment) ?? 0, start: job.plannedStart } }
        : {}),
    }
    if (isUnderWay(job)) {
      const alternatives = [this.#present(job)]
      return underWay.goesOn(job) ? { ...base, alternatives, frozen: underWay.frozen(job) } : { ...base, alternatives, first: first ?? 0 }
    }
    const kept = this.kept.get(job.id)
    const possible = screen.possible.get(job.id) ?? []
    const notBefore = this.#notBefore(job)
    return {
      ...base,
      alternatives: kept === undefined ? possible : possible.filter(({ unit }) => unit === kept.unit),
      ...(first === undefined ? {} : { first }),
      ...(job.maintenance !== undefined && isTime(job.deadline) ? { startBy: job.deadline } : {}),
      ...(notBefore > facts.now ? { notBefore } : {}),
      ...(job.pinned && isTime(job.plannedStart) ? { startBy: Math.max(job.plannedStart, facts.now) } : {}),
    }
  }

  /** Where it is under way, with what it holds there: never more than there is, because it is a fact. */
  #present(job: JobOrder): ProblemAlternative {
    const { units, underWay, resources } = this.#parts
    const unit = units.index.get(job.equipment ?? '') ?? 0
    const equipment = units.ids[unit] ?? ''
    const asked = job.alternatives.find((alternative) => alternative.equipment === equipment) ?? { equipment }
    const { needs } = resources.of(job, asked)
    return { unit, duration: underWay.remainingMs(job), setup: 0, ...(needs.length === 0 ? {} : { needs }) }
  }

  /** A pin, the material, the first transfer lot of what runs before it. What its unit was told waits for none of them. */
  #notBefore(job: JobOrder): number {
    const { facts, underWay, screen } = this.#parts
    let time = job.pinned && isTime(job.plannedStart) ? job.plannedStart : 0
    if (screen.isCommanded(job)) return time
    if (isTime(job.materialAt) && job.materialAt <= facts.now + FARTHEST_MS) time = Math.max(time, job.materialAt)
    for (const id of job.after) {
      const before = underWay.get(id)
      if (before?.transferLot !== undefined && underWay.goesOn(before)) time = Math.max(time, underWay.firstLotAt(before))
    }
    return time
  }

  /** Job orders that come first on their unit, with their rank: the repair of a unit that is down, what is under way there, what it has been told. */
  #headsOf(jobs: readonly JobOrder[]): Map<string, number> {
    const { facts, units, screen } = this.#parts
    const heads = new Map<string, number>()
    const waiting = new Set(jobs.filter((job) => !isUnderWay(job)).map((job) => job.id))
    for (const job of jobs) {
      if (job.equipment === null) continue
      const free = job.after.every((id) => !waiting.has(id))
      if (job.maintenance !== undefined && !isUnderWay(job) && units.repairFirst.has(job.equipment)) heads.set(job.id, FIRST.repair)
      else if (units.down.has(job.equipment) && isUnderWay(job)) heads.set(job.id, FIRST.begun)
      else if (!free) continue
      else if (screen.isCommanded(job)) heads.set(job.id, ranked(FIRST.told, isTime(job.plannedStart) ? job.plannedStart : facts.now))
    }
    return heads
  }
}

/** The share of its pieces that goes on at once. */
function transferOf({ transferLot, quantity }: JobOrder): Pick<ProblemOperation, 'transferShare'> {
  const share = transferLot === undefined ? 1 : transferLot / quantity.value
  return share > 0 && share < 1 ? { transferShare: share } : {}
}
