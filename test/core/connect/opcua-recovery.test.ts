import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DataType, Variant, VariantArrayType } from 'node-opcua'
import { systemClock } from '../../../core/base/clock.ts'
import type { TaktError } from '../../../core/base/error.ts'
import type { KeptState, SamplerMemory } from '../../../core/connect/opcua-checkpoint.ts'
import { OpcuaConnection } from '../../../core/connect/opcua-connection.ts'
import { boundItems } from '../../../core/connect/opcua-items.ts'
import { OpcuaSampler, type OpcuaSampleSetting, type OpcuaSink } from '../../../core/connect/opcua-samples.ts'
import type { OpcuaSettings } from '../../../core/connect/opcua-settings.ts'
import type { Gap } from '../../../core/messages/gap.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { FaultProxy } from '../../support/fault-proxy.ts'
import { OpcuaTestServer } from './support/opcua-server.ts'
import { until } from './support/wait.ts'

const USER = { name: 'line', password: 'secret' }
const signal = (name: string, role?: string, source: Record<string, unknown> = {}) => ({
  name: name.toLowerCase(),
  ...(role === undefined ? {} : { role }),
  source: { connection: 'line', nodeId: `ns=1;s=${name}`, ...source },
})
const plantOf = (...signals: unknown[]) => checkPlant({ plant: 'acme', equipment: [{ id: 'acme/mill', level: 'workUnit', signals }] }, 'test')
const counters = plantOf(signal('Good', 'good-count'), signal('Vibration', 'condition'))

/** What a store does: keeps what was delivered, tells what came before, refuses while it is away. */
class Receiver implements OpcuaSink {
  readonly all: Sample[] = []
  readonly gaps: Gap[] = []
  readonly problems: string[] = []
  readonly #contents = new Set<string>()
  doubled = 0
  away = false
  sample(sample: Sample): void {
    this.all.push(sample)
  }
  async deliver(sample: Sample, _topic: string, content: string, repeated: boolean): Promise<void> {
    await pause(1)
    if (this.away) throw new Error('the store is away')
    if (this.#contents.has(content)) {
      assert.ok(repeated, `${content} came twice without a word`)
      this.doubled++
      return
    }
    this.#contents.add(content)
    this.all.push(sample)
  }
  bad(problem: TaktError): void {
    this.problems.push(problem.code)
  }
  unknown(problem: TaktError): void {
    this.problems.push(problem.code)
  }
  lost(problem: TaktError): void {
    this.problems.push(problem.code)
  }
  gap(gap: Gap): void {
    this.gaps.push(gap)
  }
  began(): void {}
  alive(): void {}
  of(name: string): Array<Sample['value']> {
    return this.all.filter((each) => each.signal === name).map((each) => each.value)
  }
}

class Memory implements SamplerMemory {
  state: KeptState | undefined
  async load(): Promise<unknown> {
    await pause(1)
    return this.state === undefined ? undefined : JSON.parse(JSON.stringify(this.state))
  }
  async save(state: KeptState): Promise<void> {
    await pause(1)
    this.state = state
  }
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('OPC UA recovery', function () {
  this.timeout(90_000)
  let folder: string
  const cleanup: Array<() => Promise<unknown> | void> = []

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-opcua-recovery-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))
  afterEach(async () => {
    for (const each of cleanup.splice(0).reverse()) await each()
  })

  async function serve(...args: Parameters<typeof OpcuaTestServer.start>): Promise<OpcuaTestServer> {
    const server = await OpcuaTestServer.start(...args)
    cleanup.push(() => server.remove())
    return server
  }

