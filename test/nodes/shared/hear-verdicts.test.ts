import assert from 'node:assert/strict'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import { hearVerdicts } from '../../../nodes/shared/hear-verdicts.ts'
import { MESSAGE_EXAMPLES } from '../../../scripts/message-examples.ts'
import { memoryStore } from '../../core/orders/fixture.ts'

describe('what is said of alarms elsewhere', () => {
  it('is heard by the detector that raised them, and not what it said itself', async () => {
    const { store } = memoryStore()
    const heard: string[] = []
    const stop = hearVerdicts(store, 'd1', (id, decision) => heard.push(`${id} ${decision}`))
    const say = (id: string, detector: string, decision: 'confirmed' | 'refused', actor: string): Promise<unknown> =>
      store.transaction((tx) => {
        const verdict = { decision, by: 'trial after repair', time: tx.now }
        const anomaly: Anomaly = { ...(MESSAGE_EXAMPLES.anomaly as Anomaly), id, detector, verdict }
        return tx.save<'anomaly'>(anomaly as Anomaly & { kind: 'anomaly' }, { type: `anomaly.${decision}`, actor })
      })
    await say('an-1', 'd1', 'confirmed', 'node:orders')
    await say('an-2', 'd2', 'confirmed', 'node:orders')
    await say('an-3', 'd1', 'refused', 'node:d1')
    await say('an-4', 'd1', 'refused', 'person:anna')
    stop()
    await say('an-5', 'd1', 'confirmed', 'person:anna')
    assert.deepEqual(heard, ['an-1 confirmed', 'an-4 refused'])
    await store.close()
  })
})
