import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { connect } from 'mqtt'
import { UnsBuffer } from '../../../core/connect/uns-buffer.ts'
import { bodyWithSchema, schemaBody, schemaId, type UnsMessage } from '../../../core/connect/uns-message.ts'
import { placeOf } from '../../../core/connect/uns-place.ts'
import { checkTemplate, unsTopic } from '../../../core/connect/uns-topic.ts'
import { DOCUMENTS, type Document, type Kind } from '../../../core/messages/document.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { MESSAGE_EXAMPLES } from '../../../scripts/message-examples.ts'
import { Mosquitto, needsMosquitto } from './support/mosquitto.ts'
import { until } from './support/wait.ts'

const plant = checkPlant(
  {
    plant: 'acme/berlin',
    equipment: [
      { id: 'acme/berlin/machining/line-1', level: 'workCenter' },
      { id: 'acme/berlin/machining/line-1/mill-2', level: 'workUnit' },
      { id: 'acme/berlin/saw', level: 'workUnit' },
    ],
  },
  'test',
)
const MILL = 'acme/berlin/machining/line-1/mill-2'
const sample = { kind: 'sample', equipment: MILL, signal: 'spindle.vibration', value: 3, quality: 'good', time: 1, received: 1 } as const
const topic = (document: Document, template = '', prefix = ''): string => unsTopic(document, placeOf(document), { plant, template, prefix, where: 'a test' })

describe('topics of the unified namespace', () => {
  it('are the path of ISA-95, the kind and the name', () => {
    assert.equal(topic(sample), `${MILL}/sample/spindle.vibration`)
    assert.equal(topic({ ...MESSAGE_EXAMPLES['work-order'], id: 'wo-118' } as Document), 'acme/berlin/work-order/wo-118')
    assert.equal(topic(sample, '', 'uns/v1'), `uns/v1/${MILL}/sample/spindle.vibration`)
  })

  it('take names out of the equipment’s levels and the document', () => {
    assert.equal(topic(sample, '{enterprise}/{site}/{area}/{line}/{unit}/{kind}/{name}'), `${MILL}/sample/spindle.vibration`)
    assert.equal(topic(sample, 'x/{unit}/{signal}/{quality}'), 'x/mill-2/spindle.vibration/good')
    assert.equal(topic({ ...sample, equipment: 'acme/berlin/saw' }, '{site}/{unit}'), 'berlin/saw')
    assert.equal(topic({ ...sample, context: { lot: 'lot/9' } }, 'lots/{context.lot}'), 'lots/lot_9')
  })

  it('are refused where the document has not what the template names', () => {
    assert.throws(() => topic(sample, '{workOrder}/x'), { code: 'TAKT_UNS_TOPIC' })
    assert.throws(() => topic({ ...sample, equipment: 'acme/berlin/saw' }, '{area}'), { code: 'TAKT_UNS_TOPIC' })
    assert.throws(() => topic(sample, '{constructor}'), { code: 'TAKT_UNS_TOPIC' })
    assert.throws(() => topic({ ...sample, equipment: 'acme/#' }), { code: 'TAKT_UNS_TOPIC' })
    assert.throws(() => topic(sample, '', '$SYS'), { code: 'TAKT_UNS_TOPIC' })
    assert.throws(() => topic({ ...sample, signal: 'x'.repeat(70_000) }), { code: 'TAKT_UNS_TOPIC' })
  })

  it('never carry wildcards out of a name', () => {
    assert.equal(topic({ ...sample, signal: 'a+b/#\u0000' }), `${MILL}/sample/a_b___`)
  })

  it('are checked as templates when they are set up', () => {
    for (const good of ['', '{equipment}/{kind}', 'a/{context.lot}/b']) checkTemplate(good, 'a test')
    for (const bad of ['a/+/b', 'a/#', '{', 'a//b', '{a/b}', '/a']) assert.throws(() => checkTemplate(bad, 'a test'), { code: 'TAKT_CONFIG_INVALID' }, bad)
  })

  for (const kind of Object.keys(DOCUMENTS) as Kind[]) {
    it(`has a place for ${kind}, and a body that its published schema takes`, () => {
      const document = MESSAGE_EXAMPLES[kind] as Document
      assert.match(topic(document), new RegExp(`/${kind}(/|$)`))
      const validate = new Ajv2020({ strict: false }).compile(JSON.parse(schemaBody(kind)))
      const body = JSON.parse(bodyWithSchema(document))
      assert.equal(body.$schema, schemaId(kind))
      assert.ok(validate(body), JSON.stringify(validate.errors))
    })
  }

  it('never keep a command', () => {
    assert.equal(placeOf(MESSAGE_EXAMPLES.command as Document).isState, false)
  })
})

