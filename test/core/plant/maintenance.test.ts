import assert from 'node:assert/strict'
import { plantFaults } from '../../../core/plant/check-plant.ts'

const model = (more: object): object => ({
  plant: 'p',
  equipment: [
    {
      id: 'p/mill',
      level: 'workUnit',
      signals: [
        { name: 'vibration', role: 'condition' },
        { name: 'good', role: 'good-count' },
      ],
      maintenance: { planned: { durationMs: 1 }, unplanned: { durationMs: 2 }, ...more },
    },
  ],
  materials: [{ id: 'bearing', unit: 'pcs' }],
})
const faults = (more: object): string[] => plantFaults(model(more)).map(({ path, what }) => `${path.replace('/equipment/0/maintenance', '')} ${what}`)

describe('maintenance in the plant model', () => {
  it('may name spares, a check and a trial', () => {
    const whole = {
      spare: [{ material: 'bearing', quantity: 2, leadTimeMs: 3_600_000 }],
      returnToService: { confirm: { role: 'maintenance' }, signals: [{ signal: 'vibration' }, { signal: 'good', lower: 0 }], procedure: 'test-run' },
      trial: { parts: 5, minutes: 30, scrap: 1 },
    }
    assert.deepEqual(faults(whole), [])
    assert.deepEqual(faults({ returnToService: { confirm: {} } }), [])
  })

  it('names spares that are no material, are named twice, or are not a positive number', () => {
    assert.deepEqual(faults({ spare: [{ material: 'belt', quantity: 1 }] }), ["/spare/0/material there is no material 'belt'"])
    assert.deepEqual(
      faults({
        spare: [
          { material: 'bearing', quantity: 1 },
          { material: 'bearing', quantity: 1 },
        ],
      }),
      ["/spare/1/material 'bearing' is named twice: say how many in one place"],
    )
    for (const quantity of [-1, 0, 'two']) assert.match(faults({ spare: [{ material: 'bearing', quantity }] })[0] ?? '', /^\/spare\/0\/quantity must be/)
  })

  it('names checks that check nothing, and signals that nobody watches', () => {
    assert.deepEqual(faults({ returnToService: { minutes: 5 } }), ['/returnToService it checks nothing: name confirm, signals or a procedure'])
    const signals = [{ signal: 'noise' }, { signal: 'good' }, { signal: 'vibration', lower: 5, upper: 1 }]
    assert.deepEqual(faults({ returnToService: { signals } }), [
      "/returnToService/signals/0/signal 'p/mill' has no signal 'noise'",
      "/returnToService/signals/1 'good' has no limits here, and no anomaly node watches a signal whose role is not condition",
      '/returnToService/signals/2 lower 5 is above upper 1',
    ])
  })

  it('names trials that mean nothing', () => {
    assert.match(faults({ trial: {} })[0] ?? '', /parts/)
    for (const parts of [0, -3, 2.5]) assert.match(faults({ trial: { parts } })[0] ?? '', /^\/trial\/parts must be/)
    assert.match(faults({ trial: { parts: 3, minutes: -1 } })[0] ?? '', /^\/trial\/minutes must be/)
    assert.deepEqual(faults({ trial: { parts: 3, scrap: 3 } }), ['/trial/scrap of 3 parts all may be scrap: it tries nothing'])
  })
})
