import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { connect } from 'mqtt'
import { ManualClock } from '../../../core/base/clock.ts'
import { MqttConnection, type MqttMessage } from '../../../core/connect/mqtt-connection.ts'
import { bindingDecoders, type MqttSampleSetting, templateDecoder } from '../../../core/connect/mqtt-samples.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { Mosquitto, needsMosquitto } from './support/mosquitto.ts'
import { until } from './support/wait.ts'

const NOW = Date.UTC(2026, 0, 5, 8)
const path = { connection: 'line', value: '$.v', time: '$.ts' }
const plant = checkPlant(
  {
    plant: 'acme',
    equipment: [
      {
        id: 'acme/mill',
        level: 'workUnit',
        signals: [
          { name: 'good', role: 'good-count', source: { ...path, topic: 'm/good' } },
          { name: 'job', role: 'job-order', source: { ...path, topic: 'm/job' } },
          { name: 'load', role: 'condition', source: { ...path, topic: 'm/load' } },
          { name: 'note', source: { ...path, topic: 'm/note' } },
          { name: 'plain', source: { connection: 'line', topic: 'm/plain' } },
        ],
      },
    ],
  },
  'test',
)
const setting: MqttSampleSetting = { clock: new ManualClock(NOW), where: 'a test', maxBytes: 70_000, source: 'line' }

interface Outcome {
  readonly value?: Sample['value'] | undefined
  readonly code?: string | undefined
  readonly what?: string | undefined
}

function outcome(topic: string, payload: string | Buffer, decoders = bindingDecoders(plant, 'line', setting)): Outcome {
  let result: Outcome = {}
  const message: MqttMessage = { topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false, messageId: 1 }
  for (const decoder of decoders.filter(({ filter }) => filter === topic || filter === '#'))
    void decoder.decode(message, {
      sample: ({ value }) => {
        result = { value }
      },
      document: () => assert.fail(),
      numbered: () => assert.fail(),
      bad: ({ code, what }) => {
        result = { code, what }
      },
    })
  return result
}

