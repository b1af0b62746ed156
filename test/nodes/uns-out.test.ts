import assert from 'node:assert/strict'
import { connect, type MqttClient } from 'mqtt'
import type { Node } from 'node-red'
import registerMqttBroker, { type MqttBrokerNode } from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerUnsOut from '../../nodes/uns-out/uns-out.ts'
import { MESSAGE_EXAMPLES } from '../../scripts/message-examples.ts'
import { Mosquitto, needsMosquitto } from '../core/connect/support/mosquitto.ts'
import { until } from '../core/connect/support/wait.ts'
import { brokerNode, errorCodesOf, MILL, plantNode, statusOf } from './support/connect.ts'
import { type FlowNode, helper, loadFlow } from './support/helper.ts'

const registers = [registerPlant, registerStore, registerMqttBroker, registerUnsOut]
const unsNode = (more: Record<string, unknown> = {}): FlowNode => ({
  id: 'uns',
  type: 'takt-uns-out',
  name: 'namespace',
  plant: 'plant',
  broker: 'broker',
  store: 'store',
  template: '',
  prefix: '',
  delivery: 'kind',
  retain: true,
  clearEnded: true,
  clearRemoved: false,
  schema: true,
  z: 'tab',
  x: 1,
  y: 1,
  wires: [],
  ...more,
})
const rest: readonly FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'test' },
  { id: 'store', type: 'takt-store', file: ':memory:' },
]

interface Seen {
  readonly topic: string
  readonly text: string
  readonly retain: boolean
  readonly schema: unknown
}

/** What is published from now on, with its flag; not what earlier tests left behind. */
const live = { qos: 1, rap: true, rh: 2 } as const

