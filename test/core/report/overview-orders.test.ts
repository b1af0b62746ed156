import assert from 'node:assert/strict'
import type { JobOrder } from '../../../core/messages/job-order.ts'
import type { WorkOrder } from '../../../core/messages/work-order.ts'
import { orderRows } from '../../../core/report/overview-orders.ts'
import type { Known } from '../../../core/report/overview-source.ts'

const DUE = 1_000_000
const HOUR = 3_600_000

function lateAt(now: number, type: WorkOrder['type'], job: Partial<JobOrder>): boolean {
  const order = { id: 'o', type, due: DUE, state: 'Released', lots: [], progress: { good: 0, scrap: 0 }, quantity: { value: 1 }, workMaster: null }
  const own = { id: 'j', workOrder: 'o', sequence: 1, state: 'Running', good: 0, scrap: 0, quantity: { value: 1 }, equipment: null, actualStart: null, actualEnd: null, plannedStart: null, plannedEnd: null, ...job } // biome-ignore format: one line
  const known = { plant: { model: {} }, now, jobs: new Map([['j', own]]) } as unknown as Known
  return orderRows(known, [order as unknown as WorkOrder], [])[0]!.late
}

describe('which orders of the overview are late', () => {
  it('work that ends after its due time, or has not ended by then', () => {
    assert.equal(lateAt(DUE - HOUR, 'production', { plannedStart: DUE - HOUR, plannedEnd: DUE + 1 }), true)
    assert.equal(lateAt(DUE - HOUR, 'production', { plannedStart: DUE - HOUR, plannedEnd: DUE }), false)
    assert.equal(lateAt(DUE + 1, 'production', { actualStart: DUE - HOUR, plannedEnd: DUE - 1 }), true)
  })

  it('a repair that begins after its due time, however long it takes', () => {
    assert.equal(lateAt(DUE + 1, 'maintenance', { actualStart: DUE - HOUR, plannedEnd: DUE + HOUR }), false)
    assert.equal(lateAt(DUE + 1, 'maintenance', { plannedStart: DUE - 1, plannedEnd: DUE + HOUR }), true)
    assert.equal(lateAt(DUE - HOUR, 'maintenance', { plannedStart: DUE + 1, plannedEnd: DUE + HOUR }), true)
    assert.equal(lateAt(DUE + HOUR, 'maintenance', { actualStart: DUE + 1, plannedEnd: DUE + HOUR }), true)
  })
})