/** Each line of the table in docs/connect.md. */
describe('hostile payloads', () => {
  const json = (value: string): string => `{"v": ${value}}`
  const refused: ReadonlyArray<readonly [string, string, string, string | Buffer]> = [
    ['larger than the limit', 'TAKT_MESSAGE_TOO_LARGE', 'm/note', json(`"${'x'.repeat(70_000)}"`)],
    ['no UTF-8 inside JSON', 'TAKT_MESSAGE_ENCODING', 'm/note', Buffer.concat([Buffer.from('{"v": "'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')])],
    ['no UTF-8 as plain text', 'TAKT_MESSAGE_ENCODING', 'm/plain', Buffer.from([0xff, 0xfe, 0x41])],
    ['10,000 levels deep', 'TAKT_MESSAGE_TOO_DEEP', 'm/load', `{"v": 1, "a": ${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['2^53 + 1 for a count', 'TAKT_SAMPLE_VALUE_INEXACT', 'm/good', json('9007199254740993')],
    ['-2^53 - 1 for a note', 'TAKT_SAMPLE_VALUE_INEXACT', 'm/note', json('-9007199254740993')],
    ['2^53 + 1 as plain text', 'TAKT_SAMPLE_VALUE_INEXACT', 'm/plain', '9007199254740993'],
    ['NaN', 'TAKT_MESSAGE_NOT_JSON', 'm/load', json('NaN')],
    ['NaN as a text', 'TAKT_SAMPLE_VALUE_NOT_FINITE', 'm/load', json('"NaN"')],
    ['a NUL in a job order', 'TAKT_SAMPLE_VALUE_TYPE', 'm/job', json('"jo-1\\u0000; drop"')],
    ['__proto__ twice', 'TAKT_MESSAGE_FORBIDDEN_KEY', 'm/load', '{"v": 1, "__proto__": {"v": 2}, "__proto__": {"admin": true}}'],
    ['seconds for milliseconds', 'TAKT_SAMPLE_TIME_ANCIENT', 'm/load', JSON.stringify({ v: 1, ts: NOW / 1000 })],
  ]
  for (const [what, code, topic, payload] of refused)
    it(`${what}: ${code}`, () => {
      assert.equal(outcome(topic, payload).code, code)
      assert.equal(({} as Record<string, unknown>).admin, undefined)
    })

  it('says that a time looks like seconds, and only where it does', () => {
    assert.match(outcome('m/load', JSON.stringify({ v: 1, ts: NOW / 1000 })).what ?? '', /looks like seconds/)
    assert.doesNotMatch(outcome('m/load', JSON.stringify({ v: 1, ts: 12 })).what ?? '', /looks like seconds/)
  })

  it('takes the last of two equal keys, as JSON.parse does, and what can be taken exactly', () => {
    assert.equal(outcome('m/load', '{"v": 1, "v": 2}').value, 2)
    assert.equal(outcome('m/good', json('9007199254740991')).value, 9007199254740991)
    assert.equal(outcome('m/note', json('"9007199254740993"')).value, '9007199254740993')
    assert.equal(outcome('m/load', json('1e20')).value, 1e20)
    assert.equal(outcome('m/note', json('"\uFFFD is a character too"')).value, '\uFFFD is a character too')
  })

  it('a topic of 64 KiB, with wildcards or odd names: TAKT_EQUIPMENT_UNKNOWN or TAKT_SIGNAL_UNKNOWN, clipped in the message', () => {
    const decoder = templateDecoder(
      { filter: '#', template: '{equipment}/{signal}', target: '{equipment}/{signal}', value: undefined, time: undefined },
      plant,
      setting,
    )
    const long = outcome('x/'.repeat(32_000), '1', [decoder])
    assert.ok(long.code !== undefined && (long.what ?? '').length < 500)
    assert.equal(outcome('acme/mill/+', '1', [decoder]).code, 'TAKT_SIGNAL_UNKNOWN')
    assert.equal(outcome('acme/#', '1', [decoder]).code, 'TAKT_EQUIPMENT_UNKNOWN')
    assert.equal(outcome('acme/mill/__proto__', '1', [decoder]).code, 'TAKT_SIGNAL_UNKNOWN')
    assert.equal(outcome('acme/mill\u0000/load', '1', [decoder]).code, 'TAKT_EQUIPMENT_UNKNOWN')
  })
})

/** A server that speaks just enough MQTT 3.1.1 to be taken for a broker, and then says what no broker would. */
class HostileServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  connections = 0

  constructor(afterSubscribe: Buffer) {
    this.#server = createServer((socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', (bytes: Buffer) => {
        const type = (bytes[0] as number) >> 4
        if (type === 1) socket.write(Buffer.from([0x20, 2, 0, 0]))
        if (type === 8) socket.write(Buffer.concat([Buffer.from([0x90, 3, bytes[2] as number, bytes[3] as number, 1]), afterSubscribe]))
        if (type === 12) socket.write(Buffer.from([0xd0, 0]))
      })
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `mqtt://127.0.0.1:${(this.#server.address() as { port: number }).port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

function publishPacket(topic: Buffer, payload: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from([topic.length >> 8, topic.length & 255]), topic, payload])
  const length: number[] = []
  for (let left = body.length; ; left >>= 7) {
    if (left < 128) {
      length.push(left)
      break
    }
    length.push((left & 127) | 128)
  }
  return Buffer.concat([Buffer.from([0x30, ...length]), body])
}

function connectionTo(url: string, more: { protocolVersion?: 4 | 5; maximumPacketBytes?: number } = {}): MqttConnection {
  return new MqttConnection({
    url: () => Promise.resolve(url),
    protocolVersion: 4,
    clientId: 'victim',
    cleanSession: true,
    sessionExpirySeconds: 0,
    keepaliveSeconds: 15,
    receiveMaximum: 100,
    maximumPacketBytes: 10_000,
    where: 'a test',
    ...more,
  })
}

describe('a hostile broker', () => {
  const cases: ReadonlyArray<readonly [string, Buffer, 'passed on' | 'given up']> = [
    ['a topic with wildcards', publishPacket(Buffer.from('a/+/#'), Buffer.from('1')), 'passed on'],
    ['a topic that is no UTF-8', publishPacket(Buffer.from([0x61, 0xff, 0xfe]), Buffer.from('1')), 'passed on'],
    ['a topic with a NUL', publishPacket(Buffer.from('a\0b'), Buffer.from('1')), 'passed on'],
    ['a packet type that does not exist', Buffer.from([0x00, 0x00, 0xff, 0xff]), 'given up'],
    ['a length of five digits', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), 'given up'],
    ['a topic longer than its packet', Buffer.from([0x30, 0x04, 0xff, 0xff, 0x61, 0x62]), 'given up'],
  ]
  for (const [what, bytes, expected] of cases)
    it(`${what}: ${expected}`, async () => {
      const server = new HostileServer(bytes)
      const connection = connectionTo(await server.start())
      const user = { linkChanged: () => {} }
      const taken: MqttMessage[] = []
      await connection.subscribe({ filter: '#', qos: 1, take: (message) => void taken.push(message) })
      connection.register(user)
      // it comes again and is made anew, and nothing throws where nobody could catch it
      if (expected === 'given up') await until(() => server.connections >= 2, 'it is given up and tried again')
      else await until(() => taken.length > 0, 'the decoder judges it')
      await connection.deregister(user)
      await server.stop()
    })

  it('a packet larger than agreed is not sent by a real one, and larger than allowed ends the connection', async function () {
    needsMosquitto(this)
    const broker = await Mosquitto.start()
    const connection = connectionTo(broker.url, { protocolVersion: 5, maximumPacketBytes: 2000 })
    const user = { linkChanged: () => {} }
    const sizes: number[] = []
    await connection.subscribe({ filter: 'big/#', qos: 1, take: ({ payload }) => void sizes.push(payload.length) })
    connection.register(user)
    await connection.whenConnected(5000, () => connection.away())
    const publisher = connect(broker.url)
    await until(() => publisher.connected, 'the publisher')
    for (const size of [100, 5000, 200]) await publisher.publishAsync('big/one', Buffer.alloc(size, 'x'), { qos: 1 })
    await until(() => sizes.length === 2, 'the small ones')
    assert.deepEqual([sizes, connection.state], [[100, 200], 'connected'])
    await publisher.endAsync(true)
    await connection.deregister(user)
    await broker.remove()
  })
})
