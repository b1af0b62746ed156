import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import registerMqttBroker from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerSparkplugEdge from '../../nodes/sparkplug-edge/sparkplug-edge.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { ForeignHost, metricOf, valuesOf } from '../core/connect/sparkplug/support/foreign-host.ts'
import { Mosquitto, needsMosquitto } from '../core/connect/support/mosquitto.ts'
import { until } from '../core/connect/support/wait.ts'
import { errorCodesOf, statusOf } from './support/connect.ts'
import { collect, type FlowNode, helper, loadFlow, type Received } from './support/helper.ts'

const registers = [registerPlant, registerStore, registerMqttBroker, registerSparkplugEdge]
const MILL = 'acme/line-1/mill-1'
const DEVICE = 'line-1:mill-1'
const T0 = 1_700_000_000_000

const model = {
  plant: 'acme',
  equipment: [
    {
      id: MILL,
      level: 'workUnit',
      signals: [
        { name: 'state', role: 'packml-state' },
        { name: 'good', role: 'good-count' },
        { name: 'vibration', role: 'condition', unit: 'mm/s' },
      ],
      commands: [{ name: 'start-job', target: { connection: 'x', topic: 't' } }],
    },
    { id: 'acme/line-1/saw-1', level: 'workUnit' },
  ],
}

