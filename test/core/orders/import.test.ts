import assert from 'node:assert/strict'
import { importOrders } from '../../../core/orders/import/import-orders.ts'
import { checkOrderMapping } from '../../../core/orders/import/order-mapping.ts'
import { readOrders } from '../../../core/orders/import/read-orders.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, jobStates, memoryStore, plant, tester } from './fixture.ts'

const read = (input: unknown, mapping: unknown = {}) => readOrders(input, checkOrderMapping(mapping, 'test'), plant, 'test')
const codeOf = (run: () => unknown): Promise<string> => code(Promise.resolve().then(run))

describe('reading orders', () => {
  it('from CSV whose columns are called what they hold', () => {
    const { orders, problems } = read('Order;Product;Quantity;Due\n4711;shaft;10;22.11.2026 14:30\n4712;shaft;2,5;\n')
    assert.deepEqual(problems, [])
    assert.deepEqual(orders, [
      { row: 2, request: { external: { system: 'import', id: '4711' }, product: 'shaft', quantity: 10, due: '22.11.2026 14:30' } },
      { row: 3, request: { external: { system: 'import', id: '4712' }, product: 'shaft', quantity: 2.5 } },
    ])
  })

  it('with when their material is there', () => {
    const { orders } = read('order;product;quantity;materialAt\n4711;shaft;10;23.11.2026 07:00\n')
    assert.equal(orders[0]?.request.materialAt, '23.11.2026 07:00')
  })

  it('from an ERP message by paths', () => {
    const message = { idoc: { orders: [{ AUFNR: 4711, item: { MATNR: 'shaft', GAMNG: '10', unit: 'ST' } }] } }
    const mapping = {
      system: 'erp',
      orders: '$.idoc.orders',
      fields: { order: '$.AUFNR', product: '$.item.MATNR', quantity: '$.item.GAMNG', unit: 'item.unit' },
    }
    const request = { external: { system: 'erp', id: '4711' }, product: 'shaft', quantity: { value: 10, unit: 'ST' } }
    assert.deepEqual(read(message, mapping).orders, [{ row: 1, request }])
    assert.deepEqual(read(JSON.stringify(message), mapping).orders, [{ row: 1, request }])
  })

  it('from requests as they are, one or several', () => {
    const request = { id: 'a', product: 'shaft', quantity: 3 }
    assert.deepEqual(read(request).orders, [{ row: 1, request }])
    assert.equal(read([request, request]).orders.length, 2)
  })

  it('names every bad row and takes the good ones', () => {
    const { orders, problems } = read('order,product,quantity\nA,shaft,1\nB,shaft,many\n,shaft,3\nD,shaft\nE,shaft,-1\nF,shaft,2\n')
    assert.deepEqual(
      orders.map(({ row }) => row),
      [2, 7],
    )
    assert.deepEqual(problems.map(({ row, order, code }) => [row, order, code]).sort(), [
      [3, 'B', 'TAKT_ORDER_QUANTITY'],
      [4, null, 'TAKT_IMPORT_ROW'],
      [5, null, 'TAKT_IMPORT_ROW'],
      [6, 'E', 'TAKT_MESSAGE_INVALID'],
    ])
  })

  it('refuses what does not fit at all', async () => {
    assert.equal(await codeOf(() => read('a,b\n1,2')), 'TAKT_IMPORT_MAPPING')
    assert.equal(await codeOf(() => read('order,quantity\n1,2', { fields: { order: 'number' } })), 'TAKT_IMPORT_MAPPING')
    assert.equal(await codeOf(() => read('[{"id": 1', {})), 'TAKT_MESSAGE_NOT_JSON')
    assert.equal(await codeOf(() => read('{"__proto__": {"quantity": 1}}', {})), 'TAKT_MESSAGE_FORBIDDEN_KEY')
    assert.equal(await codeOf(() => read({ a: 1 }, { orders: '$.b' })), 'TAKT_IMPORT_MAPPING')
    assert.equal(await codeOf(() => checkOrderMapping({ field: {} }, 'test')), 'TAKT_IMPORT_MAPPING')
    assert.equal(await codeOf(() => checkOrderMapping({ operations: { operation: 'a', equipment: 'b' } }, 'test')), 'TAKT_IMPORT_MAPPING')
  })
})

