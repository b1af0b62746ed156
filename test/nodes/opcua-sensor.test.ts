import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { Gap } from '../../core/messages/gap.ts'
import registerOpcuaEndpoint, { type OpcuaEndpointNode } from '../../nodes/opcua-endpoint/opcua-endpoint.ts'
import registerOpcuaSensor from '../../nodes/opcua-sensor/opcua-sensor.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { OpcuaTestServer } from '../core/connect/support/opcua-server.ts'
import { until } from '../core/connect/support/wait.ts'
import { endpointNode, errorCodesOf, MILL, plantNode, statusOf, warningsOf } from './support/connect.ts'
import { collect, type FlowNode, helper, loadFlow, type Received } from './support/helper.ts'

const registers = [registerPlant, registerStore, registerOpcuaEndpoint, registerOpcuaSensor]
const sensorNode = (more: Record<string, unknown> = {}): FlowNode => ({
  id: 'sensor',
  type: 'takt-opcua-sensor',
  name: 'mill',
  plant: 'plant',
  endpoint: 'endpoint',
  store: 'store',
  mode: 'bindings',
  publishing: '50',
  z: 'tab',
  x: 1,
  y: 1,
  wires: [['out']],
  ...more,
})

describe('opcua sensor node', function () {
  this.timeout(60_000)
  let folder: string
  let server: OpcuaTestServer
  let node: (id: string) => Node
  let samples: Received[]
  let caught: Received[]

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-opcua-sensor-'))
    server = await OpcuaTestServer.start()
  })
  after(async () => {
    await server.remove()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })
  afterEach(() => helper.unload())

  async function load(sensor: Record<string, unknown> = {}, model?: unknown, file = ':memory:'): Promise<void> {
    server.set('Vibration', 3)
    server.set('Scrap', 0)
    helper.settings({ userDir: folder } as never)
    node = await loadFlow(registers, [
      { id: 'tab', type: 'tab', label: 'test' },
      plantNode(model),
      endpointNode(server.url),
      { id: 'store', type: 'takt-store', file },
      sensorNode(sensor),
      { id: 'out', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, scope: ['sensor'], wires: [['caught']] },
    ])
    samples = collect(node('out'))
    caught = collect(node('caught'))
  }

  it('makes samples of what the plant model binds to the endpoint, and names what the server does not have', async () => {
    await load()
    await until(() => samples.length >= 2 && caught.length === 1, 'the first values')
    assert.deepEqual(samples.map(({ topic, payload }) => [topic, payload.value]).sort(), [
      [`${MILL}/load`, 3],
      [`${MILL}/total`, 0],
    ])
    const { error } = caught[0] as unknown as { error: { code: string; message: string } }
    assert.equal(error.code, 'TAKT_OPCUA_NODE_UNKNOWN')
    assert.match(error.message, /BadNodeIdUnknown.*opcua sensor 'mill', acme\/mill\/note, node ns=1;s=NotThere/)
    server.set('Vibration', 3.5)
    await until(() => samples.some(({ payload }) => payload.value === 3.5), 'the change')
    assert.deepEqual(samples.at(-1)?.payload.origin, { source: 'line-opcua' })
    await until(() => / · 1 bad$/.test(statusOf(node('sensor')).text ?? ''), 'it is counted')
    assert.equal(statusOf(node('sensor')).fill, 'red')
  })

  it('watches the nodes of a list', async () => {
    await load({ mode: 'list', items: [{ nodeId: 'ns=1;s=Vibration', topic: `${MILL}/vibration` }] })
    await until(() => samples.length === 1, 'the first value')
    assert.deepEqual([samples[0]?.topic, samples[0]?.payload.unit], [`${MILL}/vibration`, 'mm/s'])
  })

  it('stays green while nothing changes, because the server says so', async () => {
    await load({ mode: 'list', items: [{ nodeId: 'ns=1;s=Vibration', topic: `${MILL}/vibration` }] })
    await until(() => statusOf(node('sensor')).fill === 'green', 'it is green')
    await new Promise((resolve) => setTimeout(resolve, 6000))
    assert.equal(statusOf(node('sensor')).fill, 'green')
  })

  it('sends a bad value to catch and into the quarantine, and the next good one on', async () => {
    await load()
    await until(() => samples.length >= 2, 'the first values')
    server.set('Vibration', Number.POSITIVE_INFINITY)
    server.set('Vibration', 4)
    await until(
      () => caught.some((message) => (message as unknown as { error: { code: string } }).error.code === 'TAKT_SAMPLE_VALUE_NOT_FINITE'),
      'it is caught',
    )
    await until(() => samples.some(({ payload }) => payload.value === 4), 'the good one')
    const { store } = node('store') as StoreNode
    await until(
      async () => (await store.db.selectFrom('quarantine').select('code').execute()).some((row) => row.code === 'TAKT_SAMPLE_VALUE_NOT_FINITE'),
      'the quarantine',
    )
  })

  it('keeps what is recorded in the inbox, sends telemetry at once, and marks each accordingly', async () => {
    await load()
    await until(() => samples.length >= 2, 'the first values')
    const marks = new Map(samples.map((message) => [message.topic, (message as unknown as { takt?: { inbox: number } }).takt]))
    assert.equal(marks.get(`${MILL}/load`), undefined)
    assert.ok((marks.get(`${MILL}/total`)?.inbox ?? 0) > 0)
    await helper.unload()
    await load({ delivery: 'fast' })
    await until(() => samples.length >= 2, 'the first values')
    assert.ok(samples.every((message) => (message as unknown as { takt?: unknown }).takt === undefined))
  })

  it('goes on where it was after a redeploy: the subscription stays on the server', async () => {
    const file = join(folder, 'redeploy.db')
    const deploy = () => load({}, undefined, file)
    await deploy()
    await until(() => samples.length >= 2, 'the first values')
    server.set('Scrap', 1)
    await until(() => samples.some(({ payload }) => payload.value === 1), 'the change')
    const held = server.subscriptions
    await helper.unload()
    assert.equal(server.subscriptions, held, 'it waits there')
    // an anonymous user without security may not take over: what changed meanwhile is declared
    const before = Math.min(...[`${MILL}/load`, `${MILL}/total`].map((topic) => samples.filter((each) => each.topic === topic).at(-1)?.payload.time ?? 0))
    server.set('Scrap', 2)
    server.set('Scrap', 3)
    await deploy()
    await until(() => samples.some(({ payload }) => payload.value === 3), 'the present value', 30_000)
    await until(() => samples.some(({ payload }) => (payload as unknown as { kind: string }).kind === 'gap'), 'the gap')
    const gap = samples.find(({ payload }) => (payload as unknown as { kind: string }).kind === 'gap') as unknown as { topic: string; payload: Gap }
    assert.equal(gap.topic, 'line-opcua/sensor/gap')
    assert.deepEqual([gap.payload.equipment, gap.payload.signals, gap.payload.from], [MILL, ['load', 'total'], before])
    const { store } = node('store') as StoreNode
    await until(async () => (await store.events(0, 100)).some(({ type }) => type === 'source.gap'), 'the ledger has it')
  })

  it('is yellow while a signal has no new value for longer than it should', async () => {
    const model = {
      plant: 'acme',
      equipment: [
        {
          id: MILL,
          level: 'workUnit',
          signals: [{ name: 'load', role: 'condition', staleAfterMs: 1500, source: { connection: 'line-opcua', nodeId: 'ns=1;s=Vibration' } }],
        },
      ],
    }
    await load({}, model)
    await until(() => statusOf(node('sensor')).fill === 'green', 'it is green')
    await until(() => statusOf(node('sensor')).fill === 'yellow' && /acme\/mill\/load/.test(statusOf(node('sensor')).text ?? ''), 'it is yellow')
  })

  it('warns of values that the queue could not hold', async () => {
    await load({ publishing: '300', queueSize: '2' })
    await until(() => samples.length >= 2, 'the first values')
    for (let i = 0; i < 20; i++) server.set('Vibration', 10 + i)
    await until(() => warningsOf(node('sensor')).some((warning) => warning.startsWith('TAKT_OPCUA_OVERFLOW')), 'the warning')
  })

  it('is red while the server is away, and goes on by itself', async () => {
    await load()
    await until(() => samples.length >= 2, 'the first values')
    await server.stop()
    await until(() => statusOf(node('sensor')).fill === 'red', 'it is red')
    await server.start()
    server.set('Vibration', 77)
    await until(() => samples.some(({ payload }) => payload.value === 77), 'values again', 30_000)
    await until(() => statusOf(node('sensor')).fill !== 'red' || /NotThere/.test(statusOf(node('sensor')).text ?? ''), 'it is not away')
    assert.equal((node('endpoint') as OpcuaEndpointNode).connection.state, 'connected')
  })

  it('refuses a list that is empty, a signal that is unknown, and settings that are none', async () => {
    await load({ mode: 'list', items: [] })
    assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_CONFIG_INVALID'])
    await helper.unload()
    await load({ mode: 'list', items: [{ nodeId: 'ns=1;s=Vibration', topic: `${MILL}/colour` }] })
    assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_SIGNAL_UNKNOWN'])
    await helper.unload()
    for (const wrong of [{ publishing: 'fast' }, { delivery: 'perhaps' }, { delivery: 'guaranteed', store: '' }, { keep: '0' }]) {
      await load(wrong)
      assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_CONFIG_INVALID'])
      await helper.unload()
    }
    await load({ mode: 'list', items: [{ nodeId: 'ns=1;s=Vibration', topic: `${MILL}/vibration`, deadband: '120 %' }] })
    assert.deepEqual(errorCodesOf(node('sensor')), ['TAKT_CONFIG_INVALID'])
  })
})
