import assert from 'node:assert/strict'
import { ManualClock } from '../../../../core/base/clock.ts'
import { recordAnomaly } from '../../../../core/detect/record-anomaly.ts'
import { recordVerdict } from '../../../../core/detect/record-verdict.ts'
import { ReturnToService } from '../../../../core/detect/scorecard/return-to-service.ts'
import type { Anomaly, Evidence } from '../../../../core/messages/anomaly.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import type { Store } from '../../../../core/store/store.ts'

const MILL = 'acme/line-1/mill-1'
const REPAIR = { source: 'repair', text: 'the unit came out of maintenance' }

describe('return to service', () => {
  let store: Store
  let returns: ReturnToService
  const failures: unknown[] = []

  beforeEach(() => {
    store = openStore({ file: ':memory:', clock: new ManualClock(1000) })
    returns = new ReturnToService(store, 'node:d1', (thrown) => failures.push(thrown))
  })
  afterEach(async () => {
    await store.close()
    assert.deepEqual(failures, [])
  })

  let id = ''
  let alarms = 0
  /** An alarm that stood, and was cleared so. */
  async function stood(raised: Evidence, cleared: Evidence = REPAIR): Promise<Anomaly> {
    id = `an-${++alarms}`
    const anomaly: Anomaly = {
      kind: 'anomaly',
      id,
      equipment: MILL,
      signals: ['vibration'],
      state: 'raised',
      method: 'auto',
      score: 0.9,
      severity: 'medium',
      since: 1000,
      time: 1000,
      evidence: [raised],
    }
    await recordAnomaly(store, anomaly, 'node:d1')
    const after: Anomaly = { ...anomaly, state: 'cleared', time: 2000, evidence: [cleared] }
    returns.told(after)
    await recordAnomaly(store, after, 'node:d1')
    await settled()
    return after
  }
  /** Reads and writes of the store that are under way are done. */
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await store.transaction(async (tx) => void (await tx.list('anomaly')))
  }
  async function runs(...values: number[]): Promise<Anomaly['verdict']> {
    for (let value = 0; value < 30; value++) returns.saw({ equipment: MILL, signal: 'vibration', value: values[value % values.length]! })
    await settled()
    return (await store.get('anomaly', id))?.verdict
  }
  const RAISED: Evidence = { source: 'level', value: 5.9, expected: 3, lower: 2.2, upper: 4 }

  it('confirms an alarm whose signal is back where it was expected', async () => {
    await stood(RAISED)
    const verdict = await runs(2.9, 3.4, 3.1, 9)
    assert.deepEqual([verdict?.decision, verdict?.by], ['confirmed', 'return to service'])
    assert.equal(verdict?.why, 'after the repair vibration is 3.4, and was 5.9 before')
    const event = (await store.events(0, 100)).at(-1)
    assert.deepEqual([event?.type, event?.actor], ['anomaly.confirmed', 'node:d1'])
  })

  it('takes a unit that is better than when it was learned for repaired, but not one that is off on the other side', async () => {
    await stood(RAISED)
    assert.equal((await runs(1))?.decision, 'confirmed')
    await stood(RAISED)
    assert.equal(await runs(0), undefined)
    await stood({ source: 'level', value: 3, expected: 3 })
    assert.equal(await runs(3), undefined)
  })

  it('goes by limits where nothing was expected', async () => {
    await stood({ source: 'limits', value: 12, upper: 10 })
    assert.equal((await runs(9.9))?.decision, 'confirmed')
  })

  it('says nothing where the repair changed nothing, or too little was seen', async () => {
    await stood(RAISED)
    for (let value = 0; value < 29; value++) returns.saw({ equipment: MILL, signal: 'vibration', value: 3 })
    await settled()
    assert.equal((await store.get('anomaly', id))?.verdict, undefined)
    await stood(RAISED)
    assert.equal(await runs(4.1), undefined)
  })

  it('says nothing of an alarm that cleared by itself, has no numbers, or is followed by another', async () => {
    await stood(RAISED, { source: 'level', text: 'as usual' })
    assert.equal(await runs(3), undefined)
    await stood({ source: 'stuck', text: '300 times the same value' })
    assert.equal(await runs(3), undefined)
    const cleared = await stood(RAISED)
    returns.told({ ...cleared, id: 'an-other', state: 'raised', evidence: [RAISED] })
    assert.equal(await runs(3), undefined)
  })

  it('leaves what a person has said', async () => {
    await stood(RAISED)
    await recordVerdict(store, { anomaly: id, decision: 'refused', by: 'eva', why: undefined }, 'node:d1')
    assert.equal((await runs(3))?.by, 'eva')
  })
})
