import assert from 'node:assert/strict'
import { triggerOf, weightier } from '../../../../core/orders/planning/replan-trigger.ts'
import type { LedgerEvent } from '../../../../core/store/store.ts'

const event = (type: string, more: Partial<LedgerEvent> = {}): LedgerEvent => ({
  sequence: 1,
  type,
  subject: 'x',
  actor: 'test',
  why: null,
  before: null,
  after: null,
  time: 0,
  hash: '',
  ...more,
})

describe('what asks for a new plan', () => {
  it('orders, job orders, disruptions and lots, but not its own doing or mere progress', () => {
    assert.deepEqual(triggerOf(event('work-order.released'), 'me'), { type: 'work-order.released', id: 'x' })
    for (const type of ['job-order.running', 'job-order.completed', 'job-order.aborted', 'disruption.accepted', 'lot.held'])
      assert.ok(triggerOf(event(type), 'me'))
    for (const type of ['job-order.progress', 'job-order.planned', 'count.recorded', 'plan.published', 'disruption.proposed'])
      assert.equal(triggerOf(event(type), 'me'), null)
    assert.equal(triggerOf(event('work-order.released', { actor: 'me' }), 'me'), null)
  })

  it('a unit that fails or recovers, not every state', () => {
    const change = (before: string, after: string) => triggerOf(event('machine-state.changed', { before: { state: before }, after: { state: after } }), 'me')
    assert.ok(change('Execute', 'Aborted'))
    assert.ok(change('Aborted', 'Clearing'))
    assert.equal(change('Idle', 'Execute'), null)
    assert.equal(triggerOf(event('machine-state.changed', { after: { state: 'Idle' } }), 'me'), null)
  })

  it('material that comes at another time, and an anomaly that is worth it', () => {
    assert.deepEqual(triggerOf(event('job-order.material'), 'me'), { type: 'job-order.material', id: 'x' })
    assert.ok(triggerOf(event('anomaly.raised', { after: { severity: 'high' } }), 'me'))
    assert.equal(triggerOf(event('anomaly.raised', { after: { severity: 'low' } }), 'me'), null)
    assert.equal(triggerOf(event('anomaly.updated', { after: { severity: 'high' } }), 'me'), null)
  })

  it('names the weightiest of several', () => {
    const [disruption, order, job] = [{ type: 'disruption.accepted' }, { type: 'work-order.released' }, { type: 'job-order.running' }]
    assert.equal(weightier(job, disruption), disruption)
    assert.equal(weightier(disruption, order), disruption)
    assert.equal(weightier(order, job), order)
  })
})
