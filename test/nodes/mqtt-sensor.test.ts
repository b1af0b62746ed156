import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type MqttClient } from 'mqtt'
import type { Node } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import type { Store } from '../../core/store/store.ts'
import registerMqttBroker, { type MqttBrokerNode } from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerMqttSensor from '../../nodes/mqtt-sensor/mqtt-sensor.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { freePort, Mosquitto, needsMosquitto } from '../core/connect/support/mosquitto.ts'
import { MqttTap } from '../core/connect/support/mqtt-tap.ts'
import { until } from '../core/connect/support/wait.ts'
import { brokerNode, embeddedBrokerNode, errorCodesOf, MILL, plantNode, statusesOf, statusOf, warningsOf } from './support/connect.ts'
import { collect, type FlowNode, helper, loadFlow, type Received } from './support/helper.ts'

const registers = [registerPlant, registerStore, registerMqttBroker, registerMqttSensor]
const sensorNode = (more: Record<string, unknown> = {}): FlowNode => ({
  id: 'sensor',
  type: 'takt-mqtt-sensor',
  name: 'line',
  plant: 'plant',
  broker: 'broker',
  store: 'store',
  mode: 'bindings',
  qos: '1',
  maxKb: '1',
  z: 'tab',
  x: 1,
  y: 1,
  wires: [['out']],
  ...more,
})
const rest: readonly FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'test' },
  { id: 'store', type: 'takt-store', file: ':memory:' },
  // without a place on the canvas they would be taken for config nodes
  { id: 'out', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
  { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
  { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, scope: ['sensor'], wires: [['caught']] },
]

describe('mqtt sensor node', () => {
  let client: MqttClient
  let node: (id: string) => Node
  let samples: Received[]
  let caught: Received[]

  async function load(...flow: readonly FlowNode[]): Promise<void> {
    node = await loadFlow(registers, [...flow, ...rest])
    samples = collect(node('out'))
    caught = collect(node('caught'))
  }

  async function start(sensor: Record<string, unknown> = {}, model?: unknown): Promise<void> {
    await load(plantNode(model), embeddedBrokerNode(0), sensorNode(sensor))
    const broker = node('broker') as MqttBrokerNode
    await until(() => broker.connection?.state === 'connected', 'the sensor is connected')
    client = connect(broker.brokerUrl)
    await until(() => client.connected, 'the machine is connected')
  }

  afterEach(async () => {
    await client?.endAsync(true)
    await helper.unload()
  })

  const values = () => samples.map(({ topic, payload }) => [topic, payload.value])

  it('makes samples of what the plant model binds to the broker', async () => {
    await start()
    const ts = Date.now()
    await client.publishAsync('mill/status', JSON.stringify({ state: 'Execute', job: 'jo-1', good: 3, ts }), { qos: 1 })
    await client.publishAsync('mill/vibration', JSON.stringify({ v: 3.5, ts }), { qos: 1 })
    await until(() => samples.length === 4, 'four samples')
    // telemetry does not wait for the store, so it may overtake
    const fast = samples.find(({ topic }) => topic === `${MILL}/vibration`)
    assert.deepEqual(
      values().filter(([topic]) => topic !== fast?.topic),
      [
        [`${MILL}/job`, 'jo-1'],
        [`${MILL}/good`, 3],
        [`${MILL}/state`, 'Execute'],
      ],
    )
    assert.deepEqual(
      { ...fast?.payload, received: 0 },
      {
        kind: 'sample',
        equipment: MILL,
        signal: 'vibration',
        value: 3.5,
        unit: 'mm/s',
        quality: 'good',
        time: ts,
        received: 0,
        origin: { source: 'line-mqtt' },
      },
    )
  })

  it('maps topics by a template', async () => {
    await start({ mode: 'topic', topic: 'plc/+/#', template: 'plc/{unit}/{signal}', target: 'acme/{unit}/{signal}', value: '', time: '' })
    await client.publishAsync('plc/mill/vibration', '4.25', { qos: 1 })
    await until(() => samples.length === 1, 'the sample')
    assert.deepEqual(values(), [[`${MILL}/vibration`, 4.25]])
  })

  it('takes retained values as the present state', async () => {
    const port = await freePort()
    await load(plantNode(), embeddedBrokerNode(port))
    await until(() => (node('broker') as MqttBrokerNode).connection !== undefined, 'the broker')
    client = connect(`mqtt://127.0.0.1:${port}`)
    await until(() => client.connected, 'the machine is connected')
    await client.publishAsync('mill/vibration', JSON.stringify({ v: 9, ts: Date.now() - 3_600_000 }), { qos: 1, retain: true })
    const sensor = sensorNode({ id: 'late' })
    await helper.setFlows([plantNode(), embeddedBrokerNode(port), sensor, ...rest] as never, 'nodes' as never)
    const late = collect(helper.getNode('out') as unknown as Node)
    await until(() => late.length === 1, 'the retained value')
    assert.equal(late[0]?.payload.value, 9)
  })

  it('is green only while values come', async () => {
    await start()
    await until(() => /^connected, no data yet/.test(statusOf(node('sensor')).text ?? ''), 'it waits')
    assert.equal(statusOf(node('sensor')).fill, 'yellow')
    await client.publishAsync('mill/vibration', JSON.stringify({ v: 1 }), { qos: 1 })
    await until(() => statusOf(node('sensor')).fill === 'green', 'it is green')
    assert.match(statusOf(node('sensor')).text ?? '', /^1 sample\b/)
  })

  it('says that values have stopped', async () => {
    const model = {
      plant: 'acme',
      equipment: [
        {
          id: MILL,
          level: 'workUnit',
          signals: [{ name: 'vibration', staleAfterMs: 1, source: { connection: 'line-mqtt', topic: 'mill/vibration', value: '$.v' } }],
        },
      ],
    }
    await start({}, model)
    await client.publishAsync('mill/vibration', JSON.stringify({ v: 1 }), { qos: 1 })
    await until(() => samples.length === 1, 'the sample')
    await until(() => /^no data for/.test(statusOf(node('sensor')).text ?? ''), 'the silence is seen')
    assert.equal(statusOf(node('sensor')).fill, 'yellow')
  })

  describe('bad input', () => {
    const now = Date.now()
    const bad: ReadonlyArray<readonly [string, string, string, string]> = [
      ['malformed', 'TAKT_MESSAGE_NOT_JSON', 'mill/vibration', '{"v": 3'],
      ['oversized', 'TAKT_MESSAGE_TOO_LARGE', 'mill/vibration', JSON.stringify({ v: 1, pad: 'x'.repeat(1100) })],
      ['wrong-typed', 'TAKT_SAMPLE_VALUE_TYPE', 'mill/vibration', '{"v": {"deep": 1}}'],
      ['NaN', 'TAKT_SAMPLE_VALUE_NOT_FINITE', 'mill/vibration', '{"v": "NaN"}'],
      ['Infinity', 'TAKT_SAMPLE_VALUE_NOT_FINITE', 'mill/vibration', '{"v": 1e999}'],
      ['future', 'TAKT_SAMPLE_TIME_FUTURE', 'mill/vibration', JSON.stringify({ v: 1, ts: now + 86_400_000 })],
      ['ancient', 'TAKT_SAMPLE_TIME_ANCIENT', 'mill/vibration', JSON.stringify({ v: 1, ts: 86_400_000 })],
      ['__proto__', 'TAKT_MESSAGE_FORBIDDEN_KEY', 'mill/vibration', '{"v": 1, "__proto__": {"admin": true}}'],
    ]
    for (const [what, code, topic, payload] of bad) {
      it(`${what}: to catch and into the quarantine, and the next good value passes`, async () => {
        await start()
        await client.publishAsync(topic, payload, { qos: 1 })
        await client.publishAsync('mill/vibration', JSON.stringify({ v: 2, ts: Date.now() }), { qos: 1 })
        await until(() => samples.length === 1 && caught.length === 1, 'both')
        assert.equal(samples[0]?.payload.value, 2)
        const { error } = caught[0] as unknown as { error: { message: string; code: string } }
        assert.equal(error.code, code)
        assert.match(error.message, /mqtt sensor 'line', topic mill\/vibration.*To do: /)
        let rows: Awaited<ReturnType<typeof quarantined>> = []
        await until(async () => (rows = await quarantined((node('store') as StoreNode).store)).length > 0, 'the quarantine')
        assert.deepEqual(
          rows.map((row) => [row.code, row.bytes]),
          [[code, Buffer.byteLength(payload)]],
        )
        await until(() => / · 1 bad$/.test(statusOf(node('sensor')).text ?? ''), 'it is counted')
        assert.equal(({} as Record<string, unknown>).admin, undefined)
      })
    }

    it('unknown equipment and signals', async () => {
      await start({ mode: 'topic', topic: '#', template: '{equipment}/{signal}', target: '' })
      await client.publishAsync('acme/saw/load', '1', { qos: 1 })
      await client.publishAsync(`${MILL}/colour`, '1', { qos: 1 })
      await until(() => caught.length === 2, 'both')
      assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_EQUIPMENT_UNKNOWN', 'TAKT_SIGNAL_UNKNOWN'])
    })

    it('of a flood some are kept and the rest is counted', async () => {
      await start()
      await Promise.all(Array.from({ length: 500 }, () => client.publishAsync('mill/vibration', 'rubbish', { qos: 1 })))
      await until(() => / · 500 bad$/.test(statusOf(node('sensor')).text ?? ''), 'all are counted')
      assert.ok(caught.length < 100, `${caught.length} were caught`)
      assert.ok((await quarantined((node('store') as StoreNode).store)).length < 100)
      await new Promise((resolve) => setTimeout(resolve, 250))
      await client.publishAsync('mill/vibration', 'rubbish', { qos: 1 })
      await until(() => warningsOf(node('sensor')).some((warning) => /\d+ more messages could not be used/.test(warning)), 'the rest is told in sum')
    })

    it('a value that comes twice passes twice: who records it knows', async () => {
      await start()
      const payload = JSON.stringify({ v: 2, ts: now })
      await client.publishAsync('mill/vibration', payload, { qos: 1 })
      await client.publishAsync('mill/vibration', payload, { qos: 1, dup: true })
      await until(() => samples.length === 2, 'both')
      assert.equal(caught.length, 0)
    })
  })

  describe('settings', () => {
    it('refuses a topic that is no filter', async () => {
      await load(plantNode(), embeddedBrokerNode(0), sensorNode({ mode: 'topic', topic: 'a/#/b' }))
      assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_CONFIG_INVALID'])
    })

    it('says when the plant model binds nothing to the broker', async () => {
      await load(plantNode({ plant: 'acme', equipment: [] }), embeddedBrokerNode(0), sensorNode())
      assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_CONFIG_INVALID'])
      await until(() => /^no signal/.test(statusOf(node('sensor')).text ?? ''), 'it is shown')
    })

    it('says when a config node is missing', async () => {
      await load(plantNode(), sensorNode())
      assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_CONFIG_INVALID'])
    })
  })

  describe('with a broker that goes and comes (MQTT 5)', () => {
    let broker: Mosquitto
    before(async function () {
      needsMosquitto(this)
      broker = await Mosquitto.start()
    })
    after(() => broker?.remove())

    it('says that the broker is away, and is back by itself', async () => {
      await load(plantNode(), brokerNode(broker.url), sensorNode())
      const connection = (node('broker') as MqttBrokerNode).connection
      await until(() => connection.state === 'connected', 'the connection')
      await broker.stop('SIGKILL')
      await until(() => statusOf(node('sensor')).fill === 'red', 'the status is red')
      await broker.start()
      await until(() => connection.state === 'connected', 'the connection is back')
      client = connect(broker.url)
      await until(() => client.connected, 'the machine is connected')
      await client.publishAsync('mill/vibration', JSON.stringify({ v: 7 }), { qos: 1 })
      await until(() => samples.some(({ payload }) => payload.value === 7), 'values again')
      await until(() => statusOf(node('sensor')).fill === 'green', 'it is green again')
      assert.ok(statusesOf(node('sensor')).length < 20)
    })

    const kept = (more: Record<string, unknown> = {}) => brokerNode(broker.url, { clientId: `takt-${++sessions}`, cleanSession: false, ...more })
    let sessions = 0
    const machine = async (): Promise<MqttClient> => {
      client = connect(broker.url)
      await until(() => client.connected, 'the machine is connected')
      return client
    }
    const connected = () => until(() => (node('broker') as MqttBrokerNode).connection.state === 'connected', 'the connection')
    const goods = () => samples.filter(({ topic }) => topic === `${MILL}/good`).map(({ payload }) => payload.value)
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

    it('sends each count once and in order, however often the connection is cut', async function () {
      this.timeout(60_000)
      const tap = await MqttTap.start(broker.port)
      await load(plantNode(), kept({ url: tap.url }), sensorNode())
      await connected()
      await machine()
      for (let good = 1; good <= 400; good++) {
        await client.publishAsync('mill/status', JSON.stringify({ good }), { qos: 1 })
        if (good % 100 === 50) tap.cut()
      }
      await until(() => goods().length >= 400, 'all of them', 30_000)
      assert.ok(tap.connections > 1)
      assert.deepEqual(goods(), upTo(400))
      assert.deepEqual(Object.keys(samples[0]?.takt as object), ['inbox', 'index'])
      await tap.stop()
    })

    it('sends what was not settled again at the next start, marked so, before anything new', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'takt-sensor-'))
      const file = { id: 'store', type: 'takt-store', file: join(folder, 'takt.db') }
      const flow = [plantNode(), kept(), sensorNode()]
      const start = async (): Promise<void> => {
        node = await loadFlow(registers, [...flow, ...rest.map((each) => (each.id === 'store' ? file : each))])
        samples = collect(node('out'))
      }
      await start()
      await connected()
      await machine()
      for (const good of upTo(3)) await client.publishAsync('mill/status', JSON.stringify({ good }), { qos: 1 })
      await until(() => goods().length === 3, 'three')
      await helper.unload()
      await client.publishAsync('mill/status', JSON.stringify({ good: 4 }), { qos: 1 })
      await start()
      await until(() => goods().length === 4, 'the three again, and the new one')
      assert.deepEqual(goods(), upTo(4))
      assert.deepEqual(
        samples.map(({ takt }) => (takt as { replayed?: true }).replayed ?? false),
        [true, true, true, false],
      )
      await helper.unload()
      rmSync(folder, { recursive: true, force: true })
    })

    it('acknowledges nothing while the store does not take it, and loses nothing', async function () {
      this.timeout(60_000)
      await load(plantNode(), kept(), sensorNode())
      await connected()
      await machine()
      const { store } = node('store') as StoreNode
      const { transaction } = store
      let refusing = true
      store.transaction = (work) => (refusing ? Promise.reject(new TaktError('TAKT_STORE_FULL', { where: 'a test' })) : transaction.call(store, work)) as never
      await client.publishAsync('mill/status', JSON.stringify({ good: 1 }), { qos: 1 })
      await until(() => statusOf(node('sensor')).text === 'there is no space left to write records', 'it is shown', 20_000)
      await until(() => (node('broker') as MqttBrokerNode).connection.state === 'away', 'the connection is given up', 20_000)
      assert.equal(samples.length, 0)
      refusing = false
      await until(() => goods().length === 1, 'it came again', 20_000)
      assert.deepEqual(goods(), [1])
    })

    it('knows a message by the number that its sender gave it, and keeps a contradiction apart', async () => {
      await load(plantNode(), kept(), sensorNode({ session: '$.run', sequence: '$.n' }))
      await connected()
      await machine()
      const send = (message: object) => client.publishAsync('mill/status', JSON.stringify(message), { qos: 1 })
      await send({ run: 'a', n: 1, good: 1 })
      await send({ run: 'a', n: 1, good: 1 })
      await send({ run: 'a', n: 1, good: 7 })
      await send({ run: 'b', n: 1, good: 2 })
      await until(() => goods().length === 2 && caught.length === 1, 'two, and the contradiction')
      assert.deepEqual(goods(), [1, 2])
      assert.deepEqual(samples[0]?.payload.origin, { source: 'line-mqtt', session: 'a', sequence: 1 })
      assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_INBOX_CONTRADICTION'])
    })

    const gaps = () => samples.filter(({ payload }) => payload.kind === 'gap').map(({ payload }) => payload)

    it('declares the numbers that did not arrive as a gap, with its bounds', async () => {
      await load(plantNode(), brokerNode(broker.url), sensorNode({ delivery: 'fast', sequence: '$.n' }))
      await connected()
      await machine()
      const send = (n: number) => client.publishAsync('mill/vibration', JSON.stringify({ n, v: n }), { qos: 1 })
      // 3 comes late and is no gap
      for (const n of [1, 2, 4, 3, 5, 9]) await send(n)
      await until(() => gaps().length === 1, 'the gap')
      const [gap] = gaps()
      assert.deepEqual([gap.code, gap.lost, gap.source, gap.from <= gap.to], ['TAKT_SOURCE_NUMBERS', 3, 'line-mqtt/sensor', true])
      const { store } = node('store') as StoreNode
      await until(async () => (await store.events(0, 100)).some(({ type }) => type === 'source.gap'), 'the ledger knows it')
    })

    it('declares a gap where the broker kept no session, and none where it did', async function () {
      this.timeout(60_000)
      for (const [config, expected] of [
        [brokerNode(broker.url), ['TAKT_BROKER_INTERRUPTED']],
        [kept(), []],
      ] as const) {
        await load(plantNode(), config, sensorNode({ delivery: 'fast' }))
        await connected()
        await machine()
        await client.publishAsync('mill/vibration', JSON.stringify({ v: 1 }), { qos: 1 })
        await until(() => samples.length === 1, 'the first')
        const last = samples[0]?.payload.received
        await broker.stop()
        await until(() => (node('broker') as MqttBrokerNode).connection.state === 'away', 'the loss')
        await broker.start()
        await connected()
        await until(() => client.connected, 'the machine is back')
        await client.publishAsync('mill/vibration', JSON.stringify({ v: 2 }), { qos: 1 })
        await until(() => samples.some(({ payload }) => payload.value === 2), 'the next')
        assert.deepEqual(
          gaps().map(({ code }) => code),
          expected,
        )
        for (const { from, to } of gaps()) assert.ok(from === last && to > from)
        await client.endAsync(true)
        await helper.unload()
      }
    })

    it('says what its delivery lacks', async () => {
      await load(
        plantNode(),
        brokerNode(broker.url),
        sensorNode(),
        sensorNode({ id: 'bare', store: '' }),
        sensorNode({ id: 'wrong', store: '', delivery: 'guaranteed' }),
      )
      await until(() => /· session not kept$/.test(statusOf(node('sensor')).text ?? ''), 'the session')
      await until(() => /· fast: no store$/.test(statusOf(node('bare')).text ?? ''), 'the store')
      assert.deepEqual(errorCodesOf(node('wrong')), ['TAKT_CONFIG_INVALID'])
    })

    it('gets what came while Node-RED was down, through a kept session', async () => {
      const session = kept({ sessionExpiry: '3600' })
      await load(plantNode(), session, sensorNode())
      await until(() => (node('broker') as MqttBrokerNode).connection.state === 'connected', 'the connection')
      await helper.unload()
      client = connect(broker.url)
      await until(() => client.connected, 'the machine is connected')
      for (let good = 1; good <= 20; good++) await client.publishAsync('mill/status', JSON.stringify({ good }), { qos: 1 })
      await load(plantNode(), session, sensorNode())
      await until(() => samples.length >= 20, 'all that was queued')
      assert.deepEqual(
        samples.map(({ payload }) => payload.value),
        Array.from({ length: 20 }, (_, index) => index + 1),
      )
    })
  })
})

async function quarantined(store: Store): Promise<Array<{ code: string; bytes: number }>> {
  return store.db.selectFrom('quarantine').select(['code', 'bytes']).execute()
}
