import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { packageRoot } from '../../core/base/package-root.ts'
import { plantFaults } from '../../core/plant/check-plant.ts'
import { parsePlant } from '../../core/plant/load-plant.ts'
import { readLedger } from '../../core/simulate/ledger.ts'
import registerBroker, { type MqttBrokerNode } from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerPlant, { type PlantNode } from '../../nodes/plant/plant.ts'
import registerSimulator from '../../nodes/simulator/simulator.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

const example = JSON.parse(readFileSync(join(packageRoot, 'examples', 'simulator.json'), 'utf8')) as Array<{ type: string; model?: string }>
const model = example.find(({ type }) => type === 'takt-plant')!.model!
const MILL = 'acme/demo/line-1/mill-1'

describe('simulator node', function () {
  this.timeout(20_000)
  let folder: string
  const clients: MqttClient[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-test-simulator-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await Promise.allSettled(clients.splice(0).map((client) => client.endAsync(true)))
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  const load = async (properties: Record<string, unknown> = {}, clock = 'simulator') => {
    const node = await loadFlow(
      [registerPlant, registerBroker, registerSimulator],
      [
        { id: 'tab', type: 'tab' },
        { id: 'a0', type: 'takt-plant', source: 'inline', model, clock },
        { id: 'b0', type: 'takt-mqtt-broker', name: 'demo-mqtt', embedded: true, host: '127.0.0.1', port: '0', protocolVersion: '4' },
        {
          id: 'f1',
          type: 'takt-simulator',
          z: 'tab',
          plant: 'a0',
          broker: '',
          opcuaPort: '',
          seed: '7',
          speed: '600',
          start: '2026-01-12 06:00',
          wornUnit: 'mill-1',
          wornAt: '0.68',
          orders: '2',
          ordersAhead: '3',
          wires: [['out1'], ['out2']],
          ...properties,
        },
        { id: 'out1', type: 'helper', z: 'tab' },
        { id: 'out2', type: 'helper', z: 'tab' },
      ],
    )
    const plant = node('a0') as unknown as PlantNode
    return { node, simulator: node('f1'), plant, orders: node('out1'), rows: node('out2') }
  }
  /** Waits until something is so; mocha's time limit ends it. */
  const until = async <T>(check: () => T | undefined | false): Promise<T> => {
    for (;;) {
      const value = check()
      if (value !== undefined && value !== false) return value
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const statusOf = (simulator: { status: unknown }): string[] => {
    const { args } = (simulator.status as { args: Array<[{ text: string }]> }) ?? {}
    return (args ?? []).map(([status]) => status.text)
  }

  it('ties the clock of its plant to its start and speed, and shows the time', async () => {
    const { plant, simulator } = await load()
    await until(() => plant.clock.rate === 600)
    const start = Date.parse('2026-01-12T06:00:00+01:00')
    assert.ok(plant.clock.now() >= start && plant.clock.now() < start + 20 * 600_000)
    const shown = await until(() => statusOf(simulator as never).at(-1))
    assert.match(shown, /^Mon \d\d:\d\d · 600×$/)
  })

  it('sends orders as the work order node takes them, and the same again after a restart instead of new ones', async () => {
    const first = collect((await load()).orders)
    await until(() => first.length >= 3)
    assert.equal(first[0]!.topic, 'orders/create')
    assert.deepEqual(Object.keys(first[0]!.payload), ['id', 'product', 'quantity', 'due', 'priority'])
    await helper.unload()
    const again = collect((await load()).orders)
    await until(() => again.length >= first.length)
    const known = new Map(first.map(({ payload }) => [payload.id, payload]))
    for (const { payload } of again.slice(0, first.length)) assert.deepEqual(payload, known.get(payload.id))
  })

  it('continues where it was: time, counters and ledger', async () => {
    const { plant, simulator, rows } = await load()
    await until(() => plant.clock.rate === 600)
    const broken = nextMessage(rows, ({ payload }) => payload.what === 'break')
    simulator.receive({ topic: 'break', payload: 'mill-1' } as never)
    await broken
    await helper.unload()
    const stopped = plant.clock.now()
    assert.equal(plant.clock.rate, 0, 'plant time stands while nothing simulates it')
    const second = await load()
    assert.ok(second.plant.clock.now() >= stopped && second.plant.clock.now() < stopped + 60_000, 'time goes on from there')
    const state = JSON.parse(readFileSync(join(folder, 'takt', 'simulator-f1.json'), 'utf8'))
    assert.equal(state.simulation.units[MILL].wear, 0.8)
    assert.ok(readLedger(join(folder, 'takt', 'simulator-f1.jsonl')).some((row) => row.kind === 'intervention' && row.what === 'break'))
  })

  it('lets its machines speak and obey over the broker, and tells what they did', async () => {
    const { node, rows } = await load({ broker: 'b0' })
    const did = collect(rows)
    const broker = node('b0') as unknown as MqttBrokerNode
    const client = await connectAsync(await until(() => !broker.brokerUrl.endsWith(':0') && broker.brokerUrl))
    clients.push(client)
    const heard: Array<{ topic: string; payload: Received['payload'] }> = []
    client.on('message', (topic, payload) => heard.push({ topic, payload: JSON.parse(payload.toString()) }))
    await client.subscribeAsync(`${MILL}/+`, { qos: 1 })
    await client.subscribeAsync(`${MILL}/command/reply`, { qos: 1 })
    await until(() => heard.some(({ topic }) => topic === `${MILL}/status`))
    const command = { id: 'cmd-1', name: 'start-job', arguments: { jobOrder: 'jo-1', lot: 'lot-1', quantity: 4, product: 'plate', operation: '10-mill' } }
    await client.publishAsync(`${MILL}/command`, JSON.stringify(command), { qos: 1 })
    await until(() => heard.some(({ topic, payload }) => topic === `${MILL}/command/reply` && payload.of === 'cmd-1' && payload.status === 'done'))
    await until(() => heard.some(({ topic, payload }) => topic === `${MILL}/status` && payload.state === 17 && payload.job === 'jo-1'))
    const parts = await until(() => {
      const made = did.filter(({ payload }) => payload.kind === 'part')
      return made.length === 4 && made
    })
    assert.ok(parts.every(({ topic, payload }) => topic === `${MILL}/part` && payload.job === 'jo-1'))
    assert.ok(did.some(({ topic }) => topic === `${MILL}/job-ended`))
  })

  it('pauses, resumes, changes speed, breaks, spoils and resets by message', async () => {
    const { plant, simulator, rows } = await load({ speed: '60' })
    await until(() => plant.clock.rate === 60)
    const send = (topic: string, payload?: unknown): void => simulator.receive({ topic, payload } as never)
    send('pause')
    await until(() => plant.clock.rate === 0)
    send('speed', 300)
    send('resume')
    await until(() => plant.clock.rate === 300)
    const interventions: Array<Promise<Received>> = ['break', 'spoil', 'reset'].map((what) => nextMessage(rows, ({ payload }) => payload.what === what))
    send('plant/break', { unit: 'mill-1', wear: 0.9 })
    send('spoil', { unit: 'mill-1', parts: 2 })
    send('reset')
    assert.deepEqual(
      (await Promise.all(interventions)).map(({ topic, payload }) => [topic, payload.value]),
      [
        [`${MILL}/intervention`, 0.9],
        [`${MILL}/intervention`, 2],
        [`${MILL}/intervention`, 0.68],
      ],
    )
    const failed = nextMessage(rows, ({ payload }) => payload.kind === 'stop')
    send('fail', 'mill-1')
    assert.equal((await failed).payload.cause, 'failure')
  })

  it('answers a message that it does not understand with a coded error', async () => {
    const { plant, simulator } = await load()
    await until(() => plant.clock.rate === 600)
    const codes: string[] = []
    simulator.on('call:error' as never, ((call: { args: [{ code: string }] }) => codes.push(call.args[0].code)) as never)
    for (const [topic, payload] of [
      ['dance', ''],
      [undefined, 'mill-1'],
      ['speed', 'fast'],
      ['speed', 0],
      ['speed', 601],
      ['break', 7],
      ['break', { unit: 'mill-1', wear: 2 }],
      ['spoil', { unit: 'mill-1', parts: Number.NaN }],
      ['break', 'mill-77'],
    ] as Array<[unknown, unknown]>)
      simulator.receive({ topic, payload } as never)
    await until(() => codes.length === 9)
    assert.deepEqual([...new Set(codes)].sort(), ['TAKT_SIMULATOR_INPUT', 'TAKT_SIMULATOR_UNIT_UNKNOWN'])
    assert.equal(plant.clock.rate, 600)
  })

  it('says what is wrong with its settings', async () => {
    for (const [wrong, what] of [
      [{ speed: '601' }, /speed/],
      [{ start: 'soon' }, /start/],
      [{ wornAt: '-1' }, /wear/],
      [{ plant: 'gone' }, /plant/],
    ] as const) {
      const { simulator } = await load(wrong)
      assert.match(statusOf(simulator as never).at(-1) ?? '', what)
      await helper.unload()
    }
    const { simulator } = await load({}, 'system')
    assert.match(statusOf(simulator as never).at(-1) ?? '', /simulator/)
  })

  it('waits for its OPC UA port while another program has it', async () => {
    const squatter: Server = createServer()
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve))
    const { port } = squatter.address() as { port: number }
    const { plant, simulator } = await load({ opcuaPort: String(port) })
    await until(() => statusOf(simulator as never).some((text) => text.includes('cannot listen')))
    assert.equal(plant.clock.rate, 0)
    await new Promise((resolve) => squatter.close(resolve))
    await until(() => plant.clock.rate === 600)
  })

  it('has an example whose plant is right', () => {
    assert.deepEqual(plantFaults(parsePlant(model, 'example').model), [])
  })
})
