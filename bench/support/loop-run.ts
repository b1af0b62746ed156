import { type Clock, ManualClock } from '../../core/base/clock.ts'
import type { Receipt } from '../../core/messages/command.ts'
import type { Plan } from '../../core/messages/plan.ts'
import { Dispatcher } from '../../core/orders/dispatch/dispatcher.ts'
import { COMMAND_NAMES } from '../../core/orders/dispatch/job-command.ts'
import { DisruptionDesk } from '../../core/orders/disruption/disruption-desk.ts'
import type { DisruptionSettings } from '../../core/orders/disruption/settings.ts'
import { followCount, followMachine } from '../../core/orders/follow-machine.ts'
import { requestMaintenance } from '../../core/orders/maintenance.ts'
import { OrderDesk } from '../../core/orders/order-desk.ts'
import type { Objective } from '../../core/orders/planning/objectives.ts'
import { Planner } from '../../core/orders/planning/planner.ts'
import { triggerOf } from '../../core/orders/planning/replan-trigger.ts'
import type { PlanTrigger } from '../../core/orders/planning/to-plan.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { StoreRecorder } from '../../core/signal/store-recorder.ts'
import type { UnitFact } from '../../core/signal/unit.ts'
import type { ConditionPublication, StatusPublication } from '../../core/simulate/happenings.ts'

import type { Store } from '../../core/store/store.ts'
import { LoopDetection } from './loop-detection.ts'
import { nodeOf } from './loop-flow.ts'
import { HourMeters } from './loop-meters.ts'
import { type Outcome, outcomeOf } from './loop-outcome.ts'
import { shiftRight } from './loop-planner.ts'
import { loopPlant } from './loop-plant.ts'
import { openLoopStore } from './loop-store.ts'
import { HOUR_MS, LoopWorld, STEP_MS } from './loop-world.ts'

export interface Policy {
  readonly name: string
  /** Does anybody heed what the detectors say? */
  readonly detects: boolean
  /** Is the plan made anew when something happens, or only shifted? It is made anew at each shift change in any case. */
  readonly replans: boolean
  /** A unit is repaired when it has run for so many hours; absent: not because of them. */
  readonly everyHours?: number
}

export const HORIZON_H = 32
const SHIFT_MS = 8 * HOUR_MS
/** How long the plan waits for more news when nothing but job orders beginning and ending as planned is new. */
const PROGRESS_MS = HOUR_MS
/** A repair by hours of running may begin this much before it is due: time for the planner to find a gap. */
const PERIODIC_WINDOW_MS = 4 * HOUR_MS
const METERS_EVERY_MS = 10 * 60_000
/** Monday, 06:00 in Berlin: early shift. */
const START = Date.parse('2026-03-02T06:00:00+01:00')
const MOVES = 1000
/** Real time as far as machines' answers go: the plant runs at 60 times the clock, as in the reference flow. */
const RATE = 60
const because = { actor: 'bench' }

/** Takt's loop over the simulated plant for `HORIZON_H` hours: what the nodes of the reference flow do with each other's documents, as fast as it goes. */
export async function runLoop(seed: number, policy: Policy): Promise<Outcome> {
  const run = new LoopRun(seed, policy)
  try {
    return await run.live()
  } finally {
    await run.end()
  }
}

class LoopRun {
  readonly #policy: Policy
  readonly #plant: Plant
  readonly #clock = new ManualClock(START)
  readonly #world: LoopWorld
  readonly #store: Store
  readonly #orders: OrderDesk
  readonly #recorder: StoreRecorder
  readonly #dispatcher: Dispatcher
  readonly #planner: Planner
  readonly #disruptions: DisruptionDesk
  readonly #detection: LoopDetection | undefined
  readonly #meters: HourMeters | undefined
  readonly #planning: { readonly objective: Objective; readonly resumable: boolean; readonly toleranceMs: number }
  readonly #plans: Plan[] = []
  readonly #problems: string[] = []
  readonly #receipts: Receipt[] = []
  #urgent: PlanTrigger | null = null
  #progress: PlanTrigger | null = null
  #plannedAt = 0

