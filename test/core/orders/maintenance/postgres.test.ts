import assert from 'node:assert/strict'
import { maintenanceFigures } from '../../../../core/kpi/maintenance-figures.ts'
import { answerMaintenance } from '../../../../core/orders/maintenance/maintenance-requests.ts'
import { recordEvent } from '../../../../core/trace/record-event.ts'
import { needsPostgres, PostgresServer } from '../../../support/postgres-server.ts'
import { MINUTE, millPlant, Shop, START, UNIT } from './fixture.ts'

describe('maintenance on PostgreSQL', () => {
  let server: PostgresServer | undefined
  before(async function () {
    needsPostgres(this)
    server = await PostgresServer.start()
  })
  after(() => server?.remove())

  it('goes the same way: spares, check, trial, what was found, figures', async () => {
    const url = (server as PostgresServer).url(await (server as PostgresServer).database())
    const shop = new Shop(millPlant({ spare: [{ material: 'bearing', quantity: 2 }], returnToService: { confirm: {} }, trial: { parts: 4 } }), {
      postgres: { url },
    })
    const { store, plant, clock } = shop
    await shop.desk.start()
    await shop.order(10)
    const order = await shop.ask({ kind: 'unplanned' })
    assert.equal(order.spares?.[0]?.state, 'missing')
    const outputs = [{ lot: 'b-1', quantity: { value: 5, unit: 'pcs' }, material: 'bearing' }]
    const received = { kind: 'genealogy', id: 'receive-1', event: 'receive', inputs: [], outputs, jobOrder: null, time: START } as const
    await store.transaction((tx) => recordEvent(tx, plant, { ...received, inputs: [], outputs }, { actor: 'test', heldLots: 'refuse', unknownLots: 'refuse' }))
    const reserved = async (): Promise<string | undefined> => (await store.get('work-order', order.id))?.spares?.[0]?.state
    // events come over the server
    for (let wait = 0; wait < 200 && (await reserved()) !== 'reserved'; wait++) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(await reserved(), 'reserved')
    await shop.repair(order)
    assert.equal(await shop.service(order.id), 'check')
    const say = (topic: 'maintenance.found' | 'maintenance.confirm', payload: object) =>
      store.transaction((tx) => answerMaintenance(tx, plant, topic, { workOrder: order.id, ...payload }, { actor: 'Anna' }, 'test'))
    await say('maintenance.found', { cause: 'bearing worn', done: 'replaced' })
    assert.equal((await say('maintenance.confirm', {})).service?.state, 'trial')
    clock.advance(MINUTE)
    const { values, lineage } = await maintenanceFigures(store, plant, UNIT, START, clock.now())
    assert.deepEqual([values.repairTime, values.MTTR, values.correctiveMaintenance, lineage.orders?.repairTime], [10 * MINUTE, 10 * MINUTE, 1, [order.id]])
    await shop.end()
  })
})
