import type { Clock } from '../../base/clock.ts'
import { TaktError } from '../../base/error.ts'
import { inSlices } from '../../base/in-slices.ts'
import type { Plan } from '../../messages/plan.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Schedule } from '../../schedule/problem.ts'
import { ScheduleClient, type Solved } from '../../schedule/schedule-client.ts'
import type { LeadGuard } from '../../store/leadership.ts'
import type { Store } from '../../store/store.ts'
import { buildProblemInSlices, type PlanningProblem, type PlanningSettings } from './build-problem.ts'
import { publishPlan } from './publish-plan.ts'
import { type PlanningFacts, readFacts } from './read-facts.ts'
import { IMPROVEMENT } from './replan-trigger.ts'
import { type DraftPlan, draftSteps, type PlanTrigger, updatesOf } from './to-plan.ts'

export interface PlannerOptions extends PlanningSettings {
  readonly store: Store
  /** Asked anew for each plan: the model may have been reloaded. */
  readonly plant: () => Plant
  readonly clock: Clock
  readonly actor: string
  /** Real milliseconds to search for. */
  readonly searchMs: number
  /** Search by number of moves instead of time, for results that do not depend on the machine. */
  readonly moves?: number
  readonly seed: number
  readonly toleranceMs: number
  /** While the plan in force can be kept, another must be better by as much: ms of lateness of an order of weight 1, or what costs the same. Default 0. */
  readonly marginMs?: number
  /** Called when a plan begins to be made; what it gives is asked in the transaction that publishes it, and throws where another instance plans now. */
  readonly claim?: () => LeadGuard
}

/** A plan that was worked out. */
export interface Draft extends DraftPlan {
  /** The plan in force when the facts were read. */
  readonly inForce: Plan | null
  /** Real milliseconds of the search. */
  readonly tookMs: number
  /** What it costs, in the unit of the margin. */
  readonly cost: number
  /** Asked in the transaction that publishes it. */
  readonly guard: LeadGuard | undefined
  /** How much less that is than the plan in force would cost, shifted by the facts; infinite when there is none. */
  readonly gain: number
}

/** How one plan is searched for, where it is not the usual way. */
export interface DraftOptions {
  readonly signal?: AbortSignal | undefined
  /** Searches for the so many-th part of the usual time. */
  readonly haste?: number
  /** What a plan takes besides its search, real ms, asked when that begins: it is searched for so much less, down to a third, and comes no later for it. */
  readonly besidesMs?: () => number
  /** Hears, long before the search ends, of a plan that can be published if nothing better comes; it is written out when it is asked for. */
  readonly onRepaired?: (draft: () => Promise<Draft>) => void
  /** The guard of an earlier draft that this one takes the place of. */
  readonly claimed?: LeadGuard | undefined
}

interface Search {
  readonly timeMs?: number
  readonly moves?: number
  readonly seed?: number
  readonly duty?: number
}

/** A search in the background uses so much of one core. */
export const BACKGROUND_DUTY = 0.25
/** More than this a job order is not searched for in the background: small plants are done sooner. */
const BACKGROUND_MS_A_JOB = 10

const LEAST_SHARE = 1 / 3
const TRIES = 4
const LONGEST_LOOK_AHEAD_MS = 400 * 86_400_000

/** Works out plans from the store and publishes them. One at a time; the search runs in a thread of its own. */
export class Planner {
  readonly #options: PlannerOptions
  readonly #client = new ScheduleClient()

  constructor(options: PlannerOptions) {
    this.#options = options
  }

  get toleranceMs(): number {
    return this.#options.toleranceMs
  }

  get marginMs(): number {
    return this.#options.marginMs ?? 0
  }

  /** A plan from what the store says now; writes nothing. */
  async draft(trigger: PlanTrigger, options: DraftOptions = {}): Promise<Draft> {
    const { store, clock, searchMs, moves, claim } = this.#options
    // before the facts are read: whoever leads when they have changed plans from others
    const claimed = options.claimed ?? claim?.()
    const plant = this.#options.plant()
    const facts = await readFacts(store, plant, clock.now())
    const search = (): Search => {
      if (moves !== undefined) return { moves }
      return { timeMs: Math.max(LEAST_SHARE * searchMs, searchMs - (options.besidesMs?.() ?? 0)) / (options.haste ?? 1) }
    }
    return this.#draft(facts, plant, trigger, search, { ...options, claimed })
  }

  /** A plan searched for longer, at low duty, for at most `wallMs` real time; writes nothing. */
  async improve(wallMs: number, signal: AbortSignal): Promise<Draft> {
    const { store, clock, moves, seed, claim } = this.#options
    const claimed = claim?.()
    const plant = this.#options.plant()
    const facts = await readFacts(store, plant, clock.now())
    const search = ({ jobs }: PlanningProblem): Search => {
      // another seed: the same way again would lead to the same place
      if (moves !== undefined) return { moves: 4 * moves, seed: seed + 1 }
      return { timeMs: Math.min(wallMs * BACKGROUND_DUTY, jobs.length * BACKGROUND_MS_A_JOB), duty: BACKGROUND_DUTY, seed: seed + 1 }
    }
    return this.#draft(facts, plant, { type: IMPROVEMENT }, search, { signal, claimed })
  }

