import type { Clock } from '../../base/clock.ts'
import { TaktError } from '../../base/error.ts'
import type { Plan } from '../../messages/plan.ts'
import type { Plant } from '../../plant/plant.ts'
import { ScheduleClient, type Solved } from '../../schedule/schedule-client.ts'
import type { Store } from '../../store/store.ts'
import { buildProblem, type PlanningProblem, type PlanningSettings } from './build-problem.ts'
import { publishPlan } from './publish-plan.ts'
import { type PlanningFacts, readFacts } from './read-facts.ts'
import { type DraftPlan, draftPlan, type PlanTrigger } from './to-plan.ts'

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
}

/** A plan that was worked out. */
export interface Draft extends DraftPlan {
  /** The plan in force when the facts were read. */
  readonly inForce: Plan | null
  /** Real milliseconds of the search. */
  readonly tookMs: number
}

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

  /** A plan from what the store says now; writes nothing. It searches for the `haste`th part of the usual time. */
  async draft(trigger: PlanTrigger, signal?: AbortSignal, haste = 1): Promise<Draft> {
    const { store, clock } = this.#options
    const plant = this.#options.plant()
    return this.workOut(await readFacts(store, plant, clock.now()), plant, trigger, signal, haste)
  }

  /** A plan from facts that are given, also made-up ones; reads and writes nothing. */
  async workOut(facts: PlanningFacts, plant: Plant, trigger: PlanTrigger, signal?: AbortSignal, haste = 1): Promise<Draft> {
    const { toleranceMs } = this.#options
    const { built, solved } = await this.#solve(facts, plant, signal, haste)
    return { ...draftPlan(facts, built, solved, plant, { trigger, toleranceMs }), inForce: facts.plan ?? null, tookMs: solved.tookMs }
  }

  /**
   * Publishes a draft; made again from the facts of the moment when they changed meanwhile. `plan` is null when there is nothing to publish any more.
   * Rejects with TAKT_PLAN_STALE when the facts change faster than plans are made.
   */
  async publish(draft: Draft, signal?: AbortSignal): Promise<{ readonly draft: Draft; readonly plan: Plan | null }> {
    const { store, actor } = this.#options
    let current = draft
    for (let attempt = 1; ; attempt++) {
      if (!current.material) return { draft: current, plan: null }
      try {
        return { draft: current, plan: await publishPlan(store, current, actor) }
      } catch (thrown) {
        if (!(thrown instanceof TaktError) || (thrown.code !== 'TAKT_PLAN_STALE' && thrown.code !== 'TAKT_STORE_CONFLICT') || attempt === TRIES) throw thrown
        // the plant is quicker than the search: search less, so that a plan is there before the next change
        current = await this.draft(current.plan.trigger, signal, 4 ** attempt)
      }
    }
  }

  /** Publishes exactly this draft, which a person has seen. Rejects with TAKT_PLAN_STALE when the facts changed meanwhile. */
  publishAsIs(draft: Draft): Promise<Plan> {
    return publishPlan(this.#options.store, draft, this.#options.actor)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #solve(
    facts: PlanningFacts,
    plant: Plant,
    signal: AbortSignal | undefined,
    haste: number,
  ): Promise<{ readonly built: PlanningProblem; readonly solved: Solved }> {
    const { searchMs, moves, seed, objective, resumable } = this.#options
    const limits = { seed, ...(moves === undefined ? { timeMs: searchMs / haste } : { moves }), ...(signal === undefined ? {} : { signal }) }
    for (let lookAheadMs = 0; ; ) {
      const built = buildProblem(facts, plant, { objective, resumable, lookAheadMs })
      const solved = await this.#client.solve(built.problem, limits)
      // calendars are looked at only so far; a plan that reaches further is made again with more of them
      const beyond = solved.schedule.placements.some((placement) => placement.end > built.horizon)
      if (!beyond || lookAheadMs >= LONGEST_LOOK_AHEAD_MS) return { built, solved }
      lookAheadMs = Math.max(2 * lookAheadMs, built.horizon - facts.now)
    }
  }
}