describe('uns out node', () => {
  let broker: Mosquitto
  let reader: MqttClient
  let node: (id: string) => Node
  let seen: Seen[]
  let readers = 0

  before(async function () {
    needsMosquitto(this)
    broker = await Mosquitto.start()
  })
  after(() => broker?.remove())
  afterEach(async () => {
    await reader?.endAsync(true)
    await helper.unload()
  })

  async function listen(filter = 'acme/#'): Promise<void> {
    seen = []
    reader = connect(broker.url, {
      protocolVersion: 5,
      clean: false,
      clientId: `uns-reader-${++readers}`,
      properties: { sessionExpiryInterval: 600 },
      reconnectPeriod: 100,
    })
    reader.on('error', () => {})
    reader.on('message', (topic, payload, packet) => {
      if (topic.includes('/_schema/') || payload.length === 0) return
      seen.push({ topic, text: payload.toString(), retain: packet.retain, schema: packet.properties?.userProperties?.schema })
    })
    await until(() => reader.connected, 'the reader is connected')
    await reader.subscribeAsync(filter, live)
  }

  async function load(more: Record<string, unknown> = {}): Promise<void> {
    node = await loadFlow(registers, [plantNode(), brokerNode(broker.url), unsNode(more), ...rest])
    await until(() => (node('broker') as MqttBrokerNode).connection.state === 'connected', 'the connection')
  }

  /** What a later subscriber finds. */
  async function retained(filter: string): Promise<Record<string, string>> {
    const client = connect(broker.url)
    const found: Record<string, string> = {}
    client.on('message', (topic, payload) => {
      found[topic] = payload.toString()
    })
    await until(() => client.connected, 'a later subscriber is connected')
    await client.subscribeAsync(filter, { qos: 1 })
    await client.publishAsync('marker/end', 'x')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await client.endAsync(true)
    return found
  }

  const input = (payload: unknown, more: Record<string, unknown> = {}) => node('uns').receive({ payload, ...more } as never)
  const sample = { kind: 'sample', equipment: MILL, signal: 'vibration', value: 3.5, quality: 'good', time: 1, received: 1 }
  const order = { ...MESSAGE_EXAMPLES['work-order'], id: 'wo-1', state: 'Running' }

  it('publishes each document of a list where it belongs, with its schema, and retains states', async () => {
    await listen()
    await load()
    input([sample, order, { ...MESSAGE_EXAMPLES.command, to: MILL, name: 'stop' }])
    await until(() => seen.length === 3, 'all three')
    const byTopic = new Map(seen.map((message) => [message.topic, message]))
    assert.deepEqual([...byTopic.keys()].sort(), [`${MILL}/command/stop`, `${MILL}/sample/vibration`, 'acme/work-order/wo-1'])
    const { $schema, ...document } = JSON.parse(byTopic.get(`${MILL}/sample/vibration`)?.text ?? '')
    assert.deepEqual(document, sample)
    assert.match($schema, /^urn:takt:sample:[0-9a-f]{8}$/)
    assert.equal(byTopic.get(`${MILL}/sample/vibration`)?.schema, $schema)
    const kept = await retained('acme/#')
    assert.deepEqual(
      Object.keys(kept)
        .filter((topic) => !topic.includes('_schema'))
        .sort(),
      [`${MILL}/sample/vibration`, 'acme/work-order/wo-1'],
    )
    assert.equal(JSON.parse(kept['acme/_schema/sample'] ?? '{}').$id, $schema)
    await until(() => statusOf(node('uns')).fill === 'green' && /^3 published/.test(statusOf(node('uns')).text ?? ''), 'the status')
  })

  it('takes back what has ended, after its last word', async () => {
    await listen()
    await load()
    input(order)
    input({ ...order, state: 'Closed' })
    await until(() => seen.length === 2, 'both')
    assert.deepEqual(
      seen.map(({ text }) => JSON.parse(text).state),
      ['Running', 'Closed'],
    )
    await until(async () => !('acme/work-order/wo-1' in (await retained('acme/work-order/#'))), 'nothing is kept')
  })

  it('takes everything back when it is removed, and only then', async () => {
    await listen()
    await load({ clearRemoved: true, prefix: 'uns' })
    input(sample)
    const topic = `uns/${MILL}/sample/vibration`
    await until(async () => topic in (await retained('uns/#')), 'it is kept')
    await node('uns').close(false)
    assert.ok(topic in (await retained('uns/#')))
    await helper.unload()
    await load({ clearRemoved: true, prefix: 'uns' })
    input(sample)
    await until(() => /1 published/.test(statusOf(node('uns')).text ?? ''), 'it is out')
    await node('uns').close(true)
    assert.deepEqual(Object.keys(await retained('uns/#')), [])
  })

  it('uses a template, and refuses what does not fit it without losing the others', async () => {
    await listen('plants/#')
    await load({ template: 'plants/{unit}/{kind}/{signal}' })
    input([sample, order])
    await until(() => seen.length === 1 && errorCodesOf(node('uns')).length === 1, 'one, and the refusal')
    assert.deepEqual([seen[0]?.topic, errorCodesOf(node('uns'))], ['plants/mill/sample/vibration', ['TAKT_UNS_TOPIC']])
  })

  for (const [what, payload] of [
    ['a number', 5],
    ['an object without a kind', { a: 1 }],
    ['a document of the wrong shape', { kind: 'sample', equipment: 5 }],
    ['__proto__', JSON.parse('{"kind":"sample","__proto__":{"x":1}}')],
  ] as const)
    it(`refuses ${what}: to catch and into the quarantine`, async () => {
      await load()
      input(payload)
      const { store } = node('store') as StoreNode
      await until(() => errorCodesOf(node('uns')).length === 1, 'the refusal')
      await until(async () => (await store.db.selectFrom('quarantine').select('code').execute()).length === 1, 'the quarantine')
    })

  it('writes the effect of a replayed message once', async () => {
    await listen()
    await load()
    const takt = { inbox: 7, index: 0 }
    input(order, { takt })
    input(order, { takt: { ...takt, replayed: true } })
    input({ ...order, id: 'wo-2' }, { takt: { inbox: 8, index: 0 } })
    await until(() => seen.some(({ topic }) => topic.endsWith('wo-2')), 'the next one')
    assert.equal(seen.filter(({ topic }) => topic.endsWith('wo-1')).length, 1)
  })

  it('loses no guaranteed document while the broker is away for ten seconds, and says how many wait', async function () {
    this.timeout(60_000)
    await listen()
    await load({ delivery: 'guaranteed' })
    const states: string[] = []
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const id = `wo-${states.length}`
        states.push(id)
        input({ ...order, id })
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    await send(30)
    await broker.stop('SIGKILL')
    const lost = performance.now()
    await send(100)
    await until(() => /1\d\d waiting, \d+ s/.test(statusOf(node('uns')).text ?? ''), 'the status')
    assert.equal(statusOf(node('uns')).fill, 'red')
    await until(() => performance.now() - lost > 10_000, 'ten seconds', 20_000)
    await broker.start()
    await until(() => reader.connected, 'the reader is back')
    await reader.subscribeAsync('acme/#', live)
    await send(30)
    const missing = () => states.filter((id) => !seen.some(({ topic }) => topic.endsWith(`/${id}`)))
    await until(() => missing().length === 0, 'all of them', 30_000)
  })

  it('says when guaranteed has no store', async () => {
    node = await loadFlow(registers, [plantNode(), brokerNode(broker.url), unsNode({ store: '', delivery: 'guaranteed' }), ...rest])
    assert.deepEqual(errorCodesOf(node('uns')), ['TAKT_CONFIG_INVALID'])
  })
})
