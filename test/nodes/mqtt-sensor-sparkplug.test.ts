import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import registerMqttBroker from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerMqttSensor from '../../nodes/mqtt-sensor/mqtt-sensor.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerSensor from '../../nodes/sensor/sensor.ts'
import registerSparkplugEdge from '../../nodes/sparkplug-edge/sparkplug-edge.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { type ForeignEdge, metric } from '../core/connect/sparkplug/support/foreign-edge.ts'
import { LiveEdge } from '../core/connect/sparkplug/support/live-edge.ts'
import { Witness } from '../core/connect/sparkplug/support/live-host.ts'
import { Mosquitto, needsMosquitto } from '../core/connect/support/mosquitto.ts'
import { until } from '../core/connect/support/wait.ts'
import { brokerNode, plantNode, statusesOf, statusOf } from './support/connect.ts'
import { loadExample } from './support/example.ts'
import { collect, type FlowNode, helper, loadFlow, type Received } from './support/helper.ts'

const registers = [registerPlant, registerStore, registerMqttBroker, registerMqttSensor]
const MILL = 'acme/mill'
const source = (name: string) => ({ connection: 'line-mqtt', device: 'plant/cell/mill', metric: name })
const model = {
  plant: 'acme',
  equipment: [
    {
      id: MILL,
      level: 'workUnit',
      signals: [
        { name: 'state', role: 'packml-state', source: source('State') },
        { name: 'good', role: 'good-count', source: source('Good') },
        { name: 'vibration', role: 'condition', unit: 'mm/s', source: source('Spindle/Vibration') },
      ],
    },
    { id: 'acme/cell/mill', level: 'workUnit', signals: [{ name: 'Good', role: 'good-count' }] },
  ],
}

/** Births as an edge node has them: names and aliases, values that are the present ones. */
const births = (good: () => number) => (edge: ForeignEdge) => [
  edge.birth(),
  edge.deviceBirth('mill', [
    metric.text('State', 'Execute', { alias: 1 }),
    metric.long('Good', good(), { alias: 2 }),
    metric.double('Spindle/Vibration', 2.5, { alias: 3 }),
    metric.text('Firmware', '1.0', { alias: 4 }),
  ]),
]