  /** A process of ours, as far as the server sees one: a connection of its own behind a wire of its own, which `kill` cuts without a goodbye. */
  async function run(
    server: OpcuaTestServer,
    plant = counters,
    more: Partial<OpcuaSampleSetting> = {},
    user: Partial<OpcuaSettings> = {},
    sink = new Receiver(),
  ) {
    const wire = await FaultProxy.start(server.port)
    const connection = new OpcuaConnection({
      url: `opc.tcp://127.0.0.1:${wire.port}`,
      securityMode: 'None',
      securityPolicy: 'Basic256Sha256',
      acceptServerCertificate: true,
      pkiFolder: join(folder, 'pki'),
      where: 'a test',
      username: USER.name,
      password: USER.password,
      ...user,
    })
    const user0 = { linkChanged: () => {} }
    connection.register(user0)
    const setting: OpcuaSampleSetting = {
      clock: systemClock,
      where: 'a test',
      publishingMs: 50,
      samplingMs: 0,
      queueSize: 1000,
      discardOldest: true,
      source: 'line',
      guaranteed: ({ signal: { role } }) => role === 'good-count',
      ...more,
    }
    const sampler = new OpcuaSampler(connection, boundItems(plant, 'line'), setting, sink)
    let ended = false
    const end = async (then: 'end' | 'later'): Promise<void> => {
      if (ended) return
      ended = true
      await sampler.close(then)
      await connection.deregister(user0)
      await wire.close()
    }
    cleanup.push(() => end('end'))
    return {
      connection,
      sampler,
      sink,
      wire,
      /** Without a goodbye, without a last save. */
      kill: () => {
        wire.cut()
        ended = true
        void sampler.close()
        void connection.deregister(user0)
        cleanup.push(() => wire.close())
      },
      stop: () => end('later'),
    }
  }

  it('takes over, after a kill, the subscription that it left, with all that the server kept', async () => {
    const server = await serve(USER)
    const memory = new Memory()
    const first = await run(server, counters, { memory })
    await until(() => first.sink.of('good').length > 0, 'the first value')
    for (let i = 1; i <= 20; i++) server.set('Good', i)
    await until(() => first.sink.of('good').includes(20), 'values before')
    first.kill()
    for (let i = 21; i <= 120; i++) {
      server.set('Good', i)
      server.set('Vibration', i)
    }
    const second = await run(server, counters, { memory })
    await until(() => second.sink.of('good').includes(120) && second.sink.of('vibration').includes(120), 'what happened meanwhile')
    server.set('Good', 121)
    await until(() => second.sink.of('good').includes(121), 'it goes on')
    assert.deepEqual(
      [...new Set([...first.sink.of('good'), ...second.sink.of('good')])].filter((value) => Number(value) > 0),
      numbers(1, 121),
    )
    assert.deepEqual(
      second.sink.of('vibration').filter((value) => Number(value) >= 21),
      numbers(21, 120),
    )
    assert.equal(server.subscriptions, 1)
    assert.deepEqual([second.sink.gaps, second.sink.problems], [[], []])
  })

  it('acknowledges nothing that is not durable: what a process held when it died comes again to the next', async () => {
    const server = await serve(USER)
    const memory = new Memory()
    const sink = new Receiver()
    const first = await run(server, counters, { memory }, {}, sink)
    await until(() => sink.of('good').length > 0, 'the first value')
    await until(() => memory.state !== undefined && memory.state.sequenceNumber > 0, 'it is saved')
    sink.deliver = () => new Promise(() => {})
    for (let i = 1; i <= 30; i++) server.set('Good', i)
    await pause(300)
    assert.ok(first.sampler.waiting > 0)
    first.kill()
    const second = await run(server, counters, { memory })
    await until(() => second.sink.of('good').includes(30), 'all of them')
    assert.deepEqual(
      second.sink.of('good').filter((value) => Number(value) > 0),
      numbers(1, 30),
    )
    assert.deepEqual(second.sink.gaps, [])
  })

  it('knows what came before when a process died between the commit and its own note of it', async () => {
    const server = await serve(USER)
    const memory = new Memory()
    const sink = new Receiver()
    const first = await run(server, counters, { memory }, {}, sink)
    await until(() => sink.of('good').length > 0 && (memory.state?.sequenceNumber ?? 0) > 0, 'the first value')
    memory.save = () => new Promise(() => {})
    for (let i = 1; i <= 30; i++) server.set('Good', i)
    await until(() => sink.of('good').includes(30), 'they are durable')
    first.kill()
    // the same store, behind the next process
    const next = new Memory()
    next.state = memory.state
    await run(server, counters, { memory: next }, {}, sink)
    server.set('Good', 31)
    await until(() => sink.of('good').includes(31), 'it goes on')
    assert.deepEqual(
      sink.of('good').filter((value) => Number(value) > 0),
      numbers(1, 31),
    )
    assert.ok(sink.doubled >= 30, `${sink.doubled} came twice and were known`)
  })

