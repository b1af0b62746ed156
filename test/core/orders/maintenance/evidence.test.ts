import assert from 'node:assert/strict'
import type { Anomaly } from '../../../../core/messages/anomaly.ts'
import { DisruptionDesk } from '../../../../core/orders/disruption/disruption-desk.ts'
import { DISRUPTION_DEFAULTS } from '../../../../core/orders/disruption/settings.ts'
import { withEvidence } from '../../../../core/orders/maintenance/evidence.ts'
import { MINUTE, millPlant, Shop, UNIT } from './fixture.ts'

describe('a maintenance order keeps what speaks for it', () => {
  let shop: Shop
  let desk: DisruptionDesk
  beforeEach(() => {
    shop = new Shop(millPlant({}))
    const { store, plant, clock } = shop
    desk = new DisruptionDesk({
      ...{ store, plant: () => plant, clock, settings: DISRUPTION_DEFAULTS, autonomy: 'auto', actor: 'test', changed: () => {} },
      failed: (thrown) => assert.fail(String(thrown)),
    })
  })
  afterEach(async () => {
    desk.stop()
    await shop.end()
  })
  const alarm = async (id: string, more: Partial<Anomaly> = {}): Promise<void> => {
    const now = shop.clock.now()
    const evidence = [{ source: 'range', value: 5.9, expected: 3.1, lower: 2.2, upper: 4 }]
    const known = await shop.store.get('anomaly', id)
    const anomaly: Anomaly = {
      ...{ kind: 'anomaly', id, equipment: UNIT, signals: ['vibration'], state: 'raised', method: 'auto', score: 0.9, severity: 'medium' },
      ...{ since: now - 10 * MINUTE, time: now, evidence },
      ...(known?.revision === undefined ? {} : { revision: known.revision }),
      ...more,
    }
    await desk.anomaly(
      await shop.store.transaction((tx) => tx.save<'anomaly'>(anomaly as Anomaly & { kind: 'anomaly' }, { type: 'anomaly.raised', actor: 'test' })),
    )
  }
  const orders = () => shop.store.list('work-order', { where: { type: 'maintenance' } })

  it('the alarm with its numbers, the prognosis with its interval, later alarms, the stop; each linked with its disruption', async () => {
    await alarm('an-1')
    const life = { median: 5 * 3_600_000, lower: 2 * 3_600_000, upper: 9 * 3_600_000, confidence: 0.9 }
    await desk.prognosis({ kind: 'prognosis', equipment: UNIT, indicator: 'wear', threshold: 7, remainingMs: life, trend: 'linear', time: shop.clock.now() })
    await alarm('an-2', { signals: ['temperature'] })
    const [order] = await orders()
    const [disruption] = await shop.store.list('disruption', { where: { equipment: UNIT } })
    assert.equal(disruption?.maintenanceOrder, order?.id)
    const [first, second, third] = order?.evidence ?? []
    assert.deepEqual(
      [first?.source, first?.id, first?.method, first?.score, first?.severity, first?.value, first?.expected, first?.lower, first?.upper, first?.signals],
      ['anomaly', 'an-1', 'auto', 0.9, 'medium', 5.9, 3.1, 2.2, 4, ['vibration']],
    )
    assert.deepEqual([first?.disruption, first?.since], [disruption?.id, shop.clock.now() - 10 * MINUTE])
    assert.deepEqual([second?.source, second?.id, second?.remainingMs, second?.disruption], ['prognosis', 'wear', life, disruption?.id])
    assert.deepEqual([third?.id, third?.signals], ['an-2', ['temperature']])
    await desk.machineState({ equipment: UNIT, state: 'Aborted', mode: 'Produce', jobOrder: null, since: shop.clock.now() })
    const stop = (await orders())[0]?.evidence?.at(-1)
    assert.deepEqual([stop?.source, stop?.id], ['stop', 'Aborted'])
    assert.match(stop?.why ?? '', /^mill fell into Aborted/)
  })

  it('tells of an alarm again only when it has grown more severe', async () => {
    await alarm('an-1')
    await alarm('an-1', { score: 0.95 })
    const { revision } = (await orders())[0]!
    await alarm('an-1', { score: 0.96 })
    assert.equal((await orders())[0]?.revision, revision)
    await alarm('an-1', { severity: 'high', score: 0.99 })
    assert.deepEqual(
      (await orders())[0]?.evidence?.map(({ id, severity, score }) => [id, severity, score]),
      [['an-1', 'high', 0.99]],
    )
    const [disruption] = await shop.store.list('disruption', { where: { equipment: UNIT } })
    assert.equal((await orders())[0]?.evidence?.[0]?.disruption, disruption?.id, 'and keeps what it came through')
  })

  it('keeps the first and the latest of very much', () => {
    const pieces = Array.from({ length: 200 }, (_, index) => ({ source: 'anomaly' as const, id: `an-${index}`, time: index, why: 'x' }))
    const kept = withEvidence([], pieces)
    assert.equal(kept.length, 50)
    assert.deepEqual([kept[0]?.id, kept[9]?.id, kept[10]?.id, kept[49]?.id], ['an-0', 'an-9', 'an-160', 'an-199'])
  })
})
