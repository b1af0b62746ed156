import type { Cancel, Clock } from '../../base/clock.ts'
import { TaktError } from '../../base/error.ts'
import type { Autonomy } from '../../messages/common.ts'
import type { Plan } from '../../messages/plan.ts'
import type { Draft, Planner } from './planner.ts'
import { weightier } from './replan-trigger.ts'
import type { PlanTrigger } from './to-plan.ts'

/** What became of a wish for a plan. */
export interface Outcome {
  /** `published`: in force now. `proposed`: waits for a person. `computed`: shadow. `unchanged`: the plan in force will do. */
  readonly result: 'published' | 'proposed' | 'computed' | 'unchanged'
  /** The plan in force after it, or the one proposed or computed; null when there is none at all. */
  readonly plan: Plan | null
  readonly draft: Draft
  /** A proposal that says the same as the one that waits already. */
  readonly repeated: boolean
  /** A proposal that takes the place of the one that waits, because it is better; nobody needs to be called for it. */
  readonly replaces: boolean
}

export interface ReplannerOptions {
  readonly planner: Planner
  /** Plant time: when running job orders should have ended. */
  readonly clock: Clock
  /** Real time: triggers that come together make one plan. */
  readonly realClock: Clock
  readonly debounceMs: number
  readonly autonomy: Autonomy
  /** Plans by itself when a job order is later than this, plant ms; undefined: never. */
  readonly lateAfterMs: number | undefined
  /** While nothing happens, goes on searching for a better plan for as long at most, real ms. Default 0: not at all. */
  readonly improveMs?: number
  /** Hears of every outcome; `awaited` when somebody who asked by `request` or `approve` gets it too. */
  readonly onOutcome: (outcome: Outcome, awaited: boolean) => void
  /** Hears of failures that nobody awaits. */
  readonly onError: (error: unknown) => void
  readonly onBusy: () => void
}

interface Waiter {
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

interface Pending {
  trigger: PlanTrigger
  /** Real time by which nothing but the search should stand between it and its plan: when it was asked for, and the wait for others. */
  readonly from: number
  readonly waiters: Waiter[]
}

/** However fast plant time passes, lateness alone makes a plan no more often than this. */
const LATE_CHECK_REAL_MS = 5000
/** Nothing has happened for so long, real ms: then there is time to look for a better plan. */
const QUIET_MS = 2000
/** A shorter search than this finds nothing that the first has not. */
const LEAST_IMPROVE_MS = 200

/**
 * Turns wishes for a plan into plans: those that come close together into one, one at a time, with as much autonomy as was given.
 * Looks by itself for job orders that should have begun or ended and have not.
 */
export class Replanner {
  readonly #options: ReplannerOptions
  readonly #closing = new AbortController()
  #pending: Pending | undefined
  #cancelDebounce: Cancel | undefined
  #cancelCheck: Cancel | undefined
  #running: Promise<void> | undefined
  #proposal: Draft | undefined
  /** While a plan is searched for: what is published should the thread die. It is there long before the search ends. */
  #repaired: (() => Promise<Draft>) | undefined
  #cancelImprove: Cancel | undefined
  /** The most that there was to do after a search, real ms; what is long ago counts less and less. */
  #afterMs = 0
  #improving: { readonly stop: AbortController; readonly done: Promise<void> } | undefined

  constructor(options: ReplannerOptions) {
    this.#options = options
  }

  /** The plan that waits for a person. */
  get proposal(): Plan | undefined {
    return this.#proposal?.plan
  }

  /** Asks for a plan because of something that happened; failures go to `onError`. */
  trigger(trigger: PlanTrigger): void {
    this.#ask(trigger)
  }