  it('comes back after the store was away, with what it could not keep', async () => {
    const server = await serve(USER)
    const { sink, connection } = await run(server)
    await until(() => sink.of('good').length > 0, 'the first value')
    sink.away = true
    for (let i = 1; i <= 10; i++) server.set('Good', i)
    await until(() => connection.state === 'away', 'the connection is given back')
    for (let i = 11; i <= 20; i++) server.set('Good', i)
    await pause(1500)
    sink.away = false
    await until(() => sink.of('good').includes(20), 'values', 30_000)
    assert.deepEqual(
      sink.of('good').filter((value) => Number(value) > 0),
      numbers(1, 20),
    )
    assert.deepEqual(sink.gaps, [])
  })

  it('leaves the subscription for the next when it is closed to be set up again, and also on the same session', async () => {
    const server = await serve(USER)
    const memory = new Memory()
    const first = await run(server, counters, { memory })
    await until(() => first.sink.of('good').length > 0, 'the first value')
    for (let round = 0; round < 3; round++) {
      const from = round * 20
      const before = new OpcuaSamplerOn(first.connection, memory)
      if (round === 0) await first.sampler.close('next')
      for (let i = 1; i <= 10; i++) server.set('Good', from + i)
      before.begin()
      for (let i = 11; i <= 20; i++) server.set('Good', from + i)
      await until(() => before.sink.of('good').includes(from + 20), `values of round ${round}`)
      assert.deepEqual(
        before.sink.of('good').filter((value) => Number(value) > from),
        numbers(from + 1, from + 20),
      )
      assert.deepEqual(before.sink.gaps, [])
      await before.sampler?.close('next')
    }
    assert.equal(server.subscriptions, 1)
  })

  class OpcuaSamplerOn {
    readonly sink = new Receiver()
    sampler: OpcuaSampler | undefined
    readonly #connection: OpcuaConnection
    readonly #memory: Memory
    constructor(connection: OpcuaConnection, memory: Memory) {
      this.#connection = connection
      this.#memory = memory
    }
    begin(): void {
      this.sampler = new OpcuaSampler(
        this.#connection,
        boundItems(counters, 'line'),
        {
          clock: systemClock,
          where: 'a test',
          publishingMs: 50,
          samplingMs: 0,
          queueSize: 1000,
          discardOldest: true,
          source: 'line',
          guaranteed: ({ signal: { role } }) => role === 'good-count',
          memory: this.#memory,
        },
        this.sink,
      )
    }
  }

  it('begins anew where the server does not let it take over, and declares what lies between, with its bounds', async () => {
    // an anonymous user without security cannot prove that the subscription was its own
    const server = await serve()
    const memory = new Memory()
    const anonymous = { username: undefined, password: undefined }
    const first = await run(server, counters, { memory }, anonymous)
    const before = Date.now() - 1000
    server.set('Vibration', 1.5, { time: before })
    await until(() => first.sink.of('vibration').includes(1.5), 'a value before')
    await until(() => memory.state?.times['acme/mill/vibration'] === before, 'it is saved')
    first.kill()
    const after = Date.now()
    server.set('Vibration', 2.5, { time: after - 50 })
    server.set('Vibration', 3.5, { time: after })
    const second = await run(server, counters, { memory }, anonymous)
    await until(() => second.sink.of('vibration').includes(3.5), 'the present value')
    await until(() => second.sink.gaps.length > 0, 'the gap')
    const [gap] = second.sink.gaps
    assert.deepEqual(
      [gap?.kind, gap?.source, gap?.equipment, gap?.signals, gap?.from, gap?.to, gap?.code, gap?.backfilled],
      ['gap', 'line', 'acme/mill', ['vibration'], before, after, 'TAKT_OPCUA_INTERRUPTED', undefined],
    )
    assert.equal(second.sink.gaps.length, 1)
    // it has learnt: what nobody can take over is not left behind
    const held = server.subscriptions
    await second.stop()
    assert.equal(server.subscriptions, held - 1)
  })

