import assert from 'node:assert/strict'
import type { Plan } from '../../../../core/messages/plan.ts'
import { knownFactsOf } from '../../../../core/orders/planning/known-documents.ts'
import { readFacts } from '../../../../core/orders/planning/read-facts.ts'
import type { LedgerEvent } from '../../../../core/store/store.ts'
import { plant, Shop, START } from './fixture.ts'

describe('known documents', () => {
  let shop: Shop
  beforeEach(() => {
    shop = new Shop()
  })
  afterEach(() => shop.close())

  const read = () => readFacts(shop.store, plant, START)

  it('are not read again while they stay as they are, and are when somebody changes one', async () => {
    await shop.order('wo-1')
    await shop.order('wo-2')
    const before = await read()
    await shop.store.transaction(async (tx) => {
      const job = await tx.get('job-order', 'jo-wo-1-20-mill')
      if (job !== undefined) await tx.save({ ...job, pinned: true }, { type: 'job-order.pinned', actor: 'somebody' })
      const order = await tx.get('work-order', 'wo-2')
      if (order !== undefined) await tx.save({ ...order, priority: 9 }, { type: 'work-order.updated', actor: 'somebody' })
    })
    await shop.order('wo-3')
    const after = await read()
    const same = after.jobs.filter((job) => before.jobs.includes(job)).map(({ id }) => id)
    assert.deepEqual(same, ['jo-wo-1-10-saw', 'jo-wo-1-30-grind', 'jo-wo-2-10-saw', 'jo-wo-2-20-mill', 'jo-wo-2-30-grind'])
    assert.equal(after.jobs.length, 9)
    assert.equal(after.jobs.find(({ id }) => id === 'jo-wo-1-20-mill')?.pinned, true)
    assert.equal(after.workOrders.get('wo-2')?.priority, 9)
    assert.equal(after.workOrders.get('wo-1'), before.workOrders.get('wo-1'))
  })

  it('are those that were published, whatever a flow does with what it is told', async () => {
    await shop.order('wo-1')
    const told: LedgerEvent[] = []
    shop.store.subscribe((event) => void told.push(event))
    const { plan } = await shop.replan()
    const written = JSON.stringify([await shop.store.list('plan'), await shop.store.list('job-order')])
    const spoil = (value: unknown): void => {
      for (const [key, inner] of Object.entries(value as Record<string, unknown>)) {
        if (typeof inner === 'object' && inner !== null) spoil(inner)
        else (value as Record<string, unknown>)[key] = 'spoiled'
      }
    }
    spoil(plan)
    for (const event of told) spoil(event.after)
    const facts = await read()
    assert.equal(JSON.stringify([[facts.plan as Plan], facts.jobs]), written)
    assert.equal((await knownFactsOf(shop.store).assignmentOf(shop.store, 'jo-wo-1-10-saw'))?.equipment, 'p/saw')
    assert.equal((await shop.replan()).plan, null)
  })
})