describe('the buffer of fast delivery', () => {
  const message = (name: string, body = name): UnsMessage => ({ topic: name, kind: 'sample', body, retain: false })

  it('keeps of a state the last, of news each, and drops the oldest of too many, counted', async () => {
    let connected = false
    const out: string[] = []
    const buffer = new UnsBuffer({
      publish: async ({ body }) => void out.push(body),
      isConnected: () => connected,
      limit: 3,
      inFlight: 2,
      failed: () => {},
    })
    buffer.put(message('a', 'a1'), true)
    buffer.put(message('a', 'a2'), true)
    buffer.put(message('n', 'n1'), false)
    buffer.put(message('n', 'n2'), false)
    assert.deepEqual([buffer.figures.waiting, buffer.figures.dropped], [3, 0])
    buffer.put(message('b', 'b1'), true)
    assert.deepEqual([buffer.figures.waiting, buffer.figures.dropped], [3, 1])
    connected = true
    buffer.drain()
    await until(() => out.length === 3, 'what was left')
    assert.deepEqual(out, ['n1', 'n2', 'b1'])
  })

  it('sends again what was under way when the connection was lost, unless something newer waits', async () => {
    let connected = true
    const out: string[] = []
    let fail: (error: Error) => void = () => {}
    const buffer = new UnsBuffer({
      publish: ({ body }) =>
        out.push(body) === 1
          ? new Promise((_resolve, reject) => {
              fail = reject
            })
          : Promise.resolve(),
      isConnected: () => connected,
      limit: 10,
      inFlight: 10,
      failed: () => assert.fail('a lost connection is no failure of the message'),
    })
    buffer.put(message('a', 'a1'), true)
    connected = false
    fail(new Error('lost'))
    await until(() => buffer.figures.waiting === 1, 'it waits again')
    buffer.put(message('a', 'a2'), true)
    connected = true
    buffer.drain()
    await until(() => out.length === 2, 'the newer one')
    assert.deepEqual(out, ['a1', 'a2'])
  })
})

describe('the outbox of the unified namespace, killed', () => {
  it('publishes everything that was written, through kill -9 and a broker that is away', async function () {
    needsMosquitto(this)
    this.timeout(90_000)
    const folder = mkdtempSync(join(tmpdir(), 'takt-uns-'))
    const broker = await Mosquitto.start()
    const seen: number[] = []
    const reader = connect(broker.url, {
      clientId: 'reader',
      clean: false,
      protocolVersion: 5,
      properties: { sessionExpiryInterval: 600 },
      reconnectPeriod: 200,
    })
    reader.on('message', (_topic, payload) => seen.push(JSON.parse(payload.toString()).total.good))
    reader.on('error', () => {})
    await until(() => reader.connected, 'the reader is connected')
    await reader.subscribeAsync('acme/#', { qos: 1 })

    const start = (...first: string[]) =>
      spawn(process.execPath, [join(import.meta.dirname, 'support/uns-writer.ts'), join(folder, 'takt.db'), broker.url, ...first], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
    const written: number[] = []
    for (const [index, away] of [false, true, false].entries()) {
      const first = 1_000_000 * (index + 1)
      const child = start(String(first))
      let last = first - 1
      child.stdout.on('data', (bytes: Buffer) => {
        // the last line may be cut
        last = Math.max(last, ...bytes.toString().split('\n').slice(0, -1).map(Number))
      })
      await until(() => last > first + 30, 'it writes', 30_000)
      if (away) await broker.stop('SIGTERM')
      const before = last
      await until(() => last > before + 30, 'it goes on writing', 30_000)
      child.kill('SIGKILL')
      await once(child, 'exit')
      for (let number = first; number <= last; number++) written.push(number)
      if (away) await broker.start()
    }
    const unseen = () => {
      const known = new Set(seen)
      return written.filter((number) => !known.has(number))
    }
    assert.ok(unseen().length > 0, 'something was left behind')
    const last = start()
    await until(() => unseen().length === 0, 'every number at least once', 60_000)
    last.kill('SIGKILL')
    await once(last, 'exit')
    await reader.endAsync(true)
    await broker.remove()
    rmSync(folder, { recursive: true, force: true })
  })
})
