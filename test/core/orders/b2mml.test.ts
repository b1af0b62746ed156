import assert from 'node:assert/strict'
import { checkOrderMapping } from '../../../core/orders/import/order-mapping.ts'
import { readOrders } from '../../../core/orders/import/read-orders.ts'
import { OrderDesk } from '../../../core/orders/order-desk.ts'
import { jobStates, memoryStore, plant, tester } from './fixture.ts'

const read = (input: unknown, mapping: unknown = {}) => readOrders(input, checkOrderMapping(mapping, 'test'), plant, 'test')
const produced = (value: unknown, unit = 'pcs') => ({
  MaterialDefinitionID: 'shaft',
  MaterialUse: 'Produced',
  Quantity: [{ QuantityString: value, DataType: 'double', UnitOfMeasure: unit }],
})
const consumed = { MaterialDefinitionID: 'bar', MaterialUse: 'Consumed', Quantity: { QuantityString: '4', UnitOfMeasure: 'm' } }

describe('B2MML in JSON', () => {
  it('a work schedule: its requests are orders by their work master', () => {
    const request = { ID: 'WR-1', StartTime: '2026-11-23T06:00:00Z', EndTime: '2026-11-24T06:00:00Z', Priority: 7 }
    const { orders, problems } = read({
      WorkSchedule: {
        ID: 'WS',
        WorkRequest: { ...request, JobOrder: [{ ID: 'J', WorkMasterID: 'shaft', MaterialRequirement: [consumed, produced('12.5', 'kg')] }] },
      },
    })
    assert.deepEqual(problems, [])
    assert.deepEqual(orders[0]?.request, {
      external: { system: 'b2mml', id: 'WR-1' },
      product: 'shaft',
      workMaster: 'shaft',
      quantity: { value: 12.5, unit: 'kg' },
      release: '2026-11-23T06:00:00Z',
      due: '2026-11-24T06:00:00Z',
      priority: 7,
    })
  })

  it('an operations schedule in a message, with a routing of its own, comes to job orders, and again to nothing new', async () => {
    const segment = (id: string, units: string[], more: object) => ({
      ID: { value: id },
      ProcessSegmentID: `${id} step`,
      Duration: 'PT30M',
      EquipmentRequirement: units.map((EquipmentID) => ({ EquipmentID })),
      ...more,
    })
    const parts = [
      segment('saw', ['p/saw'], { EarliestStartTime: '2026-11-23T06:00:00Z' }),
      segment('mill', ['p/mill-1', 'p/mill-2'], { LatestEndTime: '2026-11-23T16:00:00Z', MaterialRequirement: produced('6') }),
    ]
    const message = JSON.stringify({
      ProcessOperationsSchedule: {
        releaseID: '7',
        ApplicationArea: {},
        DataArea: { Process: {}, OperationsSchedule: [{ ID: 'OS', OperationsRequest: [{ ID: 'OR-812', SegmentRequirement: parts }] }] },
      },
    })
    const { store } = memoryStore()
    const desk = new OrderDesk(store, () => plant, {
      autoRelease: true,
      mapping: checkOrderMapping({ system: 'erp' }, 'test'),
      importFolder: undefined,
      where: 'test',
    })
    await desk.handle('import', message, tester)
    await desk.handle('import', JSON.parse(message), tester)
    assert.deepEqual(
      await jobStates(store, 'wo-OR-812'),
      ['jo-wo-OR-812-saw-step NotAllowedToStart/Ready 0+0 of 6', 'jo-wo-OR-812-mill-step NotAllowedToStart/Waiting 0+0 of 6'].sort(),
    )
    const order = await store.get('work-order', 'wo-OR-812')
    assert.deepEqual(
      [order?.external, order?.due, order?.release],
      [{ system: 'erp', id: 'OR-812' }, Date.parse('2026-11-23T16:00:00Z'), Date.parse('2026-11-23T06:00:00Z')],
    )
    assert.deepEqual(
      (await store.get('job-order', 'jo-wo-OR-812-mill-step'))?.alternatives.map(({ equipment, perPieceMs }) => [equipment, perPieceMs]),
      [
        ['p/mill-1', 300_000],
        ['p/mill-2', 300_000],
      ],
    )
    assert.equal((await store.list('work-order')).length, 1)
    await store.close()
  })

  it('values with attributes, versions, parameters, words of B2MML 7, and job orders whose times say how long they take', () => {
    const $ = (text: string) => ({ $: text, '@schemeName': 'x' })
    const material = {
      ID: '1',
      MaterialDefinitionID: [$('shaft')],
      MaterialUse: $('Material Produced'),
      Quantity: [{ QuantityString: $('6'), UnitOfMeasure: $('pcs') }],
    }
    const parameter = { ID: $('programme'), Value: [{ ValueString: $('P-7'), DataType: 'string', UnitOfMeasure: null }] }
    const job = (more: object) => ({ ID: $('J'), MaterialRequirement: [material], JobOrderParameter: [parameter, parameter], ...more })
    const times = { StartTime: $('2026-11-23T06:00:00Z'), EndTime: '2026-11-23T06:30:00Z' }
    const unit = { EquipmentRequirement: [{ ID: '1', EquipmentID: [$('p/saw')] }] }
    const { orders, problems } = read({
      ProcessWorkSchedule: {
        DataArea: {
          WorkSchedule: [
            {
              ID: 'WS',
              WorkRequest: [
                { ID: $('WR-1'), JobOrder: [job({ WorkMasterID: $('shaft'), WorkMasterVersion: $('1'), ...unit, ...times })] },
                { ID: $('WR-2'), JobOrder: [job({ ...unit, ...times })] },
              ],
            },
          ],
        },
      },
    })
    assert.deepEqual(problems, [])
    const [first, second] = orders.map(({ request }) => request)
    assert.deepEqual(
      [first?.workMaster, first?.operations, first?.parameters, first?.quantity],
      ['shaft@1', undefined, { programme: 'P-7' }, { value: 6, unit: 'pcs' }],
    )
    assert.deepEqual(second?.operations, [{ id: 'J', alternatives: [{ equipment: 'p/saw', durationMs: 1_800_000 }] }])
    assert.deepEqual([second?.release, second?.due], ['2026-11-23T06:00:00Z', '2026-11-23T06:30:00Z'])
  })

  it('names each request that cannot be taken, and takes the others', () => {
    const of = (ID: unknown, MaterialRequirement: unknown) => ({ ID, JobOrder: { MaterialRequirement } })
    const { orders, problems } = read({
      WorkSchedule: [
        { WorkRequest: [of('1', produced('-4')), of(undefined, produced('4')), of('3', consumed), of('4\0', produced('4')), of('5', produced('4'))] },
      ],
    })
    assert.deepEqual(
      problems.map(({ row, order, code }) => [row, order, code]),
      [
        [1, '1', 'TAKT_ORDER_QUANTITY'],
        [2, null, 'TAKT_IMPORT_ROW'],
        [3, '3', 'TAKT_IMPORT_ROW'],
        [4, '4\ufffd', 'TAKT_ORDER_TEXT'],
      ],
    )
    assert.deepEqual(
      orders.map(({ row, request }) => [row, request.external?.id]),
      [[5, '5']],
    )
  })
})
