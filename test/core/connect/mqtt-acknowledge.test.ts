import assert from 'node:assert/strict'
import { connect, type MqttClient } from 'mqtt'
import { TaktError } from '../../../core/base/error.ts'
import { Acknowledger } from '../../../core/connect/mqtt-acknowledge.ts'
import { MqttConnection, type MqttMessage, type MqttSubscription } from '../../../core/connect/mqtt-connection.ts'
import { Mosquitto, needsMosquitto } from './support/mosquitto.ts'
import { MqttTap } from './support/mqtt-tap.ts'
import { until } from './support/wait.ts'

/** A taker whose messages are safe when the test says so. */
class Ledger implements MqttSubscription {
  readonly qos = 1
  readonly guaranteed = true
  readonly taken: Array<{ readonly message: MqttMessage; readonly safe: () => void; readonly fail: (problem: Error) => void }> = []
  readonly filter: string
  automatic = false

  constructor(filter: string) {
    this.filter = filter
  }

  take(message: MqttMessage): Promise<void> {
    if (this.automatic) {
      this.taken.push({ message, safe: () => {}, fail: () => {} })
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => this.taken.push({ message, safe: resolve, fail: reject }))
  }

  get texts(): string[] {
    return this.taken.map(({ message }) => message.payload.toString())
  }

