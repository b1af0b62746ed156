import assert from 'node:assert/strict'
import { ManualClock } from '../../../../core/base/clock.ts'
import { type Outcome, Replanner } from '../../../../core/orders/planning/replanner.ts'
import { HOUR, MINUTE, Shop } from './fixture.ts'

describe('replanner', () => {
  let shop: Shop
  let real: ManualClock
  let replanner: Replanner
  let outcomes: Outcome[]
  let next: (outcome: Outcome) => void

  beforeEach(() => {
    shop = new Shop()
    real = new ManualClock()
    outcomes = []
    next = () => {}
    replanner = new Replanner({
      planner: shop.planner,
      clock: shop.clock,
      realClock: real,
      debounceMs: 100,
      autonomy: 'auto',
      lateAfterMs: 5 * MINUTE,
      onOutcome: (outcome) => {
        outcomes.push(outcome)
        next(outcome)
      },
      onError: (error) => {
        throw error
      },
      onBusy: () => {},
    })
  })
  afterEach(async () => {
    await replanner.close()
    await shop.store.close()
  })

  const outcome = (): Promise<Outcome> =>
    new Promise((resolve) => {
      next = resolve
    })

  it('makes one plan of wishes that come together, and names the weightiest', async () => {
    await shop.order('wo-1', { product: 'plate' })
    const both = Promise.all([replanner.request({ type: 'job-order.running', id: 'a' }), replanner.request({ type: 'disruption.accepted', id: 'dis-1' })])
    real.advance(100)
    const [first, second] = await both
    assert.equal(first, second)
    assert.equal(outcomes.length, 1)
    assert.deepEqual(first?.plan?.trigger, { type: 'disruption.accepted', id: 'dis-1' })
  })

  it('notices a job order that runs late, and moves what waits for it', async () => {
    await shop.order('wo-1', { product: 'plate' })
    const asked = replanner.request({ type: 'start' })
    real.advance(100)
    const plan = (await asked).plan
    const equipment = plan?.assignments[0]?.equipment ?? ''
    await shop.runs('jo-wo-1-10-mill', equipment)
    await shop.order('wo-2', { product: 'plate' })
    await shop.order('wo-3', { product: 'plate' })
    await shop.order('wo-4', { product: 'plate' })
    const again = replanner.request({ type: 'work-order.released' })
    real.advance(100)
    const expected = (await again).plan?.assignments.find((row) => row.jobOrder === 'jo-wo-1-10-mill')?.end ?? 0
    assert.equal(expected - shop.clock.now(), 75 * MINUTE)

    const late = outcome()
    // nothing begins and nothing ends: five minutes after the first planned start somebody should look
    shop.clock.advance(6 * MINUTE)
    real.advance(100)
    const { draft } = await late
    assert.equal(draft.plan.trigger.type, 'late')
  })

  it('rejects what waits when it is closed', async () => {
    const waiting = assert.rejects(replanner.request({ type: 'start' }), { code: 'TAKT_SCHEDULE_CANCELED' })
    await replanner.close()
    await waiting
  })

  it('plans again after what came while it was planning', async () => {
    await shop.order('wo-1', { product: 'plate', dueIn: HOUR })
    const first = replanner.request({ type: 'start' })
    real.advance(100)
    const second = replanner.request({ type: 'message' })
    await first
    // the second waits its own time once the first is done
    await new Promise((resolve) => setImmediate(resolve))
    real.advance(100)
    assert.equal((await second).result, 'unchanged')
    assert.equal(outcomes.length, 2)
  })

  it('counts what a wish has waited while another plan was made, and searches so much shorter', async () => {
    await shop.order('wo-1', { product: 'plate' })
    const besides: number[] = []
    const draft = shop.planner.draft.bind(shop.planner)
    shop.planner.draft = (trigger, options) => {
      besides.push(options?.besidesMs?.() ?? Number.NaN)
      return draft(trigger, options)
    }
    const first = replanner.request({ type: 'start' })
    real.advance(100)
    const second = replanner.request({ type: 'message' })
    // the first plan takes 400 ms
    real.advance(400)
    await first
    await new Promise((resolve) => setImmediate(resolve))
    real.advance(49)
    assert.equal(besides.length, 1)
    real.advance(1)
    await second
    assert.deepEqual(besides.slice(0, 1), [0])
    // asked for 450 ms ago, of which 100 are the wait for others; and what the first had to do after its search
    assert.ok((besides[1] ?? 0) >= 350, `${besides[1]} ms`)
  })
})
