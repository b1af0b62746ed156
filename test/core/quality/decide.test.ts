import assert from 'node:assert/strict'
import { decide, type Limits } from '../../../core/quality/decide.ts'

const diameter: Limits = { target: 40, lower: 39.95, upper: 40.05, critical: false }
const trusting = { rejectBeyond: 1, doubt: null }

describe('quality decision', () => {
  it('passes values on the limits and between them', () => {
    assert.deepEqual(decide([39.95, 40, 40.05], diameter, 'mm', trusting), { decision: 'pass', rules: [], reasons: [], bad: 0 })
  })

  it('holds what can be made good and says how far out it is', () => {
    const decision = decide([40.01, 40.07, 39.9], diameter, 'mm', trusting)
    assert.equal(decision.decision, 'hold')
    assert.equal(decision.bad, 2)
    assert.deepEqual(decision.rules, ['above-upper', 'below-lower'])
    assert.deepEqual(decision.reasons, ['40.07 mm is 0.02 mm above the upper limit 40.05 mm', '39.9 mm is 0.05 mm below the lower limit 39.95 mm'])
  })

  it('rejects beyond the share of the tolerance, and only beyond', () => {
    assert.equal(decide([40.1], diameter, 'mm', { rejectBeyond: 0.6, doubt: null }).decision, 'hold')
    assert.equal(decide([40.12], diameter, 'mm', { rejectBeyond: 0.6, doubt: null }).decision, 'reject')
    assert.equal(decide([99], diameter, 'mm', { rejectBeyond: null, doubt: null }).decision, 'hold')
  })

  it('rejects any deviation of a critical characteristic', () => {
    const decision = decide([40.051], { ...diameter, critical: true }, 'mm', { rejectBeyond: null, doubt: null })
    assert.equal(decision.decision, 'reject')
    assert.match(decision.reasons[0]!, /critical/)
  })

  it('knows limits on one side', () => {
    const roughness: Limits = { target: 0.8, lower: null, upper: 1.6, critical: false }
    assert.equal(decide([0.1, 1.6], roughness, undefined, trusting).decision, 'pass')
    assert.equal(decide([1.7], roughness, undefined, trusting).decision, 'hold')
    assert.equal(decide([3.3], roughness, undefined, trusting).decision, 'reject')
    assert.equal(decide([3.3], { ...roughness, target: null }, undefined, trusting).decision, 'hold')
  })

  it('holds good values while there is doubt, and keeps the reject of bad ones', () => {
    const doubt = 'measured while an anomaly stands'
    assert.deepEqual(decide([40], diameter, 'mm', { rejectBeyond: 1, doubt }), { decision: 'hold', rules: ['anomaly-window'], reasons: [doubt], bad: 1 })
    assert.equal(decide([99], diameter, 'mm', { rejectBeyond: 1, doubt }).decision, 'reject')
  })

  it('tells the first reasons of many', () => {
    const decision = decide(
      Array.from({ length: 50 }, () => 41),
      diameter,
      'mm',
      { rejectBeyond: null, doubt: null },
    )
    assert.equal(decision.bad, 50)
    assert.equal(decision.reasons.length, 6)
    assert.equal(decision.reasons[5], 'and 45 more of 50')
  })
})
