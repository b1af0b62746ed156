import type { Cancel, Clock } from '../../base/clock.ts'
import { TaktError } from '../../base/error.ts'
import type { Plant } from '../../plant/plant.ts'
import { LookaheadClient } from '../../schedule/lookahead/lookahead-client.ts'
import type { Lookahead } from '../../schedule/lookahead/lookahead-input.ts'
import type { Store } from '../../store/store.ts'
import { buildProblemInSlices, type PlanningSettings } from './build-problem.ts'
import { type PlanOutlook, readStanding, saveOutlook } from './outlook.ts'
import { OutlookHistory } from './outlook-history.ts'
import { type OutlookBasis, outlookInput } from './outlook-input.ts'
import { readFacts } from './read-facts.ts'

export interface OutlookOptions extends PlanningSettings {
  readonly store: Store
  readonly plant: () => Plant
  /** Plant time. */
  readonly clock: Clock
  readonly realClock: Clock
  /** How much sooner than planned dispatch lets a job order begin, ms. */
  readonly toleranceMs: number
  readonly seed: number
  readonly runs?: number
  /** Real ms of the thread for one outlook. */
  readonly budgetMs?: number
  /** Real ms: plans that come together get one outlook. */
  readonly debounceMs?: number
  readonly onOutlook: (outlook: PlanOutlook) => void
  readonly onError: (thrown: unknown) => void
}

/** However many plans come, the thread works no more than this share of the time. */
const SHARE = 1 / 20
const WEEK_MS = 7 * 86_400_000
/** Nothing that ends later than this from now on has an end. */
const NEVER_MS = 1e12

/** Makes an outlook of the plan in force after each that is published: soon, never two at once, and the one under way is dropped when a newer plan comes. */
export class OutlookDesk {
  readonly #options: OutlookOptions
  readonly #client = new LookaheadClient()
  readonly #history = new OutlookHistory()
  #cancelWait: Cancel | undefined
  #running: Promise<void> | undefined
  #version: number | undefined
  #again = false
  #closed = false
  #restUntil = 0

  constructor(options: OutlookOptions) {
    this.#options = options
  }

  /** A plan of this version is in force: a new one, or one that was looked at again. */
  request(version: number): void {
    if (this.#closed) return
    if (version !== this.#version) this.#client.cancel()
    this.#version = version
    if (this.#running === undefined) this.#arm()
    else this.#again = true
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelWait?.()
    await this.#client.close()
    await this.#running
  }

  /** The outlook of the plan in force from what the store says now; null when there is no plan. Rejects as the lookahead client does. */
  async make(): Promise<PlanOutlook | null> {
    const { store, clock, resumable, objective, toleranceMs, seed, runs = 500, budgetMs = 300 } = this.#options
    const plant = this.#options.plant()
    const facts = await readFacts(store, plant, clock.now())
    const { plan, now } = facts
    if (plan === undefined) return null
    // things may take far longer than planned, and still end in a calendar that is known
    const planned = plan.assignments.reduce((last, { end }) => Math.max(last, end - now), 0)
    const built = await buildProblemInSlices(facts, plant, { objective, resumable, lookAheadMs: 2 * planned + WEEK_MS })
    await this.#history.read(store, plant, now)
    const { input, missing, ...basis } = outlookInput(built, plan, this.#history, await readStanding(store), plant, toleranceMs)
    const { lookahead, tookMs } = await this.#client.look(input, { runs, seed, budgetMs })
    this.#restUntil = this.#options.realClock.now() + tookMs / SHARE
    const orders = built.problem.orders.map(({ id, due, counts }, index) => ({ id, due, isWhole: counts !== false && !missing.has(index) }))
    return outlookOf(plan.version, now, input.horizon, orders, built.units, lookahead, basis)
  }

  #arm(): void {
    const { realClock, debounceMs = 1000 } = this.#options
    const wait = Math.max(debounceMs, this.#restUntil - realClock.now())
    this.#cancelWait ??= realClock.after(wait, () => {
      this.#cancelWait = undefined
      this.#running = this.#tell().finally(() => {
        this.#running = undefined
        if (this.#again && !this.#closed) this.#arm()
        this.#again = false
      })
    })
  }

  async #tell(): Promise<void> {
    try {
      const outlook = await this.make()
      if (outlook === null || this.#closed) return
      await saveOutlook(this.#options.store, outlook)
      if (!this.#closed) this.#options.onOutlook(outlook)
    } catch (thrown) {
      const isCanceled = thrown instanceof TaktError && thrown.code === 'TAKT_SCHEDULE_CANCELED'
      if (!isCanceled && !this.#closed) this.#options.onError(thrown)
    }
  }
}

function outlookOf(
  plan: number,
  now: number,
  horizon: number,
  orders: readonly { readonly id: string; readonly due: number | null; readonly isWhole: boolean }[],
  units: readonly string[],
  lookahead: Lookahead,
  basis: OutlookBasis,
): PlanOutlook {
  const timeOf = (time: number): number | null => (time < now + NEVER_MS ? time : null)
  return {
    kind: 'plan-outlook',
    plan,
    now,
    horizon,
    runs: lookahead.runs,
    ...basis,
    orders: orders.flatMap(({ id, due, isWhole }, index) => {
      const order = lookahead.orders[index]
      if (!isWhole || order === null || order === undefined) return []
      return [{ workOrder: id, due, onTime: order.onTime, p10: timeOf(order.p10), p50: timeOf(order.p50), p90: timeOf(order.p90) }]
    }),
    units: units.map((equipment, index) => ({ equipment, failure: lookahead.failure[index] ?? 0 })),
    weightedTardinessMs: Math.round(lookahead.weightedTardiness),
  }
}
