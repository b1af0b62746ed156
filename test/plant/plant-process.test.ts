import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import {
  AttributeIds,
  type ClientMonitoredItem,
  type ClientSession,
  ClientSubscription,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
} from 'node-opcua'
import { type PlantProcess, startPlant } from './start-plant.ts'

const LINE = 'acme/berlin/machining/line-1'

/** JSON off the wire */
type Payload = any

/** Everything that arrives on some topics, and a way to wait for one. */
class Listener {
  readonly messages: Array<{ topic: string; payload: Payload }> = []
  readonly client: MqttClient

  constructor(client: MqttClient) {
    this.client = client
    client.on('message', (topic, payload) => {
      // what the tests themselves send need not be JSON
      if (!topic.endsWith('/command')) this.messages.push({ topic, payload: JSON.parse(payload.toString()) })
    })
  }

  async next(topic: string, accept: (payload: Payload) => boolean = () => true): Promise<Payload> {
    for (let from = 0; ; ) {
      for (; from < this.messages.length; from++) {
        const message = this.messages[from]!
        if (message.topic === topic && accept(message.payload)) return message.payload
      }
      await new Promise((resolve) => this.client.once('message', resolve))
    }
  }
}

describe('plant process', function () {
  this.timeout(60_000)
  let plant: PlantProcess
  const clients: MqttClient[] = []
  const listen = async (url: string, ...topics: string[]): Promise<Listener> => {
    const client = await connectAsync(url)
    clients.push(client)
    const listener = new Listener(client)
    await client.subscribeAsync([...topics], { qos: 1 })
    return listener
  }
  const send = (listener: Listener, unit: string, command: object | string) =>
    listener.client.publishAsync(`${LINE}/${unit}/command`, typeof command === 'string' ? command : JSON.stringify(command), { qos: 1 })
  const job = (id: string, quantity: number, operation: string) => ({
    id: `cmd-${id}`,
    name: 'start-job',
    arguments: { jobOrder: id, lot: `lot-${id}`, quantity, setupMs: 60_000, perPieceMs: 30_000, family: 'shaft', product: 'shaft-a', operation },
  })

  afterEach(async () => {
    await Promise.allSettled(clients.splice(0).map((client) => client.endAsync(true)))
    await plant.stop()
  })

  it('speaks MQTT: retained status, conditions, gauge readings, orders; takes commands and answers', async () => {
    plant = await startPlant({ speed: 600, seed: 3, opcuaPort: null })
    const heard = await listen(plant.mqttUrl, `${LINE}/mill-1/#`, 'acme/berlin/erp/orders/+')
    const idle = await heard.next(`${LINE}/mill-1/status`)
    assert.deepEqual(Object.keys(idle).sort(), ['good', 'job', 'mode', 'scrap', 'state', 'ts'])
    assert.deepEqual([idle.state, idle.mode, idle.job], [4, 1, ''])
    const order = await heard.next('acme/berlin/erp/orders/SO-100001')
    assert.ok(order.quantity > 0 && Date.parse(order.due) > plant.options.start)

    await send(heard, 'mill-1', job('jo-1', 6, '30-mill'))
    const receipt = await heard.next(`${LINE}/mill-1/command/reply`)
    assert.deepEqual([receipt.kind, receipt.of, receipt.to, receipt.status], ['receipt', 'cmd-jo-1', `${LINE}/mill-1`, 'done'])
    const complete = await heard.next(`${LINE}/mill-1/status`, ({ state, job }) => state === 17 && job === 'jo-1')
    assert.equal(complete.good + complete.scrap - idle.good - idle.scrap, 6)
    const states = heard.messages.filter(({ topic, payload }) => topic.endsWith('mill-1/status') && payload.job === 'jo-1').map(({ payload }) => payload.state)
    assert.deepEqual([...new Set(states)], [4, 3, 6, 16, 17])

    const width = await heard.next(`${LINE}/mill-1/gauge/width`)
    assert.deepEqual([width.job, width.lot, width.product], ['jo-1', 'lot-jo-1', 'shaft-a'])
    assert.ok(width.v > 9.9 && width.v < 10.1)
    const vibration = await heard.next(`${LINE}/mill-1/vibration`, ({ ts }) => ts > complete.ts)
    assert.ok(vibration.v >= 0 && vibration.v < 10)

    const late = await listen(plant.mqttUrl, `${LINE}/mill-1/status`)
    assert.equal((await late.next(`${LINE}/mill-1/status`)).state, 17, 'status is retained')

    await send(heard, 'mill-1', { ...job('jo-2', 0, '30-mill'), id: 'cmd-bad' })
    const refused = await heard.next(`${LINE}/mill-1/command/reply`, ({ of }) => of === 'cmd-bad')
    assert.deepEqual([refused.status, refused.code], ['refused', 'TAKT_SIMULATOR_COMMAND_REFUSED'])
    assert.match(refused.reason, /quantity/)
    for (const nonsense of ['no json', '{"__proto__":{"a":1}}', `"${'x'.repeat(100_000)}"`]) await send(heard, 'mill-1', nonsense)
    await heard.next(`${LINE}/mill-1/command/reply`, ({ status, code }) => status === 'failed' && code === 'TAKT_MESSAGE_TOO_LARGE')
    const codes = heard.messages.filter(({ payload }) => payload.status === 'failed').map(({ payload }) => payload.code)
    assert.deepEqual(codes, ['TAKT_MESSAGE_NOT_JSON', 'TAKT_MESSAGE_FORBIDDEN_KEY', 'TAKT_MESSAGE_TOO_LARGE'])

    const ledger = await plant.ledger()
    assert.deepEqual(ledger.byJob['jo-1']!.good + ledger.byJob['jo-1']!.scrap, 6)
  })

  const connectOpcua = async (
    secured: boolean,
    work: (session: ClientSession, watch: (nodeId: string) => Promise<Array<{ value: unknown; time: number }>>) => Promise<void>,
  ) => {
    const pki = mkdtempSync(join(tmpdir(), 'takt-client-pki-'))
    const certificates = new OPCUACertificateManager({ rootFolder: pki, automaticallyAcceptUnknownCertificate: true })
    await certificates.initialize()
    const client = OPCUAClient.create({
      endpointMustExist: false,
      clientCertificateManager: certificates,
      securityMode: secured ? MessageSecurityMode.SignAndEncrypt : MessageSecurityMode.None,
      securityPolicy: secured ? SecurityPolicy.Aes256_Sha256_RsaPss : SecurityPolicy.None,
    })
    try {
      await client.connect(plant.opcuaUrl)
      const session = await client.createSession(
        secured ? { type: UserTokenType.UserName, userName: 'takt', password: 'secret' } : { type: UserTokenType.Anonymous },
      )
      const subscription = ClientSubscription.create(session, { requestedPublishingInterval: 50, publishingEnabled: true, maxNotificationsPerPublish: 0 })
      await work(session, async (nodeId) => {
        const seen: Array<{ value: unknown; time: number }> = []
        const item = (await subscription.monitor(
          { nodeId, attributeId: AttributeIds.Value },
          { samplingInterval: 0, queueSize: 10_000, discardOldest: false },
          TimestampsToReturn.Both,
        )) as ClientMonitoredItem
        item.on('changed', ({ value, sourceTimestamp }) => seen.push({ value: value.value, time: sourceTimestamp?.getTime() ?? 0 }))
        await once(item, 'changed')
        return seen
      })
      await session.close(true)
    } finally {
      await client.disconnect()
      rmSync(pki, { recursive: true, force: true })
    }
  }
  const call = async (session: ClientSession, method: string, command: object) => {
    const result = await session.call({
      objectId: 'ns=1;s=Mill2',
      methodId: `ns=1;s=Mill2.${method}`,
      inputArguments: [{ dataType: DataType.String, value: JSON.stringify(command) }],
    })
    assert.equal(result.statusCode.name, 'Good')
    return JSON.parse(result.outputArguments?.[0]?.value) as Payload
  }
  const until = async (true_: () => boolean): Promise<void> => {
    while (!true_()) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  for (const secured of [false, true]) {
    it(`speaks OPC UA ${secured ? 'signed and encrypted, with user and password' : 'without security'}: no change is lost; methods are commands`, async () => {
      plant = await startPlant({ speed: 600, seed: 3 })
      await connectOpcua(secured, async (session, watch) => {
        const state = await watch('ns=1;s=Mill2.Status.StateCurrent')
        const jobs = await watch('ns=1;s=Mill2.Status.JobOrder')
        const good = await watch('ns=1;s=Mill2.Admin.ProdGoodCount')
        const vibration = await watch('ns=1;s=Mill2.Condition.Vibration')
        assert.equal(state[0]!.value, 4)
        const before = Number(good[0]!.value)
        const receipt = await call(session, 'StartJob', job('jo-1', 40, '30-mill'))
        assert.deepEqual([receipt.of, receipt.status], ['cmd-jo-1', 'done'])
        assert.equal((await call(session, 'StartJob', job('jo-1', 40, '30-mill'))).status, 'done')
        const refused = await call(session, 'StartJob', job('jo-2', 5, '30-mill'))
        assert.equal(refused.status, 'refused')
        assert.match(refused.reason, /jo-1/)

        await until(() => state.at(-1)?.value === 17)
        assert.deepEqual(
          state.map(({ value }) => value),
          [4, 3, 6, 16, 17],
        )
        assert.equal(jobs.at(-1)!.value, 'jo-1')
        const { byJob } = await plant.ledger()
        // the counter rolled over on the way, and every part was told for itself
        const totals = good.map(({ value }) => Number(value))
        assert.deepEqual(
          totals,
          Array.from({ length: byJob['jo-1']!.good + 1 }, (_, at) => (before + at) % 65_536),
        )
        assert.ok(totals.includes(0) && totals.includes(65_535), 'the counter was to roll over in this test')
        const times = good.map(({ time }) => time)
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        )
        assert.ok(times.at(-1)! > plant.options.start && times.at(-1)! < plant.options.start + 3 * 3_600_000, 'source time is plant time')
        await until(() => vibration.length > 20)
      })
    })
  }

  it('continues after kill -9: no counter goes back, nothing in the ledger is lost or doubled', async () => {
    plant = await startPlant({ speed: 300, seed: 5, opcuaPort: null })
    const totals = new Map<string, number>()
    const first = new Map<string, number>()
    const check = (topic: string, { good, scrap }: Payload): void => {
      if (!first.has(topic)) first.set(topic, good + scrap)
      assert.ok(good + scrap >= (totals.get(topic) ?? 0), `${topic} went back`)
      totals.set(topic, good + scrap)
    }
    for (let life = 0; life < 3; life++) {
      const heard = await listen(plant.mqttUrl, `${LINE}/+/status`, `${LINE}/+/command/reply`)
      for (const unit of ['saw-1', 'lathe-2', 'mill-1']) await send(heard, unit, job(`jo-${unit}-${life}`, 5000, '30-mill'))
      await heard.next(`${LINE}/mill-1/status`, ({ good, scrap }) => good + scrap >= (totals.get(`${LINE}/mill-1/status`) ?? 0) + 5)
      await plant.kill()
      // by source time: the broker may hand out what it had retained after what is new
      const statuses = heard.messages.filter(({ topic }) => topic.endsWith('/status')).toSorted((a, b) => a.payload.ts - b.payload.ts)
      for (const { topic, payload } of statuses) check(topic, payload)
      const { clock } = plant
      plant = await startPlant(plant.again)
      assert.equal(plant.clock, clock, 'plant time goes on as if nothing had been')
    }
    const present = await plant.present()
    const ledger = await plant.ledger()
    for (const { unit, good, scrap } of present) {
      const started = first.get(`${unit}/status`)
      if (started === undefined) continue
      const made = ledger.byUnit[unit] ?? { good: 0, scrap: 0 }
      // the plant lives on between the two answers
      assert.ok(good + scrap - started <= made.good + made.scrap && made.good + made.scrap - (good + scrap - started) <= 5, unit)
    }
    const commands = ledger.commands.filter(({ status }) => status === 'done').map(({ unit }) => unit)
    assert.equal(commands.length, 3, 'the first three were obeyed, later ones found the unit busy')
  })

  it('breaks and spoils on demand', async () => {
    plant = await startPlant({ speed: 600, seed: 5, wornUnit: '', opcuaPort: null })
    const heard = await listen(plant.mqttUrl, `${LINE}/mill-3/#`)
    await plant.spoil('mill-3', 2)
    await send(heard, 'mill-3', job('jo-1', 5, '30-mill'))
    await heard.next(`${LINE}/mill-3/status`, ({ state }) => state === 17)
    const { badSerials } = await plant.ledger()
    assert.equal(badSerials.length, 2)
    for (const { serial } of badSerials) {
      const { v } = await heard.next(`${LINE}/mill-3/gauge/width`, (reading) => reading.serial === serial)
      assert.ok(v > 10.036)
    }
    await plant.break('mill-3', 1)
    await heard.next(`${LINE}/mill-3/status`, ({ state }) => state === 9)
    assert.equal((await plant.ledger()).stops[0]?.cause, 'failure')
    await assert.rejects(plant.break('mill-9'), /mill-9/)
  })
})
