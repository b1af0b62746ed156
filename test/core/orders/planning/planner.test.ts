import assert from 'node:assert/strict'
import type { Plan, PlanChange } from '../../../../core/messages/plan.ts'
import { changeJobOrder } from '../../../../core/orders/change-job-order.ts'
import { setLotDisposition } from '../../../../core/orders/lots.ts'
import { requestMaintenance } from '../../../../core/orders/maintenance.ts'
import { pinJobOrder, unpinJobOrder } from '../../../../core/orders/planning/pin-job-order.ts'
import { HOUR, MINUTE, plant as model, Shop, START } from './fixture.ts'

const tester = { actor: 'test' }

function of(plan: Plan | null, jobOrder: string) {
  const assignment = plan?.assignments.find((candidate) => candidate.jobOrder === jobOrder)
  if (assignment === undefined) throw new Error(`${jobOrder} is not in the plan`)
  return assignment
}

/** No unit does two things at once, and nothing begins before what it waits for has ended. */
function assertSound(plan: Plan, jobs: readonly { id: string; after: readonly string[] }[]): void {
  const after = new Map(jobs.map((job) => [job.id, job.after]))
  for (const row of plan.assignments) {
    for (const other of plan.assignments)
      if (row !== other && row.equipment === other.equipment)
        assert.ok(row.end <= other.start || other.end <= row.start, `${row.jobOrder} and ${other.jobOrder}`)
    for (const before of after.get(row.jobOrder) ?? []) {
      const end = plan.assignments.find((candidate) => candidate.jobOrder === before)?.end
      assert.ok(end === undefined || end <= row.start, `${row.jobOrder} begins before ${before} ends`)
    }
  }
}