describe('reading orders with their routing', () => {
  const mapping = {
    fields: { order: 'order', quantity: 'qty', release: 'from', due: 'to' },
    operations: { operation: 'step', equipment: 'unit', start: 'from', complete: 'to', span: 'span' },
    equipment: { names: { 'Old mill': 'p/mill-1' }, under: 'p' },
  }
  const HEADER = 'order,step,unit,from,to,span,qty\n'
  const MINUTE = 60_000

  it('makes one operation of what follows on the same unit, in the order of the times', () => {
    const { orders, doubts } = read(
      `${HEADER}A,Mill it,Old mill,2026-01-01T10:00:00Z,2026-01-01T10:30:00Z,0:30,5\nA,Cut,Saw,2026-01-01T09:00:00Z,2026-01-01T09:10:00Z,0:10,5\nA,Cut,Saw,2026-01-01T09:20:00Z,2026-01-01T09:25:00Z,0:05,5\nA,Cut,Saw,2026-01-01T11:00:00Z,2026-01-01T11:01:00Z,0:01,5\n`,
      mapping,
    )
    assert.deepEqual(doubts, [])
    assert.deepEqual(orders[0]?.request.operations, [
      { id: 'Cut', alternatives: [{ equipment: 'p/saw', durationMs: 15 * MINUTE }] },
      { id: 'Mill-it', alternatives: [{ equipment: 'p/mill-1', durationMs: 30 * MINUTE }] },
      { id: 'Cut-2', alternatives: [{ equipment: 'p/saw', durationMs: MINUTE }] },
    ])
    assert.equal(orders[0]?.request.release, Date.parse('2026-01-01T09:00:00Z'))
    assert.equal(orders[0]?.request.due, Date.parse('2026-01-01T11:01:00Z'))
  })

  it('counts duplicates, doubts mangled spans, and leaves out what takes no time', () => {
    const row = 'A,Cut,saw,2026-01-01T09:00:00Z,2026-01-01T10:15:00Z,000:00,5\n'
    const nothing = 'A,Look,saw,2026-01-01T11:00:00Z,2026-01-01T11:00:00Z,0:00,6\n'
    const { orders, doubts, duplicates } = read(HEADER + row + row + nothing, mapping)
    assert.equal(duplicates, 1)
    assert.deepEqual(
      doubts.map(({ row: at, what }) => `${at} ${what}`),
      [
        '3 says the same as row 2 and was left out',
        "2 span '000:00' does not agree with its start and end, which are 1:15 h apart",
        '4 says another quantity (6) than row 2; that of row 2 was taken',
        "4 'Look' takes no time and was left out",
      ],
    )
    assert.deepEqual(orders[0]?.request.operations, [{ id: 'Cut', alternatives: [{ equipment: 'p/saw', durationMs: 75 * MINUTE }] }])
  })

  it('refuses a whole order for a row that cannot be read, and names each such row', () => {
    const { orders, problems } = read(
      `${HEADER}A,Cut,nowhere,2026-01-01T09:00:00Z,2026-01-01T10:00:00Z,1:00,5\nA,Cut,saw,yesterday,2026-01-01T10:00:00Z,1:00,5\nA,Cut,saw,2026-01-01T11:00:00Z,2026-01-01T10:00:00Z,1:00,5\nB,Cut,saw,2026-01-01T09:00:00Z,2026-01-01T10:00:00Z,1:00,5\n,Cut,saw,,,,\n`,
      mapping,
    )
    assert.deepEqual(
      problems.map((problem) => [problem.row, problem.order, problem.code]),
      [
        [6, null, 'TAKT_IMPORT_ROW'],
        [2, 'A', 'TAKT_EQUIPMENT_UNKNOWN'],
        [3, 'A', 'TAKT_ORDER_TIME'],
        [4, 'A', 'TAKT_ORDER_TIME'],
      ],
    )
    assert.deepEqual(
      orders.map(({ request }) => request.external?.id),
      ['B'],
    )
  })

  it('takes no more orders than it may', () => {
    const rows = ['A', 'B', 'A', 'C'].map((order, at) => `${order},Cut,saw,2026-01-01T09:00:00Z,2026-01-01T09:0${at + 1}:00Z,,5`).join('\n')
    const { orders } = read(HEADER + rows, { ...mapping, limit: 2 })
    assert.deepEqual(
      orders.map(({ request }) => [request.external?.id, request.operations?.[0]?.alternatives[0]?.durationMs]),
      [
        ['A', 4 * MINUTE],
        ['B', 2 * MINUTE],
      ],
    )
  })
})

