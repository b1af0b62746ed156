import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { connect, type MqttClient } from 'mqtt'
import type { TaktError } from '../../../core/base/error.ts'
import { startEmbeddedBroker } from '../../../core/connect/embedded-broker.ts'
import { MqttConnection, type MqttMessage, type MqttSettings } from '../../../core/connect/mqtt-connection.ts'
import type { LinkState, LinkUser } from '../../../core/connect/shared-link.ts'
import { freePort, Mosquitto, needsMosquitto } from './support/mosquitto.ts'
import { MqttTap } from './support/mqtt-tap.ts'
import { until } from './support/wait.ts'

class User implements LinkUser {
  readonly states: LinkState[] = []
  problem: TaktError | undefined
  linkChanged(state: LinkState, problem: TaktError | undefined): void {
    this.states.push(state)
    this.problem = problem
  }
}

function settings(url: string, more: Partial<MqttSettings> = {}): MqttSettings {
  return {
    url: () => Promise.resolve(url),
    protocolVersion: 5,
    clientId: `test-${Math.random().toString(16).slice(2)}`,
    cleanSession: true,
    sessionExpirySeconds: 3600,
    keepaliveSeconds: 15,
    receiveMaximum: 100,
    maximumPacketBytes: 100_000,
    where: 'a test',
    ...more,
  }
}