  /** Asks for a plan and waits for what becomes of it. */
  request(trigger: PlanTrigger): Promise<Outcome> {
    return new Promise((resolve, reject) => this.#ask(trigger, { resolve, reject }))
  }

  /** A person accepts the proposal. When the plant has changed since, nothing is published and a new proposal is made: rejects with TAKT_PLAN_STALE. */
  async approve(): Promise<Outcome> {
    const draft = this.#proposal
    this.#stopImproving()
    if (draft === undefined) throw new TaktError('TAKT_PLAN_NO_PROPOSAL', { where: 'plan' })
    try {
      const plan = await this.#options.planner.publishAsIs(draft)
      this.#proposal = undefined
      return this.#tell(true, 'published', plan, draft)
    } catch (thrown) {
      if (thrown instanceof TaktError && thrown.code === 'TAKT_PLAN_STALE') {
        this.#proposal = undefined
        this.trigger(draft.plan.trigger)
      }
      throw thrown
    }
  }

  /** A person declines the proposal; the plan in force stays until the next trigger. */
  refuse(): void {
    this.#stopImproving()
    this.#proposal = undefined
  }

  /** Another plans from now on: does nothing more by itself, until it is asked. */
  rest(): void {
    this.refuse()
    this.#cancelCheck?.()
    if (this.#pending?.waiters.length !== 0) return
    this.#pending = undefined
    this.#cancelDebounce?.()
    this.#cancelDebounce = undefined
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#cancelDebounce?.()
    this.#cancelCheck?.()
    for (const { reject } of this.#pending?.waiters ?? []) reject(new TaktError('TAKT_SCHEDULE_CANCELED', { where: 'plan' }))
    this.#pending = undefined
    this.#stopImproving()
    await this.#running
    await this.#improving?.done
    await this.#options.planner.close()
  }

  #ask(trigger: PlanTrigger, waiter?: Waiter): void {
    this.#stopImproving()
    const { realClock, debounceMs } = this.#options
    this.#pending ??= { trigger, from: realClock.now() + debounceMs, waiters: [] }
    this.#pending.trigger = weightier(this.#pending.trigger, trigger)
    if (waiter !== undefined) this.#pending.waiters.push(waiter)
    // the first of several starts the wait, so that a steady stream of events cannot put the plan off for ever
    if (this.#running === undefined) this.#arm()
  }

  #start(): void {
    const pending = this.#pending
    this.#cancelDebounce = undefined
    if (pending === undefined || this.#closing.signal.aborted) return
    this.#pending = undefined
    this.#stopImproving()
    this.#options.onBusy()
    const finish = (settle: (waiter: Waiter) => void): void => {
      this.#running = undefined
      this.#repaired = undefined
      pending.waiters.forEach(settle)
      // what came meanwhile
      if (this.#pending !== undefined) this.#arm()
      else this.#improveWhenQuiet()
    }
    this.#running = this.#plan(pending, pending.waiters.length > 0).then(
      (outcome) => finish(({ resolve }) => resolve(outcome)),
      (thrown) => {
        finish(({ reject }) => reject(thrown))
        if (pending.waiters.length === 0 && !this.#closing.signal.aborted) this.#failed(pending.trigger, thrown)
      },
    )
  }

  /** The plant changed faster than plans were made: that is no failure, the next plan knows more. */
  #failed(trigger: PlanTrigger, thrown: unknown): void {
    if (thrown instanceof TaktError && thrown.code === 'TAKT_PLAN_STALE') this.trigger(trigger)
    else this.#options.onError(thrown)
  }

  /** What came while a plan was made has waited already; half the wait keeps plans apart where events never end. */
  #arm(): void {
    const { realClock, debounceMs } = this.#options
    const left = (this.#pending?.from ?? 0) - realClock.now()
    this.#cancelDebounce ??= realClock.after(Math.min(debounceMs, Math.max(debounceMs / 2, left)), () => this.#start())
  }

  async #plan({ trigger, from }: Pending, awaited: boolean): Promise<Outcome> {
    const { realClock } = this.#options
    let searched = from
    const draft = await this.#draft(trigger, () => {
      searched = realClock.now()
      return searched - from + this.#afterMs
    })
    const outcome = await this.#decide(draft, awaited)
    // where the machine is busy now and then, what took long lately is what to reckon with
    this.#afterMs = Math.max(0.8 * this.#afterMs, realClock.now() - searched - draft.tookMs)
    return outcome
  }

  async #decide(draft: Draft, awaited: boolean): Promise<Outcome> {
    const { planner, autonomy } = this.#options
    const { signal } = this.#closing
    this.#watchForLateness(draft.plan)
    if (autonomy === 'shadow') return this.#tell(awaited, 'computed', draft.plan, draft)
    if (!draft.material) {
      this.#proposal = undefined
      return this.#tell(awaited, 'unchanged', draft.inForce, draft)
    }
    if (autonomy === 'approve') {
      const repeated = this.#proposal !== undefined && isSame(this.#proposal.plan, draft.plan, planner.toleranceMs)
      this.#proposal = draft
      return this.#tell(awaited, 'proposed', draft.plan, draft, repeated)
    }
    const published = await planner.publish(draft, signal)
    const { plan } = published
    return this.#tell(awaited, plan === null ? 'unchanged' : 'published', plan ?? published.draft.inForce, published.draft)
  }

