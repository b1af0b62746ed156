import assert from 'node:assert/strict'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import type { MachineState } from '../../../core/messages/machine-state.ts'

const UNIT = 'acme/line-1/mill-1'
const document = (state: MachineState['state'], since: number, mode: MachineState['mode'] = 'Produce'): MachineState => ({
  kind: 'machine-state',
  equipment: UNIT,
  state,
  mode,
  since,
  element: null,
  reason: null,
  jobOrder: 'jo-1',
  time: since,
})
const sample = (value: number | string, time: number) => ({ equipment: UNIT, value, time })

describe('RunningUnits', () => {
  it('takes a unit of which nothing was heard to run', () => assert.ok(new RunningUnits(['Execute'], 0).runs(UNIT, 5)))

  it('follows documents', () => {
    const units = new RunningUnits(['Execute'], 0)
    units.told(document('Idle', 10))
    assert.ok(!units.runs(UNIT, 20))
    units.told(document('Execute', 30))
    assert.ok(units.runs(UNIT, 30))
    assert.ok(!units.runs(UNIT, 29), 'a value from before')
    assert.equal(units.jobOrderOf(UNIT), 'jo-1')
    units.told(document('Execute', 40, 'Maintenance'))
    assert.ok(!units.runs(UNIT, 50))
  })

  it('hears the state samples of the same stream at once; a document that lags behind changes nothing', () => {
    const units = new RunningUnits(['Execute'], 0)
    units.told(document('Execute', 10))
    units.saw(sample(15, 100), 'packml-state')
    assert.ok(!units.runs(UNIT, 101))
    units.told(document('Execute', 50))
    assert.ok(!units.runs(UNIT, 102))
    units.saw(sample('Execute', 200), 'packml-state')
    units.saw(sample(6, 150), 'packml-state')
    assert.ok(units.runs(UNIT, 200))
    units.saw(sample(2, 210), 'packml-mode')
    assert.ok(!units.runs(UNIT, 211))
  })

  it('remembers when a unit came out of maintenance, through a restart too', () => {
    const units = new RunningUnits(['Execute'], 0)
    units.told(document('Execute', 10))
    assert.equal(units.repairedAt(UNIT), undefined)
    units.told(document('Execute', 20, 'Maintenance'))
    units.saw(sample('Complete', 30), 'packml-state')
    assert.equal(units.repairedAt(UNIT), undefined)
    units.saw(sample('Produce', 40), 'packml-mode')
    units.told(document('Execute', 50))
    const again = new RunningUnits(['Execute'], 0)
    again.restore(structuredClone(units.state))
    assert.equal(again.repairedAt(UNIT), 40)
  })

  it('passes over what is no state', () => {
    const units = new RunningUnits(['Execute'], 0)
    units.saw(sample(99, 10), 'packml-state')
    units.saw(sample(3.2, 10), 'condition')
    assert.ok(units.runs(UNIT, 20))
  })

  it('waits for things to settle', () => {
    const units = new RunningUnits(['Execute'], 100)
    units.saw(sample(6, 1000), 'packml-state')
    assert.ok(!units.runs(UNIT, 1099))
    assert.ok(units.runs(UNIT, 1100))
  })
})
