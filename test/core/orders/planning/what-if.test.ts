import assert from 'node:assert/strict'
import { countingIds } from '../../../../core/base/id.ts'
import { validateDocument } from '../../../../core/messages/validate.ts'
import type { WhatIf } from '../../../../core/messages/what-if.ts'
import { commandJobOrder } from '../../../../core/orders/control-work-order.ts'
import { setLotDisposition } from '../../../../core/orders/lots.ts'
import { requestMaintenance } from '../../../../core/orders/maintenance.ts'
import { pinJobOrder } from '../../../../core/orders/planning/pin-job-order.ts'
import { WhatIfDesk } from '../../../../core/orders/planning/what-if.ts'
import { HOUR, MINUTE, plant, Shop, START } from './fixture.ts'

const tester = { actor: 'test' }

describe('what-if', () => {
  let shop: Shop
  let desk: WhatIfDesk
  beforeEach(() => {
    shop = new Shop({ moves: 1500 })
    desk = new WhatIfDesk({ store: shop.store, planner: shop.planner, plant: () => plant, clock: shop.clock, newId: countingIds(), actor: 'node:scheduler' })
  })
  afterEach(async () => {
    await desk.close()
    await shop.close()
  })

  /** Three mills and six plates of an hour and a quarter, due in three hours: all in time, none to spare. */
  async function plates(dueIn = 3 * HOUR): Promise<void> {
    for (let n = 1; n <= 6; n++) await shop.order(`wo-${n}`, { product: 'plate', dueIn })
    await shop.replan()
  }
  const written = async (): Promise<number> => (await shop.store.events(0, 10_000)).length
  const refused = (payload: unknown, code: string): Promise<void> => assert.rejects(desk.ask(payload), { code })
  const onUnit = (side: WhatIf['asIs'], unit: string) => side.assignments.filter(({ equipment }) => equipment === unit)

  it('shows both plans when a unit is taken away, and writes nothing', async () => {
    await plates()
    const before = await written()
    const answer = await desk.ask({ unitDown: { equipment: 'mill-2', to: START + 24 * HOUR } })
    assert.equal(await written(), before)
    assert.deepEqual(validateDocument(answer, 'what-if', 'test'), answer)
    assert.deepEqual(answer.changes, [{ unitDown: { equipment: 'p/mill-2', from: START, to: START + 24 * HOUR } }])
    assert.deepEqual(answer.what, ['mill-2 takes no work from now to 6 Jan 06:00'])
    assert.deepEqual([answer.asIs.late, answer.asIs.weightedTardinessMs], [[], 0])
    assert.ok(onUnit(answer.asIs, 'p/mill-2').length > 0)
    assert.deepEqual(onUnit(answer.whatIf, 'p/mill-2'), [])
    // two mills make four plates in time; of the third in a row 15 + 3 × 60 min are 15 min too many
    assert.deepEqual(
      answer.whatIf.late.map(({ lateMs }) => lateMs),
      [15 * MINUTE, 15 * MINUTE],
    )
    assert.deepEqual(answer.effect.becomesLate.toSorted(), answer.whatIf.late.map(({ workOrder }) => workOrder).toSorted())
    assert.equal(answer.effect.weightedTardinessMs, 30 * MINUTE)
    assert.ok(answer.moved.some(({ from, to }) => from?.equipment === 'p/mill-2' && to !== null && to.equipment !== 'p/mill-2'))
    assert.match(answer.text, /^wo-\d and wo-\d become late: 30 min more weighted lateness than as it is\. \d+ job orders would move\.$/)
  })

  it('adopts a block: recorded with who and why, and the plan made anew keeps to it', async () => {
    await plates()
    const told = (await shop.store.list('job-order', { where: { equipment: 'p/mill-2' }, orderBy: 'planned_start' }))[0]!
    await shop.store.transaction((tx) => commandJobOrder(tx, told.id, 'Start', tester))
    const { id } = await desk.ask({ unitDown: { equipment: 'p/mill-2', to: START + 24 * HOUR } })
    shop.clock.advance(MINUTE)
    await desk.adopt({ whatIf: id, by: 'jo', why: 'spindle is being replaced' })
    const [block] = await shop.store.list('disruption')
    assert.deepEqual([block?.action, block?.status, block?.cause.person], ['block', 'acted', 'jo'])
    assert.deepEqual(block?.unavailable, { from: shop.clock.now(), to: START + 24 * HOUR })
    const event = (await shop.store.events(0, 10_000)).find(({ type }) => type === 'disruption.acted')
    assert.deepEqual([event?.actor, event?.why], ['node:scheduler', `${id} adopted by jo: spindle is being replaced`])
    // what the unit had been told is taken back, else it would wait there for a day
    assert.equal((await shop.job(told.id)).state, 'NotAllowedToStart')
    const { plan } = await shop.replan()
    assert.deepEqual(
      plan?.assignments.filter(({ equipment }) => equipment === 'p/mill-2'),
      [],
    )
    assert.ok(plan?.assignments.some(({ jobOrder }) => jobOrder === told.id))
    const change = plan?.changes.find(({ jobOrder }) => jobOrder === told.id)
    assert.equal(change?.because, block?.id)
    assert.match(change?.text ?? '', /^mill-2 is blocked \(dis-wi-1-1\): 10-mill of wo-\d goes to mill-[13] at /)
    await assert.rejects(desk.adopt(id), { code: 'TAKT_WHAT_IF_UNKNOWN' }, 'once is enough')
  })

  it('puts a rush order first, and weighs what the others pay by what they counted before', async () => {
    await shop.order('wo-rush', { product: 'plate', dueIn: 90 * MINUTE, priority: 0.5 })
    for (const n of [1, 2, 3]) await shop.order(`wo-${n}`, { product: 'plate', dueIn: 80 * MINUTE })
    await shop.replan()
    const answer = await desk.ask({ rush: { workOrder: 'wo-rush' } })
    assert.deepEqual(answer.changes, [{ rush: { workOrder: 'wo-rush', priority: 50 } }])
    assert.deepEqual(answer.what, ['wo-rush gets priority 50 instead of 0.5'])
    assert.deepEqual(answer.effect.saved, ['wo-rush'])
    assert.equal(answer.effect.becomesLate.length, 1)
    assert.ok(answer.effect.weightedTardinessMs > 0, 'the others pay for it')
    assert.equal((await shop.store.get('work-order', 'wo-rush'))?.priority, 0.5)
    await desk.adopt({ whatIf: answer.id, by: 'sales' })
    assert.equal((await shop.store.get('work-order', 'wo-rush'))?.priority, 50)
    const { plan } = await shop.replan()
    const late = plan?.problems.filter(({ code }) => code === 'TAKT_PLAN_LATE').map(({ workOrder }) => workOrder)
    assert.deepEqual(late, answer.effect.becomesLate)
  })

  it('moves a repair, says what its deadline makes of it, and pins it', async () => {
    await plates(6 * HOUR)
    const { jobOrder } = await shop.store.transaction((tx) =>
      requestMaintenance(tx, plant, { equipment: 'p/mill-2', kind: 'planned', deadline: START + 4 * HOUR, cause: 'worn', actor: 'test' }),
    )
    await shop.replan()
    const evening = START + 12 * HOUR
    const answer = await desk.ask([{ repair: { equipment: 'mill-2', start: '2026-01-05 18:00' } }])
    assert.deepEqual(answer.changes, [{ repair: { equipment: 'p/mill-2', jobOrder: jobOrder.id, start: evening } }])
    const place = answer.whatIf.assignments.find((row) => row.jobOrder === jobOrder.id)
    assert.deepEqual([place?.equipment, place?.start], ['p/mill-2', evening])
    assert.deepEqual(
      answer.whatIf.problems.map(({ code, why }) => [code, why]),
      [['TAKT_PLAN_DEADLINE', 'the repair of mill-2 is pinned to 8 h after its deadline']],
    )
    await desk.adopt(answer.id)
    const job = await shop.job(jobOrder.id)
    assert.deepEqual([job.pinned, job.plannedStart], [true, evening])
    await shop.replan()
    assert.equal((await shop.job(jobOrder.id)).plannedStart, evening)
  })

  it('orders a repair where there is none, when it is adopted', async () => {
    const answer = await desk.ask({ repair: { equipment: 'p/mill-1', start: START + 2 * HOUR } })
    assert.deepEqual(await shop.store.list('work-order'), [])
    assert.deepEqual(
      answer.whatIf.assignments.map(({ equipment, start, end }) => [equipment, start, end]),
      [['p/mill-1', START + 2 * HOUR, START + 3 * HOUR]],
    )
    await desk.adopt(answer.id)
    const [job] = await shop.store.list('job-order')
    assert.deepEqual([job?.maintenance, job?.equipment, job?.pinned, job?.plannedStart], ['planned', 'p/mill-1', true, START + 2 * HOUR])
  })

  it('takes several changes at once, all or none', async () => {
    await plates()
    const asked = [
      { due: { workOrder: 'wo-1', due: START + 10 * HOUR } },
      { due: { workOrder: 'wo-2', due: null } },
      { unitDown: { equipment: 'mill-3', to: START + 24 * HOUR } },
    ]
    const answer = await desk.ask(asked)
    assert.equal(answer.what.length, 3)
    assert.deepEqual(answer.whatIf.late, [], 'two orders less in a hurry')
    const order = (await shop.store.get('work-order', 'wo-2'))!
    await shop.store.transaction((tx) => tx.save<'work-order'>({ ...order, priority: 9 }, { type: 'work-order.updated', ...tester }))
    const before = await written()
    await assert.rejects(desk.adopt(answer.id), { code: 'TAKT_WHAT_IF_STALE', what: 'the priority of wo-2 was changed meanwhile' })
    assert.equal(await written(), before)
    const again = await desk.ask(asked)
    await desk.adopt(again.id)
    assert.deepEqual(
      (await shop.store.list('work-order', { orderBy: 'id' })).slice(0, 2).map(({ due }) => due),
      [START + 10 * HOUR, null],
    )
    assert.equal((await shop.store.list('disruption')).length, 1)
  })

  it('is not adopted when the plant has gone on: time passed, order over, repair pinned by somebody', async () => {
    await plates()
    const { jobOrder } = await shop.store.transaction((tx) =>
      requestMaintenance(tx, plant, { equipment: 'p/mill-2', kind: 'planned', deadline: null, cause: 'worn', actor: 'test' }),
    )
    const down = await desk.ask({ unitDown: { equipment: 'mill-1', to: START + HOUR } })
    const rush = await desk.ask({ rush: { workOrder: 'wo-1' } })
    const repair = await desk.ask({ repair: { jobOrder: jobOrder.id, start: START + 5 * HOUR } })
    shop.clock.advance(2 * HOUR)
    const order = (await shop.store.get('work-order', 'wo-1'))!
    await shop.store.transaction((tx) => tx.save<'work-order'>({ ...order, state: 'Completed' }, { type: 'work-order.completed', ...tester }))
    await pinJobOrder(shop.store, { jobOrder: jobOrder.id, start: START + 8 * HOUR }, 'test')
    for (const { id } of [down, rush, repair]) await assert.rejects(desk.adopt({ whatIf: id }), { code: 'TAKT_WHAT_IF_STALE' })
    assert.deepEqual(await shop.store.list('disruption'), [])
    assert.equal((await shop.job(jobOrder.id)).plannedStart, START + 8 * HOUR)
  })

  it('moves nothing where the change makes no difference', async () => {
    await plates(48 * HOUR)
    const answer = await desk.ask({ rush: { workOrder: 'wo-1' } })
    assert.deepEqual(answer.moved, [])
    assert.deepEqual(answer.effect, { becomesLate: [], saved: [], weightedTardinessMs: 0 })
    assert.match(answer.text, /Nothing moves\.$/)
  })

  it('says which orders lose their place', async () => {
    await shop.order('wo-1')
    await shop.replan()
    await shop.store.transaction((tx) => setLotDisposition(tx, 'lot-wo-1', 'held', { ...tester, why: 'scratches' }))
    const { asIs } = await desk.ask({ unitDown: { equipment: 'saw', to: START + HOUR } })
    assert.deepEqual(asIs.unplanned, ['wo-1'])
  })

  it('refuses what it does not know, with a code', async () => {
    await shop.order('wo-1')
    const to = START + HOUR
    await refused({ unitDown: { equipment: 'mill-9', to } }, 'TAKT_EQUIPMENT_UNKNOWN')
    await refused({ unitDown: { equipment: 'p', to } }, 'TAKT_EQUIPMENT_UNKNOWN')
    await refused({ unitDown: { equipment: 'saw', to: START - 1 } }, 'TAKT_WHAT_IF_TIME')
    await refused({ unitDown: { equipment: 'saw', to: 'Thursday' } }, 'TAKT_WHAT_IF_TIME')
    await refused({ unitDown: { equipment: 'saw', from: to, to } }, 'TAKT_WHAT_IF_TIME')
    await refused({ rush: { workOrder: 'nobody' } }, 'TAKT_ORDER_UNKNOWN')
    await refused({ due: { workOrder: 'wo-1', due: '31.02.2026' } }, 'TAKT_WHAT_IF_TIME')
    await refused({ repair: { jobOrder: 'nobody', start: to } }, 'TAKT_JOB_ORDER_UNKNOWN')
    await refused({ repair: { jobOrder: 'jo-wo-1-10-saw', start: to } }, 'TAKT_WHAT_IF_INVALID')
    await refused({ repair: { equipment: 'saw', start: START - HOUR } }, 'TAKT_WHAT_IF_TIME')
    const none = [null, 7, 'mill-2', [], {}, { explode: true }, { rush: {} }, { repair: { start: to } }, { unitDown: { equipment: 'saw' } }]
    for (const payload of [...none, { rush: { workOrder: 'wo-1' }, due: { workOrder: 'wo-1', due: to } }, { rush: { workOrder: 'wo-1', speed: 3 } }])
      await refused(payload, 'TAKT_WHAT_IF_INVALID')
    await assert.rejects(desk.ask(JSON.parse('{"rush":{"workOrder":"wo-1","__proto__":{}}}')), { code: 'TAKT_MESSAGE_FORBIDDEN_KEY' })
    for (const payload of [null, 7, { whatIf: 3 }, { whatIf: 'wi-1', by: 7 }]) await assert.rejects(desk.adopt(payload), { code: 'TAKT_WHAT_IF_INVALID' })
    await assert.rejects(desk.adopt('wi-77'), { code: 'TAKT_WHAT_IF_UNKNOWN' })
  })
})