  constructor(seed: number, policy: Policy) {
    const clock = this.#clock
    const plant = loopPlant()
    this.#policy = policy
    this.#plant = plant
    this.#detection = policy.detects ? new LoopDetection(plant) : undefined
    this.#world = new LoopWorld(plant, seed, START, (said) => this.#hear(said))
    this.#meters = policy.everyHours === undefined ? undefined : new HourMeters(this.#world.worn, policy.everyHours)
    this.#store = openLoopStore(clock)
    const loop = { store: this.#store, plant: () => plant, clock, actor: 'bench' }
    this.#orders = new OrderDesk(this.#store, () => plant, { autoRelease: true, mapping: {}, importFolder: undefined, where: 'bench' })
    this.#recorder = new StoreRecorder(this.#store, clock, 'bench')
    this.#planning = nodeOf('takt-scheduler')
    const { objective, resumable, toleranceMs } = this.#planning
    this.#planner = new Planner({ ...loop, actor: 'planner', objective, resumable, toleranceMs, searchMs: 0, moves: MOVES, seed: 1 })
    const real: Clock = { now: () => clock.now() / RATE, rate: 1, after: (delayMs, callback) => clock.after(delayMs * RATE, callback) }
    const dispatch = nodeOf<{ toleranceMs: number; ackTimeoutMs: number }>('takt-dispatch')
    this.#dispatcher = new Dispatcher(
      {
        ...loop,
        real,
        command: (command) => {
          this.#detection?.told(command)
          this.#receipts.push(this.#world.command(command.to, command))
        },
        problem: ({ message }) => this.#problems.push(message),
        waiting: () => {},
      },
      { autonomy: 'auto', toleranceMs: dispatch.toleranceMs, ackTimeoutMs: dispatch.ackTimeoutMs, commands: COMMAND_NAMES, actor: 'bench' },
    )
    this.#disruptions = new DisruptionDesk({
      ...loop,
      settings: nodeOf<DisruptionSettings>('takt-disruption'),
      autonomy: 'auto',
      changed: () => {},
      failed: (thrown) => this.#problems.push(String(thrown)),
    })
    this.#store.subscribe((event) => {
      const trigger = triggerOf(event, 'planner')
      if (trigger === null) return
      if (isUrgent(trigger)) this.#urgent = trigger
      else this.#progress = trigger
    })
  }

  async live(): Promise<Outcome> {
    const end = START + HORIZON_H * HOUR_MS
    for (let now = START; now < end; now += STEP_MS) {
      if ((now - START) % SHIFT_MS === 0) await this.#takeOrders(now + SHIFT_MS)
      await this.#turn(now)
      this.#clock.advance(STEP_MS)
      this.#world.advance(this.#clock.now())
    }
    const problems = this.#problems.length
    if (problems > 0 && process.env.BENCH_LOOP_PROBLEMS !== undefined) console.error(this.#policy.name, this.#problems.slice(0, 5))
    return outcomeOf({ store: this.#store, rows: this.#world.rows, plans: this.#plans, from: START, to: end, problems })
  }

  async end(): Promise<void> {
    this.#dispatcher.stop()
    this.#disruptions.stop()
    await this.#dispatcher.idle()
    await this.#planner.close()
    await this.#store.close()
  }

  #hear(said: StatusPublication | ConditionPublication): void {
    this.#detection?.hear(said)
    if (said.kind === 'status') this.#meters?.hear(said)
  }

  /** Shift change: the orders of the coming shift are handed over, and all is planned. */
  async #takeOrders(until: number): Promise<void> {
    for (const { time, order } of this.#world.orders(until)) await this.#orders.handle('create', { ...order, release: time }, because)
    this.#urgent = null
    await this.#plan({ type: 'shift' }, true)
  }

  async #turn(now: number): Promise<void> {
    for (const receipt of this.#receipts.splice(0)) await this.#dispatcher.receipt(receipt)
    for (const status of this.#world.listen()) await this.#follow(status)
    for (const found of this.#detection?.take() ?? []) await (found.kind === 'anomaly' ? this.#disruptions.anomaly(found) : this.#disruptions.prognosis(found))
    if (this.#meters !== undefined && (now - START) % METERS_EVERY_MS === 0) {
      for (const equipment of this.#meters.due())
        await this.#store.transaction((tx) =>
          requestMaintenance(tx, this.#plant, { equipment, kind: 'planned', deadline: now + PERIODIC_WINDOW_MS, cause: 'hours of running', actor: 'bench' }),
        )
    }
    if (this.#urgent !== null) await this.#plan(this.#urgent, this.#policy.replans)
    else if (this.#progress !== null && now - this.#plannedAt >= PROGRESS_MS) await this.#plan(this.#progress, this.#policy.replans)
    await this.#dispatcher.idle()
  }

  async #follow(status: StatusPublication): Promise<void> {
    const { states, counts } = await this.#recorder.record(status.unit, factsOf(status))
    for (const count of counts) await this.#store.transaction((tx) => followCount(tx, count, because))
    for (const state of states) {
      const unknown = await this.#store.transaction((tx) => followMachine(tx, state, because))
      if (unknown !== undefined) this.#problems.push(unknown.message)
      await this.#disruptions.machineState(state)
      this.#dispatcher.machineState(state)
    }
  }

  async #plan(trigger: PlanTrigger, anew: boolean): Promise<void> {
    this.#urgent = null
    this.#progress = null
    this.#plannedAt = this.#clock.now()
    const { toleranceMs } = this.#planning
    const plan = anew
      ? (await this.#planner.publish(await this.#planner.draft(trigger))).plan
      : await shiftRight({ store: this.#store, plant: this.#plant, clock: this.#clock, settings: this.#planning, toleranceMs }, trigger)
    if (plan !== null) this.#plans.push(plan)
  }
}

/** What cannot wait: something failed, a repair is asked for or is not any more, the rest of an order is to be made again. */
function isUrgent({ type }: PlanTrigger): boolean {
  return type.startsWith('disruption.') || type === 'work-order.created' || type === 'machine-state.changed' || type === 'job-order.aborted'
}

function factsOf({ time, state, mode, job, good, scrap }: StatusPublication): UnitFact[] {
  const at = { time, received: time }
  return [
    { what: 'job', job: job === '' ? null : job, ...at },
    { what: 'count', kind: 'good', signal: 'good', raw: good, rollover: undefined, ...at },
    { what: 'count', kind: 'scrap', signal: 'scrap', raw: scrap, rollover: undefined, ...at },
    { what: 'mode', mode, ...at },
    { what: 'state', state, ...at },
  ]
}
