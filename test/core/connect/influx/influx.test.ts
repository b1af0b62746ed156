import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TaktError } from '../../../../core/base/error.ts'
import { historyOf } from '../../../../core/connect/history/history.ts'
import { type HistoryRequest, readHistoryRequest } from '../../../../core/connect/history/history-request.ts'
import { DocumentPoints, type Point } from '../../../../core/connect/influx/document-points.ts'
import { influxHistory } from '../../../../core/connect/influx/influx-history.ts'
import { InfluxLink, type InfluxSettings } from '../../../../core/connect/influx/influx-link.ts'
import { InfluxWriter, type WriterSetting } from '../../../../core/connect/influx/influx-writer.ts'
import type { RejectedRow } from '../../../../core/connect/influx/write-rows.ts'
import type { LinkState } from '../../../../core/connect/shared-link.ts'
import type { Sample } from '../../../../core/messages/sample.ts'
import { FaultProxy } from '../../../support/fault-proxy.ts'
import { Influxd, needsInfluxd } from '../support/influxd.ts'
import { until } from '../support/wait.ts'

const MILL = 'acme/berlin/line-1/mill-2'
const BEGIN = 1_700_000_000_000

/** Against a real InfluxDB 1. */
describe('InfluxDB', function () {
  this.timeout(60_000)
  let influxd: Influxd
  before(async function () {
    needsInfluxd(this)
    influxd = await Influxd.start()
  })
  after(async () => influxd?.remove())

  let folder: string
  let database: string
  let databases = 0
  const ends: Array<() => Promise<void>> = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-influx-'))
    database = `db${++databases}`
  })
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
    rmSync(folder, { recursive: true, force: true })
  })

  function link(settings: Partial<InfluxSettings> = {}): InfluxLink {
    const made = new InfluxLink({
      urls: [new URL(influxd.url)],
      database,
      retentionPolicy: '',
      timeoutMs: 5000,
      createDatabase: true,
      where: 'test',
      pingEveryMs: 100,
      ...settings,
    })
    ends.push(() => made.end())
    return made
  }

  interface Writing {
    readonly writer: InfluxWriter
    readonly rejected: RejectedRow[]
    readonly dropped: Array<{ rows: number; from: number; to: number }>
    readonly problems: Array<string | undefined>
  }

  function writing(to: InfluxLink, setting: Partial<WriterSetting> = {}): Writing {
    const rejected: RejectedRow[] = []
    const dropped: Writing['dropped'] = []
    const problems: Array<string | undefined> = []
    const writer = new InfluxWriter({
      write: (body) => to.write(body),
      folder: join(folder, 'spool'),
      maxSpoolBytes: 50_000_000,
      batchRows: 500,
      batchMs: 50,
      where: 'test',
      retryMs: 50,
      rejected: (row) => void rejected.push(row),
      dropped: (rows, from, to) => void dropped.push({ rows, from, to }),
      problem: (problem: TaktError | undefined) => void problems.push(problem?.code),
      ...setting,
    })
    ends.push(() => writer.close())
    return { writer, rejected, dropped, problems }
  }

  const points = new DocumentPoints({ plant: undefined, context: 'no', where: 'test' })
  const sample = (n: number, value: Sample['value'] = n, signal = 'vibration'): Point =>
    points.pointOf({ kind: 'sample', equipment: MILL, signal, value, unit: 'mm/s', quality: 'good', time: BEGIN + n, received: BEGIN + n })
  const request = (asked: unknown): HistoryRequest =>
    readHistoryRequest(asked, { topic: undefined, spanMs: 3_600_000, aggregate: 'auto', limit: 1000 }, BEGIN + 3_600_000, 'test')
  const stored = (measurement = 'sample', field = 'value'): Promise<number> => influxd.count(database, measurement, field)

  describe('writing and asking', () => {
    it('every type of value comes back as it was, under the strangest names', async () => {
      const to = link()
      const { writer, rejected } = writing(to)
      const values: Array<Sample['value']> = [
        0,
        -1.5,
        1e21,
        5e-324,
        1.7976931348623157e308,
        2 ** 53,
        'text',
        '',
        'a "b" \\ c\nd\te\0f',
        'Grüße 🏭',
        "'; DROP",
        true,
        false,
      ]
      const names = ['plain', 'with space', 'a=b,c', "quote's", 'double"quote', 'back\\slash', 'Öl-Druck °C', '#hash', '$.path[0]', "x' OR '1'='1"]
      let n = 0
      const sent = new Map<string, Array<[number, Sample['value']]>>()
      for (const signal of names)
        for (const value of values) {
          writer.add(sample(++n, value, signal))
          sent.set(signal, [...(sent.get(signal) ?? []), [BEGIN + n, value]])
        }
      await writer.flush()
      assert.deepEqual(rejected, [])
      const history = historyOf(influxHistory((statement) => to.query(statement)))
      for (const signal of names) {
        const [series] = await history.query(request({ equipment: MILL, signal, aggregate: 'none' }))
        assert.deepEqual(series?.points, sent.get(signal), signal)
        assert.equal(series?.unit, 'mm/s')
      }
    })

    it('a question cannot say more than it asks for', async () => {
      const to = link()
      const { writer } = writing(to)
      writer.add(sample(1, 1, 'secret'))
      writer.add(sample(2, 2, 'open'))
      await writer.flush()
      const history = historyOf(influxHistory((statement) => to.query(statement)))
      for (const hostile of [`x' OR '1'='1`, `x\\' OR '1'='1`, `x\\\\' OR "signal" = 'secret`, `open'; DROP DATABASE ${database}; --`, `x\n' OR 1=1 --`]) {
        const [series] = await history.query(request({ equipment: MILL, signal: hostile }))
        assert.deepEqual(series?.points, [], hostile)
        const [other] = await history.query(request({ equipment: `${MILL}' OR "signal"='secret' --`, signal: hostile }))
        assert.deepEqual(other?.points, [])
      }
      assert.equal(await stored(), 2)
    })

    it('spans, limits and the newest of too many', async () => {
      const to = link()
      const { writer } = writing(to)
      for (let n = 0; n < 600; n++) writer.add(sample(n * 1000, n % 60))
      await writer.flush()
      const history = historyOf(influxHistory((statement) => to.query(statement)))
      const ask = async (asked: object) =>
        (await history.query(request({ equipment: MILL, signal: 'vibration', from: BEGIN, to: BEGIN + 599_000, ...asked })))[0]!
      const minute = Math.floor(BEGIN / 60_000) * 60_000
      for (const [aggregate, expected] of [
        ['mean', 29.5],
        ['min', 0],
        ['max', 59],
        ['sum', 1770],
        ['count', 60],
      ] as const) {
        const { points } = await ask({ aggregate, every: '1m', from: minute + 60_000, to: minute + 119_999 })
        assert.deepEqual(points, [[minute + 60_000, expected]], aggregate)
      }
      const first = (await ask({ aggregate: 'first', every: '1m' })).points
      assert.equal(first.length, 11)
      const raw = await ask({ aggregate: 'none', limit: 10 })
      assert.deepEqual([raw.truncated, raw.points.length, raw.points.at(-1)?.[0]], [true, 10, BEGIN + 599_000])
      const auto = await ask({ limit: 100 })
      assert.equal(auto.aggregate, 'mean')
      assert.ok(auto.points.length > 90 && auto.points.length <= 100, `${auto.points.length}`)
      assert.equal((await ask({ limit: 600 })).aggregate, 'none')
    })

    it('a signal that was kept before its role was known is one series', async () => {
      const to = link()
      const { writer } = writing(to)
      writer.add(sample(1))
      const line = sample(2).line.replace(/^sample/, 'condition')
      writer.add({ line, time: BEGIN + 2 })
      await writer.flush()
      const [series] = await historyOf(influxHistory((statement) => to.query(statement))).query(request(`${MILL}/vibration`))
      assert.deepEqual(series?.points, [
        [BEGIN + 1, 1],
        [BEGIN + 2, 2],
      ])
    })
  })

  describe('what the database refuses', () => {
    it('a field of another type: that row is put aside, all others are written', async () => {
      const to = link()
      await to.write(`other value=1i ${BEGIN}`)
      const { writer, rejected } = writing(to)
      for (let n = 0; n < 100; n++) writer.add(sample(n))
      writer.add({ line: `other value=1.5 ${BEGIN}`, time: BEGIN })
      writer.add({ line: `other value="x" ${BEGIN}`, time: BEGIN })
      writer.add({ line: 'cannot be read', time: BEGIN })
      for (let n = 100; n < 200; n++) writer.add(sample(n))
      await writer.flush()
      assert.equal(rejected.length, 3)
      assert.match(rejected.map(({ reason }) => reason).join(), /field type conflict.*unable to parse|unable to parse.*field type conflict/s)
      assert.equal(await stored(), 200)
      assert.deepEqual([writer.figures.written, writer.figures.rejected, writer.figures.waiting], [200, 3, 0])
    })

    it('a batch larger than the server takes is sent in parts', async () => {
      const to = link()
      const { writer, rejected } = writing(to, { batchRows: 100 })
      for (let n = 0; n < 60; n++) writer.add(sample(n, 'x'.repeat(60_000), 'long'))
      await writer.flush()
      assert.deepEqual(rejected, [])
      assert.equal(await stored('sample', 'text'), 60)
    })

    it('no such database: made where that is wanted, told where not, and nothing is lost until it is there', async () => {
      const to = link({ createDatabase: false })
      const { writer, problems } = writing(to)
      writer.add(sample(1))
      await writer.flush()
      await until(() => problems.includes('TAKT_INFLUX_DATABASE'), 'the problem is told')
      await assert.rejects(to.query('SELECT * FROM "sample"'), { code: 'TAKT_INFLUX_DATABASE' })
      await influxd.ask(`CREATE DATABASE ${database}`)
      await until(async () => (await stored()) === 1, 'the row is written')
      await until(() => writer.figures.problem === undefined, 'all is well')
    })

    it('a retention policy that is not there is told, not dropped', async () => {
      await influxd.ask(`CREATE DATABASE ${database}`)
      const { writer, problems } = writing(link({ retentionPolicy: 'none' }))
      writer.add(sample(1))
      await writer.flush()
      assert.deepEqual(problems, ['TAKT_INFLUX_DATABASE'])
      assert.equal(writer.figures.waiting, 1)
    })

    it('a wrong password is told, and mended by the right one', async () => {
      const guarded = await Influxd.start({ auth: true })
      ends.push(() => guarded.remove())
      await guarded.ask(`CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES`)
      const urls = [new URL(guarded.url)]
      const wrong = link({ urls, username: 'admin', password: 'wrong' })
      const { writer, problems } = writing(wrong)
      writer.add(sample(1))
      await writer.flush()
      assert.deepEqual(problems, ['TAKT_INFLUX_REFUSED'])
      await assert.rejects(wrong.query('SHOW DATABASES'), { code: 'TAKT_INFLUX_REFUSED' })
      await writer.close()
      const right = link({ urls, username: 'admin', password: 'secret' })
      const again = writing(right)
      await until(() => again.writer.figures.written === 1, 'what was spooled is written')
      assert.equal((await guarded.ask('SELECT "value" FROM "sample"', database, 'admin:secret'))[0].values.length, 1)
      const [series] = await historyOf(influxHistory((statement) => right.query(statement))).query(request(`${MILL}/vibration`))
      assert.equal(series?.points.length, 1)
    })
  })

  describe('when it is away', () => {
    it('a stop, a crash and a cut lose nothing; the oldest rows come first, and new ones are not held up', async () => {
      const proxy = await FaultProxy.start(influxd.port)
      ends.push(() => proxy.close())
      const to = link({ urls: [new URL(`http://127.0.0.1:${proxy.port}`)] })
      const { writer, dropped, rejected } = writing(to)
      const states: LinkState[] = []
      to.register({ linkChanged: (state) => void states.push(state) })
      let n = 0
      const send = setInterval(() => {
        for (let i = 0; i < 20; i++) writer.add(sample(++n))
      }, 10)
      try {
        const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
        await until(async () => (await stored()) > 0, 'rows come')
        await influxd.stop('SIGKILL')
        await pause(1000)
        assert.ok(writer.figures.spoolBytes > 0 && writer.figures.oldestMs > 500)
        await influxd.start()
        await until(() => writer.figures.spoolBytes === 0, 'the spool is empty')
        await influxd.stop('SIGTERM')
        await pause(500)
        await influxd.start()
        await until(() => writer.figures.spoolBytes === 0, 'the spool is empty')
        proxy.cut()
        await pause(500)
        proxy.restore()
        await until(() => writer.figures.problem === undefined, 'all is well')
      } finally {
        clearInterval(send)
      }
      await until(() => writer.figures.waiting === 0, 'everything is written', 30_000)
      await writer.flush()
      assert.equal(await stored(), n)
      assert.deepEqual([dropped, rejected], [[], []])
      assert.equal(to.state, 'connected')
      assert.ok(states.includes('away'))
    })

    it('a server that takes the connection and never answers: everything goes to disk, and comes', async () => {
      const proxy = await FaultProxy.start(influxd.port)
      ends.push(() => proxy.close())
      const { writer } = writing(link({ urls: [new URL(`http://127.0.0.1:${proxy.port}`)], timeoutMs: 400 }))
      writer.add(sample(1))
      await writer.flush()
      proxy.blackHole()
      for (let n = 2; n <= 5000; n++) writer.add(sample(n))
      await until(() => writer.figures.problem?.code === 'TAKT_INFLUX_AWAY', 'the silence is noticed')
      await until(() => writer.figures.spoolBytes > 0 && writer.figures.waiting >= 4999, 'it is on disk')
      proxy.restore()
      await until(() => writer.figures.waiting === 0, 'everything is written', 30_000)
      assert.equal(await stored(), 5000)
    })

    it('a slow database: memory stays small, the rest waits on disk', async () => {
      const proxy = await FaultProxy.start(influxd.port)
      ends.push(() => proxy.close())
      const { writer } = writing(link({ urls: [new URL(`http://127.0.0.1:${proxy.port}`)] }))
      proxy.delay(100)
      let largest = 0
      for (let n = 1; n <= 20_000; n++) {
        writer.add(sample(n))
        if (n % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
        largest = Math.max(largest, writer.figures.inMemory)
      }
      assert.ok(writer.figures.spoolBytes > 0)
      assert.ok(largest < 15_000, `${largest} rows in memory`)
      proxy.restore()
      await until(() => writer.figures.waiting === 0, 'everything is written', 30_000)
      assert.equal(await stored(), 20_000)
    })

    it('the space is bounded: the oldest rows are given up and declared with their times; the newest are kept', async () => {
      await influxd.ask(`CREATE DATABASE ${database}`)
      await influxd.stop('SIGKILL')
      const { writer, dropped } = writing(link(), { maxSpoolBytes: 200_000, batchRows: 100 })
      const count = 10_000
      for (let n = 1; n <= count; n++) {
        writer.add(sample(n))
        if (n % 1000 === 0) await writer.flush()
      }
      await influxd.start()
      await until(() => writer.figures.waiting === 0, 'the rest is written', 30_000)
      const lost = dropped.reduce((sum, gap) => sum + gap.rows, 0)
      assert.ok(lost > 0 && lost < count)
      assert.equal(await stored(), count - lost)
      assert.equal(writer.figures.dropped, lost)
      // every missing row lies within a declared gap
      const kept = new Set((await influxd.ask('SELECT "value" FROM "sample"', database))[0].values.map(([time]: [number]) => time))
      for (let n = 1; n <= count; n++) assert.ok(kept.has(BEGIN + n) || dropped.some(({ from, to }) => BEGIN + n >= from && BEGIN + n <= to), `${n}`)
      assert.ok(kept.has(BEGIN + count))
    })

    it('asks another server of the cluster when one does not answer', async () => {
      const to = link({ urls: [new URL('http://127.0.0.1:9'), new URL(influxd.url)] })
      const { writer } = writing(to)
      writer.add(sample(1))
      await until(() => writer.figures.written === 1, 'the row is written')
      assert.equal((await to.query('SHOW DATABASES')).results.length, 1)
    })
  })

  describe('when the process dies', () => {
    it('kill -9: every row that was acknowledged is written after the next start, none twice', async () => {
      const proxy = await FaultProxy.start(influxd.port)
      ends.push(() => proxy.close())
      proxy.cut()
      const spool = join(folder, 'spool')
      const acknowledged: number[] = []
      for (let round = 0; round < 5; round++) {
        const child: ChildProcess = spawn(
          process.execPath,
          [join(import.meta.dirname, 'support/writer.ts'), `http://127.0.0.1:${proxy.port}`, database, spool, String(round * 1_000_000)],
          {
            stdio: ['ignore', 'pipe', 'inherit'],
          },
        )
        const before = acknowledged.length
        let text = ''
        child.stdout?.on('data', (part) => {
          text += String(part)
          const lines = text.split('\n')
          text = lines.pop() ?? ''
          acknowledged.push(...lines.map(Number))
        })
        await until(() => acknowledged.length > before + 2000, 'rows are acknowledged', 30_000)
        const exited = new Promise((resolve) => child.once('close', resolve))
        child.kill('SIGKILL')
        await exited
      }
      proxy.restore()
      const { writer } = writing(link())
      await until(() => writer.figures.waiting === 0 && writer.figures.written > 0, 'the spool is empty', 30_000)
      const times: number[] = (await influxd.ask('SELECT "value" FROM "sample"', database))[0].values.map(([time]: [number]) => time)
      const kept = new Set(times)
      assert.deepEqual(
        acknowledged.filter((n) => !kept.has(BEGIN + n)),
        [],
      )
      assert.equal(times.length, kept.size)
    })
  })
})