  get ids(): number[] {
    return this.taken.map(({ message }) => message.messageId as number)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

for (const protocolVersion of [4, 5] as const) {
  describe(`acknowledgement when messages are safe (MQTT ${protocolVersion === 5 ? '5' : '3.1.1'})`, () => {
    let broker: Mosquitto
    let tap: MqttTap
    let publisher: MqttClient
    let connection: MqttConnection
    const user = { linkChanged: () => {} }
    let clients = 0

    before(async function () {
      needsMosquitto(this)
      broker = await Mosquitto.start({ lines: ['max_inflight_messages 50'] })
      publisher = connect(broker.url)
      await until(() => publisher.connected, 'the publisher is connected')
    })
    after(async () => {
      await publisher?.endAsync(true)
      await broker?.remove()
    })
    beforeEach(async () => {
      tap = await MqttTap.start(broker.port)
      connection = new MqttConnection({
        url: () => Promise.resolve(tap.url),
        protocolVersion,
        clientId: `acknowledges-${protocolVersion}-${++clients}`,
        cleanSession: false,
        sessionExpirySeconds: 600,
        keepaliveSeconds: 15,
        receiveMaximum: 50,
        maximumPacketBytes: 100_000,
        where: 'a test',
      })
    })
    afterEach(async () => {
      await connection.deregister(user)
      await tap.stop()
    })

    async function open(...subscriptions: readonly MqttSubscription[]): Promise<void> {
      for (const subscription of subscriptions) await connection.subscribe(subscription)
      connection.register(user)
      await connection.whenConnected(5000, () => connection.away())
    }
    const send = (topic: string, from: number, to: number) =>
      Promise.all(Array.from({ length: to - from }, (_, i) => publisher.publishAsync(topic, String(from + i), { qos: 1 })))

    it('has many messages under way, and acknowledges none of them before it is safe', async () => {
      const ledger = new Ledger('a/many')
      await open(ledger)
      await send('a/many', 0, 80)
      // as many as the broker lets be under way; a client that waits for each would show one
      await until(() => ledger.taken.length === 50, 'the first fifty')
      await pause(100)
      assert.deepEqual([ledger.taken.length, tap.pubacks(), connection.underWay], [50, [], 50])
      ledger.automatic = true
      for (const { safe } of [...ledger.taken]) safe()
      await until(() => ledger.taken.length === 80 && tap.pubacks().length === 80, 'the rest')
      assert.deepEqual(
        ledger.texts,
        Array.from({ length: 80 }, (_, i) => String(i)),
      )
    })

    it('acknowledges in the order of arrival, whatever becomes safe first', async () => {
      const ledger = new Ledger('a/order')
      await open(ledger)
      await send('a/order', 0, 5)
      await until(() => ledger.taken.length === 5, 'all five')
      for (const index of [4, 2, 1]) ledger.taken[index]?.safe()
      await pause(100)
      assert.deepEqual(tap.pubacks(), [])
      ledger.taken[0]?.safe()
      await until(() => tap.pubacks().length === 3, 'the first three')
      ledger.taken[3]?.safe()
      await until(() => tap.pubacks().length === 5, 'the rest')
      assert.deepEqual(tap.pubacks(), ledger.ids)
    })

    it('waits for every taker of a message', async () => {
      const [one, other] = [new Ledger('a/two'), new Ledger('a/+')]
      await open(one, other)
      await send('a/two', 0, 1)
      await until(() => one.taken.length > 0 && other.taken.length > 0, 'both have it')
      for (const { safe } of one.taken) safe()
      await pause(100)
      assert.deepEqual(tap.pubacks(), [])
      for (const { safe } of other.taken) safe()
      await until(() => tap.pubacks().length > 0, 'the acknowledgement')
    })

    it('gets what was not acknowledged again after a loss, and carries no acknowledgement over to the new connection', async () => {
      const ledger = new Ledger('a/again')
      await open(ledger)
      await send('a/again', 0, 3)
      await until(() => ledger.taken.length === 3, 'all three')
      tap.cut()
      await until(() => ledger.taken.length === 6, 'all three again')
      assert.deepEqual(ledger.texts, ['0', '1', '2', '0', '1', '2'])
      assert.ok(ledger.taken.slice(3).every(({ message }) => message.dup))
      for (const { safe } of ledger.taken.slice(0, 3)) safe()
      await pause(100)
      assert.deepEqual(tap.pubacks(), [], 'the first connection’s work is over, the second one’s is not')
      for (const { safe } of ledger.taken.slice(3)) safe()
      await until(() => tap.pubacks(tap.connections).length === 3, 'the acknowledgements')
      tap.cut()
      await until(() => connection.state === 'away', 'the loss')
      await until(() => connection.state === 'connected', 'the connection')
      await pause(100)
      assert.equal(ledger.taken.length, 6, 'what was acknowledged does not come again')
    })

    it('gives the connection up when a message cannot be kept, pauses, and gets it again', async () => {
      const ledger = new Ledger('a/fails')
      await open(ledger)
      await send('a/fails', 0, 3)
      await until(() => ledger.taken.length === 3, 'all three')
      const full = new TaktError('TAKT_STORE_FULL', { where: 'a test' })
      ledger.taken[1]?.fail(full)
      ledger.taken[0]?.safe()
      await until(() => connection.state === 'away', 'it is given up')
      assert.equal(connection.problem, full)
      const lost = performance.now()
      await until(() => ledger.taken.length === 6, 'all again', 10_000)
      ledger.taken[3]?.fail(full)
      await until(() => ledger.taken.length === 9, 'all again', 10_000)
      assert.ok(performance.now() - lost > 2800, 'a second, then two')
      for (const { safe } of ledger.taken.slice(6)) safe()
      await until(() => tap.pubacks().length === 3, 'the acknowledgements')
      assert.deepEqual(tap.pubacks(), ledger.ids.slice(6))
    }).timeout(30_000)

    it('asks for QoS 1 where 2 is wanted, as soon as one subscription must lose nothing', async () => {
      const twos: MqttMessage[] = []
      await open({ filter: 'a/exactly', qos: 2, take: (message) => void twos.push(message) })
      await publisher.publishAsync('a/exactly', '0', { qos: 2 })
      await until(() => twos.length === 1, 'the first')
      const ledger = new Ledger('a/guaranteed')
      ledger.automatic = true
      await connection.subscribe(ledger)
      await publisher.publishAsync('a/exactly', '1', { qos: 2 })
      await until(() => twos.length === 2, 'the second')
      assert.deepEqual(
        twos.map(({ qos }) => qos),
        [2, 1],
      )
    })
  })
}

describe('acknowledgement under pressure', () => {
  it('reads no more than its limit, and stays connected while it reads nothing', async function () {
    needsMosquitto(this)
    this.timeout(30_000)
    const broker = await Mosquitto.start({ lines: ['max_inflight_messages 0'] })
    const client = connect(broker.url, { protocolVersion: 4, keepalive: 1, clean: true })
    let lost = 0
    client.on('close', () => lost++)
    client.on('error', () => {})
    const safe: Array<() => void> = []
    const acknowledger = new Acknowledger(client, { take: () => new Promise((resolve) => safe.push(resolve)), failed: () => {}, limit: 10, where: 'a test' })
    await until(() => client.connected, 'the connection')
    await client.subscribeAsync('p/#', { qos: 1 })
    const publisher = connect(broker.url)
    await until(() => publisher.connected, 'the publisher')
    await Promise.all(Array.from({ length: 100 }, (_, i) => publisher.publishAsync('p/a', String(i), { qos: 1 })))
    await until(() => safe.length === 10, 'the limit')
    // several times the keepalive
    await pause(5000)
    assert.deepEqual([safe.length, acknowledger.underWay, lost], [10, 10, 0])
    for (let done = 0; done < 100; done++) {
      await until(() => safe.length > done, 'the next')
      safe[done]?.()
    }
    await until(() => acknowledger.underWay === 0, 'all are safe')
    assert.deepEqual([safe.length, lost], [100, 0])
    await client.endAsync(true)
    await publisher.endAsync(true)
    await broker.remove()
  })

  it('does not take a broker for dead whose answer to a ping lies behind much that is unread', async function () {
    needsMosquitto(this)
    this.timeout(30_000)
    const broker = await Mosquitto.start()
    const client = connect(broker.url, { protocolVersion: 5, keepalive: 1 })
    let [lost, taken] = [0, 0]
    client.on('close', () => lost++)
    client.on('error', () => {})
    // holds the event loop as hard work would, and costs nothing
    const still = new Int32Array(new SharedArrayBuffer(4))
    const work = (): void => {
      taken++
      Atomics.wait(still, 0, 0, 5)
    }
    new Acknowledger(client, { take: work, failed: () => {}, limit: 10, where: 'a test' })
    await until(() => client.connected, 'the connection')
    await client.subscribeAsync('p/#', { qos: 0 })
    const publisher = connect(broker.url)
    await until(() => publisher.connected, 'the publisher')
    const end = performance.now() + 5000
    while (performance.now() < end) {
      for (let i = 0; i < 20; i++) publisher.publish('p/a', 'x')
      await pause(20)
    }
    await until(() => taken > 100, 'messages')
    assert.equal(lost, 0)
    await client.endAsync(true)
    await publisher.endAsync(true)
    await broker.remove()
  })
})