describe('mqtt sensor node on Sparkplug B', function () {
  this.timeout(60_000)
  let folder: string
  let broker: Mosquitto
  let edge: LiveEdge
  let good: number
  let node: (id: string) => Node
  let out: Received[]
  let caught: Received[]
  let sensors = 0

  before(async function () {
    needsMosquitto(this)
    folder = mkdtempSync(join(tmpdir(), 'takt-sparkplug-host-'))
    helper.settings({ userDir: folder } as never)
    broker = await Mosquitto.start()
  })
  after(async () => {
    helper.settings({})
    await broker?.remove()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    good = 100
    sensors++
    edge = new LiveEdge(
      broker.url,
      'plant',
      'cell',
      births(() => good),
    )
  })
  afterEach(async () => {
    await helper.unload()
    await edge.stop()
  })

  async function load(more: Record<string, unknown> = {}, id = `sensor${sensors}`): Promise<void> {
    const flow: FlowNode[] = [
      { id: 'tab', type: 'tab', label: 'test' },
      plantNode(model),
      brokerNode(broker.url, { cleanSession: true }),
      { id: 'store', type: 'takt-store', file: ':memory:' },
      {
        id,
        type: 'takt-mqtt-sensor',
        plant: 'plant',
        broker: 'broker',
        store: 'store',
        mode: 'bindings',
        qos: '1',
        z: 'tab',
        x: 1,
        y: 1,
        wires: [['out']],
        ...more,
      },
      { id: 'out', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, scope: [id], wires: [['caught']] },
    ]
    node = await loadFlow(registers, flow)
    out = collect(node('out'))
    caught = collect(node('caught'))
    await until(() => statusesOf(node(id)).some(({ text }) => text?.startsWith('connected') || text?.includes('sample')), 'the sensor is connected')
  }

  const samples = () => out.filter(({ payload }) => payload.kind === 'sample').map(({ payload }) => [payload.signal, payload.value, payload.quality])
  const seen =
    (signal: string, value: unknown, quality = 'good') =>
    () =>
      samples().some(([name, found, how]) => name === signal && found === value && how === quality)
  const count = (value: number) => {
    good = value
    edge.send(edge.edge.deviceData('mill', [{ alias: 2, long_value: value }]))
  }

  it('births, data by alias, death, the next session', async () => {
    await load()
    await edge.connect()
    await until(() => samples().length === 3, 'the birth')
    assert.deepEqual(samples().sort(), [
      ['good', 100, 'good'],
      ['state', 'Execute', 'good'],
      ['vibration', 2.5, 'good'],
    ])
    for (let value = 101; value <= 400; value++) count(value)
    await until(seen('good', 400), 'three hundred counts, past the wrap of the sequence')
    assert.deepEqual(
      samples()
        .filter(([signal]) => signal === 'good')
        .map(([, value]) => value),
      Array.from({ length: 301 }, (_, index) => 100 + index),
    )
    const origin = out.findLast(({ payload }) => payload.signal === 'good')?.payload.origin
    assert.equal(origin.source, 'line-mqtt')
    assert.match(origin.session, /^plant\/cell\/bdSeq0@\d+$/)
    assert.equal(origin.sequence, 301)

    await edge.die()
    await until(seen('good', 400, 'bad'), 'the death')
    await until(seen('state', 'Execute', 'bad'), 'of every signal')
    await edge.connect()
    await until(() => samples().at(-1)?.[2] === 'good' && samples().filter(([, , quality]) => quality === 'bad').length === 3, 'the next birth')
    count(401)
    await until(seen('good', 401), 'and its data')
    assert.deepEqual(caught, [])
    assert.equal(edge.commands.length, 0, 'nothing had to be asked for')
  })

  it('says that it is online and asks an edge node that was there before for its births', async () => {
    await edge.connect()
    const witness = await new Witness(broker.url).ready()
    try {
      await load({ hostId: 'takt-1' })
      const birth = await witness.see(({ topic, payload }) => topic === 'spBv1.0/STATE/takt-1' && String(payload).includes('true'), 'the birth of the host')
      assert.deepEqual([birth.qos, birth.retain], [1, true])
      count(101)
      await until(() => edge.commands.length === 1, 'the rebirth request')
      await until(seen('good', 101), 'the birth')
      count(102)
      await until(seen('good', 102), 'the data after it')
      await helper.unload()
      await witness.see(({ topic, payload }) => topic === 'spBv1.0/STATE/takt-1' && String(payload).includes('false'), 'the death of the host')
    } finally {
      await witness.stop()
    }
  })

  it('after a restart confirms the births it remembers, and loses nothing that came meanwhile', async () => {
    const id = `sensor${sensors}`
    await load({}, id)
    await edge.connect()
    await until(() => samples().length === 3, 'the birth')
    await helper.unload()
    await load({}, id)
    await until(() => edge.commands.length === 1, 'asks for the births at once')
    await until(seen('good', 100), 'and has them')
    count(101)
    await until(seen('good', 101), 'data goes on')
    assert.deepEqual(caught, [])
  })

  it('a message with a guaranteed signal goes through the inbox, numbered by its sender', async () => {
    await load({ delivery: 'role' })
    await edge.connect()
    await until(() => samples().length === 3, 'the birth')
    count(101)
    await until(seen('good', 101), 'the count')
    const message = out.find(({ payload }) => payload.value === 101)
    assert.equal(typeof (message as { takt?: { inbox: number } } | undefined)?.takt?.inbox, 'number')
    const { store } = node('store') as StoreNode
    const rows = await store.db.selectFrom('inbox').select(['session', 'sequence']).orderBy('id').execute()
    assert.match(rows[0]?.session ?? '', /^plant\/cell\/bdSeq0@/)
    // the node's own birth has no signal of the plant: numbers 1 and 2 are the device's birth and its data
    assert.deepEqual(
      rows.map(({ sequence }) => Number(sequence)),
      [1, 2],
    )
  })

  it('by a template: the metric is the signal', async () => {
    await load({ mode: 'sparkplug', group: 'plant', metricTarget: 'acme/{edge}/{device}/{metric}' })
    await edge.connect()
    await until(() => samples().length === 1, 'the one metric that is a signal')
    assert.deepEqual([out[0]?.topic, samples()], ['acme/cell/mill/Good', [['Good', 100, 'good']]])
    assert.deepEqual(caught, [])
  })

  it('what cannot be used goes to catch and into the quarantine', async () => {
    await load()
    await edge.connect()
    await until(() => samples().length === 3, 'the birth')
    edge.send(edge.edge.deviceData('mill', [{ alias: 99, double_value: 1 }]))
    edge.send({ topic: 'spBv1.0/plant/NDATA/cell', payload: Buffer.from('{"not": "protobuf"}') })
    await until(() => caught.length === 2, 'both are told')
    const codes = caught.map(({ error }) => /TAKT_\w+/.exec((error as { message: string }).message)?.[0])
    assert.deepEqual(codes.sort(), ['TAKT_SPARKPLUG_ALIAS_UNKNOWN', 'TAKT_SPARKPLUG_INVALID'])
    const { store } = node('store') as StoreNode
    await until(async () => (await store.db.selectFrom('quarantine').select('code').execute()).length === 2, 'the quarantine')
  })

  it('refuses settings that cannot be meant', async () => {
    for (const more of [{ hostId: 'a/b' }, { mode: 'sparkplug', group: '#' }, { reorderSeconds: '-1' }]) {
      const id = `odd${sensors}`
      const flow: FlowNode[] = [
        { id: 'tab', type: 'tab', label: 'test' },
        plantNode(model),
        brokerNode(broker.url, { cleanSession: true }),
        { id, type: 'takt-mqtt-sensor', plant: 'plant', broker: 'broker', mode: 'bindings', qos: '1', z: 'tab', x: 1, y: 1, wires: [[]], ...more },
      ]
      node = await loadFlow(registers, flow)
      await until(() => statusOf(node(id)).fill === 'red', JSON.stringify(more))
      await helper.unload()
    }
  })

  it('says so when the broker keeps a session: what it queues is older than the births', async () => {
    await load()
    await edge.connect()
    await until(() => samples().length === 3, 'the birth')
    assert.ok(!statusesOf(node(`sensor${sensors}`)).some(({ text }) => text?.includes('session kept')))
    await helper.unload()
    const id = `keeps${sensors}`
    const flow: FlowNode[] = [
      { id: 'tab', type: 'tab', label: 'test' },
      plantNode(model),
      brokerNode(broker.url, { cleanSession: false, clientId: id }),
      { id, type: 'takt-mqtt-sensor', plant: 'plant', broker: 'broker', mode: 'bindings', qos: '1', z: 'tab', x: 1, y: 1, wires: [[]] },
    ]
    node = await loadFlow(registers, flow)
    await until(() => statusesOf(node(id)).some(({ text }) => text?.includes('session kept')), 'the note')
  })
})

