import assert from 'node:assert/strict'
import type { Node } from 'node-red'
import { validateDocument } from '../../core/messages/validate.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerSensor from '../../nodes/sensor/sensor.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { loadExample } from './support/example.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'
import { MILL, machinePlant } from './support/machine-plant.ts'

describe('sensor node', () => {
  afterEach(() => helper.unload())

  interface Loaded {
    readonly sensor: Node
    readonly out: Node
    readonly caught: Node
    readonly node: (id: string) => Node
  }

  async function load(properties: Record<string, unknown> = {}): Promise<Loaded> {
    const node = await loadFlow(
      [registerPlant, registerStore, registerSensor],
      [
        { id: 'f1', type: 'tab' },
        machinePlant(),
        { id: 'b0', type: 'takt-store', file: ':memory:' },
        { id: 's0', z: 'f1', type: 'takt-sensor', wires: [['d0']], ...properties },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['s0'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ],
    )
    return { sensor: node('s0'), out: node('d0'), caught: node('e0'), node }
  }

  const errorOf = (message: Received): string => (message.error as { message: string }).message

  it('makes a sample of a plain number and its topic, and passes the rest of the message on', async () => {
    const { sensor, out } = await load()
    const next = nextMessage(out)
    const before = Date.now()
    sensor.receive({ topic: `${MILL}/vibration`, payload: 3.5, batch: 7 } as never)
    const { topic, payload, batch } = await next
    assert.equal(topic, `${MILL}/vibration`)
    assert.equal(batch, 7)
    validateDocument(payload, 'sample', 'test')
    const { time, received, ...rest } = payload
    assert.deepEqual(rest, { kind: 'sample', equipment: MILL, signal: 'vibration', value: 3.5, quality: 'good' })
    assert.ok(time >= before && received >= time)
  })

  it('takes value, signal, time and quality from where its fields say', async () => {
    const { sensor, out } = await load({
      plant: 'a1',
      equipment: MILL,
      unit: 'ignored where the plant has one',
      value: 'payload.data[1].v',
      valueType: 'msg',
      signal: 'vibration',
      signalType: 'str',
      time: '$fromMillis(1700000000000)',
      timeType: 'jsonata',
      quality: 'ok',
      qualityType: 'msg',
      maxAgeDays: '36525',
    })
    const next = nextMessage(out)
    sensor.receive({ payload: { data: [null, { v: '2.25' }] }, ok: false } as never)
    const { payload } = await next
    assert.deepEqual([payload.value, payload.signal, payload.time, payload.quality, payload.unit], [2.25, 'vibration', 1_700_000_000_000, 'bad', 'mm/s'])
  })

  it('passes sample documents on as they are', async () => {
    const { sensor, out } = await load({ plant: 'a1' })
    const sample = { kind: 'sample', equipment: MILL, signal: 'good', value: 3, quality: 'uncertain', time: 5, received: 6, context: { lot: 'l1' } }
    const next = nextMessage(out)
    sensor.receive({ payload: sample } as never)
    assert.deepEqual((await next).payload, sample)
  })

  it('refuses what cannot be a sample: coded to catch, quarantined in the store, and works on', async () => {
    const { sensor, out, caught, node } = await load({ plant: 'a1', store: 'b0' })
    const bad: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
      ['TAKT_SAMPLE_VALUE_NOT_FINITE', { topic: `${MILL}/vibration`, payload: Number.NaN }],
      ['TAKT_SAMPLE_VALUE_TYPE', { topic: `${MILL}/vibration`, payload: { v: 1 } }],
      ['TAKT_SAMPLE_VALUE_TYPE', { topic: `${MILL}/vibration`, payload: 'fast' }],
      ['TAKT_SAMPLE_VALUE_MISSING', { topic: `${MILL}/vibration` }],
      ['TAKT_SAMPLE_SIGNAL_MISSING', { payload: 1 }],
      ['TAKT_EQUIPMENT_UNKNOWN', { topic: 'acme/nowhere/vibration', payload: 1 }],
      ['TAKT_SIGNAL_UNKNOWN', { topic: `${MILL}/colour`, payload: 1 }],
      ['TAKT_MESSAGE_INVALID', { payload: { kind: 'sample', equipment: MILL } }],
      ['TAKT_MESSAGE_INVALID', { payload: { kind: 'lot' } }],
      ['TAKT_SIGNAL_UNKNOWN', { payload: { kind: 'sample', equipment: MILL, signal: 'x', value: 1, quality: 'good', time: 1, received: 1 } }],
    ]
    const errors = collect(caught)
    for (const [, message] of bad) sensor.receive(message as never)
    const next = nextMessage(out)
    sensor.receive({ topic: `${MILL}/vibration`, payload: 1 } as never)
    await next
    assert.deepEqual(
      errors.map(({ payload }) => payload.code),
      bad.map(([code]) => code),
    )
    const { store } = node('b0') as StoreNode
    // writes are done in order
    await store.transaction(async () => {})
    const rows = await store.db.selectFrom('quarantine').select('code').orderBy('id').execute()
    assert.deepEqual(
      rows.map(({ code }) => code),
      bad.map(([code]) => code),
    )
  })

  it('says what is wrong with its settings', async () => {
    const { sensor, caught } = await load({ maxFutureSeconds: 'soon' })
    const error = nextMessage(caught)
    sensor.receive({ topic: 'a/b', payload: 1 } as never)
    assert.match(errorOf(await error), /TAKT_CONFIG_INVALID.*ahead at most/)
  })

  it('does not let a field of the message reach the prototype', async () => {
    const { sensor, out } = await load()
    const next = nextMessage(out)
    sensor.receive({ topic: '__proto__/polluted', payload: 1 } as never)
    assert.equal((await next).payload.equipment, '__proto__')
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
  })

  it('has an example that works', async () => {
    const { node, press } = await loadExample('sensor.json', [registerPlant, registerSensor])
    const samples = collect(node('samples'))
    const refused = nextMessage(node('refused'))
    const answer = nextMessage(node('from the gateway'))
    press('vibration 2.4')
    press("a gateway's answer")
    press('not in the plant model')
    assert.equal((await refused).payload.code, 'TAKT_SIGNAL_UNKNOWN')
    assert.deepEqual(
      samples.map(({ payload }) => [payload.value, payload.unit]),
      [[2.4, 'mm/s']],
    )
    const { payload } = await answer
    assert.deepEqual([payload.value, payload.unit, payload.quality, payload.time], [2.31, 'mm/s', 'good', Date.UTC(2025, 0, 15, 8)])
  })
})
