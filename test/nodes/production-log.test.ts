import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseCsv } from '../../core/base/csv.ts'
import { packageRoot } from '../../core/base/package-root.ts'
import type { JobResponse, Segment } from '../../core/messages/job-response.ts'
import { slug } from '../../core/orders/ids.ts'
import type { ImportSummary } from '../../core/orders/import/import-orders.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { helper, loadFlow, nextMessage } from './support/helper.ts'

const FILE = join(process.env.TAKT_BENCH_DATA ?? join(packageRoot, '..', 'shared'), 'bench', 'production-log', 'production.csv')

/** The mapping that docs/orders.md shows for it. */
const MAPPING = {
  system: 'production-log',
  fields: { order: 'Case ID', product: 'Part Desc.', quantity: 'Work Order Qty', release: 'Start Timestamp', due: 'Complete Timestamp' },
  operations: { operation: 'Activity', equipment: 'Resource', span: 'Span', start: 'Start Timestamp', complete: 'Complete Timestamp' },
  records: {
    type: 'Report Type',
    types: { D: 'run', S: 'setup', B: 'breakdown' },
    completed: 'Qty Completed',
    rejected: 'Qty Rejected',
    review: 'Qty for MRB',
    rework: 'Rework',
    person: 'Worker ID',
  },
}

/** A shop floor's log of three months (see its README for what it adds up to and what is dirty in it), replayed through the work order node. */
describe('a real shop floor, replayed through the nodes', function () {
  if (!existsSync(FILE)) {
    it.skip(`is not here: ${FILE}`)
    return
  }
  this.timeout(60_000)
  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  afterEach(() => helper.unload())

  it('adds up to what its README counts, and is told where it contradicts itself', async () => {
    const { header, records } = parseCsv(readFileSync(FILE, 'utf8'))
    const resource = header.indexOf('Resource')
    const machines = [...new Set(records.map(({ cells }) => cells[resource] ?? ''))]
    const equipment = machines.map((name) => ({ id: `shop/${slug(name).toLowerCase()}`, level: 'workUnit', name }))
    const model = { plant: 'shop', equipment: [{ id: 'shop', level: 'site' }, ...equipment] }
    const order = { type: 'takt-work-order', plant: 'p1', store: 's1', autoRelease: true, mapping: JSON.stringify(MAPPING), importFolder: dirname(FILE) }
    const get = await loadFlow(
      [registerPlant, registerStore, registerWorkOrder],
      [
        { id: 'f1', type: 'tab' },
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(model), clock: 'system' },
        { id: 's1', type: 'takt-store', file: ':memory:', plant: 'p1' },
        { id: 'n1', z: 'f1', ...order, wires: [[], ['told']] },
        { id: 'told', z: 'f1', type: 'helper' },
      ],
    )
    const { store } = get('s1') as unknown as StoreNode
    const told = nextMessage(get('told'), ({ topic }) => topic === 'orders/import', 50_000)
    get('n1').receive({ topic: 'import', payload: 'production.csv' } as never)
    const summary = (await told).payload as ImportSummary

    // nothing is refused, and each contradiction that the README counts is told with its row
    assert.deepEqual([summary.rows, summary.created, summary.refused, summary.problems.length], [4543, 225, 0, 0])
    const doubted = (code: string): number => summary.doubts.filter((doubt) => doubt.code === code).length
    assert.equal(doubted('TAKT_IMPORT_DUPLICATE'), 22)
    assert.equal(doubted('TAKT_IMPORT_SPAN'), 705)
    assert.equal(doubted('TAKT_IMPORT_OVERLAP'), 1450)
    assert.ok(summary.doubts.every(({ row, order: of, what }) => row >= 2 && of !== null && what !== ''))

    // what the store holds, read apart from what the import says of itself
    const responses = await store.list('job-response')
    const orders = new Map((await store.list('work-order')).map((document) => [document.id, document]))
    const segments = responses.flatMap((response) => (response.segments ?? []).map((segment) => ({ ...segment, response })))
    const many = (activity: Segment['activity']): number => segments.filter((segment) => segment.activity === activity).length
    assert.deepEqual([many('run'), many('setup'), many('breakdown')], [3785, 705, 53])
    assert.equal(new Set(segments.map(({ row }) => row)).size, 4543)
    const total = (field: 'good' | 'scrap' | 'review'): number => segments.reduce((sum, segment) => sum + segment[field], 0)
    assert.deepEqual([total('good'), total('scrap'), total('review')], [92_519, 593, 105])
    const counted = await store.db.selectFrom('job_count').selectAll().execute()
    assert.deepEqual([counted.reduce((sum, { good }) => sum + good, 0), counted.reduce((sum, { scrap }) => sum + scrap, 0)], [92_519, 593])
    const ofType = (type: string) => [...orders.values()].filter((document) => document.type === type)
    assert.equal(ofType('production').length, 225)
    assert.equal(
      ofType('production').reduce((sum, { quantity }) => sum + quantity.value, 0),
      20_894,
    )
    assert.equal(segments.filter(({ response }) => orders.get(response.workOrder)?.type === 'rework').length, 32)

    // breakdowns are maintenance orders that are done
    const repairs = responses.filter(({ workOrder }) => orders.get(workOrder)?.type === 'maintenance')
    const hours = (list: readonly JobResponse[]): number => list.reduce((sum, { start, end }) => sum + ((end ?? 0) - (start ?? 0)) / 3_600_000, 0)
    assert.deepEqual([repairs.length, hours(repairs).toFixed(2)], [53, '171.67'])
    const machine8 = repairs.filter((repair) => /machine-8-/.test(repair.equipment ?? ''))
    assert.deepEqual([machine8.length, hours(machine8).toFixed(2)], [15, '49.97'])

    // every order and every job order has come to a legal end, and the ledger holds
    for (const document of orders.values()) assert.equal(document.state, 'Completed', document.id)
    for (const job of await store.list('job-order')) {
      assert.deepEqual([job.state, job.substate], ['Ended', 'Completed'], job.id)
      assert.ok((job.actualEnd ?? 0) >= (job.actualStart ?? Number.NaN), job.id)
    }
    assert.deepEqual(summary.totals, summary.booked)
    assert.ok((await store.verify()).ok)
  })
})