describe('sparkplug edge node', function () {
  this.timeout(60_000)
  let folder: string
  let broker: Mosquitto
  let host: ForeignHost
  let node: (id: string) => Node
  let commands: Received[]
  let gaps: Received[]
  let caught: Received[]
  let group: string
  let groups = 0

  before(async function () {
    needsMosquitto(this)
    folder = mkdtempSync(join(tmpdir(), 'takt-sparkplug-edge-'))
    broker = await Mosquitto.start()
  })
  after(async () => {
    helper.settings({})
    await broker?.remove()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    group = `group-${++groups}`
    host = await ForeignHost.start(broker.url, group)
  })
  afterEach(async () => {
    await helper.unload()
    await host.stop()
  })

  const brokerOf = (id: string, name: string, url: string): FlowNode => ({ id, type: 'takt-mqtt-broker', name, url, protocolVersion: '5' })

  async function load(more: Record<string, unknown> = {}, others: readonly FlowNode[] = [], plantModel: unknown = model): Promise<void> {
    helper.settings({ userDir: folder } as never)
    node = await loadFlow(registers, [
      { id: 'tab', type: 'tab', label: 'test' },
      { id: 'plant', type: 'takt-plant', name: 'Acme', source: 'inline', model: JSON.stringify(plantModel), clock: 'system' },
      brokerOf('broker', 'main', broker.url),
      ...others,
      {
        id: `edge${groups}`,
        type: 'takt-sparkplug-edge',
        name: 'edge',
        plant: 'plant',
        broker: 'broker',
        group,
        edge: 'takt',
        gather: '20',
        z: 'tab',
        x: 1,
        y: 1,
        wires: [['commands'], ['gaps']],
        ...more,
      },
      { id: 'commands', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'gaps', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, scope: [`edge${groups}`], wires: [['caught']] },
    ])
    commands = collect(node('commands'))
    gaps = collect(node('gaps'))
    caught = collect(node('caught'))
  }
  const edge = () => node(`edge${groups}`)
  const give = (payload: unknown, topic?: string) => edge().receive({ payload, topic } as never)
  const sample = (signal: string, value: unknown, time = Date.now(), more: Record<string, unknown> = {}) => ({
    kind: 'sample',
    equipment: MILL,
    signal,
    value,
    quality: 'good',
    time,
    received: time,
    ...more,
  })
  const machineState = (state: string, time = Date.now()) => ({
    kind: 'machine-state',
    equipment: MILL,
    state,
    mode: state === 'NoSignal' ? null : 'Produce',
    since: time,
    element: null,
    reason: null,
    jobOrder: 'jo-1',
    time,
  })

  it('bears the edge node, and a unit with its first value: everything it can be known to have', async () => {
    await load()
    const nbirth = await host.next('NBIRTH')
    assert.deepEqual(Object.keys(valuesOf(nbirth)), ['bdSeq', 'Node Control/Rebirth'])
    give(sample('vibration', 3.2, T0, { unit: 'mm/s' }))
    const dbirth = await host.next('DBIRTH', DEVICE)
    assert.deepEqual(valuesOf(dbirth), { vibration: 3.2, good: null, 'command/start-job': null })
    assert.deepEqual(
      dbirth.payload.metrics.map(({ name, datatype }: any) => [name, datatype]),
      [
        ['good', 4],
        ['command/start-job', 12],
        ['vibration', 10],
      ],
    )
    assert.equal(metricOf(dbirth, 'vibration')?.properties.values[1].string_value, 'mm/s')
    give([sample('vibration', 3.3, T0 + 1), sample('good', 17, T0 + 1)])
    assert.deepEqual(valuesOf(await host.next('DDATA', DEVICE)), { vibration: 3.3, good: '17' })
    await until(() => statusOf(edge()).text === '1 device, 3 values', 'the status')
    assert.deepEqual(statusOf(edge()).fill, 'green')
  })

  it('makes metrics of documents: a folder a kind, types from the definition, lists as DataSets', async () => {
    await load()
    give(machineState('Execute', T0))
    give({ kind: 'count', equipment: MILL, jobOrder: 'jo-1', good: 1, scrap: 0, total: { good: 412, scrap: 9 }, time: T0 })
    give({ kind: 'kpi', scope: MILL, from: T0, to: T0 + 1, values: { OEE: 0.61, quality: null }, elements: {}, lineage: { states: [], counts: [] } })
    give({
      kind: 'anomaly',
      id: 'an-1',
      equipment: MILL,
      signals: ['vibration'],
      state: 'raised',
      method: 'auto',
      score: 0.97,
      severity: 'high',
      since: T0,
      time: T0,
      evidence: [{ source: 'forecast', value: 5.9, lower: 2.2 }, { source: 'range' }],
    })
    const dbirth = await host.next('DBIRTH', DEVICE)
    const values = valuesOf(dbirth)
    assert.deepEqual(
      ['machine-state/state', 'machine-state/since', 'machine-state/reason', 'count/good', 'count/jobOrder', 'kpi/OEE', 'kpi/quality', 'anomaly/score'].map(
        (name) => values[name],
      ),
      ['Execute', String(T0), null, 412, 'jo-1', 0.61, null, 0.97],
    )
    assert.deepEqual([metricOf(dbirth, 'machine-state/since')?.datatype, metricOf(dbirth, 'machine-state/reason')?.datatype], [13, 12])
    assert.equal(values['anomaly/signals'], '["vibration"]')
    const evidence = values['anomaly/evidence'] as Record<string, any>
    assert.deepEqual(
      [evidence.columns, evidence.types],
      [
        ['source', 'value', 'expected', 'lower', 'upper', 'p', 'text'],
        [12, 10, 10, 10, 10, 10, 12],
      ],
    )
    assert.deepEqual(
      evidence.rows.map((row: any) => row.elements.map((element: any) => element.string_value ?? element.double_value ?? null)),
      [
        ['forecast', 5.9, null, 2.2, null, null, null],
        ['range', null, null, null, null, null, null],
      ],
    )
  })

  it('gives documents without equipment to the edge node itself, and takes plain values by their topic', async () => {
    await load()
    await host.next('NBIRTH')
    give({ kind: 'kpi', scope: 'early shift', from: T0, to: T0 + 1, values: { OEE: 0.5 }, elements: {}, lineage: { states: [], counts: [] } })
    assert.equal(valuesOf(await host.next('NBIRTH', undefined, 2))['kpi/early shift/OEE'], 0.5)
    give(4.5, `${MILL}/vibration`)
    assert.equal(valuesOf(await host.next('DBIRTH', DEVICE)).vibration, 4.5)
  })

  it('lets a device die when nobody sees the unit, and live when it is seen again', async () => {
    await load()
    give(machineState('Execute'))
    await host.next('DBIRTH', DEVICE)
    give(machineState('NoSignal'))
    await host.next('DDEATH', DEVICE)
    give(machineState('NoSignal'))
    give(machineState('Idle'))
    const again = await host.next('DBIRTH', DEVICE, 2)
    assert.equal(valuesOf(again)['machine-state/state'], 'Idle')
    assert.equal(host.of('DDEATH', DEVICE).length, 1)
  })

  it('gives what hosts write as commands, and shows them what was done', async () => {
    await load()
    give(sample('vibration', 1))
    await host.next('DBIRTH', DEVICE)
    await host.write('takt', DEVICE, { name: 'command/start-job', string_value: '{"jobOrder": "jo-7", "quantity": 5}' })
    await host.write('takt', DEVICE, { name: 'good', long_value: 9 })
    await until(() => commands.length === 2, 'the commands')
    const [start, set] = commands.map(({ payload }) => payload)
    assert.deepEqual({ ...start, id: '' }, { kind: 'command', id: '', to: MILL, name: 'start-job', arguments: { jobOrder: 'jo-7', quantity: 5 } })
    assert.deepEqual([set.name, set.arguments, commands[0]!.topic], ['good', { value: 9 }, `${MILL}/command`])
    assert.notEqual(start.id, set.id)
    give({ kind: 'receipt', of: set.id, to: MILL, status: 'refused', time: Date.now() })
    give({ kind: 'receipt', of: start.id, to: MILL, status: 'done', time: Date.now() })
    assert.deepEqual(valuesOf(await host.next('DDATA', DEVICE)), { 'command/start-job': '{"jobOrder": "jo-7", "quantity": 5}' })
  })

  it('refuses writes that do not fit the birth: to catch, into the quarantine, and nothing happens', async () => {
    await load({ store: 'store' }, [{ id: 'store', type: 'takt-store', file: ':memory:' }])
    give(sample('vibration', 1))
    await host.next('DBIRTH', DEVICE)
    await host.write('takt', DEVICE, { name: 'colour', string_value: 'red' })
    await host.write('takt', DEVICE, { name: 'good', string_value: 'many' })
    await host.write('takt', DEVICE, { name: 'command/start-job', string_value: '{"__proto__": 1}' })
    await until(() => caught.length === 3, 'the errors')
    assert.deepEqual(
      caught.map((message) => (message as unknown as { error: { code: string } }).error.code),
      ['TAKT_SPARKPLUG_METRIC_UNKNOWN', 'TAKT_SPARKPLUG_VALUE', 'TAKT_MESSAGE_FORBIDDEN_KEY'],
    )
    const { store } = node('store') as StoreNode
    await until(async () => (await store.db.selectFrom('quarantine').select('code').execute()).length === 3, 'the quarantine')
    assert.equal(commands.length, 0)
  })

  it('refuses what it cannot publish, and publishes the rest', async () => {
    await load()
    give([sample('vibration', 1), sample('Vibration', 2), { kind: 'nothing' }, sample('vibration', 2)])
    assert.equal(valuesOf(await host.next('DBIRTH', DEVICE)).vibration, 2)
    await until(() => caught.length === 2, 'the errors')
  })

  it('waits for its primary host, keeps what comes, and declares what it had to give up', async () => {
    await load({ primaryHost: `scada-${group}`, capacity: '3', store: 'store' }, [{ id: 'store', type: 'takt-store', file: ':memory:' }])
    await until(() => statusOf(edge()).text === `waiting for scada-${group}`, 'the status')
    for (let value = 1; value <= 6; value++) give(sample('vibration', value, T0 + value))
    await until(() => /3 kept, oldest \d+ s, \d+ dropped/.test(statusOf(edge()).text ?? ''), 'the status says what waits')
    assert.equal(host.heard.length, 0)
    await host.state(`scada-${group}`, true, 1000)
    const dbirth = await host.next('DBIRTH', DEVICE)
    assert.equal(valuesOf(dbirth).vibration, 6)
    const late = await host.next('DDATA', DEVICE)
    assert.deepEqual(
      late.payload.metrics.map(({ double_value, is_historical }: any) => [double_value, is_historical]),
      [
        [4, true],
        [5, true],
      ],
    )
    await until(() => gaps.length > 0, 'the gap')
    const gap = gaps.find(({ payload }) => payload.signals[0] === 'vibration')!.payload
    assert.deepEqual([gap.kind, gap.equipment, gap.from, gap.to, gap.code, gap.lost], ['gap', MILL, T0 + 1, T0 + 3, 'TAKT_SPARKPLUG_BACKLOG', 3])
    const { store } = node('store') as StoreNode
    await until(async () => (await store.db.selectFrom('ledger').select('type').execute()).some(({ type }) => type === 'source.gap'), 'the gap in the ledger')
    await host.state(`scada-${group}`, false, 2000)
    await host.next('NDEATH')
    await until(() => statusOf(edge()).text?.startsWith('waiting') === true, 'it waits again')
  })

  it('says goodbye at a redeploy, keeps what waits, and comes back with the next number', async () => {
    const primary = `host-${group}`
    await host.state(primary, true, 1000)
    await load({ primaryHost: primary })
    give(sample('vibration', 1, T0))
    await host.next('DBIRTH', DEVICE)
    await host.state(primary, false, 2000)
    const death = await host.next('NDEATH')
    give([sample('vibration', 2, T0 + 1), sample('vibration', 3, T0 + 2)])
    await helper.unload()
    await host.state(primary, true, 3000)
    await load({ primaryHost: primary })
    const born = await host.next('NBIRTH', undefined, 2)
    assert.notEqual(valuesOf(born).bdSeq, valuesOf(death).bdSeq)
    give(sample('vibration', 4, T0 + 3))
    await host.next('DBIRTH', DEVICE, 2)
    await until(() => host.of('DDATA', DEVICE).length > 0, 'what was kept')
    const late = host.of('DDATA', DEVICE).flatMap(({ payload }) => payload.metrics.map((metric: any) => metric.double_value))
    assert.deepEqual(late.slice(-2), [2, 3])
  })

  it('goes to another broker when the first is not there', async () => {
    await load({ broker: 'first', brokers: 'main' }, [brokerOf('first', 'gone', 'mqtt://127.0.0.1:9')])
    await host.next('NBIRTH')
  })

  const wrong: ReadonlyArray<readonly [string, string, Record<string, unknown>, unknown?]> = [
    ['a group with a slash', 'TAKT_CONFIG_INVALID', { group: 'a/b' }],
    ['no edge node id', 'TAKT_CONFIG_INVALID', { edge: '' }],
    ['a broker that is not there', 'TAKT_CONFIG_INVALID', { brokers: 'nowhere' }],
    ['two units of one name', 'TAKT_SPARKPLUG_NAME', { device: '{line}' }],
    ['a word in braces that it does not know', 'TAKT_SPARKPLUG_NAME', { device: '{colour}' }],
  ]
  for (const [what, code, setting] of wrong) {
    it(`names the fault in its settings: ${what}`, async () => {
      await load(setting)
      await until(() => errorCodesOf(edge()).length > 0, 'the error')
      assert.deepEqual(errorCodesOf(edge())[0], code)
      assert.deepEqual([statusOf(edge()).fill, statusOf(edge()).shape], ['red', 'ring'])
    })
  }
})
