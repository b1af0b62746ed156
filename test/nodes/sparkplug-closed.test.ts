import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import registerMachineCommand from '../../nodes/machine-command/machine-command.ts'
import registerMachineState from '../../nodes/machine-state/machine-state.ts'
import registerMqttBroker, { type MqttBrokerNode } from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerMqttSensor from '../../nodes/mqtt-sensor/mqtt-sensor.ts'
import registerOpcuaEndpoint from '../../nodes/opcua-endpoint/opcua-endpoint.ts'
import registerOpcuaSensor from '../../nodes/opcua-sensor/opcua-sensor.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerSimulator from '../../nodes/simulator/simulator.ts'
import registerSparkplugEdge from '../../nodes/sparkplug-edge/sparkplug-edge.ts'
import { Mosquitto, needsMosquitto } from '../core/connect/support/mosquitto.ts'
import { until } from '../core/connect/support/wait.ts'
import { statusOf } from './support/connect.ts'
import { loadExample } from './support/example.ts'
import { collect, helper, loadFlow, type Received } from './support/helper.ts'

const registers = [registerPlant, registerMqttBroker, registerMqttSensor, registerMachineCommand, registerSparkplugEdge]
const MILL = 'acme/line-1/mill-1'
const SEEN = 'scada/mill'
const device = 'closed/takt/line-1:mill-1'
const connection = 'scada-mqtt'

const plant = {
  plant: 'acme',
  equipment: [
    {
      id: MILL,
      level: 'workUnit',
      signals: [
        { name: 'good', role: 'good-count' },
        { name: 'vibration', role: 'condition', unit: 'mm/s' },
      ],
      commands: [{ name: 'start-job', target: { connection: 'x', topic: 't' } }],
    },
  ],
}
const scada = {
  plant: 'scada',
  equipment: [
    {
      id: SEEN,
      level: 'workUnit',
      signals: [
        { name: 'good', role: 'good-count', source: { connection, device, metric: 'good' } },
        { name: 'vibration', role: 'condition', source: { connection, device, metric: 'vibration' } },
        { name: 'state', role: 'packml-state', source: { connection, device, metric: 'machine-state/state' } },
      ],
      commands: [
        { name: 'start-job', target: { connection, device, metric: 'command/start-job' } },
        { name: 'paint', target: { connection, device, metric: 'colour' } },
      ],
    },
  ],
}

