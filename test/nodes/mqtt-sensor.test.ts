import assert from 'node:assert/strict'
import { connect, type MqttClient } from 'mqtt'
import type { Node } from 'node-red'
import type { Store } from '../../core/store/store.ts'
import registerMqttBroker, { type MqttBrokerNode } from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerMqttSensor from '../../nodes/mqtt-sensor/mqtt-sensor.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { freePort, Mosquitto, needsMosquitto } from '../core/connect/support/mosquitto.ts'
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
    assert.deepEqual(values(), [
      [`${MILL}/job`, 'jo-1'],
      [`${MILL}/good`, 3],
      [`${MILL}/state`, 'Execute'],
      [`${MILL}/vibration`, 3.5],
    ])
    assert.deepEqual(
      { ...samples[3]?.payload, received: 0 },
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
    await until(() => statusOf(node('sensor')).text === 'connected, no data yet', 'it waits')
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

    it('gets what came while Node-RED was down, through a kept session', async () => {
      const kept = brokerNode(broker.url, { clientId: 'takt-line', cleanSession: false, sessionExpiry: '3600' })
      await load(plantNode(), kept, sensorNode())
      await until(() => (node('broker') as MqttBrokerNode).connection.state === 'connected', 'the connection')
      await helper.unload()
      client = connect(broker.url)
      await until(() => client.connected, 'the machine is connected')
      for (let good = 1; good <= 20; good++) await client.publishAsync('mill/status', JSON.stringify({ good }), { qos: 1 })
      await load(plantNode(), kept, sensorNode())
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
