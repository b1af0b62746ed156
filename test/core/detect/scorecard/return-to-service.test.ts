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
const RAISED: Evidence = { source: 'level', value: 4.4, expected: 3, lower: 2.2, upper: 4 }

describe('return to service', () => {
  let store: Store
  let returns: ReturnToService
  let id = ''
  let alarms = 0
  const failures: unknown[] = []

  beforeEach(() => {
    store = openStore({ file: ':memory:', clock: new ManualClock(1000) })
    returns = new ReturnToService(store, 'node:d1', (thrown) => failures.push(thrown))
  })
  afterEach(async () => {
    await store.close()
    assert.deepEqual(failures, [])
  })

  const runs = (times: number, ...values: number[]): void => {
    for (let n = 0; n < times; n++) returns.saw({ equipment: MILL, signal: 'vibration', value: values[n % values.length]! })
  }
  /** An alarm that is raised so, sees these values before it is cleared, and those after. */
  async function story(raised: Evidence, before: readonly number[], after: readonly number[], cleared: Evidence = REPAIR): Promise<Anomaly> {
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
    returns.told(anomaly)
    runs(before.length, ...before)
    const over: Anomaly = { ...anomaly, state: 'cleared', time: 2000, evidence: [cleared] }
    await recordAnomaly(store, over, 'node:d1')
    returns.told(over)
    runs(after.length, ...after)
    return anomaly
  }
  const verdict = async (): Promise<Anomaly['verdict']> => {
    // what is written is read in turn
    await store.transaction(async () => {})
    return (await store.get('anomaly', id))?.verdict
  }
  const many = (value: number, times = 30): number[] => Array.from({ length: times }, () => value)

  it('confirms an alarm whose signal was out to the end and is back where it was expected', async () => {
    await story(RAISED, [...many(4.5, 5), ...many(5.9, 25)], [...many(9, 10), ...many(3.4, 20)])
    const { decision, by, why } = (await verdict())!
    assert.deepEqual([decision, by, why], ['confirmed', 'return to service', 'after the repair vibration is 3.4, and was 5.9 before'])
    const event = (await store.events(0, 100)).at(-1)
    assert.deepEqual([event?.type, event?.actor], ['anomaly.confirmed', 'node:d1'])
  })

  it('goes by the last values before the repair', async () => {
    await story(RAISED, [...many(3, 100), ...many(5.9, 30)], many(3))
    assert.equal((await verdict())?.decision, 'confirmed')
    await story(RAISED, [...many(5.9, 100), ...many(3, 30)], many(3))
    assert.equal(await verdict(), undefined)
  })

  it('goes by limits where nothing was expected', async () => {
    await story({ source: 'limits', value: 12, upper: 10 }, many(12), many(9.9))
    assert.equal((await verdict())?.decision, 'confirmed')
    await story({ source: 'limits', value: 12, upper: 10 }, many(12), many(10.1))
    assert.equal(await verdict(), undefined)
  })

  it('takes a unit that is better than when it was learned for repaired, but not one that is off on the other side', async () => {
    await story(RAISED, many(5.9), many(1))
    assert.equal((await verdict())?.decision, 'confirmed')
    await story(RAISED, many(5.9), many(0))
    assert.equal(await verdict(), undefined)
  })

  it('says nothing where the repair changed nothing, or too little was seen before or after', async () => {
    await story(RAISED, many(5.9), many(4.1))
    assert.equal(await verdict(), undefined)
    await story(RAISED, many(5.9, 9), many(3))
    assert.equal(await verdict(), undefined)
    await story(RAISED, many(5.9), many(3, 29))
    assert.equal(await verdict(), undefined)
  })

  it('says nothing of an alarm that cleared by itself, has no numbers, or is followed by another', async () => {
    await story(RAISED, many(5.9), many(3), { source: 'level', text: 'as usual' })
    assert.equal(await verdict(), undefined)
    await story({ source: 'stuck', text: '300 times the same value' }, many(5.9), many(3))
    assert.equal(await verdict(), undefined)
    const anomaly = await story(RAISED, many(5.9), many(3, 10))
    returns.told({ ...anomaly, id: 'an-other' })
    runs(30, 3)
    assert.equal(await verdict(), undefined)
  })

  it('leaves what a person has said', async () => {
    await story(RAISED, many(5.9), many(3, 29))
    await recordVerdict(store, { anomaly: id, decision: 'refused', by: 'eva', why: undefined }, 'node:d1')
    runs(1, 3)
    assert.equal((await verdict())?.by, 'eva')
  })
})