describe('MQTT connection to a real broker', () => {
  let broker: Mosquitto
  let publisher: MqttClient
  const connections: Array<readonly [MqttConnection, User]> = []

  before(async function () {
    needsMosquitto(this)
    broker = await Mosquitto.start()
  })
  after(() => broker?.remove())
  beforeEach(async () => {
    publisher = connect(broker.url, { reconnectPeriod: 200 })
    await until(() => publisher.connected, 'the publisher is connected')
  })
  afterEach(async () => {
    await publisher.endAsync(true)
    for (const [connection, user] of connections.splice(0)) await connection.deregister(user)
  })

  function open(more: Partial<MqttSettings> = {}): { connection: MqttConnection; user: User } {
    const connection = new MqttConnection(settings(broker.url, more))
    const user = new User()
    connection.register(user)
    connections.push([connection, user])
    return { connection, user }
  }

  function collector(filter: string, qos: 0 | 1 | 2 = 1) {
    const messages: string[] = []
    return { filter, qos, messages, take: (message: MqttMessage) => void messages.push(message.payload.toString()) }
  }

  it('keeps what a kept session brings for a reader that is ready later', async () => {
    const clientId = 'test-late-reader'
    const first = open({ clientId, cleanSession: false })
    await first.connection.whenConnected(5000, () => first.connection.away())
    const early = { ...collector('late/#'), guaranteed: true }
    await first.connection.subscribe(early)
    first.connection.unsubscribe(early, true)
    await first.connection.deregister(first.user)
    for (let i = 0; i < 50; i++) await publisher.publishAsync('late/a', String(i), { qos: 1 })

    const { connection, user } = open({ clientId, cleanSession: false })
    await connection.whenConnected(5000, () => connection.away())
    await until(() => connection.underWay === 50, 'all of them wait')
    const late = collector('late/#')
    await connection.subscribe(late)
    assert.deepEqual(
      late.messages,
      Array.from({ length: 50 }, (_, i) => String(i)),
    )
    await until(() => connection.underWay === 0, 'they are acknowledged')
    await connection.deregister(user)

    const again = open({ clientId, cleanSession: false })
    const nothing = collector('late/#')
    void again.connection.subscribe(nothing)
    await again.connection.whenConnected(5000, () => again.connection.away())
    await publisher.publishAsync('late/a', 'last', { qos: 1 })
    await until(() => nothing.messages.includes('last'), 'the last one')
    assert.deepEqual(nothing.messages, ['last'])
  })

  it('acknowledges nothing that comes while it takes its leave', async () => {
    const clientId = 'test-leaving'
    const seen = new Set<string>()
    const visit = async (ms: number): Promise<void> => {
      const { connection, user } = open({ clientId, cleanSession: false })
      const subscription = {
        filter: 'leave/#',
        qos: 1 as const,
        guaranteed: true,
        take: async (message: MqttMessage) => void seen.add(message.payload.toString()),
      }
      // a kept session is delivered at once, so its reader is there before
      void connection.subscribe(subscription)
      await connection.whenConnected(5000, () => connection.away())
      await new Promise((resolve) => setTimeout(resolve, ms))
      // at a redeploy of everything the connection may be told before its readers
      const left = connection.deregister(user)
      connection.unsubscribe(subscription, true)
      await left
    }
    await visit(50)
    let sent = 0
    let stopped = false
    const sending = (async () => {
      while (!stopped) await Promise.all(Array.from({ length: 20 }, () => publisher.publishAsync('leave/a', String(sent++), { qos: 1 })))
    })()
    for (let round = 0; round < 12; round++) await visit(20 + 10 * round)
    stopped = true
    await sending
    await visit(2000)
    assert.equal(seen.size, sent)
  })

  for (const protocolVersion of [4, 5] as const) {
    it(`speaks version ${protocolVersion === 5 ? '5' : '3.1.1'}, publishes and subscribes`, async () => {
      const { connection } = open({ protocolVersion })
      await connection.whenConnected(5000, () => connection.away())
      const all = collector('v/#')
      await connection.subscribe(all)
      await connection.publish('v/a', 'one', { qos: 1 })
      await until(() => all.messages.length === 1, 'the message')
      assert.deepEqual(all.messages, ['one'])
    })
  }

  it('is open while somebody uses it, and tells all of them its state', async () => {
    const { connection, user } = open()
    const second = new User()
    connection.register(second)
    await connection.whenConnected(5000, () => connection.away())
    assert.deepEqual(user.states, ['idle', 'connecting', 'connected'])
    assert.equal(second.states.at(-1), 'connected')
    await connection.deregister(second)
    assert.equal(connection.state, 'connected')
    await connection.deregister(user)
    assert.equal(connection.state, 'idle')
  })

  it('waits for begin() when told to', async () => {
    const { connection } = open({ waiting: true })
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(connection.state, 'idle')
    connection.begin()
    await connection.whenConnected(5000, () => connection.away())
  })

  it('gives every reader of a filter the message, and stops at unsubscribe', async () => {
    const { connection } = open()
    const [one, two, other] = [collector('s/+'), collector('s/+'), collector('s/b')]
    for (const each of [one, two, other]) await connection.subscribe(each)
    await connection.whenConnected(5000, () => connection.away())
    await publisher.publishAsync('s/a', '1', { qos: 1 })
    await until(() => one.messages.length === 1 && two.messages.length === 1, 'both have it')
    connection.unsubscribe(one)
    await publisher.publishAsync('s/a', '2', { qos: 1 })
    await until(() => two.messages.length === 2, 'the other goes on')
    assert.deepEqual([one.messages, other.messages], [['1'], []])
  })

  it('comes back by itself when the broker does, and hears what it heard before', async () => {
    const { connection, user } = open()
    const all = collector('r/#')
    await connection.subscribe(all)
    await connection.whenConnected(5000, () => connection.away())
    await broker.stop('SIGKILL')
    await until(() => connection.state === 'away', 'the loss is seen')
    assert.equal(user.problem?.code, 'TAKT_BROKER_AWAY')
    await assert.rejects(connection.publish('r/x', 'lost', { qos: 1 }), { code: 'TAKT_BROKER_AWAY' })
    await broker.start()
    await until(() => connection.state === 'connected', 'the connection is back')
    await until(() => publisher.connected, 'the publisher is back')
    await publisher.publishAsync('r/a', 'again', { qos: 1 })
    await until(() => all.messages.includes('again'), 'the message')
  })

  it('gets the QoS 1 messages of a kept session that came while it was away', async () => {
    const keep = { clientId: 'keeps-its-session', cleanSession: false }
    const first = open(keep)
    await first.connection.subscribe(collector('k/#'))
    await first.connection.whenConnected(5000, () => first.connection.away())
    const reader = collector('k/#')
    await first.connection.deregister(first.user)
    for (let i = 0; i < 500; i++) await publisher.publishAsync('k/a', String(i), { qos: 1 })
    const second = open({ ...keep, waiting: true })
    await second.connection.subscribe(reader)
    second.connection.begin()
    await until(() => reader.messages.length >= 500, 'all that was queued')
    assert.deepEqual(
      reader.messages,
      Array.from({ length: 500 }, (_, i) => String(i)),
    )
  })

  it('leaves the filter in a kept session only when asked to', async () => {
    const keep = { clientId: 'keeps-or-not', cleanSession: false }
    const { connection, user } = open(keep)
    const [kept, dropped] = [collector('q/kept'), collector('q/dropped')]
    await connection.subscribe(kept)
    await connection.subscribe(dropped)
    await connection.whenConnected(5000, () => connection.away())
    connection.unsubscribe(kept, true)
    connection.unsubscribe(dropped)
    await connection.deregister(user)
    await publisher.publishAsync('q/dropped', 'no', { qos: 1 })
    await publisher.publishAsync('q/kept', 'yes', { qos: 1 })
    const again = open({ ...keep, waiting: true })
    const all = collector('q/#')
    // the reader is there, but only what the session kept may arrive
    await again.connection.subscribe(all)
    again.connection.begin()
    await until(() => all.messages.length > 0, 'what was queued')
    assert.deepEqual(all.messages, ['yes'])
  })

  it('keeps the place of a reader that is deployed alone: nothing is acknowledged until it is back', async () => {
    const { connection } = open({ clientId: 'parks', cleanSession: false })
    const other = collector('n/other')
    const first = { ...collector('n/parked'), guaranteed: true }
    await connection.subscribe(other)
    await connection.subscribe(first)
    await connection.whenConnected(5000, () => connection.away())
    connection.unsubscribe(first, true)
    await publisher.publishAsync('n/parked', 'while it was away', { qos: 1 })
    await publisher.publishAsync('n/other', 'x', { qos: 1 })
    await until(() => other.messages.length === 1, 'the connection goes on')
    assert.equal(connection.underWay, 1)
    const second = { ...collector('n/parked'), guaranteed: true }
    await connection.subscribe(second)
    await until(() => second.messages.length === 1, 'the message')
    await until(() => connection.underWay === 0, 'the acknowledgement')
    assert.deepEqual([first.messages, second.messages], [[], ['while it was away']])
    connection.unsubscribe(second)
  })

  it('gets what a kept session queued while the broker was restarted, after SIGTERM', async () => {
    const reader = { ...collector('w/#'), guaranteed: true }
    const { connection, user } = open({ clientId: 'through-a-restart', cleanSession: false })
    await connection.subscribe(reader)
    await connection.whenConnected(5000, () => connection.away())
    await connection.deregister(user)
    for (let i = 0; i < 50; i++) await publisher.publishAsync('w/a', String(i), { qos: 1 })
    await broker.stop('SIGTERM')
    await broker.start()
    connection.register(user)
    await until(() => reader.messages.length === 50, 'all that was queued')
    assert.equal(connection.resumed, true)
  })

  it('leaves a last will when it is lost, says its birth when it is there, and neither when it leaves in good order', async () => {
    const heard: string[] = []
    publisher.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`))
    await publisher.subscribeAsync('life/#', { qos: 1 })
    const tap = await MqttTap.start(broker.port)
    const word = (payload: string) => ({ topic: 'life/line-1', payload, qos: 1, retain: false }) as const
    const { connection, user } = open({ url: () => Promise.resolve(tap.url), birth: word('here'), will: word('lost') })
    await until(() => heard.length === 1, 'the birth')
    tap.cut()
    await until(() => heard.length === 3, 'the will, and the next birth')
    assert.deepEqual(heard.sort(), ['life/line-1 here', 'life/line-1 here', 'life/line-1 lost'])
    await connection.deregister(user)
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(heard.length, 3)
    await tap.stop()
  })

  it('makes the connection anew for a will that is offered late, and takes what it says at that moment', async () => {
    const heard: string[] = []
    publisher.on('message', (_topic, payload) => heard.push(payload.toString()))
    await publisher.subscribeAsync('late/will', { qos: 1 })
    const tap = await MqttTap.start(broker.port)
    const { connection } = open({ url: () => Promise.resolve(tap.url) })
    await connection.whenConnected(5000, () => connection.away())
    let count = 0
    connection.offerWill(() => ({ topic: 'late/will', payload: `will ${++count}`, qos: 1, retain: false }))
    await until(() => connection.state === 'away', 'it is made anew')
    await connection.whenConnected(5000, () => connection.away())
    tap.cut()
    await until(() => heard.length === 1, 'the will')
    assert.equal(heard[0], 'will 1')
    await tap.stop()
  })

  it('shares a subscription: each message goes to one of the group', async () => {
    const readers = [collector('$share/group/g/+'), collector('$share/group/g/+')]
    for (const reader of readers) {
      const { connection } = open()
      await connection.subscribe(reader)
      await connection.whenConnected(5000, () => connection.away())
    }
    for (let i = 0; i < 40; i++) await publisher.publishAsync('g/a', String(i), { qos: 1 })
    await until(() => readers.flatMap(({ messages }) => messages).length === 40, 'all of them')
    assert.deepEqual(
      readers.flatMap(({ messages }) => messages.map(Number)).sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, i) => i),
    )
    assert.ok(readers.every(({ messages }) => messages.length > 0))
  })

  it('asks again for retained values after a reconnect', async () => {
    await publisher.publishAsync('t/state', 'Idle', { qos: 1, retain: true })
    const { connection } = open()
    const reader = collector('t/state')
    await connection.subscribe(reader)
    await until(() => reader.messages.length === 1, 'the retained value')
    await broker.stop()
    await until(() => connection.state === 'away', 'the loss is seen')
    await broker.start()
    await until(() => reader.messages.length === 2, 'the retained value again')
  })
})

describe('MQTT connection to a broker with passwords', () => {
  let broker: Mosquitto
  before(async function () {
    needsMosquitto(this)
    broker = await Mosquitto.start({ users: { line: 'secret' } })
  })
  after(() => broker?.remove())

  for (const [what, credentials, code] of [
    ['lets the right one in', { username: 'line', password: 'secret' }, undefined],
    ['refuses a wrong password', { username: 'line', password: 'guess' }, 'TAKT_BROKER_REFUSED'],
    ['refuses who has none', {}, 'TAKT_BROKER_REFUSED'],
  ] as const)
    for (const protocolVersion of [4, 5] as const)
      it(`${what} (MQTT ${protocolVersion === 5 ? '5' : '3.1.1'})`, async () => {
        const connection = new MqttConnection(settings(broker.url, { ...credentials, protocolVersion }))
        const user = new User()
        connection.register(user)
        await until(() => connection.state === (code === undefined ? 'connected' : 'away'), 'an answer')
        assert.equal(user.problem?.code, code)
        await connection.deregister(user)
      })
})

describe('MQTT connection that fails', () => {
  it('says that nobody answers, and gives up waiting with that problem', async () => {
    const connection = new MqttConnection(settings(`mqtt://127.0.0.1:${await freePort()}`))
    const user = new User()
    connection.register(user)
    await assert.rejects(
      connection.whenConnected(300, () => connection.away()),
      { code: 'TAKT_BROKER_AWAY' },
    )
    assert.match(user.problem?.message ?? '', /ECONNREFUSED.*a test/)
    await connection.deregister(user)
  })

  it('does not hang on a server that is mute', async () => {
    const server = createServer(() => {})
    const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)))
    const connection = new MqttConnection(settings(`mqtt://127.0.0.1:${port}`))
    const user = new User()
    connection.register(user)
    await until(() => connection.state === 'connecting', 'it tries')
    await connection.deregister(user)
    assert.equal(connection.state, 'idle')
    server.close()
  })
})