  /** A plan of the search; should its thread die, the repaired one. */
  async #draft(trigger: PlanTrigger, besidesMs: () => number): Promise<Draft> {
    const { signal } = this.#closing
    try {
      return await this.#options.planner.draft(trigger, {
        signal,
        besidesMs,
        onRepaired: (draft) => {
          this.#repaired = draft
        },
      })
    } catch (thrown) {
      const repaired = this.#repaired
      if (repaired === undefined || !(thrown instanceof TaktError) || thrown.code !== 'TAKT_SCHEDULE_WORKER') throw thrown
      return repaired()
    }
  }

  #improveWhenQuiet(): void {
    const { improveMs = 0, autonomy, clock, realClock, planner } = this.#options
    this.#cancelImprove?.()
    // where plant time flies, a plan of a while ago is a plan of the past
    const wallMs = Math.min(improveMs, clock.rate > 0 ? planner.toleranceMs / clock.rate : improveMs)
    if (wallMs < LEAST_IMPROVE_MS || autonomy === 'shadow' || this.#closing.signal.aborted) return
    this.#cancelImprove = realClock.after(QUIET_MS, () => {
      const stop = new AbortController()
      const done = this.#improve(wallMs, stop.signal).then(
        (better) => {
          this.#improving = undefined
          if (better && !stop.signal.aborted) this.#improveWhenQuiet()
        },
        (thrown) => {
          this.#improving = undefined
          // whoever stopped it, or changed the plant meanwhile, has a plan made anyway
          const expected = thrown instanceof TaktError && ['TAKT_SCHEDULE_CANCELED', 'TAKT_PLAN_STALE', 'TAKT_STORE_CONFLICT'].includes(thrown.code)
          if (!expected && !this.#closing.signal.aborted) this.#options.onError(thrown)
        },
      )
      this.#improving = { stop, done }
    })
  }

  #stopImproving(): void {
    this.#cancelImprove?.()
    this.#improving?.stop.abort()
  }

  /** Looks for a better plan than the one in force, or than the one that waits for a person; false when there is none that is better by the margin. */
  async #improve(wallMs: number, signal: AbortSignal): Promise<boolean> {
    const { planner, autonomy } = this.#options
    const draft = await planner.improve(wallMs, signal)
    const waits = this.#proposal
    const gain = waits === undefined ? draft.gain : Math.min(draft.gain, waits.cost - draft.cost)
    if (signal.aborted || !draft.material || gain < Math.max(planner.marginMs, 1)) return false
    if (autonomy === 'approve') {
      this.#proposal = draft
      this.#tell(false, 'proposed', draft.plan, draft, false, waits !== undefined)
    } else this.#tell(false, 'published', await planner.publishAsIs(draft, draft.guard), draft)
    this.#watchForLateness(draft.plan)
    return true
  }

  #tell(awaited: boolean, result: Outcome['result'], plan: Plan | null, draft: Draft, repeated = false, replaces = false): Outcome {
    const outcome = { result, plan, draft, repeated, replaces }
    this.#options.onOutcome(outcome, awaited)
    return outcome
  }

  /** Wakes up when the next job order should have begun or ended, with some patience, and asks for a plan; an event that comes before makes a new one anyway. */
  #watchForLateness({ assignments, now }: Plan): void {
    const { clock, lateAfterMs } = this.#options
    this.#cancelCheck?.()
    if (lateAfterMs === undefined || assignments.length === 0) return
    const expected = assignments.map(({ jobOrder, frozen, start, end }) => ({ jobOrder, by: (frozen ? end : start) + lateAfterMs }))
    const next = expected.reduce((first, other) => (other.by < first.by ? other : first))
    const delay = Math.max(next.by - now, LATE_CHECK_REAL_MS * clock.rate)
    this.#cancelCheck = clock.after(delay, () => this.trigger({ type: 'late', id: next.jobOrder }))
  }
}

/** Do two proposals move the same job orders to the same places, give or take the tolerance? */
function isSame(a: Plan, b: Plan, toleranceMs: number): boolean {
  if (a.previous !== b.previous || a.changes.length !== b.changes.length) return false
  const known = new Map(a.changes.map((change) => [change.jobOrder, change.to]))
  return b.changes.every(({ jobOrder, to }) => {
    const was = known.get(jobOrder)
    if (was === undefined || was === null || to === null) return was === to
    return was.equipment === to.equipment && Math.abs(was.start - to.start) <= toleranceMs
  })
}