  it('fills from the history of the server what no subscription kept, in order, before what comes now', async () => {
    const server = await serve(undefined, { history: ['Good', 'Vibration'] })
    const memory = new Memory()
    const anonymous = { username: undefined, password: undefined }
    const sink = new Receiver()
    const first = await run(server, counters, { memory }, anonymous, sink)
    await until(() => sink.of('good').length > 0 && sink.of('vibration').length > 0, 'the first values')
    const start = Date.now() - 100_000
    for (let i = 1; i <= 5; i++) {
      server.set('Good', i, { time: start + i })
      server.set('Vibration', i, { time: start + i })
    }
    await until(() => sink.of('good').includes(5) && memory.state?.times['acme/mill/vibration'] === start + 5, 'values before')
    first.kill()
    // more than one page of history
    for (let i = 6; i <= 2500; i++) {
      server.set('Good', i, { time: start + i })
      server.set('Vibration', i, { time: start + i })
    }
    const second = await run(server, counters, { memory }, anonymous, sink)
    await until(() => sink.of('good').includes(2500) && sink.of('vibration').includes(2500), 'the present values', 30_000)
    server.set('Good', 2501)
    await until(() => sink.of('good').includes(2501), 'it goes on')
    assert.deepEqual(
      sink.of('good').filter((value) => Number(value) > 0),
      numbers(1, 2501),
    )
    assert.deepEqual(
      sink.of('vibration').filter((value) => Number(value) !== 3.1),
      numbers(1, 2500),
    )
    await until(() => second.sink.gaps.length > 0, 'it says what was filled')
    assert.deepEqual(
      sink.gaps.map(({ backfilled, from, to, signals }) => [backfilled, from, to, [...(signals ?? [])].sort()]),
      [[true, start + 5, start + 2500, ['good', 'vibration']]],
    )
  })

  it('declares what a queue that was too short has lost, and fills it where there is a history', async () => {
    const server = await serve(USER, { history: ['Good'] })
    const { sink, wire, connection } = await run(server, counters, { queueSize: 10 })
    const start = Date.now() - 100_000
    server.set('Good', 1, { time: start + 1 })
    server.set('Vibration', 1, { time: start + 1 })
    await until(() => sink.of('good').includes(1) && sink.of('vibration').includes(1), 'values before')
    wire.cut()
    await until(() => connection.state === 'away', 'the loss is seen')
    for (let i = 2; i <= 100; i++) {
      server.set('Good', i, { time: start + i })
      server.set('Vibration', i, { time: start + i })
    }
    wire.restore()
    await until(() => sink.of('good').includes(100) && sink.of('vibration').includes(100), 'the last values', 30_000)
    assert.deepEqual(
      sink.of('good').filter((value) => Number(value) > 0),
      numbers(1, 100),
    )
    await until(() => sink.gaps.length === 2, 'the gaps')
    const vibration = sink.of('vibration').filter((value) => Number(value) !== 3.1)
    const resumed = Number(vibration[1])
    assert.ok(resumed > 2, `values 2 to ${resumed - 1} are missing`)
    assert.deepEqual(sink.gaps.map(({ signals, from, to, code, backfilled }) => [signals?.[0], from, to, code, backfilled === true]).sort(), [
      ['good', start + 1, start + resumed, 'TAKT_OPCUA_OVERFLOW', true],
      ['vibration', start + 1, start + resumed, 'TAKT_OPCUA_OVERFLOW', false],
    ])
    assert.ok(sink.problems.includes('TAKT_OPCUA_OVERFLOW'))
  })

  it('declares what a restart of the server has lost', async () => {
    const server = await serve(USER)
    const { sink, connection } = await run(server)
    const before = Date.now() - 5000
    server.set('Vibration', 1.5, { time: before })
    await until(() => sink.of('vibration').includes(1.5), 'a value before')
    await server.stop()
    await until(() => connection.state === 'away', 'the loss is seen')
    await server.start()
    await until(() => sink.gaps.some(({ signals }) => signals?.includes('vibration')), 'the gap', 30_000)
    const gap = sink.gaps.find(({ signals }) => signals?.includes('vibration'))
    assert.equal(gap?.from, before)
    assert.ok(gap.to > before && gap.to <= Date.now() + 1000)
    assert.equal(gap.code, 'TAKT_OPCUA_INTERRUPTED')
  })

