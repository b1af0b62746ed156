import assert from 'node:assert/strict'
import { ManualClock } from '../../../../core/base/clock.ts'
import type { Autonomy } from '../../../../core/messages/common.ts'
import { pinJobOrder, unpinJobOrder } from '../../../../core/orders/planning/pin-job-order.ts'
import type { Draft } from '../../../../core/orders/planning/planner.ts'
import { type Outcome, Replanner } from '../../../../core/orders/planning/replanner.ts'
import { HOUR, MINUTE, Shop, START } from './fixture.ts'

const QUIET_MS = 2000

/** A replanner in which plans are made in stages; whoever asks by `plan` has the wait passed at once. */
class Stages {
  readonly shop: Shop
  readonly real = new ManualClock()
  readonly outcomes: Outcome[] = []
  readonly replanner: Replanner
  #heard: () => void = () => {}

  constructor(autonomy: Autonomy, marginMs: number) {
    this.shop = new Shop({ marginMs })
    this.replanner = new Replanner({
      planner: this.shop.planner,
      clock: this.shop.clock,
      realClock: this.real,
      debounceMs: 100,
      autonomy,
      lateAfterMs: undefined,
      improveMs: 10_000,
      onOutcome: (outcome) => {
        this.outcomes.push(outcome)
        this.#heard()
      },
      onError: (error) => {
        throw error
      },
      onBusy: () => {},
    })
  }

  async plan(type: string): Promise<Outcome> {
    const asked = this.replanner.request({ type })
    this.real.advance(100)
    const outcome = await asked
    await new Promise((resolve) => setImmediate(resolve))
    return outcome
  }

  /** Nothing happens, long enough for a search in the background; gives what came of it. */
  async quiet(): Promise<Outcome> {
    const heard = new Promise<void>((resolve) => {
      this.#heard = resolve
    })
    this.real.advance(QUIET_MS)
    await heard
    await new Promise((resolve) => setImmediate(resolve))
    return this.outcomes.at(-1) as Outcome
  }

  /** A plan in which a job order waits five hours for nothing: it was pinned, and is no more. Nobody has told the replanner. */
  async wasteful(): Promise<void> {
    await this.shop.order('wo-1', { product: 'plate' })
    await this.plan('start')
    await pinJobOrder(this.shop.store, { jobOrder: 'jo-wo-1-10-mill', equipment: 'p/mill-3', start: START + 5 * HOUR }, 'test')
    await this.plan('pin')
    await unpinJobOrder(this.shop.store, 'jo-wo-1-10-mill', 'test')
  }

  async close(): Promise<void> {
    await this.replanner.close()
    await this.shop.store.close()
  }
}

describe('planning in stages', () => {
  let stages: Stages
  afterEach(() => stages.close())

  it('has a plan to publish before the search ends', async () => {
    stages = new Stages('auto', 0)
    for (let n = 1; n <= 4; n++) await stages.shop.order(`wo-${n}`, { product: 'plate' })
    await stages.plan('start')
    await stages.shop.disruption({ id: 'dis-1', equipment: 'p/mill-1', action: 'block', unavailable: { from: START, to: START + HOUR } })
    const repaired: (() => Promise<Draft>)[] = []
    const found = await stages.shop.planner.draft({ type: 'disruption.accepted', id: 'dis-1' }, { onRepaired: (draft) => void repaired.push(draft) })
    const first = (await repaired[0]?.()) as Draft
    assert.equal(repaired.length, 1)
    assert.equal(first.material, true)
    assert.ok(first.plan.assignments.every((row) => row.equipment !== 'p/mill-1' || row.start >= START + HOUR))
    assert.ok(found.cost <= first.cost)
    assert.equal((await stages.shop.planner.publish(first)).plan?.version, 2)
  })

  it('goes on while nothing happens, and publishes what is better by the margin', async () => {
    stages = new Stages('auto', MINUTE)
    await stages.wasteful()
    const { result, plan } = await stages.quiet()
    assert.deepEqual([result, plan?.version, plan?.trigger.type], ['published', 3, 'improvement'])
    assert.equal(plan?.assignments[0]?.start, START)
    assert.match(plan?.changes[0]?.text ?? '', /^There is room for it/)
    assert.equal((await stages.shop.job('jo-wo-1-10-mill')).plannedStart, START)
  })

  it('keeps the plan in force where another is not better by the margin', async () => {
    // five hours of the end of all are worth six minutes of lateness
    stages = new Stages('auto', 10 * MINUTE)
    await stages.wasteful()
    stages.real.advance(QUIET_MS)
    assert.equal((await stages.plan('message')).result, 'unchanged')
    assert.equal((await stages.shop.job('jo-wo-1-10-mill')).plannedStart, START + 5 * HOUR)
    assert.equal(stages.outcomes.length, 3)
    // one that cannot be kept is replaced all the same
    await stages.shop.disruption({ id: 'dis-1', equipment: 'p/mill-3', action: 'block', unavailable: { from: START, to: START + 9 * HOUR } })
    assert.equal((await stages.plan('disruption.accepted')).result, 'published')
  })

  it('puts a better proposal in the place of the one that waits, and a trigger ends the search', async () => {
    stages = new Stages('approve', MINUTE)
    await stages.shop.order('wo-1', { product: 'plate' })
    await stages.plan('start')
    await stages.replanner.approve()
    await pinJobOrder(stages.shop.store, { jobOrder: 'jo-wo-1-10-mill', equipment: 'p/mill-3', start: START + 5 * HOUR }, 'test')
    assert.deepEqual([(await stages.plan('pin')).result, stages.outcomes.at(-1)?.replaces], ['proposed', false])
    await unpinJobOrder(stages.shop.store, 'jo-wo-1-10-mill', 'test')
    await stages.shop.order('wo-2', { product: 'plate' })
    const better = await stages.quiet()
    assert.deepEqual([better.result, better.replaces, better.plan?.trigger.type], ['proposed', true, 'improvement'])
    assert.equal(stages.replanner.proposal, better.plan)
    const before = stages.outcomes.length
    stages.real.advance(QUIET_MS)
    assert.equal((await stages.plan('message')).repeated, true)
    assert.equal(stages.outcomes.length, before + 1)
    assert.equal((await stages.replanner.approve()).plan?.version, 2)
  })
})