describe('a log of what was done', () => {
  const mapping = {
    fields: { order: 'order', quantity: 'qty' },
    operations: { operation: 'step', equipment: 'unit', start: 'from', complete: 'to' },
    records: { type: 'type', types: { D: 'run', S: 'setup', B: 'breakdown' }, completed: 'good', rejected: 'bad', rework: 'again', person: 'who' },
  }
  const HEADER = 'order,step,unit,from,to,qty,type,good,bad,again,who\n'
  const at = (time: string): string => `2026-01-01T${time}Z`
  const row = (step: string, unit: string, from: string, to: string, rest: string): string => `A,${step},p/${unit},${at(from)},${at(to)},5,${rest}\n`
  const LOG =
    HEADER +
    row('Mill', 'mill-1', '10:00', '10:30', 'D,4,0,,ann') +
    row('Cut', 'saw', '09:00', '09:10', 'S,0,0,,bob') +
    row('Cut', 'saw', '09:10', '09:40', 'D,5,1,,bob') +
    row('Cut', 'saw', '09:40', '09:55', 'B,0,0,,bob') +
    row('Mill', 'mill-1', '10:20', '10:50', 'D,1,1,Y,ann')
  let store: Store
  beforeEach(() => {
    store = memoryStore().store
  })
  afterEach(() => store.close())
  const replay = (csv: string, more: object = {}) => importOrders(store, plant, read(csv, { ...mapping, ...more }), false, tester)

  it('becomes job orders that went their legal way, with what every record said of them', async () => {
    const { summary } = await replay(LOG)
    assert.deepEqual([summary.created, summary.problems, summary.totals], [1, [], summary.booked])
    assert.deepEqual(await jobStates(store, 'wo-A'), ['jo-wo-A-Cut Ended/Completed 5+1 of 5', 'jo-wo-A-Mill Ended/Completed 4+0 of 5'])
    const cut = await store.get('job-response', 'jr-jo-wo-A-Cut')
    assert.deepEqual([cut?.start, cut?.end, cut?.people], [Date.parse(at('09:00')), Date.parse(at('09:55')), ['bob']])
    assert.deepEqual(
      cut?.segments?.map(({ activity, good, scrap, row: line }) => [activity, good, scrap, line]),
      [
        ['setup', 0, 0, 3],
        ['run', 5, 1, 4],
        ['breakdown', 0, 0, 5],
      ],
    )
    // set-up and run apart, the breakdown in neither
    const [alternative] = (await store.get('job-order', 'jo-wo-A-Cut'))?.alternatives ?? []
    assert.deepEqual([alternative?.setupMs, alternative?.perPieceMs], [600_000, (30 * 60_000) / 5])
    const order = await store.get('work-order', 'wo-A')
    assert.deepEqual([order?.state, order?.progress], ['Completed', { good: 4, scrap: 1 }])
    const repair = await store.get('work-order', 'mo-wo-A-row-5')
    assert.deepEqual([repair?.type, repair?.state, repair?.equipment], ['maintenance', 'Completed', 'p/saw'])
    const again = await store.get('work-order', 'rw-jo-wo-A-Mill')
    assert.deepEqual([again?.type, again?.state, again?.of?.jobOrder, again?.progress], ['rework', 'Completed', 'jo-wo-A-Mill', { good: 1, scrap: 1 }])
    assert.deepEqual(
      summary.doubts.map(({ row: line, code: told }) => [line, told]),
      [[6, 'TAKT_IMPORT_OVERLAP']],
    )
  })

  it('changes nothing when it is read again', async () => {
    await replay(LOG)
    const before = await store.list('job-order')
    const { summary } = await replay(LOG)
    assert.deepEqual([summary.created, summary.existing, summary.booked?.good], [0, 1, 0])
    assert.deepEqual(await store.list('job-order'), before)
  })

  it('keeps what is there twice, or leaves it out, as the mapping says, and tells of it', async () => {
    const twice = HEADER + row('Cut', 'saw', '09:00', '09:10', 'D,2,0,,').repeat(2)
    const kept = read(twice, mapping)
    assert.deepEqual([kept.totals?.good, kept.duplicates], [4, 1])
    const left = read(twice, { ...mapping, records: { ...mapping.records, duplicates: 'leave-out' } })
    assert.deepEqual([left.totals?.good, left.duplicates], [2, 1])
    assert.deepEqual([kept.doubts[0]?.code, left.doubts[0]?.code], ['TAKT_IMPORT_DUPLICATE', 'TAKT_IMPORT_DUPLICATE'])
  })

  it('doubts more parts than were ordered, parts of a set-up, and what takes no time', () => {
    const { doubts } = read(HEADER + row('Cut', 'saw', '09:00', '09:00', 'S,3,0,,') + row('Cut', 'saw', '09:10', '09:20', 'D,3,0,,'), mapping)
    assert.deepEqual(
      doubts.map(({ row: line, code: told }) => [line, told]),
      [
        [2, 'TAKT_IMPORT_QUANTITY'],
        [2, 'TAKT_IMPORT_NO_TIME'],
        [3, 'TAKT_IMPORT_QUANTITY'],
      ],
    )
  })

  it('refuses an order for a record that ends before it begins, has made less than nothing, or is of no known kind', () => {
    const bad =
      HEADER + row('Cut', 'saw', '09:10', '09:00', 'D,1,0,,') + row('Cut', 'saw', '09:00', '09:10', 'D,-1,0,,') + row('Cut', 'saw', '09:00', '09:10', 'X,1,0,,')
    const { orders, problems } = read(bad, mapping)
    assert.deepEqual(orders, [])
    assert.deepEqual(
      problems.map(({ row: line, code: told }) => [line, told]),
      [
        [2, 'TAKT_ORDER_TIME'],
        [3, 'TAKT_ORDER_QUANTITY'],
        [4, 'TAKT_IMPORT_ROW'],
      ],
    )
  })

  it('needs to know when things began and ended', async () => {
    const operations = { operation: 'step', equipment: 'unit', span: 'span' }
    assert.equal(await codeOf(() => read(LOG, { ...mapping, operations })), 'TAKT_IMPORT_MAPPING')
  })
})

