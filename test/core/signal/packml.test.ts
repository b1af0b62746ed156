import assert from 'node:assert/strict'
import { PACKML_STATE_NAMES } from '../../../core/messages/machine-state.ts'
import { packmlMode, packmlState, timeElement } from '../../../core/signal/packml.ts'

describe('PackML', () => {
  it('reads states by number and by name in any case', () => {
    assert.equal(packmlState(6, 'x'), 'Execute')
    assert.equal(packmlState(' EXECUTE ', 'x'), 'Execute')
    assert.equal(packmlState(17, 'x'), 'Complete')
    for (const value of [0, 20, 6.5, Number.NaN, '', 'running', true, null, 'constructor']) {
      assert.throws(() => packmlState(value, 'mill-1'), { code: 'TAKT_MACHINE_STATE_UNKNOWN' }, String(value))
    }
  })

  it('reads modes by number and by name', () => {
    assert.equal(packmlMode(1, 'x'), 'Produce')
    assert.equal(packmlMode('production', 'x'), 'Produce')
    assert.equal(packmlMode('Maintenance', 'x'), 'Maintenance')
    assert.throws(() => packmlMode(31, 'mill-1'), { code: 'TAKT_MACHINE_MODE_UNKNOWN' })
  })

  it('tells the ISO 22400 time element', () => {
    assert.equal(timeElement('Execute', 'Produce'), 'APT')
    assert.equal(timeElement('Execute', null), 'APT')
    assert.equal(timeElement('Execute', 'Maintenance'), 'PDOT')
    assert.equal(timeElement('Starting', 'Produce'), 'AUST')
    assert.equal(timeElement('Aborted', 'Produce'), 'ADET')
    assert.equal(timeElement('Idle', 'Produce'), 'ADOT')
    assert.equal(timeElement('Held', 'Produce'), 'ADOT')
    assert.equal(timeElement('NoSignal', 'Produce'), null)
    for (const state of PACKML_STATE_NAMES) assert.ok(timeElement(state, 'Produce') !== null, state)
  })
})