  it('loses nothing in a cut of ten seconds and in a black hole', async () => {
    const server = await serve(USER)
    const { sink, wire, connection } = await run(server)
    await until(() => sink.of('good').length > 0, 'the first value')
    let count = 0
    const send = setInterval(() => server.set('Good', ++count), 20)
    cleanup.push(() => clearInterval(send))
    await pause(500)
    wire.cut()
    await pause(10_000)
    wire.restore()
    await until(() => connection.state === 'connected', 'it is back', 30_000)
    await pause(500)
    wire.blackHole()
    await pause(8000)
    wire.restore()
    await pause(500)
    clearInterval(send)
    await until(() => sink.of('good').includes(count), 'the last value', 30_000)
    assert.deepEqual(
      sink.of('good').filter((value) => Number(value) > 0),
      numbers(1, count),
    )
    assert.deepEqual(sink.gaps, [])
  })

  it('takes elements of arrays and matrices, exact wide integers and members of structures', async () => {
    const server = await serve(USER)
    const plant = plantOf(
      { ...signal('Speeds', 'condition', { value: '$[1]' }), name: 'speed' },
      { ...signal('Wide', 'other', { value: '$[1]' }), name: 'wide' },
      { ...signal('Grid', 'other', { value: '[1][0]' }), name: 'cell' },
      { ...signal('Range', 'other', { value: '$.High' }), name: 'high' },
      { ...signal('Range', 'other', { value: '.nothing' }), name: 'nothing' },
      { ...signal('Speeds', 'other'), name: 'whole' },
    )
    const { sink } = await run(server, plant)
    await until(() => new Set(sink.all.map((each) => each.signal)).size === 4 && sink.problems.length >= 2, 'the first values')
    assert.deepEqual([sink.of('speed'), sink.of('wide'), sink.of('cell'), sink.of('high')], [[2], [-2], [21], [55]])
    assert.deepEqual([...sink.problems].sort(), ['TAKT_SAMPLE_VALUE_MISSING', 'TAKT_SAMPLE_VALUE_TYPE'])
    server.shape('Speeds', new Variant({ dataType: DataType.Double, arrayType: VariantArrayType.Array, value: [1, 7.5, 3] }))
    await until(() => sink.of('speed').includes(7.5), 'the change of the element')
  })

  it('asks the server for a deadband, and goes without where there can be none', async () => {
    const server = await serve(USER)
    const plant = plantOf(signal('Vibration', 'condition', { deadband: { absolute: 1 } }), signal('Job', 'job-order', { deadband: { absolute: 1 } }))
    const { sink } = await run(server, plant)
    await until(() => sink.of('vibration').length > 0 && sink.of('job').length > 0, 'the first values')
    for (const value of [10, 10.4, 10.8, 12, 12.5]) server.set('Vibration', value)
    await until(() => sink.of('vibration').includes(12), 'the large steps')
    await pause(200)
    assert.deepEqual(sink.of('vibration').slice(1), [10, 12])
    server.set('Job', 'jo-1')
    await until(() => sink.of('job').includes('jo-1'), 'a text that changes')
    assert.deepEqual(sink.problems, ['TAKT_OPCUA_DEADBAND'])
  })

  it('names signals that have no new value for longer than they should', async () => {
    const server = await serve(USER)
    const plant = plantOf({ ...signal('Vibration', 'condition'), staleAfterMs: 400 }, signal('Good', 'good-count'))
    const { sampler, sink } = await run(server, plant)
    await until(() => sink.of('vibration').length > 0, 'the first value')
    assert.deepEqual(sampler.stale, [])
    await until(() => sampler.stale.length === 1, 'it is stale')
    assert.deepEqual(sampler.stale, ['acme/mill/vibration'])
    server.set('Vibration', 9)
    await until(() => sampler.stale.length === 0, 'it is not')
  })
})
