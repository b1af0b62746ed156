import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StatusCodes } from 'node-opcua'
import { systemClock } from '../../../core/base/clock.ts'
import type { TaktError } from '../../../core/base/error.ts'
import { OpcuaConnection } from '../../../core/connect/opcua-connection.ts'
import { boundItems, listedItems } from '../../../core/connect/opcua-items.ts'
import { OpcuaSampler, type OpcuaSampleSetting, type OpcuaSink } from '../../../core/connect/opcua-samples.ts'
import type { OpcuaSettings } from '../../../core/connect/opcua-settings.ts'
import type { WrittenValue } from '../../../core/connect/opcua-write.ts'
import type { LinkState } from '../../../core/connect/shared-link.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { validateDocument } from '../../../core/messages/validate.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { OpcuaTestServer } from './support/opcua-server.ts'
import { until } from './support/wait.ts'

const source = (name: string) => ({ connection: 'line', nodeId: `ns=1;s=${name}` })
const plant = checkPlant(
  {
    plant: 'acme',
    equipment: [
      {
        id: 'acme/mill',
        level: 'workUnit',
        signals: [
          { name: 'state', role: 'packml-state', source: source('State') },
          { name: 'good', role: 'good-count', source: source('Good') },
          { name: 'job', role: 'job-order', source: source('Job') },
          { name: 'vibration', role: 'condition', unit: 'mm/s', source: source('Vibration') },
          { name: 'big', source: source('Big') },
          { name: 'door', source: source('Door') },
          { name: 'gone', source: source('NotThere') },
          { name: 'nonsense', source: { connection: 'line', nodeId: 'what is this' } },
          { name: 'by-mqtt', source: { connection: 'line', topic: 'a/b' } },
        ],
      },
    ],
  },
  'test',
)
const setting: OpcuaSampleSetting = {
  clock: systemClock,
  where: 'a test',
  publishingMs: 50,
  samplingMs: 0,
  queueSize: 100,
  discardOldest: true,
  source: 'line',
}

class Sink implements OpcuaSink {
  readonly samples: Sample[] = []
  readonly problems: string[] = []
  sample(sample: Sample, topic: string): void {
    assert.equal(topic, `${sample.equipment}/${sample.signal}`)
    this.samples.push(validateDocument(sample, 'sample', 'test'))
  }
  bad(problem: TaktError): void {
    this.problems.push(problem.code)
  }
  unknown(problem: TaktError): void {
    this.problems.push(`${problem.code} ${/node (\S+)/.exec(problem.where)?.[1]}`)
  }
  lost(problem: TaktError): void {
    this.problems.push(problem.code)
  }
  began(): void {}
  alive(): void {}
  of(signal: string): Array<Sample['value']> {
    return this.samples.filter((sample) => sample.signal === signal).map((sample) => sample.value)
  }
}

