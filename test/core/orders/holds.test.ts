import assert from 'node:assert/strict'
import type { Command } from '../../../core/messages/command.ts'
import type { JobOrder } from '../../../core/messages/job-order.ts'
import type { Lot } from '../../../core/messages/lot.ts'
import { commandJobOrder, holdWorkOrder, resumeWorkOrder } from '../../../core/orders/control-work-order.ts'
import { Dispatcher } from '../../../core/orders/dispatch/dispatcher.ts'
import { COMMAND_NAMES } from '../../../core/orders/dispatch/job-command.ts'
import { unitHold } from '../../../core/orders/holds/held-unit.ts'
import { requestMaintenance } from '../../../core/orders/maintenance.ts'
import { holdRequest, obeyHold } from '../../../core/quality/hold-desk.ts'
import { rejection } from '../store/support/store.ts'
import { code } from './fixture.ts'
import { HOUR, MINUTE, plant, Shop } from './planning/fixture.ts'

describe('a person holds', () => {
  let shop: Shop
  beforeEach(() => {
    shop = new Shop()
  })
  afterEach(() => shop.close())

  const ask = (topic: 'hold' | 'resume', payload: Record<string, unknown>) => {
    const request = holdRequest(topic, payload, 'test')
    assert.ok(request !== undefined)
    return shop.store.transaction((tx) => obeyHold(tx, plant, request, 'person:eva'))
  }
  const start = (job: string) => shop.store.transaction((tx) => commandJobOrder(tx, job, 'Start', { actor: 'test' }))
  const changeOf = async (job: string) => (await shop.replan()).plan?.changes.find(({ jobOrder }) => jobOrder === job)

  describe('a unit', () => {
    const HOLD = { equipment: 'p/mill-2', why: 'crack in the guard' }

    it('so that its work goes elsewhere, with the reason in the plan, and comes back when it is let go on', async () => {
      for (let n = 1; n <= 6; n++) await shop.order(`wo-${n}`, { product: 'plate', dueIn: 4 * HOUR })
      const onMill2 = (await shop.replan()).plan!.assignments.filter((row) => row.equipment === 'p/mill-2').map((row) => row.jobOrder!)
      assert.ok(onMill2.length > 0)
      await start(onMill2[0]!)
      const hold = await ask('hold', HOLD)
      assert.deepEqual([hold.kind, (await shop.job(onMill2[0]!)).state], ['disruption', 'NotAllowedToStart'], 'what was allowed to begin is not any more')
      const { plan } = await shop.replan()
      assert.ok(plan?.assignments.every((row) => row.equipment !== 'p/mill-2'))
      for (const job of onMill2) {
        const change = plan?.changes.find(({ jobOrder }) => jobOrder === job)
        assert.equal(change?.because, hold.id)
        assert.match(change?.text ?? '', /^mill-2 is held: crack in the guard: /)
      }
      assert.deepEqual((await ask('hold', { ...HOLD, why: 'again' })).id, hold.id, 'held is held')
      assert.equal(((await ask('resume', { ...HOLD, why: 'guard changed' })) as { status: string }).status, 'withdrawn')
      shop.clock.advance(MINUTE)
      await shop.order('wo-7', { product: 'plate', dueIn: HOUR })
      assert.ok((await shop.replan()).plan?.assignments.some((row) => row.equipment === 'p/mill-2'))
      const events = (await shop.store.events(0, 1000)).filter(({ subject }) => subject === hold.id)
      assert.deepEqual(
        events.map(({ type, actor, why }) => [type, actor, why]),
        [
          ['disruption.acted', 'person:eva', 'crack in the guard'],
          ['disruption.withdrawn', 'person:eva', 'guard changed'],
        ],
      )
    })

    it('so that nobody starts on it by command, and it is repaired all the same', async () => {
      await shop.order('wo-1', { product: 'plate' })
      const job = (await shop.replan()).plan!.assignments[0]!
      await ask('hold', { equipment: job.equipment, why: 'no light' })
      const refused = await rejection(start(job.jobOrder!))
      assert.deepEqual([refused.code, refused.what], ['TAKT_UNIT_HELD', `${job.equipment} is held by eva: no light`])
      const { jobOrder } = await shop.store.transaction((tx) =>
        requestMaintenance(tx, plant, { equipment: job.equipment, kind: 'unplanned', deadline: null, cause: 'no light', actor: 'test' }),
      )
      assert.equal((await start(jobOrder.id)).state, 'AllowedToStart')
    })

    it('so that dispatch lets nothing begin on it until it is let go on', async () => {
      await shop.order('wo-1', { product: 'plate' })
      const { jobOrder, equipment } = (await shop.replan()).plan!.assignments[0]!
      const told: string[] = []
      const { store, clock } = shop
      const dispatcher = new Dispatcher(
        {
          store,
          plant: () => plant,
          clock,
          real: clock,
          command: ({ to, name }: Command) => void told.push(`${to} ${name}`),
          problem: (problem) => assert.fail(problem),
          waiting: () => {},
        },
        { autonomy: 'auto', toleranceMs: 0, ackTimeoutMs: 600_000, commands: COMMAND_NAMES, actor: 'dispatch' },
      )
      try {
        const request = holdRequest('hold', { equipment, why: 'cleaning' }, 'test')!
        await store.transaction((tx) => obeyHold(tx, plant, request, 'Eva'))
        // a plan that does not know of it yet
        const job = (await store.get('job-order', jobOrder!)) as JobOrder
        await store.transaction((tx) => tx.save<'job-order'>({ ...job, plannedStart: clock.now() }, { type: 'job-order.planned', actor: 'test' }))
        await shop.state(equipment, 'Idle')
        dispatcher.machineState({ equipment, state: 'Idle', mode: 'Produce', jobOrder: null, since: clock.now() })
        await dispatcher.idle()
        assert.deepEqual(told, [])
        assert.equal(await code(dispatcher.start(jobOrder!, 'Eva')), 'TAKT_UNIT_HELD')
        await store.transaction((tx) => obeyHold(tx, plant, { ...request, do: 'release' }, 'Eva'))
        await dispatcher.idle()
        assert.equal(told.length, 1)
      } finally {
        dispatcher.stop()
      }
    })

    it('that there is, and lets go on one that is held', async () => {
      assert.equal(await code(ask('hold', { equipment: 'p/none', why: 'x' })), 'TAKT_EQUIPMENT_UNKNOWN')
      assert.equal(await code(ask('hold', { equipment: 'p', why: 'x' })), 'TAKT_EQUIPMENT_UNKNOWN', 'a site is no unit')
      assert.equal(await code(ask('resume', HOLD)), 'TAKT_UNIT_NOT_HELD')
      assert.equal(await unitHold(shop.store, 'p/mill-2'), undefined)
    })
  })

  it('a lot, whose next operations wait, with the reason in the plan', async () => {
    await shop.order('wo-1')
    await shop.replan()
    const lot = (await ask('hold', { lot: 'lot-wo-1', why: 'wrong steel' })) as Lot
    assert.deepEqual([lot.disposition, lot.reason], ['held', 'wrong steel'])
    const { plan } = await shop.replan()
    assert.match(plan?.problems.find(({ workOrder }) => workOrder === 'wo-1')?.why ?? '', /its lot lot-wo-1 is held: wrong steel/)
    assert.match(plan?.changes.find(({ jobOrder }) => jobOrder === 'jo-wo-1-10-saw')?.text ?? '', /its lot lot-wo-1 is held: wrong steel/)
    assert.equal(((await ask('resume', { lot: 'lot-wo-1', why: 'it was the label' })) as Lot).disposition, 'in-process')
    assert.ok((await shop.replan()).plan?.assignments.some((row) => row.jobOrder === 'jo-wo-1-10-saw'))
  })

  it('an order, with the reason in the plan', async () => {
    await shop.order('wo-1')
    await shop.replan()
    await shop.store.transaction((tx) => holdWorkOrder(tx, 'wo-1', { actor: 'person:eva', why: 'customer asks to wait' }))
    assert.match((await changeOf('jo-wo-1-10-saw'))?.text ?? '', /^wo-1 is held: customer asks to wait: /)
    await shop.store.transaction((tx) => resumeWorkOrder(tx, 'wo-1', { actor: 'person:eva', why: 'customer wants it' }))
    assert.ok((await shop.replan()).plan?.assignments.some((row) => row.jobOrder === 'jo-wo-1-10-saw'))
  })

  it('one thing at a time, with a reason', () => {
    assert.equal(holdRequest('hold', 'wo-1', 'test'), undefined)
    assert.equal(holdRequest('hold', { id: 'wo-1', why: 'x' }, 'test'), undefined)
    assert.equal(holdRequest('cancel', { lot: 'lot-1', why: 'x' }, 'test'), undefined)
    for (const bad of [
      { lot: 'lot-1' },
      { lot: 'lot-1', why: '  ' },
      { lot: 'lot-1', equipment: 'p/saw', why: 'x' },
      { lot: 'lot-1', id: 'wo-1', why: 'x' },
      { lot: ['lot-1'], why: 'x' },
      { lot: '', why: 'x' },
      { equipment: 'e'.repeat(501), why: 'x' },
      { equipment: 7, why: 'x' },
    ])
      assert.throws(() => holdRequest('hold', bad, 'test'), { code: 'TAKT_MESSAGE_INVALID' }, JSON.stringify(bad).slice(0, 80))
    for (const text of ['a\0b', 'a\ud800']) assert.throws(() => holdRequest('resume', { lot: 'lot-1', why: text }, 'test'), { code: 'TAKT_ORDER_TEXT' })
    assert.throws(() => holdRequest('hold', JSON.parse('{"lot":"l","why":"x","__proto__":{}}'), 'test'), { code: 'TAKT_MESSAGE_FORBIDDEN_KEY' })
  })
})