describe('embedded broker', () => {
  const local = { host: '127.0.0.1', port: 0, where: 'a test' }

  it('serves on a free port, and refuses a wrong password', async () => {
    const broker = await startEmbeddedBroker({ ...local, username: 'line', password: 'secret' })
    const right = new MqttConnection(settings(broker.url, { protocolVersion: 4, username: 'line', password: 'secret' }))
    const wrong = new MqttConnection(settings(broker.url, { protocolVersion: 4, username: 'line', password: 'guess' }))
    const users = [new User(), new User()] as const
    right.register(users[0])
    wrong.register(users[1])
    await right.whenConnected(5000, () => right.away())
    await until(() => wrong.state === 'away', 'the refusal')
    assert.equal(users[1].problem?.code, 'TAKT_BROKER_REFUSED')
    await right.deregister(users[0])
    await wrong.deregister(users[1])
    await broker.close()
  })

  it('takes a burst far beyond what a slow reader can follow', async () => {
    const broker = await startEmbeddedBroker(local)
    const connection = new MqttConnection(settings(broker.url, { protocolVersion: 4 }))
    const user = new User()
    connection.register(user)
    let received = 0
    await connection.subscribe({ filter: 'burst', qos: 1, take: () => void received++ })
    await connection.whenConnected(5000, () => connection.away())
    await Promise.all(Array.from({ length: 2000 }, (_, i) => connection.publish('burst', String(i), { qos: 1 })))
    await until(() => received === 2000, 'every message')
    await connection.deregister(user)
    await broker.close()
  })

  it('says when its port is taken, and refuses to serve everyone without a password', async () => {
    const broker = await startEmbeddedBroker(local)
    const port = Number(new URL(broker.url).port)
    await assert.rejects(startEmbeddedBroker({ ...local, port }), { code: 'TAKT_BROKER_PORT' })
    await assert.rejects(startEmbeddedBroker({ ...local, host: '0.0.0.0' }), { code: 'TAKT_BROKER_OPEN' })
    await broker.close()
  })
})
