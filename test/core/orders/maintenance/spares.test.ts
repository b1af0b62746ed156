import assert from 'node:assert/strict'
import type { Genealogy } from '../../../../core/messages/genealogy.ts'
import { setLotDisposition } from '../../../../core/orders/lots.ts'
import { findSpares } from '../../../../core/orders/maintenance/spares.ts'
import { setMaterialTime } from '../../../../core/orders/material-time.ts'
import { followResponse } from '../../../../core/trace/follow-jobs.ts'
import { recordEvent } from '../../../../core/trace/record-event.ts'
import { tester } from '../fixture.ts'
import { MINUTE, millPlant, Shop, UNIT } from './fixture.ts'

const HOUR = 60 * MINUTE
const OPTIONS = { actor: 'test', heldLots: 'refuse', unknownLots: 'refuse' } as const
const spare = [{ material: 'bearing', quantity: 3, leadTimeMs: 8 * HOUR }]

describe('spares of a repair', () => {
  let shop: Shop
  beforeEach(() => {
    shop = new Shop(millPlant({ spare }))
  })
  afterEach(() => shop.end())
  const receive = async (lot: string, value: number): Promise<void> => {
    const event: Genealogy = {
      ...{ kind: 'genealogy', id: `receive-${lot}`, event: 'receive', inputs: [], jobOrder: null, time: shop.clock.now() },
      outputs: [{ lot, quantity: { value, unit: 'pcs' }, material: 'bearing' }],
    }
    await shop.store.transaction((tx) => recordEvent(tx, shop.plant, event, OPTIONS))
    await shop.settle()
  }
  const onHand = async (lot: string): Promise<number | undefined> =>
    (await shop.store.db.selectFrom('lot_stock').select('on_hand').where('lot', '=', lot).executeTakeFirst())?.on_hand
  const repairJob = async (order = 'mo-mill-1') => (await shop.job(`jo-${order}-maintenance`))!

  it('are put aside from the oldest released lots, and used up in the end, each once', async () => {
    await receive('b-1', 2)
    await receive('b-2', 5)
    const order = await shop.ask()
    assert.deepEqual(order.spares, [
      {
        ...{ material: 'bearing', quantity: { value: 3, unit: 'pcs' }, state: 'reserved' },
        lots: [
          { lot: 'b-1', quantity: { value: 2, unit: 'pcs' } },
          { lot: 'b-2', quantity: { value: 1, unit: 'pcs' } },
        ],
      },
    ])
    assert.equal((await repairJob()).materialAt, undefined)
    assert.deepEqual(shop.problems, [])
    assert.deepEqual([await onHand('b-1'), await onHand('b-2')], [2, 5], 'nothing is used yet')
    await shop.repair(order)
    assert.equal((await shop.store.get('work-order', order.id))?.spares?.[0]?.state, 'used')
    const [response] = await shop.store.list('job-response', { where: { work_order: order.id } })
    assert.deepEqual(
      response?.materials.map(({ lot, use, quantity }) => `${use} ${quantity.value} of ${lot}`),
      ['consumed 2 of b-1', 'consumed 1 of b-2'],
    )
    // what the trace node does with each response, however often it is told
    for (const _ of [1, 2]) assert.deepEqual((await followResponse(shop.store, shop.plant, response?.id ?? '', OPTIONS)).refused, [])
    assert.deepEqual([await onHand('b-1'), await onHand('b-2')], [0, 4])
  })

  it('that are not there keep the repair waiting until they come, and people are told', async () => {
    await receive('b-1', 1)
    const order = await shop.ask({ kind: 'unplanned' })
    assert.deepEqual([order.spares?.[0]?.state, order.spares?.[0]?.lots[0]?.quantity.value], ['missing', 1])
    assert.equal((await repairJob()).materialAt, shop.clock.now() + 8 * HOUR)
    await shop.settle()
    assert.match(shop.problems[0] ?? '', /TAKT_SPARE_MISSING: the repair of mill waits for 3 pcs of bearing, 1 there/)
    await shop.show('Aborted')
    assert.deepEqual(shop.told, [], 'a repair without its spare is not begun')
    await shop.plan()
    assert.equal((await repairJob()).plannedStart, shop.clock.now() + 8 * HOUR)
    await receive('b-2', 4)
    assert.equal((await repairJob()).materialAt, null)
    assert.equal((await shop.store.get('work-order', order.id))?.spares?.[0]?.state, 'reserved')
    await shop.settle()
    assert.deepEqual(shop.told, [`${UNIT} enter-maintenance jo-${order.id}-maintenance`])
  })

  it('that are not there need not be waited for when a person says so', async () => {
    await shop.ask({ kind: 'unplanned' })
    await shop.show('Aborted')
    await shop.store.transaction((tx) => setMaterialTime(tx, { jobOrder: 'jo-mo-mill-1-maintenance', at: null }, tester))
    await shop.settle()
    assert.equal(shop.told.length, 1)
    await shop.repair((await shop.store.get('work-order', 'mo-mill-1'))!)
    const order = await shop.store.get('work-order', 'mo-mill-1')
    assert.deepEqual([order?.state, order?.spares?.[0]?.state], ['Completed', 'missing'])
    assert.deepEqual((await shop.store.list('job-response'))[0]?.materials, [], 'what nobody saw is not booked')
  })

  it('are not taken from held lots, nor twice for two repairs', async () => {
    await receive('b-1', 4)
    await receive('b-2', 3)
    await shop.store.transaction((tx) => setLotDisposition(tx, 'b-2', 'held', { actor: 'test', why: 'wrong drawing' }))
    await shop.ask()
    const [other] = (await findSpares(shop.store, shop.plant, UNIT)) ?? []
    assert.deepEqual([other?.state, other?.lots.map(({ lot, quantity }) => `${quantity.value} of ${lot}`)], ['missing', ['1 of b-1']])
  })
})
