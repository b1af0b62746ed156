import assert from 'node:assert/strict'
import type { MaintenanceEvidence } from '../../../core/messages/maintenance.ts'
import { answerMaintenance } from '../../../core/orders/maintenance/maintenance-requests.ts'
import type { Section } from '../../../core/report/content.ts'
import { renderHtml } from '../../../core/report/render-html.ts'
import { shiftReport } from '../../../core/report/shift-report.ts'
import { workOrderReport } from '../../../core/report/work-order-report.ts'
import { MINUTE, millPlant, Shop, START, UNIT } from '../orders/maintenance/fixture.ts'

const made = { now: START + 60 * MINUTE, by: 'test' }

describe('maintenance in reports', () => {
  it('the order has its evidence, what was found and how the unit came back; the shift its figures', async () => {
    const shop = new Shop(millPlant({ trial: { parts: 2 } }))
    const { store, plant, clock } = shop
    const evidence: MaintenanceEvidence = {
      ...{ source: 'anomaly', id: 'an-7', time: START, why: 'vibration is 5.9 against 2.2–4 expected', method: 'auto', score: 0.97, severity: 'high' },
      ...{ value: 5.9, lower: 2.2, upper: 4, disruption: 'dis-an-7-high' },
    }
    const order = await shop.ask({ kind: 'unplanned', evidence: [evidence] })
    const row = { equipment: UNIT, reason: null, job_order: null }
    await store.transaction(async (tx) => {
      const stays = [
        { ...row, state: 'Execute', mode: 'Produce', element: 'APT', since: START - 30 * MINUTE, until: START },
        { ...row, state: 'Aborted', mode: 'Produce', element: 'ADET', since: START, until: START + 10 * MINUTE },
        { ...row, state: 'Complete', mode: 'Produce', element: 'ADOT', since: START + 10 * MINUTE, until: null },
      ]
      await tx.db.insertInto('machine_state').values(stays).execute()
    })
    await shop.repair(order)
    const said = { workOrder: order.id, cause: 'bearing worn', done: '<b>replaced</b>', code: 'bearing-worn' }
    await store.transaction((tx) => answerMaintenance(tx, plant, 'maintenance.found', said, { actor: 'person:anna' }, 'test'))
    clock.advance(50 * MINUTE)

    const report = await workOrderReport(store, plant, order.id, made)
    const section = (id: string, sections: readonly Section[] = report.sections): any => sections.find((one) => one.id === id)
    const [seen] = section('evidence').rows
    assert.deepEqual([seen.id, seen.method, seen.score, seen.seen, seen.expected, seen.disruption], ['an-7', 'auto', 0.97, 5.9, '2.2–4', 'dis-an-7-high'])
    const facts = Object.fromEntries(section('repair').facts.map(({ key, value }: { key: string; value: unknown }) => [key, value]))
    assert.deepEqual([facts.found, facts.done, facts.foundBy, facts.service], ['bearing worn (bearing-worn)', '<b>replaced</b>', 'person:anna', 'trial'])
    assert.ok(!renderHtml(report).includes('<b>replaced</b>'), 'texts of people are text')

    const shift = await shiftReport(store, plant, { scope: 'p', span: 'current-shift', from: START - 30 * MINUTE, to: START + 60 * MINUTE, ...made })
    const [unit] = section('maintenance', shift.sections).rows
    assert.deepEqual([unit.unit, unit.failures, unit.repairs, unit.MTBF, unit.MTTR, unit.orders], ['mill', 1, 1, 30 * MINUTE, 10 * MINUTE, order.id])
    await shop.end()
  })
})
