import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCsv } from '../../../core/base/csv.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { slug } from '../../../core/orders/ids.ts'
import { importOrders } from '../../../core/orders/import/import-orders.ts'
import { checkOrderMapping } from '../../../core/orders/import/order-mapping.ts'
import { readOrders } from '../../../core/orders/import/read-orders.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { memoryStore, tester } from './fixture.ts'

const FILE = join(process.env.TAKT_BENCH_DATA ?? join(packageRoot, '..', 'shared'), 'bench', 'production-log', 'production.csv')

/** The log of a real shop floor (see its README): records of what was done, dirty as real ones are. */
describe('a real production log', function () {
  if (!existsSync(FILE)) {
    it.skip(`is not here: ${FILE}`)
    return
  }
  this.timeout(60_000)
  const text = readFileSync(FILE, 'utf8')
  const { header, records } = parseCsv(text)
  const column = (name: string) => header.indexOf(name)
  const resources = [...new Set(records.map(({ cells }) => cells[column('Resource')] ?? ''))]
  const plant = checkPlant(
    {
      plant: 'shop',
      equipment: [{ id: 'shop', level: 'site' }, ...resources.map((name) => ({ id: `shop/${slug(name).toLowerCase()}`, level: 'workUnit', name }))],
    },
    'test',
  )
  const mapping = (limit?: number) =>
    checkOrderMapping(
      {
        system: 'production-log',
        ...(limit === undefined ? {} : { limit }),
        fields: { order: 'Case ID', product: 'Part Desc.', quantity: 'Work Order Qty', due: 'Complete Timestamp' },
        operations: { operation: 'Activity', equipment: 'Resource', span: 'Span', start: 'Start Timestamp', complete: 'Complete Timestamp' },
      },
      'test',
    )

  it('is read whole: every row is in an order, a duplicate, or a problem', () => {
    const read = readOrders(text, mapping(), plant, 'production.csv')
    assert.equal(read.rows, 4543)
    assert.equal(read.duplicates, 22)
    assert.deepEqual(read.problems, [])
    assert.equal(read.orders.length, 225)
    // 705 rows of the file, of which some are duplicates of each other
    const mangled = new Set(read.doubts.filter(({ what }) => what.startsWith('span')).map(({ row }) => row))
    const duplicated = read.doubts.filter(({ what }) => what.startsWith('says the same'))
    assert.ok(mangled.size <= 705 && mangled.size >= 705 - duplicated.length, `${mangled.size} mangled spans`)
    const quantity = read.orders.reduce((sum, { request }) => sum + (typeof request.quantity === 'number' ? request.quantity : Number.NaN), 0)
    assert.equal(quantity, 20_894)
    // no minute is lost: the operations take as long as the records that are no duplicates
    const at = (name: string, cells: readonly string[]): number => Date.parse(`${(cells[column(name)] ?? '').replaceAll('/', '-').replace(' ', 'T')}Z`)
    const unique = new Map(records.map(({ cells }) => [cells.join('\n'), cells]))
    const recorded = [...unique.values()].reduce((sum, cells) => sum + at('Complete Timestamp', cells) - at('Start Timestamp', cells), 0)
    const taken = read.orders.reduce(
      (sum, { request }) => sum + (request.operations ?? []).reduce((ms, { alternatives }) => ms + (alternatives[0]?.durationMs ?? 0), 0),
      0,
    )
    assert.equal(taken, recorded)
  })

  it('gives thirty released orders whose job orders follow each other', async () => {
    const { store } = memoryStore()
    const { summary } = await importOrders(store, plant, readOrders(text, mapping(30), plant, 'production.csv'), true, tester)
    assert.deepEqual([summary.created, summary.refused, summary.problems.length], [30, 0, 0])
    const orders = await store.list('work-order', { where: { state: 'Released' } })
    assert.equal(orders.length, 30)
    for (const order of orders) {
      const jobs = (await store.list('job-order', { where: { work_order: order.id } })).sort((a, b) => a.sequence - b.sequence)
      assert.ok(jobs.length > 0)
      for (const [index, job] of jobs.entries()) assert.deepEqual(job.after, index === 0 ? [] : [jobs[index - 1]?.id])
    }
    assert.ok((await store.verify()).ok)
    await store.close()
  })
})
