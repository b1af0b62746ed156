import assert from 'node:assert/strict'
import type { ManualClock } from '../../../core/base/clock.ts'
import type { OrderTemplate } from '../../../core/messages/order-template.ts'
import type { WorkOrder } from '../../../core/messages/work-order.ts'
import { OrderDesk } from '../../../core/orders/order-desk.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, memoryStore, plant } from './fixture.ts'

const eva = { actor: 'person:eva' }
const FLUSH = { name: 'weekly-flush', product: 'shaft', quantity: 2, tolerance: { under: 1 }, weight: 3, parameters: { programme: 'flush' }, dueAfter: 'PT24H' }
const DAY = 86_400_000

describe('templates of orders', () => {
  let store: Store
  let clock: ManualClock
  let desk: OrderDesk

  beforeEach(() => {
    ;({ store, clock } = memoryStore())
    desk = new OrderDesk(store, () => plant, { autoRelease: true, mapping: {}, importFolder: undefined, where: 'test' })
  })
  afterEach(() => store.close())

  const save = async (template: unknown): Promise<OrderTemplate> => (await desk.handle('template', template, eva)).documents[0] as OrderTemplate
  const create = async (request: unknown): Promise<WorkOrder> => (await desk.handle('create', request, eva)).documents[0] as WorkOrder

  it('are kept by version: the same again is the same, something else is the next', async () => {
    const first = await save(FLUSH)
    assert.deepEqual([first.id, first.version, first.active, first.dueAfterMs, first.by], ['weekly-flush@1', 1, true, DAY, 'person:eva'])
    assert.deepEqual(await save({ ...FLUSH, dueAfter: DAY }), first)
    assert.equal((await save({ ...FLUSH, quantity: 3, why: 'larger tank' })).id, 'weekly-flush@2')
    const events = (await store.events(0, 100)).map(({ type, why }) => [type, why])
    assert.deepEqual(events, [
      ['order-template.created', null],
      ['order-template.changed', 'larger tank'],
    ])
  })

  it('make orders, with what the request says before what the template says', async () => {
    await save(FLUSH)
    const order = await create({ template: 'weekly-flush', quantity: 5, priority: 8 })
    const { workMaster, quantity, tolerance, weight, priority, parameters, due, release, template, state } = order
    assert.deepEqual(
      { workMaster, quantity, tolerance, weight, priority, parameters, due, release, template, state },
      {
        workMaster: 'shaft@1',
        quantity: { value: 5, unit: 'pcs' },
        tolerance: { under: 1, over: 0 },
        weight: 3,
        priority: 8,
        parameters: { programme: 'flush' },
        due: 1_000_000 + DAY,
        release: 1_000_000,
        template: 'weekly-flush@1',
        state: 'Released',
      },
    )
    const [a, b] = [await create({ template: 'weekly-flush' }), await create({ template: 'weekly-flush' })]
    assert.notEqual(a.id, b.id)
  })

  it('count the due time from the release, and give the same order again as it is', async () => {
    await save({ ...FLUSH, releaseAfter: '1:00' })
    const order = await create({ template: 'weekly-flush', external: { system: 'erp', id: '9' } })
    assert.deepEqual([order.release, order.due], [1_000_000 + 3_600_000, 1_000_000 + 3_600_000 + DAY])
    clock.advance(5000)
    assert.equal((await create({ template: 'weekly-flush', external: { system: 'erp', id: '9' } })).revision, order.revision)
    assert.equal(await code(create({ template: 'weekly-flush', external: { system: 'erp', id: '9' }, quantity: 9 })), 'TAKT_ORDER_EXISTS_DIFFERENT')
    const other = await create({ template: 'weekly-flush', id: 'wo-x', release: 5_000_000, due: null })
    assert.deepEqual([other.release, other.due], [5_000_000, null])
  })

  it('are used in an older version by its number, and not at all when switched off', async () => {
    await save(FLUSH)
    await save({ ...FLUSH, quantity: 4 })
    assert.equal((await create({ template: 'weekly-flush@1' })).quantity.value, 2)
    assert.equal((await create({ template: 'weekly-flush' })).template, 'weekly-flush@2')
    const off = await save({ name: 'weekly-flush', active: false, why: 'tank was sold' })
    assert.deepEqual([off.version, off.active, off.order.quantity], [3, false, 4])
    assert.equal(await code(create({ template: 'weekly-flush' })), 'TAKT_TEMPLATE_UNKNOWN')
    assert.equal(await code(create({ template: 'weekly-flush@1' })), 'TAKT_TEMPLATE_UNKNOWN')
    await save({ name: 'weekly-flush', active: true })
    assert.equal((await create({ template: 'weekly-flush' })).quantity.value, 4)
  })

  it('make several orders of one message', async () => {
    await save(FLUSH)
    const { summary } = await desk.handle(
      'create',
      [{ template: 'weekly-flush' }, { template: 'weekly-flush', quantity: 7 }, { product: 'shaft', quantity: 1 }],
      eva,
    )
    assert.deepEqual([summary?.created, summary?.problems], [3, []])
  })

  const bad: ReadonlyArray<readonly [string, unknown, string]> = [
    ['no object', 'weekly', 'TAKT_MESSAGE_INVALID'],
    ['no name', { ...FLUSH, name: 'a b' }, 'TAKT_MESSAGE_INVALID'],
    ['a due time of its own', { ...FLUSH, due: '2026-12-01' }, 'TAKT_MESSAGE_INVALID'],
    ['a number of the ERP', { ...FLUSH, external: { system: 'erp', id: '1' } }, 'TAKT_MESSAGE_INVALID'],
    ['a span that is none', { ...FLUSH, dueAfter: 'tomorrow' }, 'TAKT_MESSAGE_INVALID'],
    ['a product that nobody makes', { ...FLUSH, product: 'ring' }, 'TAKT_WORK_MASTER_UNKNOWN'],
    ['a quantity below nothing', { ...FLUSH, quantity: -1 }, 'TAKT_MESSAGE_INVALID'],
    ['a text that cannot be stored', { ...FLUSH, parameters: { a: 'x\0' } }, 'TAKT_ORDER_TEXT'],
    ['one to be switched off that is not there', { name: 'none', active: false }, 'TAKT_TEMPLATE_UNKNOWN'],
  ]
  for (const [what, template, expected] of bad) {
    it(`refuse ${what}`, async () => {
      assert.equal(await code(save(template)), expected)
      assert.deepEqual(await store.list('order-template'), [])
    })
  }

  it('refuse an order from a template that is not there', async () => {
    assert.equal(await code(create({ template: 'none', quantity: 1, product: 'shaft' })), 'TAKT_TEMPLATE_UNKNOWN')
    assert.equal(await code(create({ template: 7 })), 'TAKT_MESSAGE_INVALID')
  })
})