describe('planner', () => {
  let shop: Shop
  beforeEach(() => {
    shop = new Shop()
  })
  afterEach(() => shop.close())

  it('plans every open job order and writes unit and times into it', async () => {
    await shop.order('wo-1')
    await shop.order('wo-2', { product: 'plate' })
    const { plan } = await shop.replan()
    assert.ok(plan !== null)
    assert.equal(plan.version, 1)
    assert.equal(plan.previous, null)
    assert.deepEqual(plan.problems, [])
    assert.equal(plan.assignments.length, 4)
    assertSound(plan, await shop.store.list('job-order'))
    const job = await shop.job('jo-wo-1-20-mill')
    const row = of(plan, job.id)
    assert.deepEqual([job.equipment, job.plannedStart, job.plannedEnd, job.planVersion], [row.equipment, row.start, row.end, 1])
    assert.equal(row.end - row.start, 15 * MINUTE + 10 * 4 * MINUTE)
    assert.equal(row.setupMs, 15 * MINUTE)
    assert.deepEqual(await shop.store.get('plan', '1'), plan)
    const events = await shop.store.events(0, 1000)
    assert.equal(events.filter((event) => event.type === 'job-order.planned').length, 4)
    assert.equal(events.filter((event) => event.type === 'plan.published').length, 1)
  })

  it('publishes nothing when nothing changes that matters', async () => {
    await shop.order('wo-1')
    await shop.replan()
    assert.equal((await shop.replan()).plan, null)
    shop.clock.advance(MINUTE)
    assert.equal((await shop.replan()).plan, null, 'a drift within the tolerance')
    shop.clock.advance(10 * MINUTE)
    assert.equal((await shop.replan()).plan?.version, 2, 'what should have begun long ago')
  })

  it('moves the work of a unit that is down to others, and names the disruption', async () => {
    for (let n = 1; n <= 6; n++) await shop.order(`wo-${n}`, { product: 'plate', dueIn: 4 * HOUR })
    const first = (await shop.replan()).plan
    const onMill2 = first?.assignments.filter((row) => row.equipment === 'p/mill-2').map((row) => row.jobOrder) ?? []
    assert.ok(onMill2.length > 0)

    shop.clock.advance(MINUTE)
    await shop.state('p/mill-2', 'Aborted')
    const { workOrder } = await shop.store.transaction((tx) =>
      requestMaintenance(tx, model, { equipment: 'p/mill-2', kind: 'unplanned', deadline: null, cause: 'spindle broken', actor: 'test' }),
    )
    await shop.disruption({
      id: 'dis-1',
      equipment: 'p/mill-2',
      action: 'repair-now',
      maintenanceOrder: workOrder.id,
      unavailable: { from: shop.clock.now(), to: null },
    })
    const { plan } = await shop.replan({ type: 'disruption.accepted', id: 'dis-1' } as { type: string })
    assert.ok(plan !== null)
    const repair = plan.assignments.find((row) => row.maintenance === true)
    assert.deepEqual([repair?.equipment, repair?.start, (repair?.end ?? 0) - (repair?.start ?? 0)], ['p/mill-2', shop.clock.now(), 4 * HOUR])
    for (const id of onMill2) {
      const row = of(plan, id)
      assert.ok(row.equipment !== 'p/mill-2' || row.start >= (repair?.end ?? 0), `${id} is on ${row.equipment}`)
      const change: PlanChange | undefined = plan.changes.find((candidate) => candidate.jobOrder === id)
      assert.equal(change?.because, 'dis-1')
      assert.match(change?.text ?? '', /^mill-2 is down: 10-mill of wo-\d/)
    }
    assert.ok(plan.objective.tardinessMs < (plan.doNothing?.tardinessMs ?? 0), 'moving is better than waiting')
    assert.ok((plan.doNothing?.late.length ?? 0) > 0)
    assertSound(plan, await shop.store.list('job-order'))
  })

  it('puts a planned repair before its deadline, where it makes nothing late', async () => {
    // every mill is needed at once for what is due soon; there is room afterwards
    for (let n = 1; n <= 3; n++) await shop.order(`wo-${n}`, { product: 'plate', dueIn: 1.5 * HOUR })
    await shop.replan()
    const deadline = START + 4 * HOUR
    const { jobOrder } = await shop.store.transaction((tx) =>
      requestMaintenance(tx, model, { equipment: 'p/mill-2', kind: 'planned', deadline, cause: 'vibration', actor: 'test' }),
    )
    const { plan } = await shop.replan()
    const row = of(plan, jobOrder.id)
    assert.equal(row.equipment, 'p/mill-2')
    assert.equal(row.end - row.start, HOUR)
    assert.ok(row.start <= deadline)
    assert.ok(row.start > START, 'not in the way of what is due')
    assert.equal(plan?.objective.tardinessMs, 0)
    assert.deepEqual(plan?.problems, [])
    assert.equal((await shop.job(jobOrder.id)).plannedStart, row.start)
  })

  it('plans a repair when its crew works', async () => {
    const { jobOrder } = await shop.store.transaction((tx) =>
      requestMaintenance(tx, model, { equipment: 'p/mill-3', kind: 'planned', deadline: START + 24 * HOUR, cause: 'vibration', actor: 'test' }),
    )
    // the mechanics begin at 14:00 local time
    assert.equal(of((await shop.replan()).plan, jobOrder.id).start, START + 8 * HOUR)
  })

  it('leaves what runs where it is, and expects its end by what was counted', async () => {
    await shop.order('wo-1', { product: 'plate' })
    await shop.order('wo-2', { product: 'plate' })
    const { plan: first } = await shop.replan()
    const { equipment } = of(first, 'jo-wo-1-10-mill')
    await shop.runs('jo-wo-1-10-mill', equipment)
    shop.clock.advance(40 * MINUTE)
    await shop.counts('jo-wo-1-10-mill', equipment, 4)
    const { draft } = await shop.replan()
    const row = of(draft.plan, 'jo-wo-1-10-mill')
    assert.equal(row.frozen, true)
    assert.equal(row.start, START)
    assert.equal(row.end, shop.clock.now() + 6 * 6 * MINUTE)
    assert.equal((await shop.job('jo-wo-1-10-mill')).plannedStart, START)
  })

  it('keeps what a unit has been told on that unit, and first', async () => {
    await shop.order('wo-1', { product: 'plate', dueIn: 100 * HOUR })
    const first = of((await shop.replan()).plan, 'jo-wo-1-10-mill')
    await shop.store.transaction(async (tx) => {
      const job = await tx.get('job-order', 'jo-wo-1-10-mill')
      if (job !== undefined) await changeJobOrder(tx, job, 'Start', tester)
    })
    for (let n = 2; n <= 4; n++) await shop.order(`wo-${n}`, { product: 'plate', dueIn: HOUR })
    const { plan } = await shop.replan()
    const row = of(plan, 'jo-wo-1-10-mill')
    assert.deepEqual([row.equipment, row.start], [first.equipment, first.start])
  })

  it('keeps a pin, and lets go of it', async () => {
    await shop.order('wo-1', { product: 'plate' })
    await shop.replan()
    await pinJobOrder(shop.store, { jobOrder: 'jo-wo-1-10-mill', equipment: 'p/mill-3', start: START + 5 * HOUR }, 'test')
    const pinned = of((await shop.replan()).plan, 'jo-wo-1-10-mill')
    assert.deepEqual([pinned.equipment, pinned.start], ['p/mill-3', START + 5 * HOUR])
    await unpinJobOrder(shop.store, 'jo-wo-1-10-mill', 'test')
    assert.ok(of((await shop.replan()).plan, 'jo-wo-1-10-mill').start < START + HOUR)
    await assert.rejects(pinJobOrder(shop.store, { jobOrder: 'jo-wo-1-10-mill', equipment: 'p/saw' }, 'test'), { code: 'TAKT_PLAN_PIN' })
    await assert.rejects(pinJobOrder(shop.store, { jobOrder: 'nobody' }, 'test'), { code: 'TAKT_JOB_ORDER_UNKNOWN' })
  })

  it('names what cannot be planned, and plans the rest', async () => {
    await shop.order('wo-1')
    await shop.order('wo-2')
    await shop.order('wo-3', { product: 'plate', dueIn: MINUTE })
    await shop.store.transaction(async (tx) => {
      const job = await tx.get('job-order', 'jo-wo-1-20-mill')
      if (job !== undefined) await changeJobOrder(tx, job, 'Update', tester, { alternatives: [{ equipment: 'p/gone', setupMs: 0, perPieceMs: 1 }] })
      await setLotDisposition(tx, 'lot-wo-2', 'held', { actor: 'test', why: 'scratches' })
    })
    const { plan } = await shop.replan()
    const found = plan?.problems.map(({ code, jobOrder, workOrder }) => [code, jobOrder ?? workOrder])
    assert.deepEqual(found, [
      ['TAKT_PLAN_UNIT_UNKNOWN', 'jo-wo-1-20-mill'],
      ['TAKT_PLAN_LOT_HELD', 'jo-wo-2-10-saw'],
      ['TAKT_PLAN_LOT_HELD', 'jo-wo-2-20-mill'],
      ['TAKT_PLAN_LOT_HELD', 'jo-wo-2-30-grind'],
      ['TAKT_PLAN_PREDECESSOR', 'jo-wo-1-30-grind'],
      ['TAKT_PLAN_LATE', 'wo-3'],
    ])
    assert.deepEqual(
      plan?.assignments.map((row) => row.jobOrder),
      ['jo-wo-3-10-mill', 'jo-wo-1-10-saw'],
    )
  })

  it('plans around a block, and names it', async () => {
    await shop.order('wo-1')
    await shop.replan()
    await shop.disruption({ id: 'dis-2', equipment: 'p/saw', action: 'block', status: 'acted', unavailable: { from: START, to: START + 3 * HOUR } })
    const { plan } = await shop.replan()
    assert.equal(of(plan, 'jo-wo-1-10-saw').start, START + 3 * HOUR)
    // what comes after it moves for the same reason
    assert.deepEqual([...new Set(plan?.changes.map((change) => change.because))], ['dis-2'])
    await shop.disruption({ id: 'dis-3', equipment: 'p/saw', action: 'block', unavailable: { from: START, to: null } })
    const blocked = (await shop.replan()).plan
    assert.deepEqual(
      blocked?.problems.map((problem) => problem.code),
      ['TAKT_PLAN_NO_OPEN_TIME', 'TAKT_PLAN_PREDECESSOR', 'TAKT_PLAN_PREDECESSOR'],
    )
    assert.equal((await shop.job('jo-wo-1-10-saw')).plannedStart, null)
    assert.ok(blocked?.changes.every((change) => change.to === null))
  })

  it('works in open time only: what the evening cuts goes on in the morning', async () => {
    await shop.order('wo-1', { quantity: 100 })
    const { plan } = await shop.replan()
    const saw = of(plan, 'jo-wo-1-10-saw')
    const grind = of(plan, 'jo-wo-1-30-grind')
    assert.equal(saw.end, START + 105 * MINUTE)
    // milled by 15:20 local time, when the grinder has closed at 14:00: it begins at 6:00 the next day
    assert.equal(grind.start, START + 24 * HOUR)
    assert.equal(grind.end, START + 24 * HOUR + 100 * MINUTE)
  })

  it('is not fooled by a job order that changed while the plan was made: it plans again', async () => {
    await shop.order('wo-1', { product: 'plate' })
    const draft = await shop.planner.draft({ type: 'message' })
    await shop.runs('jo-wo-1-10-mill', 'p/mill-3')
    const { plan } = await shop.planner.publish(draft)
    assert.equal(of(plan, 'jo-wo-1-10-mill').equipment, 'p/mill-3')
    assert.equal(of(plan, 'jo-wo-1-10-mill').frozen, true)
    assert.equal((await shop.job('jo-wo-1-10-mill')).planVersion, null)
  })

  it('sets a unit up only when the family changes', async () => {
    for (let n = 1; n <= 5; n++) await shop.order(`wo-${n}`, { product: 'plate', dueIn: 3 * HOUR })
    const { plan } = await shop.replan()
    const mills = ['p/mill-1', 'p/mill-2', 'p/mill-3'].map((mill) => plan?.assignments.filter((row) => row.equipment === mill) ?? [])
    for (const rows of mills) {
      assert.ok(rows.length > 0)
      assert.deepEqual(
        rows.map((row) => row.setupMs),
        rows.map((_, at) => (at === 0 ? 15 * MINUTE : 0)),
      )
    }
    assert.equal(plan?.objective.setups, 3)
  })

  it('changes little when told to: what nobody needs sooner keeps its unit and its start', async () => {
    const calm = new Shop({ objective: 'few-changes' })
    try {
      for (let n = 1; n <= 6; n++) await calm.order(`wo-${n}`, { product: 'plate', dueIn: 40 * HOUR })
      const first = (await calm.replan()).plan
      await calm.disruption({ id: 'dis-1', equipment: 'p/mill-1', action: 'block', unavailable: { from: START, to: START + HOUR } })
      const { plan } = await calm.replan()
      for (const row of first?.assignments ?? []) {
        if (row.equipment === 'p/mill-1') continue
        assert.deepEqual([of(plan, row.jobOrder).equipment, of(plan, row.jobOrder).start], [row.equipment, row.start])
      }
      assert.ok(plan?.changes.every((change) => change.because === 'dis-1'))
    } finally {
      await calm.close()
    }
  })
})
