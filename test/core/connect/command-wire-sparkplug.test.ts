import assert from 'node:assert/strict'
import { connect, type MqttClient } from 'mqtt'
import { MqttCommandWires } from '../../../core/connect/command-wires-mqtt.ts'
import { MqttConnection } from '../../../core/connect/mqtt-connection.ts'
import type { CommandTarget } from '../../../core/plant/model.ts'
import { type Heard, read } from './sparkplug/support/fake-transport.ts'
import { type EdgePacket, ForeignEdge, metric, type WireMetric } from './sparkplug/support/foreign-edge.ts'
import { Mosquitto, needsMosquitto } from './support/mosquitto.ts'
import { until } from './support/wait.ts'

const DEVICE = 'line/plc/mill'
const BIRTH: readonly WireMetric[] = [
  metric.double('speed', 1),
  metric.int('offset', 0),
  metric.boolean('light', false),
  metric.long('big', 0),
  metric.text('job', ''),
]

describe('commands to Sparkplug devices', function () {
  this.timeout(60_000)
  let broker: Mosquitto
  let device: MqttClient
  let edge: ForeignEdge
  let connection: MqttConnection
  let wire: MqttCommandWires
  /** What the edge node was told, other than rebirth requests. */
  let told: Heard[]
  let rebirths: number
  /** What the edge node does with a write; by default it shows the new value. */
  let obey: (heard: Heard) => void
  let births: readonly WireMetric[] | undefined
  const user = { linkChanged: () => {} }

  before(async function () {
    needsMosquitto(this)
    broker = await Mosquitto.start()
  })
  after(() => broker?.remove())

  beforeEach(async () => {
    edge = new ForeignEdge('line', 'plc', Date.now)
    told = []
    rebirths = 0
    births = BIRTH
    obey = ({ payload }) => void send(edge.deviceData('mill', payload.metrics))
    device = connect(broker.url, { reconnectPeriod: 200 })
    device.on('message', (topic, payload) => {
      const heard = read(topic, payload)
      if (heard.payload.metrics[0]?.name === 'Node Control/Rebirth') {
        rebirths++
        if (births !== undefined) void bear()
      } else {
        told.push(heard)
        obey(heard)
      }
    })
    await until(() => device.connected, 'the device')
    await device.subscribeAsync(['spBv1.0/line/NCMD/plc', 'spBv1.0/line/DCMD/plc/+'])
    connection = new MqttConnection({
      url: () => Promise.resolve(broker.url),
      protocolVersion: 5,
      clientId: `command-${Math.random().toString(16).slice(2)}`,
      cleanSession: true,
      sessionExpirySeconds: 0,
      keepaliveSeconds: 15,
      receiveMaximum: 100,
      maximumPacketBytes: 100_000,
      where: 'a test',
    })
    wire = new MqttCommandWires(connection, { timeoutMs: 3000, now: () => 1_700_000_000_000.4, where: 'a test' })
    connection.register(user)
    await connection.whenConnected(5000, () => connection.away())
  })
  afterEach(async () => {
    wire.close()
    await connection.deregister(user)
    await device.endAsync(true)
  })

  const send = ({ topic, payload }: EdgePacket) => device.publishAsync(topic, payload)
  async function bear(metrics: readonly WireMetric[] = births ?? BIRTH): Promise<void> {
    await send(edge.birth([metric.double('node speed', 1)]))
    await send(edge.deviceBirth('mill', metrics))
  }
  const target = (name: string, address = DEVICE): CommandTarget => ({ connection: 'x', device: address, metric: name })
  const give = (name: string, args: Record<string, string | number | boolean | null>, address = DEVICE) =>
    wire.send({ kind: 'command', id: 'c', to: 'u', name: 'set', arguments: args }, target(name, address))

  it('asks for a birth where it has none, writes as the birth says, and is done when the device shows the value', async () => {
    assert.deepEqual(await give('speed', { value: 2.5 }), { status: 'done' })
    assert.deepEqual([rebirths, told.length, told[0]!.topic], [1, 1, 'spBv1.0/line/DCMD/plc/mill'])
    const { payload } = told[0]!
    assert.deepEqual(payload, { metrics: [{ name: 'speed', timestamp: '1700000000000', double_value: 2.5 }], timestamp: '1700000000000' })
    assert.deepEqual(await give('light', { on: true }), { status: 'done' })
    assert.equal(rebirths, 1, 'it is asked once')
  })

  it('knows of births before the first command where it was told to expect one', async () => {
    wire.expect(target('speed'))
    // on the same filter, so that it comes when the wire has it
    let heard = false
    const birth = { filter: 'spBv1.0/line/DBIRTH/plc/+', qos: 1 as const, take: () => void (heard = true) }
    await connection.subscribe(birth)
    await bear()
    await until(() => heard, 'the birth')
    await give('speed', { value: 9 })
    assert.equal(rebirths, 0)
  })

  it('writes every type exactly, negative numbers and 64 bits too', async () => {
    await give('offset', { value: -5 })
    await give('big', { value: '9007199254740993' })
    await give('job', { jobOrder: 'jo-1', quantity: 5 })
    assert.deepEqual(
      told.map(({ payload: { metrics } }) => metrics[0].int_value ?? metrics[0].long_value ?? metrics[0].string_value),
      [2 ** 32 - 5, '9007199254740993', '{"jobOrder":"jo-1","quantity":5}'],
    )
  })

  it('writes metrics of the edge node itself, and by alias where there are any', async () => {
    births = [metric.double('speed', 1, { alias: 77 })]
    obey = ({ verb, payload }) => void send(verb === 'NCMD' ? edge.data(payload.metrics) : edge.deviceData('mill', payload.metrics))
    assert.deepEqual(await give('node speed', { value: 3 }, 'line/plc'), { status: 'done' })
    assert.deepEqual(await give('speed', { value: 4 }), { status: 'done' })
    assert.deepEqual(
      told.map(({ verb, payload: { metrics } }) => [verb, metrics[0].name, metrics[0].alias]),
      [
        ['NCMD', 'node speed', undefined],
        ['DCMD', undefined, '77'],
      ],
    )
  })

  it('is only sent where the device shows nothing, another value, or a past one', async () => {
    obey = () => void send(edge.deviceData('mill', [metric.double('speed', 5, { is_historical: true }), metric.double('speed', 4)]))
    assert.deepEqual(await give('speed', { value: 5 }), { status: 'sent' })
  })

  const refused: ReadonlyArray<readonly [string, string, Record<string, string | number | boolean | null>, string]> = [
    ['a metric that the birth has not', 'colour', { value: 1 }, 'TAKT_SPARKPLUG_METRIC_UNKNOWN'],
    ['a text for a number', 'speed', { value: 'fast' }, 'TAKT_SPARKPLUG_VALUE'],
    ['a number out of range', 'offset', { value: 2 ** 31 }, 'TAKT_SPARKPLUG_VALUE'],
    ['a fraction for an integer', 'offset', { value: 1.5 }, 'TAKT_SPARKPLUG_VALUE'],
    ['several arguments for a number', 'speed', { a: 1, b: 2 }, 'TAKT_SPARKPLUG_VALUE'],
  ]
  for (const [what, name, args, code] of refused) {
    it(`refuses ${what}, and sends nothing`, async () => {
      const answer = await give(name, args)
      assert.deepEqual([answer.status, answer.code, told.length], ['refused', code, 0])
    })
  }

  it('refuses what would go to a dead device or edge node, and takes it after the next birth', async () => {
    await give('speed', { value: 2 })
    // a command may overtake the death on its way
    const refusal = (value: number) =>
      give('speed', { value }).then(
        (answer) => answer.code === 'TAKT_SPARKPLUG_DEAD' && answer.status === 'refused',
        () => false,
      )
    await send(edge.deviceDeath('mill'))
    await until(() => refusal(3), 'its death')
    told.length = 0
    await bear()
    await until(async () => (await give('speed', { value: 4 })).status === 'done', 'its birth')
    await send(edge.death())
    await until(() => refusal(5), 'the death of the edge node')
  })

  it('takes no notice of the death of a session that has been followed by another', async () => {
    edge.bdSeq = 7
    await give('speed', { value: 2 })
    edge.bdSeq = 6
    await send(edge.death())
    edge.bdSeq = 7
    assert.deepEqual(await give('speed', { value: 3 }), { status: 'done' })
  })

  it('fails where the device dies before it shows the value', async () => {
    obey = () => void send(edge.deviceDeath('mill'))
    await assert.rejects(give('speed', { value: 3 }), { code: 'TAKT_SPARKPLUG_DEAD' })
  })

  it('fails where no birth comes, without flooding the edge node with wishes', async () => {
    births = undefined
    const results = await Promise.allSettled([give('speed', { value: 1 }), give('speed', { value: 2 }), give('light', { value: true })])
    assert.deepEqual(
      results.map((result) => result.status === 'rejected' && result.reason.code),
      ['TAKT_SPARKPLUG_NO_BIRTH', 'TAKT_SPARKPLUG_NO_BIRTH', 'TAKT_SPARKPLUG_NO_BIRTH'],
    )
    assert.deepEqual([rebirths, told.length], [1, 0])
  })

  it('forgets what it knew when the connection is lost: births of the meantime were not heard', async () => {
    await give('speed', { value: 2 })
    await broker.stop('SIGKILL')
    await until(() => connection.state === 'away', 'the loss')
    await broker.start()
    await connection.whenConnected(10_000, () => connection.away())
    await until(() => device.connected, 'the device')
    await device.subscribeAsync(['spBv1.0/line/NCMD/plc', 'spBv1.0/line/DCMD/plc/+'])
    assert.deepEqual(await give('speed', { value: 3 }), { status: 'done' })
    assert.equal(rebirths, 2)
  })

  it('is not misled by what it cannot read', async () => {
    await give('speed', { value: 2 })
    await device.publishAsync('spBv1.0/line/DDATA/plc/mill', Buffer.from([0xff, 0x01, 0x02]))
    await device.publishAsync('spBv1.0/line/DBIRTH/plc/mill', 'hello')
    assert.deepEqual(await give('speed', { value: 3 }), { status: 'done' })
  })
})