describe('OPC UA', function () {
  this.timeout(60_000)
  let folder: string
  let server: OpcuaTestServer
  const cleanup: Array<() => Promise<unknown> | void> = []

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-opcua-client-'))
    server = await OpcuaTestServer.start()
  })
  after(async () => {
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    for (const [name, value] of Object.entries({ State: 4, Good: 0, Job: '', Vibration: 3.1 })) server.set(name, value)
  })
  afterEach(async () => {
    for (const each of cleanup.splice(0).reverse()) await each()
    server.answer = StatusCodes.Good
    server.reply = ''
  })

  function open(more: Partial<OpcuaSettings> = {}) {
    const connection = new OpcuaConnection({
      url: server.url,
      securityMode: 'None',
      securityPolicy: 'Basic256Sha256',
      acceptServerCertificate: true,
      pkiFolder: join(folder, 'pki'),
      where: 'a test',
      ...more,
    })
    const states: LinkState[] = []
    const user = { linkChanged: (state: LinkState) => void states.push(state) }
    connection.register(user)
    cleanup.push(() => connection.deregister(user))
    return { connection, states }
  }

  function sampler(connection: OpcuaConnection, items = boundItems(plant, 'line'), more: Partial<OpcuaSampleSetting> = {}): Sink {
    const sink = new Sink()
    const made = new OpcuaSampler(connection, items, { ...setting, ...more }, sink)
    cleanup.push(() => made.close())
    return sink
  }

  it('connects without security, gives the values that are there, and then the changes', async () => {
    const { connection, states } = open()
    const sink = sampler(connection)
    await until(() => sink.of('vibration').length > 0 && sink.of('door').length > 0, 'the first values')
    assert.deepEqual(states.slice(0, 3), ['idle', 'connecting', 'connected'])
    const time = Date.now() - 5
    server.set('Vibration', 7.25, { time })
    await until(() => sink.of('vibration').includes(7.25), 'the change')
    const sample = sink.samples.find((each) => each.value === 7.25)
    assert.deepEqual([sample?.time, sample?.unit, sample?.quality, sample?.origin], [time, 'mm/s', 'good', { source: 'line' }])
    assert.deepEqual(sink.of('big'), [7])
    assert.deepEqual(sink.of('door'), [false])
  })

  it('names the nodes that are not there, one by one, while the others work', async () => {
    const { connection } = open()
    const sink = sampler(connection)
    await until(() => sink.of('state').length > 0, 'the others')
    assert.deepEqual(sink.problems.sort(), ['TAKT_OPCUA_NODE_UNKNOWN ns=1;s=NotThere', 'TAKT_OPCUA_NODE_UNKNOWN what'])
  })

  it('orders what one notification brings by time, then job, counts, state', async () => {
    const { connection } = open()
    const sink = sampler(connection, undefined, { publishingMs: 300 })
    await until(() => sink.of('state').length > 0, 'the first values')
    const from = sink.samples.length
    const time = Date.now()
    // in the order in which a careless machine writes them
    server.set('State', 17, { time })
    server.set('Good', 41, { time: time - 1 })
    server.set('Good', 42, { time })
    server.set('Job', 'jo-7', { time })
    await until(() => sink.samples.length >= from + 4, 'all four')
    assert.deepEqual(
      sink.samples.slice(from).map((sample) => [sample.signal, sample.value]),
      [
        ['good', 41],
        ['job', 'jo-7'],
        ['good', 42],
        ['state', 17],
      ],
    )
  })

  it('turns status codes into qualities, and keeps the last value of one that went bad', async () => {
    const { connection } = open()
    const sink = sampler(connection)
    await until(() => sink.of('vibration').length > 0, 'the first value')
    server.set('Vibration', 5.5, { status: StatusCodes.UncertainLastUsableValue })
    server.set('Vibration', null, { status: StatusCodes.BadSensorFailure })
    await until(() => sink.samples.some((sample) => sample.quality === 'bad'), 'the bad one')
    const last = sink.samples.filter((sample) => sample.signal === 'vibration').slice(-2)
    assert.deepEqual(
      last.map((sample) => [sample.value, sample.quality]),
      [
        [5.5, 'uncertain'],
        [5.5, 'bad'],
      ],
    )
  })

  it('refuses values that are none', async () => {
    const { connection } = open()
    const sink = sampler(connection, listedItems([{ nodeId: 'ns=1;s=Vibration', topic: 'acme/mill/vibration' }], plant, 'a test'))
    await until(() => sink.samples.length > 0, 'the first value')
    server.set('Vibration', Number.NaN)
    server.set('Vibration', 1, { time: Date.UTC(1999, 0) })
    server.set('Vibration', 2, { time: Date.now() + 3_600_000 })
    await until(() => sink.problems.length === 3, 'three refusals')
    assert.deepEqual(sink.problems, ['TAKT_SAMPLE_VALUE_NOT_FINITE', 'TAKT_SAMPLE_TIME_ANCIENT', 'TAKT_SAMPLE_TIME_FUTURE'])
  })

  it('refuses a list that names signals the plant does not have', () => {
    assert.throws(() => listedItems([{ nodeId: 'ns=1;s=State', topic: 'acme/saw/state' }], plant, 'a test'), { code: 'TAKT_EQUIPMENT_UNKNOWN' })
    assert.throws(() => listedItems([{ nodeId: 'ns=1;s=State', topic: 'acme/mill/colour' }], plant, 'a test'), { code: 'TAKT_SIGNAL_UNKNOWN' })
  })

  it('loses nothing of a burst that fits the queue, and says when it does not', async () => {
    const { connection } = open()
    const sink = sampler(connection, undefined, { publishingMs: 200, queueSize: 100 })
    const small = sampler(connection, undefined, { publishingMs: 200, queueSize: 5 })
    await until(() => sink.of('good').length > 0 && small.of('good').length > 0, 'the first values')
    const from = sink.samples.length
    for (let i = 1; i <= 90; i++) server.set('Good', 1000 + i)
    await until(() => sink.of('good').at(-1) === 1090 && small.of('good').at(-1) === 1090, 'the last of the burst')
    assert.equal(sink.samples.slice(from).length, 90)
    assert.deepEqual(small.of('good').slice(-5), [1086, 1087, 1088, 1089, 1090])
    assert.ok(small.problems.includes('TAKT_OPCUA_OVERFLOW'))
    assert.ok(!sink.problems.includes('TAKT_OPCUA_OVERFLOW'))
  })

  it('calls methods, writes and reads', async () => {
    server.reply = '{"status":"done"}'
    const { connection } = open()
    await connection.whenConnected(10_000, () => connection.away())
    const result = await connection.call('ns=1;s=Machine', 'ns=1;s=Machine.Command', '{"name":"reset"}')
    assert.equal(server.calls.at(-1), '{"name":"reset"}')
    assert.deepEqual([result.statusCode.name, result.outputArguments?.[0]?.value], ['Good', '{"status":"done"}'])
    assert.equal((await connection.write('ns=1;s=Setpoint', 12.5)).name, 'Good')
    assert.equal((await connection.write('ns=1;s=Order', '{"a":1}')).name, 'Good')
    assert.deepEqual([server.get('Setpoint'), await connection.read('ns=1;s=Order')], [12.5, '{"a":1}'])
    await assert.rejects(connection.write('ns=1;s=NotThere', 1), { code: 'TAKT_OPCUA_REFUSED' })
  })

  it('browses the address space, level by level', async () => {
    const { connection } = open()
    await connection.whenConnected(10_000, () => connection.away())
    const top = await connection.browse()
    assert.deepEqual(
      top.find((node) => node.name === 'Machine'),
      { nodeId: 'ns=1;s=Machine', name: 'Machine', variable: false },
    )
    const inside = await connection.browse('ns=1;s=Machine')
    assert.deepEqual(
      inside.find((node) => node.name === 'Vibration'),
      { nodeId: 'ns=1;s=Vibration', name: 'Vibration', variable: true, access: 'rw', dataType: 'Double', value: '3.1' },
    )
    await assert.rejects(connection.browse('ns=1;s=NotThere'), { code: 'TAKT_OPCUA_REFUSED' })
    const list = inside.find((node) => node.name === 'Speeds')
    assert.deepEqual([list?.dataType, list?.value, list?.parts], ['Double[3]', '[1,2,3]', true])
    assert.deepEqual(
      (await connection.browse('ns=1;s=Grid')).map(({ path, value }) => [path, value]),
      [
        ['[0][0]', '11'],
        ['[0][1]', '12'],
        ['[1][0]', '21'],
        ['[1][1]', '22'],
      ],
    )
    assert.deepEqual(
      (await connection.browse('ns=1;s=Range')).map(({ path, value }) => [path, value]),
      [
        ['.low', '-5'],
        ['.high', '55'],
      ],
    )
    await assert.rejects(connection.browse('rubbish'), { code: 'TAKT_OPCUA_NODE_UNKNOWN' })
  })

  it('searches the address space by name, within limits', async () => {
    const { connection } = open()
    await connection.whenConnected(10_000, () => connection.away())
    const limits = { visited: 10_000, found: 50, timeMs: 10_000 }
    const { found, complete } = await connection.search('vibr', limits)
    assert.deepEqual(
      found.map(({ nodeId, way, dataType }) => [nodeId, way, dataType]),
      [['ns=1;s=Vibration', 'Machine / Vibration', 'Double']],
    )
    assert.equal(complete, true)
    const few = await connection.search('e', { ...limits, found: 2 })
    assert.deepEqual([few.found.length, few.complete], [2, false])
    const gone = await connection.search('e', { ...limits, signal: AbortSignal.abort() })
    assert.deepEqual(gone, { found: [], complete: false })
    assert.deepEqual(await connection.search(' ', limits), { found: [], complete: false })
  })

  it('writes what the type can hold, exactly, and refuses the rest before it is sent', async () => {
    const { connection } = open()
    await connection.whenConnected(10_000, () => connection.away())
    const write = async (name: string, value: WrittenValue) => (await connection.write(`ns=1;s=${name}`, value)).name
    assert.equal(await write('Big', 9_007_199_254_740_993n), 'Good')
    assert.equal(await connection.read('ns=1;s=Big'), 9_007_199_254_740_993n)
    assert.equal(await write('Big', '-9223372036854775808'), 'Good')
    assert.equal(await connection.read('ns=1;s=Big'), -(2n ** 63n))
    assert.equal(await write('Speeds', [4, '5.5', 6]), 'Good')
    assert.deepEqual(await connection.read('ns=1;s=Speeds'), [4, 5.5, 6])
    assert.equal(await write('Speeds', '[7, 8]'), 'Good')
    assert.deepEqual(await connection.read('ns=1;s=Speeds'), [7, 8])
    assert.equal(await write('Door', 'true'), 'Good')
    assert.equal(server.get('Door'), true)
    server.set('Door', false)
    server.set('Big', [0, 7])
    const wrong: ReadonlyArray<readonly [string, WrittenValue]> = [
      ['State', 2 ** 31],
      ['State', 1.5],
      ['State', 'Execute'],
      ['Good', -1],
      ['Big', '9223372036854775808'],
      ['Big', 2 ** 53 + 2],
      ['Setpoint', Number.POSITIVE_INFINITY],
      ['Setpoint', 'fast'],
      ['Setpoint', [1]],
      ['Speeds', 1],
      ['Speeds', [1, null]],
      ['Door', 'open'],
      ['Order', null],
    ]
    for (const [name, value] of wrong) await assert.rejects(write(name, value), { code: 'TAKT_OPCUA_VALUE' }, `${name} ${String(value)}`)
    await assert.rejects(connection.write('ns=0;i=2256', 1), { code: 'TAKT_OPCUA_ACCESS' })
  })

  it('calls methods with several arguments, each by its name and declared type', async () => {
    const { connection } = open()
    await connection.whenConnected(10_000, () => connection.away())
    const call = (given: Record<string, WrittenValue>) => connection.callNamed('ns=1;s=Machine', 'ns=1;s=Machine.Setup', given, '{}')
    const result = await call({ program: 'shaft', speed: '1200', serial: '9007199254740993', steps: [1, 2, 3] })
    assert.equal(result.statusCode.name, 'Good')
    assert.equal(server.calls.at(-1), 'shaft 1200 2097152,1 1,2,3')
    await assert.rejects(call({ program: 'shaft', speed: 1200 }), { code: 'TAKT_OPCUA_VALUE' })
    await assert.rejects(call({ program: 'shaft', speed: 70_000, serial: 1, steps: [] }), { code: 'TAKT_OPCUA_VALUE' })
    server.reply = ''
    await connection.callNamed('ns=1;s=Machine', 'ns=1;s=Machine.Command', { job: 'jo-1' }, '{"name":"start"}')
    assert.equal(server.calls.at(-1), '{"name":"start"}')
    await connection.callNamed('ns=1;s=Machine', 'ns=1;s=Machine.Command', { command: 'plain' }, '{"name":"start"}')
    assert.equal(server.calls.at(-1), 'plain')
  })

  describe('security', () => {
    it('signs and encrypts, with a certificate that is accepted at first sight', async () => {
      const { connection } = open({ securityMode: 'SignAndEncrypt' })
      const sink = sampler(connection)
      await until(() => sink.of('vibration').length > 0, 'the first value', 30_000)
    })

    it('trusts no server by itself: names the thumbprint, and takes it as soon as a person has moved the file', async () => {
      const pkiFolder = join(folder, 'careful')
      const { connection } = open({ securityMode: 'SignAndEncrypt', acceptServerCertificate: false, pkiFolder })
      await until(() => connection.state === 'away', 'the refusal', 30_000)
      const problem = connection.problem
      assert.equal(problem?.code, 'TAKT_OPCUA_UNTRUSTED')
      const [file] = readdirSync(join(pkiFolder, 'rejected'))
      const thumbprint = /thumbprint ([0-9a-f]{40})/.exec(problem?.what ?? '')?.[1] ?? 'none'
      assert.ok(file?.includes(thumbprint), `${file} has ${thumbprint}`)
      assert.ok(problem?.what.includes(join(pkiFolder, 'rejected', file ?? '')))
      assert.ok(existsSync(join(pkiFolder, 'trusted', 'certs')))
      renameSync(join(pkiFolder, 'rejected', file ?? ''), join(pkiFolder, 'trusted', 'certs', file ?? ''))
      await until(() => connection.state === 'connected', 'the connection', 30_000)
    })

    it('says when the server does not offer what is asked for', async () => {
      const { connection } = open({ securityMode: 'Sign', securityPolicy: 'Aes256_Sha256_RsaPss' })
      await until(() => connection.state === 'away', 'the refusal', 30_000)
      assert.equal(connection.problem?.code, 'TAKT_OPCUA_SECURITY')
    })

    it('logs in with user and password, and says when they are wrong', async () => {
      const guarded = await OpcuaTestServer.start({ name: 'line', password: 'secret' })
      cleanup.push(() => guarded.remove())
      const right = open({ url: guarded.url, username: 'line', password: 'secret', securityMode: 'SignAndEncrypt' })
      const wrong = open({ url: guarded.url, username: 'line', password: 'guess', securityMode: 'SignAndEncrypt' })
      const nobody = open({ url: guarded.url, securityMode: 'SignAndEncrypt' })
      await right.connection.whenConnected(30_000, () => right.connection.away())
      await until(() => wrong.connection.state === 'away' && nobody.connection.state === 'away', 'the refusals', 30_000)
      assert.deepEqual([wrong.connection.problem?.code, nobody.connection.problem?.code], ['TAKT_OPCUA_USER', 'TAKT_OPCUA_USER'])
    })
  })

  describe('losses', () => {
    it('says that nobody answers, and connects when the server comes', async () => {
      const late = await OpcuaTestServer.start()
      cleanup.push(() => late.remove())
      await late.stop()
      const { connection } = open({ url: late.url })
      const sink = sampler(connection)
      await until(() => connection.state === 'away', 'the problem')
      assert.equal(connection.problem?.code, 'TAKT_OPCUA_AWAY')
      await late.start()
      await until(() => sink.of('state').length > 0, 'values')
    })

    for (const securityMode of ['None', 'SignAndEncrypt'] as const)
      it(`comes back after a restart of the server (${securityMode}), with its subscription and the present values`, async () => {
        const restarted = await OpcuaTestServer.start()
        cleanup.push(() => restarted.remove())
        const { connection, states } = open({ url: restarted.url, securityMode })
        const sink = sampler(connection)
        await until(() => sink.of('vibration').length > 0, 'the first value')
        for (const value of [21, 22]) {
          await restarted.stop()
          await until(() => states.at(-1) === 'away', 'the loss is seen')
          await restarted.start()
          restarted.set('Vibration', value)
          await until(() => sink.of('vibration').includes(value), `the value ${value} after the restart`)
          await until(() => states.at(-1) === 'connected', 'the state is true')
          restarted.set('Vibration', value + 0.5)
          await until(() => sink.of('vibration').includes(value + 0.5), 'it goes on')
        }
      })

    it('loses nothing when only the network breaks', async () => {
      const wire = await Wire.start(server.port)
      cleanup.push(() => wire.close())
      const { connection } = open({ url: `opc.tcp://127.0.0.1:${wire.port}` })
      const sink = sampler(connection, undefined, { queueSize: 1000 })
      await until(() => sink.of('good').length > 0, 'the first value')
      server.set('Good', 5000)
      await until(() => sink.of('good').includes(5000), 'a value before')
      wire.cut()
      await until(() => connection.state === 'away', 'the loss is seen')
      for (let i = 1; i <= 50; i++) server.set('Good', 5000 + i)
      wire.mend()
      await until(() => sink.of('good').includes(5050), 'the last value', 30_000)
      const seen = sink.of('good').filter((value) => Number(value) > 5000)
      assert.deepEqual(
        [...new Set(seen)],
        Array.from({ length: 50 }, (_, i) => 5001 + i),
      )
    })

    it('gives up a host that takes the connection and says nothing, and tries another time', async () => {
      const wire = await Wire.start(server.port)
      cleanup.push(() => wire.close())
      wire.freeze()
      const { connection } = open({ url: `opc.tcp://127.0.0.1:${wire.port}` })
      await until(() => connection.state === 'away', 'it is given up')
      wire.thaw()
      await until(() => connection.state === 'connected', 'the connection')
    })

    it('builds anew what stays mute although the connection looks alive', async () => {
      const wire = await Wire.start(server.port)
      cleanup.push(() => wire.close())
      const { connection, states } = open({ url: `opc.tcp://127.0.0.1:${wire.port}` })
      const sink = sampler(connection)
      await until(() => sink.of('vibration').length > 0, 'the first value')
      wire.freeze()
      await until(() => states.includes('away'), 'the silence is noticed', 30_000)
      wire.thaw()
      server.set('Vibration', 99)
      await until(() => sink.of('vibration').includes(99), 'values again', 30_000)
      await until(() => states.at(-1) === 'connected', 'the state is true')
    })
  })
})

/** A wire that can be cut, or go dead without a word. */
class Wire {
  readonly port: number
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #broken = false
  #frozen = false

  private constructor(server: Server, port: number, target: number) {
    this.#server = server
    this.port = port
    server.on('connection', (near) => {
      if (this.#broken) return void near.destroy()
      const far = connect(target, '127.0.0.1')
      const pair = [near, far] as const
      this.#pairs.add(pair)
      if (!this.#frozen) near.pipe(far).pipe(near)
      for (const socket of pair) {
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#pairs.delete(pair)
          for (const each of pair) each.destroy()
        })
      }
    })
  }

  static start(target: number): Promise<Wire> {
    const server = createServer()
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(new Wire(server, (server.address() as { port: number }).port, target))))
  }

  cut(): void {
    this.#broken = true
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  mend(): void {
    this.#broken = false
  }

  freeze(): void {
    this.#frozen = true
    for (const [near, far] of this.#pairs) {
      near.unpipe(far)
      far.unpipe(near)
      near.pause()
      far.pause()
    }
  }

  /** New connections work; the dead ones stay dead. */
  thaw(): void {
    this.#frozen = false
  }

  close(): Promise<void> {
    this.cut()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