  /** A plan from facts that are given, also made-up ones; reads and writes nothing. */
  workOut(facts: PlanningFacts, plant: Plant, trigger: PlanTrigger, signal?: AbortSignal): Promise<Draft> {
    const { searchMs, moves } = this.#options
    return this.#draft(facts, plant, trigger, () => (moves === undefined ? { timeMs: searchMs } : { moves }), { signal })
  }

  async #draft(
    facts: PlanningFacts,
    plant: Plant,
    trigger: PlanTrigger,
    search: (built: PlanningProblem) => Search,
    { signal, onRepaired, claimed }: DraftOptions,
  ): Promise<Draft> {
    const { toleranceMs } = this.#options
    const canceled = (): void => {
      if (signal?.aborted === true) throw new TaktError('TAKT_SCHEDULE_CANCELED', { where: 'plan' })
    }
    const write = async (built: PlanningProblem, { schedule, doNothing, tookMs }: Solved): Promise<Draft> => ({
      ...(await inSlices(draftSteps(facts, built, { schedule, doNothing }, plant, { trigger, toleranceMs }), canceled)),
      inForce: facts.plan ?? null,
      guard: claimed,
      tookMs,
      cost: schedule.cost.total,
      gain: doNothing === null ? Number.POSITIVE_INFINITY : doNothing.cost.total - schedule.cost.total,
    })
    const { built, solved } = await this.#solve(facts, plant, search, signal, (repairing, schedule) =>
      onRepaired?.(() => write(repairing, { schedule, doNothing: schedule, tookMs: 0 })),
    )
    return write(built, this.#isWorthIt(built, solved) || solved.doNothing === null ? solved : { ...solved, schedule: solved.doNothing })
  }

  /** A plan that can be kept is kept, unless another is better by the margin: nobody wants to be moved about for nothing. */
  #isWorthIt(built: PlanningProblem, { schedule, doNothing }: Solved): boolean {
    if (this.marginMs === 0 || doNothing === null || schedule.cost.total <= doNothing.cost.total - this.marginMs) return true
    return updatesOf(built, doNothing, this.#options.toleranceMs).length > 0
  }

  /**
   * Publishes a draft; made again from the facts of the moment when they changed meanwhile. `plan` is null when there is nothing to publish any more.
   * Rejects with TAKT_PLAN_STALE when the facts change faster than plans are made.
   */
  async publish(draft: Draft, signal?: AbortSignal): Promise<{ readonly draft: Draft; readonly plan: Plan | null }> {
    let current = draft
    for (let attempt = 1; ; attempt++) {
      if (!current.material) return { draft: current, plan: null }
      try {
        return { draft: current, plan: await this.publishAsIs(current, draft.guard) }
      } catch (thrown) {
        if (!(thrown instanceof TaktError) || (thrown.code !== 'TAKT_PLAN_STALE' && thrown.code !== 'TAKT_STORE_CONFLICT') || attempt === TRIES) throw thrown
        // the plant is quicker than the search: search less, so that a plan is there before the next change
        current = await this.draft(current.plan.trigger, { signal, haste: 4 ** attempt, claimed: draft.guard })
      }
    }
  }

  /** Publishes exactly this draft, which a person has seen. Rejects with TAKT_PLAN_STALE when the facts changed meanwhile. */
  publishAsIs(draft: Draft, guard = this.#options.claim?.()): Promise<Plan> {
    const { store, actor } = this.#options
    return publishPlan(store, draft, actor, guard)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #solve(
    facts: PlanningFacts,
    plant: Plant,
    search: (built: PlanningProblem) => Search,
    signal: AbortSignal | undefined,
    onRepaired: (built: PlanningProblem, repaired: Schedule) => void,
  ): Promise<{ readonly built: PlanningProblem; readonly solved: Solved }> {
    const { seed, objective, resumable, frozenMs = 0 } = this.#options
    for (let lookAheadMs = 0; ; ) {
      const built = await buildProblemInSlices(facts, plant, { objective, resumable, lookAheadMs, frozenMs }, signal)
      const limits = { seed, ...search(built), ...(signal === undefined ? {} : { signal }) }
      const solved = await this.#client.solve(built.problem, { ...limits, onRepaired: (repaired) => onRepaired(built, repaired) })
      // calendars are looked at only so far; a plan that reaches further is made again with more of them
      const beyond = solved.schedule.placements.some((placement) => placement.end > built.horizon)
      if (!beyond || lookAheadMs >= LONGEST_LOOK_AHEAD_MS) return { built, solved }
      lookAheadMs = Math.max(2 * lookAheadMs, built.horizon - facts.now)
    }
  }
}