describe('importing orders', () => {
  let store: Store
  beforeEach(() => {
    store = memoryStore().store
  })
  afterEach(() => store.close())

  it('takes each once, refuses the rest one by one, and says what became of all', async () => {
    const csv = 'order,product,quantity\nA,shaft,1\nB,unicorn,1\nC,shaft,x\nD,shaft,4\n'
    const { summary: first } = await importOrders(store, plant, read(csv), true, tester)
    assert.deepEqual([first.rows, first.created, first.existing, first.refused, first.workOrders], [4, 2, 0, 2, ['wo-A', 'wo-D']])
    assert.deepEqual(
      first.problems.map(({ row, code }) => [row, code]),
      [
        [4, 'TAKT_ORDER_QUANTITY'],
        [3, 'TAKT_WORK_MASTER_UNKNOWN'],
      ],
    )
    assert.equal((await store.get('work-order', 'wo-D'))?.state, 'Released')
    const { summary: second } = await importOrders(store, plant, read(csv), true, tester)
    assert.deepEqual([second.created, second.existing], [0, 2])
    const { summary: changed } = await importOrders(store, plant, read('order,product,quantity\nA,shaft,2\n'), true, tester)
    assert.deepEqual(
      changed.problems.map(({ code }) => code),
      ['TAKT_ORDER_EXISTS_DIFFERENT'],
    )
  })
})
