import assert from 'node:assert/strict'
import { commandJobOrder } from '../../../core/orders/control-work-order.ts'
import { importOrders } from '../../../core/orders/import/import-orders.ts'
import { checkOrderMapping } from '../../../core/orders/import/order-mapping.ts'
import { readOrders } from '../../../core/orders/import/read-orders.ts'
import { type DeskTopic, OrderDesk } from '../../../core/orders/order-desk.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, jobStates, memoryStore, plant, released, tester } from './fixture.ts'

const SAW = 'jo-wo-1-10-saw'
const SQL = `Robert'); DROP TABLE work_order;-- " \\ ' OR 1=1`
const LONG = 'x'.repeat(1_000_000)
const settings = { autoRelease: false, mapping: checkOrderMapping({}, 'test'), importFolder: undefined, where: 'test' }

describe('orders of bad input', () => {
  let store: Store
  let desk: OrderDesk
  beforeEach(() => {
    store = memoryStore().store
    desk = new OrderDesk(store, () => plant, settings)
  })
  afterEach(() => store.close())
  const ask = (topic: DeskTopic, payload: unknown) => desk.handle(topic, payload, tester)
  const read = (csv: string, mapping: unknown = {}) => readOrders(csv, checkOrderMapping(mapping, 'test'), plant, 'test')

  it('NUL, lone surrogates, control characters and endless names are refused, whatever is asked', async () => {
    await released(store)
    const { sequence } = await store.head()
    const order = { product: 'shaft', quantity: 1 }
    for (const bad of ['a\0b', 'a\ud800b', '\u001b[31m']) {
      assert.equal(await code(ask('create', { ...order, id: bad })), 'TAKT_ORDER_TEXT')
      assert.equal(await code(ask('create', { ...order, id: 'x', external: { system: 'erp', id: bad } })), 'TAKT_ORDER_TEXT')
      assert.equal(await code(ask('hold', bad)), 'TAKT_ORDER_TEXT')
      assert.equal(await code(ask('hold', { id: 'wo-1', why: bad })), 'TAKT_ORDER_TEXT')
      assert.equal(await code(ask('command', { jobOrder: SAW, command: bad })), 'TAKT_ORDER_TEXT')
      assert.equal(await code(ask('maintenance', { equipment: 'p/saw', cause: bad })), 'TAKT_ORDER_TEXT')
    }
    for (const field of ['id', 'product', 'workMaster']) assert.equal(await code(ask('create', { ...order, [field]: LONG })), 'TAKT_MESSAGE_INVALID')
    assert.equal((await store.head()).sequence, sequence)
  })

  it('a bad name in a file takes only its own row with it, and is told in a sentence that can be shown', async () => {
    const { summary } = await importOrders(
      store,
      plant,
      read(`order,product,quantity\nA\0,shaft,1\nB\ud800,shaft,1\n${LONG},shaft,1\nD,${LONG},1\nE,shaft,1\n`),
      true,
      tester,
    )
    assert.deepEqual(summary.workOrders, ['wo-E'])
    assert.deepEqual(summary.problems.map(({ row, code: told }) => [row, told]).sort(), [
      [2, 'TAKT_ORDER_TEXT'],
      [3, 'TAKT_ORDER_TEXT'],
      [4, 'TAKT_MESSAGE_INVALID'],
      [5, 'TAKT_MESSAGE_INVALID'],
    ])
    for (const { what, order } of summary.problems) {
      assert.ok(what.length < 1000 && (order ?? '').length < 1000)
      assert.ok(!/\0/.test(`${what}${order}`) && (order ?? '').isWellFormed())
    }
  })

  it('SQL and formulas are text: stored to the letter, found by it, and nothing else happens', async () => {
    for (const text of [SQL, '=HYPERLINK("http://x","y")', '+1+1', '@SUM(A1)', '<script>alert(1)</script>']) {
      const request = { id: text, external: { system: text, id: text }, product: text, quantity: { value: 1, unit: text.slice(0, 40) } }
      const operations = [{ id: text, setupFamily: text, alternatives: [{ equipment: 'p/saw', durationMs: 1 }] }]
      await ask('create', { ...request, operations })
      const stored = await store.get('work-order', text)
      assert.deepEqual([stored?.id, stored?.external, stored?.product], [text, request.external, text])
      await ask('release', { external: request.external, why: text })
      await ask('hold', { id: text, why: text })
      await ask('resume', text)
      assert.equal((await store.get('work-order', text))?.state, 'Released')
      const [job] = await store.list('job-order', { where: { work_order: text } })
      assert.equal(job?.operation, text)
    }
    await released(store)
    await ask('maintenance', { equipment: 'p/saw', cause: SQL })
    assert.equal(await code(ask('maintenance', { equipment: SQL, cause: 'x' })), 'TAKT_EQUIPMENT_UNKNOWN')
    assert.equal(await code(ask('command', { jobOrder: SQL, command: 'Start' })), 'TAKT_JOB_ORDER_UNKNOWN')
    assert.equal((await store.list('work-order')).length, 7)
    assert.ok((await store.verify()).ok)
  })

  it('the same id with another body is refused, and two starts at once are one', async () => {
    await released(store)
    assert.equal(await code(ask('create', { id: 'wo-1', product: 'shaft', quantity: 11 })), 'TAKT_ORDER_EXISTS_DIFFERENT')
    assert.equal(await code(ask('create', { id: 'wo-1', product: 'shaft', quantity: 10, tolerance: { over: 1 } })), 'TAKT_ORDER_EXISTS_DIFFERENT')
    const start = () => code(store.transaction((tx) => commandJobOrder(tx, SAW, 'Start', tester)))
    assert.deepEqual((await Promise.all([start(), start()])).sort(), ['TAKT_JOB_ORDER_TRANSITION', 'no error'])
    assert.match((await jobStates(store))[0] ?? '', /AllowedToStart\/Ready/)
  })

  it('quantities that are none are refused', async () => {
    for (const quantity of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY, '4', null, { value: -1, unit: 'kg' }, { value: 0, unit: 'kg' }]) {
      assert.match(await code(ask('create', { id: 'q', product: 'shaft', quantity })), /^TAKT_(MESSAGE_INVALID|ORDER_QUANTITY)$/, JSON.stringify(quantity))
    }
    assert.equal(await store.get('work-order', 'q'), undefined)
  })
})