/** Takt's edge node and Takt's host, over a broker that is not ours. */
describe('sparkplug edge node, Takt as its host', function () {
  this.timeout(120_000)
  let folder: string
  let broker: Mosquitto
  let node: (id: string) => Node
  let samples: Received[]
  let commands: Received[]
  let receipts: Received[]

  before(async function () {
    needsMosquitto(this)
    folder = mkdtempSync(join(tmpdir(), 'takt-sparkplug-closed-'))
  })
  after(() => {
    helper.settings({})
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    broker = await Mosquitto.start()
    helper.settings({ userDir: folder } as never)
    const here = { z: 'tab', x: 1, y: 1 }
    const model = (id: string, content: unknown) => ({
      id,
      type: 'takt-plant',
      name: `the ${id}`,
      source: 'inline',
      model: JSON.stringify(content),
      clock: 'system',
    })
    node = await loadFlow(registers, [
      { id: 'tab', type: 'tab', label: 'test' },
      model('plant', plant),
      model('scada', scada),
      { id: 'broker', type: 'takt-mqtt-broker', name: connection, url: broker.url, protocolVersion: '5' },
      {
        id: 'edge',
        type: 'takt-sparkplug-edge',
        plant: 'plant',
        broker: 'broker',
        group: 'closed',
        edge: 'takt',
        primaryHost: 'takt-host',
        gather: '20',
        wires: [['commands'], []],
        ...here,
      },
      {
        id: 'sensor',
        type: 'takt-mqtt-sensor',
        plant: 'scada',
        broker: 'broker',
        mode: 'bindings',
        hostId: 'takt-host',
        delivery: 'fast',
        wires: [['samples']],
        ...here,
      },
      { id: 'command', type: 'takt-machine-command', plant: 'scada', autonomy: 'auto', timeout: '10', wires: [['receipts'], []], ...here },
      { id: 'samples', type: 'helper', wires: [], ...here },
      { id: 'commands', type: 'helper', wires: [], ...here },
      { id: 'receipts', type: 'helper', wires: [], ...here },
    ])
    samples = collect(node('samples'))
    commands = collect(node('commands'))
    receipts = collect(node('receipts'))
    const { connection: link } = node('broker') as MqttBrokerNode
    await until(() => link.state === 'connected', 'the broker')
  })
  afterEach(async () => {
    await helper.unload()
    await broker?.remove()
  })

  const give = (payload: unknown) => node('edge').receive({ payload } as never)
  const sample = (signal: string, value: unknown, time = Date.now()) => ({
    kind: 'sample',
    equipment: MILL,
    signal,
    value,
    quality: 'good',
    time,
    received: time,
  })
  const state = (name: string) =>
    give({ kind: 'machine-state', equipment: MILL, state: name, mode: null, since: 1, element: null, reason: null, jobOrder: null, time: Date.now() })
  const valuesOf = (signal: string, quality = 'good'): unknown[] =>
    samples.filter(({ payload }) => payload.signal === signal && payload.quality === quality).map(({ payload }) => payload.value)

  it('carries every value once and in order, with its time', async () => {
    const start = Date.now() - 10_000
    for (let count = 1; count <= 500; count++) {
      give(sample('good', count, start + count))
      if (count % 25 === 0) await new Promise((resolve) => setTimeout(resolve, 30))
    }
    await until(() => valuesOf('good').includes(500), 'the last count')
    await until(() => new Set(valuesOf('good')).size === 500, 'all counts')
    const seen = samples.filter(({ payload }) => payload.signal === 'good')
    assert.equal(seen.length, 500)
    for (const { payload } of seen) assert.equal(payload.time, start + payload.value)
    await until(() => statusOf(node('edge')).fill === 'green', 'the status')
  })

  it('tells that a unit is lost and that it is back', async () => {
    state('Execute')
    give(sample('vibration', 2.5))
    await until(() => valuesOf('state').includes('Execute'), 'the state')
    state('NoSignal')
    await until(() => valuesOf('vibration', 'bad').length > 0, 'stale values')
    state('Idle')
    await until(() => valuesOf('state').includes('Idle'), 'it is back')
  })

  it('takes commands of the host, and the host sees that they were done', async () => {
    give(sample('vibration', 1))
    await until(() => valuesOf('vibration').length > 0, 'the birth')
    const order = (id: string, name: string, args: Record<string, unknown>) =>
      node('command').receive({ payload: { kind: 'command', id, to: SEEN, name, arguments: args } } as never)
    order('c-1', 'start-job', { jobOrder: 'jo-1', quantity: 5 })
    await until(() => commands.length === 1, 'the command')
    const { to, name, arguments: given, id } = commands[0]!.payload
    assert.deepEqual([to, name, given], [MILL, 'start-job', { jobOrder: 'jo-1', quantity: 5 }])
    give({ kind: 'receipt', of: id, to: MILL, status: 'done', time: Date.now() })
    await until(() => receipts.length === 1, 'the receipt')
    order('c-2', 'paint', { colour: 'red' })
    await until(() => receipts.length === 2, 'the receipts')
    assert.deepEqual(
      receipts.map(({ payload }) => [payload.of, payload.status, payload.code]),
      [
        ['c-1', 'done', undefined],
        ['c-2', 'refused', 'TAKT_SPARKPLUG_METRIC_UNKNOWN'],
      ],
    )
  })

  it('loses nothing when the broker is killed', async () => {
    let count = 0
    const timer = setInterval(() => give(sample('good', ++count)), 10)
    try {
      await until(() => valuesOf('good').length > 50, 'counts')
      await broker.stop('SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 2000))
      await broker.start()
      const before = count
      await until(() => valuesOf('good').some((value) => Number(value) > before + 50), 'it goes on', 30_000)
    } finally {
      clearInterval(timer)
    }
    await until(() => new Set(valuesOf('good')).size === count, 'every count', 30_000)
  })
})

describe('the example sparkplug-edge.json', function () {
  this.timeout(120_000)
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-sparkplug-example-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  it('gives a job to a simulated machine over Sparkplug, and sees that it was taken', async () => {
    const all = [...registers, registerMachineState, registerOpcuaEndpoint, registerOpcuaSensor, registerSimulator]
    const { node } = await loadExample('sparkplug-edge.json', all)
    const answers = collect(node('receipts over Sparkplug'))
    let tried = 0
    // until machine, edge node and host have found each other, commands are refused or fail
    await until(
      async () => {
        const id = `cmd-${++tried}`
        const job = { jobOrder: `jo-${tried}`, lot: 'lot-1', quantity: 20, setupMs: 60_000, perPieceMs: 40_000, product: 'plate', operation: '10-wash' }
        node('the host').receive({ payload: { kind: 'command', id, to: 'scada/wash-1', name: 'start-job', arguments: job } } as never)
        await until(() => answers.some(({ payload }) => payload.of === id), 'a receipt', 30_000)
        return answers.at(-1)?.payload.status === 'done'
      },
      'the job is taken',
      90_000,
    )
  })
})

describe('a simulated machine over Sparkplug', function () {
  this.timeout(120_000)
  let folder: string
  let broker: Mosquitto

  before(function () {
    needsMosquitto(this)
  })
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-sparkplug-machine-'))
    helper.settings({ userDir: folder } as never)
    broker = await Mosquitto.start()
  })
  afterEach(async () => {
    await helper.unload()
    await broker?.remove()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  it('gets a job by machine command, and its parts are counted by the mqtt sensor', async () => {
    const source = (metric: string) => ({ connection, device: 'sim/cell/saw', metric })
    const model = {
      plant: 'acme',
      equipment: [
        {
          id: 'acme/saw',
          level: 'workUnit',
          classes: ['saw'],
          signals: [
            { name: 'state', role: 'packml-state', source: source('State') },
            { name: 'job', role: 'job-order', source: source('Job') },
            { name: 'good', role: 'good-count', source: source('Good') },
            { name: 'vibration', role: 'condition', unit: 'mm/s', source: source('Vibration') },
          ],
          commands: [{ name: 'start-job', target: source('Start') }],
        },
      ],
      materials: [{ id: 'bar', unit: 'pcs' }],
      workMasters: [{ id: 'bar', version: 1, produces: 'bar', operations: [{ id: '10-saw', alternatives: [{ class: 'saw', perPieceMs: 40_000 }] }] }],
    }
    const here = { z: 'tab', x: 1, y: 1 }
    const node = await loadFlow(
      [...registers, registerSimulator],
      [
        { id: 'tab', type: 'tab', label: 'test' },
        { id: 'plant', type: 'takt-plant', name: 'the plant', source: 'inline', model: JSON.stringify(model), clock: 'simulator' },
        { id: 'broker', type: 'takt-mqtt-broker', name: connection, url: broker.url, protocolVersion: '5' },
        {
          id: 'machine',
          type: 'takt-simulator',
          plant: 'plant',
          broker: 'broker',
          opcuaPort: '',
          speed: '120',
          seed: '7',
          orders: '0',
          ordersAhead: '0',
          wires: [[], []],
          ...here,
        },
        { id: 'sensor', type: 'takt-mqtt-sensor', plant: 'plant', broker: 'broker', mode: 'bindings', delivery: 'fast', wires: [['samples']], ...here },
        { id: 'command', type: 'takt-machine-command', plant: 'plant', autonomy: 'auto', timeout: '10', wires: [['receipts'], []], ...here },
        { id: 'samples', type: 'helper', wires: [], ...here },
        { id: 'receipts', type: 'helper', wires: [], ...here },
      ],
    )
    const samples = collect(node('samples'))
    const receipts = collect(node('receipts'))
    const heard = (signal: string) =>
      samples.filter(({ payload }) => payload.signal === signal && payload.quality === 'good').map(({ payload }) => payload.value)
    await until(() => heard('state').length > 0 && heard('vibration').length > 0, 'the machine', 30_000)
    const before = Number(heard('good').at(-1))
    const job = { jobOrder: 'jo-1', lot: 'lot-1', quantity: 10, setupMs: 0, perPieceMs: 20_000, product: 'bar', operation: '10-saw' }
    node('command').receive({ payload: { kind: 'command', id: 'cmd-1', to: 'acme/saw', name: 'start-job', arguments: job } } as never)
    await until(() => receipts.length === 1, 'the receipt')
    assert.equal(receipts[0]!.payload.status, 'done')
    await until(() => heard('job').includes('jo-1') && Number(heard('good').at(-1)) > before, 'parts')
  })
})