describe('the example of the Sparkplug host', () => {
  afterEach(() => helper.unload())

  it("hears what Takt's own edge node says of a machine, and that it was switched off", async function () {
    this.timeout(30_000)
    const folder = mkdtempSync(join(tmpdir(), 'takt-sparkplug-example-'))
    helper.settings({ userDir: folder } as never)
    try {
      const { node, press } = await loadExample('sparkplug-host.json', [...registers, registerSensor, registerSparkplugEdge])
      const samples = collect(node('samples'))
      const refused = collect(node('refused'))
      const last = () => samples.at(-1)?.payload
      const equipment = 'acme/demo/line-1/mill-1'
      press('100 parts')
      await until(() => last()?.value === 100, 'the birth')
      press('101 parts')
      await until(() => last()?.value === 101, 'the data')
      assert.deepEqual([last()?.equipment, last()?.signal, last()?.quality], [equipment, 'good', 'good'])
      const time = Date.now()
      const payload = { kind: 'machine-state', equipment, state: 'NoSignal', mode: null, since: time, element: null, reason: null, jobOrder: null, time }
      node('the machine is switched off').send({ payload } as never)
      await until(() => last()?.quality === 'bad', 'the death')
      assert.equal(last()?.value, 101)
      assert.deepEqual(refused, [])
    } finally {
      await helper.unload()
      helper.settings({})
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
