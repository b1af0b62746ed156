import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { Sample } from '../../core/messages/sample.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import { inboxOf } from '../../core/store/inbox.ts'
import registerHistorian from '../../nodes/historian/historian.ts'
import registerInfluxdb from '../../nodes/influxdb/influxdb.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { Influxd, needsInfluxd } from '../core/connect/support/influxd.ts'
import { until } from '../core/connect/support/wait.ts'
import { loadExample } from './support/example.ts'
import { collect, helper, loadFlow, nextMessage } from './support/helper.ts'
import { MILL, machinePlant } from './support/machine-plant.ts'

const BEGIN = 1_700_000_000_000

describe('historian node', function () {
  this.timeout(60_000)
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-historian-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  interface Loaded {
    readonly write: Node
    readonly out: Node
    readonly query: Node
    readonly past: Node
    readonly caught: Node
    readonly node: (id: string) => Node
  }

  async function load(properties: Record<string, unknown>, query: Record<string, unknown> = {}, influx: Record<string, unknown> = {}): Promise<Loaded> {
    const node = await loadFlow(
      [registerPlant, registerStore, registerInfluxdb, registerHistorian],
      [
        { id: 'f1', type: 'tab' },
        machinePlant(),
        { id: 'b0', type: 'takt-store', file: 'takt.db' },
        { id: 'b1', type: 'takt-influxdb', name: 'history', database: 'takt', ...influx },
        { id: 'n0', z: 'f1', type: 'takt-historian', mode: 'write', batchMs: '20', wires: [['d0']], ...properties },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'n1', z: 'f1', type: 'takt-historian', mode: 'query', wires: [['d1']], ...properties, ...query },
        { id: 'd1', z: 'f1', type: 'helper' },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['n0', 'n1'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ].map((entry) => (entry.id === 'n1' ? { ...entry, mode: 'query' } : entry)),
    )
    return { write: node('n0'), out: node('d0'), query: node('n1'), past: node('d1'), caught: node('e0'), node }
  }

  const sample = (n: number, value: Sample['value'] = n, signal = 'vibration'): Sample => ({
    kind: 'sample',
    equipment: MILL,
    signal,
    value,
    quality: 'good',
    time: BEGIN + n * 2000,
    received: BEGIN + n * 2000,
  })
  const send = (node: Node, ...payloads: unknown[]): void => {
    for (const payload of payloads) node.receive({ topic: `${MILL}/vibration`, payload } as never)
  }
  const question = (more: object = {}): object => ({ signal: `${MILL}/vibration`, from: BEGIN, to: BEGIN + 3_600_000, ...more })
  const statusOf = (node: Node): { fill: string; text: string } | undefined =>
    (node as unknown as { status: { args: any[][] } }).status.args.at(-1)?.[0] as never

  it('has to be told where to keep things', async () => {
    const { write } = await load({})
    assert.match(statusOf(write)?.text ?? '', /neither an InfluxDB nor a store/)
  })

  describe('without an InfluxDB', () => {
    it('keeps samples in the store, and answers from there', async () => {
      const { write, query, past } = await load({ store: 'b0' })
      send(write, ...Array.from({ length: 10 }, (_, n) => sample(n)), [sample(10), sample(11)])
      const answered = nextMessage(past)
      send(query, question())
      const { payload, action, history } = await answered
      assert.deepEqual(payload[11], { x: BEGIN + 22_000, y: 11, series: `${MILL.split('/').at(-1)} vibration` })
      assert.equal(payload.length, 12)
      assert.equal(action, 'replace')
      assert.deepEqual((history as { series: unknown[] }).series.length, 1)
      const means = nextMessage(past)
      send(query, question({ aggregate: 'max', every: '10s' }))
      assert.deepEqual(
        (await means).payload.map(({ y }: { y: number }) => y),
        [4, 9, 11],
      )
    })

    it('the past is there after a redeploy', async () => {
      const first = await load({ store: 'b0' })
      send(first.write, sample(1), sample(2))
      await helper.unload()
      const { query, past } = await load({ store: 'b0' }, { format: 'rows' })
      const answered = nextMessage(past)
      send(query, question())
      assert.deepEqual((await answered).payload, [
        { time: BEGIN + 2000, equipment: MILL, signal: 'vibration', value: 1, unit: null },
        { time: BEGIN + 4000, equipment: MILL, signal: 'vibration', value: 2, unit: null },
      ])
    })

    it('questions that make no sense are refused with a code', async () => {
      const { query, caught } = await load({ store: 'b0' })
      const wrong = [
        { signal: '' },
        { signal: 'no-equipment' },
        { signals: Array(51).fill('a/b') },
        question({ from: 'yesterday' }),
        question({ from: '2026-01-01 10:00' }),
        question({ from: BEGIN + 9e6 }),
        question({ aggregate: 'median' }),
        question({ every: 'often', aggregate: 'mean' }),
        question({ every: '1ms', aggregate: 'mean' }),
        question({ limit: 1e9 }),
        { equipment: 5, signal: 'a' },
      ]
      for (const payload of wrong) {
        const error = nextMessage(caught)
        query.receive({ payload } as never)
        assert.match((await error).error ? JSON.stringify((await error).error) : '', /TAKT_HISTORY_QUERY/, JSON.stringify(payload))
      }
      const error = nextMessage(caught)
      query.receive({ payload: JSON.parse('{"__proto__":{"signal":"a/b"}}') } as never)
      assert.match(JSON.stringify((await error).error), /TAKT_MESSAGE_FORBIDDEN_KEY/)
    })

    it('the example works', async () => {
      const { node, press } = await loadExample('historian.json', [registerPlant, registerStore, registerInfluxdb, registerHistorian])
      node('keep in the store').receive({ topic: 'oven-1/temperature', payload: 181.5 } as never)
      const rows = nextMessage(node('rows'))
      press('the last ten minutes')
      assert.deepEqual(
        (await rows).payload.map(({ signal, value }: { signal: string; value: number }) => [signal, value]),
        [['temperature', 181.5]],
      )
    })
  })

  describe('with a real InfluxDB', () => {
    let influxd: Influxd
    before(async function () {
      needsInfluxd(this)
      influxd = await Influxd.start()
    })
    after(async () => influxd?.remove())
    beforeEach(async () => {
      // a test that failed midway may have left it down
      await influxd.start()
      await influxd.ask('DROP DATABASE takt')
    })
    const stored = (measurement: string, field = 'value'): Promise<number> => influxd.count('takt', measurement, field)

    it('keeps what has a place on a time axis, passes over the rest, and answers the same question the same way', async () => {
      const { write, query, past } = await load({ influxdb: 'b1', plant: 'a1' }, {}, { url: influxd.url })
      send(write, ...Array.from({ length: 10 }, (_, n) => sample(n)), [sample(10), sample(11)])
      send(
        write,
        { kind: 'machine-state', equipment: MILL, state: 'Held', mode: 'Produce', since: BEGIN, element: 'ADET', reason: null, jobOrder: null, time: BEGIN },
        { kind: 'count', equipment: MILL, jobOrder: null, good: 1, scrap: 0, total: { good: 1, scrap: 0 }, time: BEGIN },
        { kind: 'lot', id: 'lot-1', material: 'm', quantity: { value: 1, unit: 'pcs' }, disposition: 'held', location: null, workOrder: null },
      )
      await until(async () => (await stored('condition')) === 12 && (await stored('count', 'good')) === 1, 'all is written')
      assert.equal(await stored('machine-state', 'state'), 1)
      const answered = nextMessage(past)
      send(query, question({ aggregate: 'max', every: '10s' }))
      assert.deepEqual(
        (await answered).payload.map(({ y }: { y: number }) => y),
        [4, 9, 11],
      )
      const tags = (await influxd.ask('SHOW TAG VALUES FROM "condition" WITH KEY = "workUnit"', 'takt'))[0].values
      assert.deepEqual(tags, [['workUnit', MILL.split('/').at(-1)]])
    })

    it('takes plain values with a topic', async () => {
      const { write } = await load({ influxdb: 'b1' }, {}, { url: influxd.url })
      write.receive({ topic: 'office/temperature', payload: 21.5 } as never)
      await until(async () => (await stored('sample')) === 1, 'it is written')
    })

    it('what it cannot keep goes to catch and to the quarantine', async () => {
      const { write, caught, node } = await load({ influxdb: 'b1', store: 'b0' }, {}, { url: influxd.url })
      await influxd.ask('CREATE DATABASE takt')
      await fetch(`${influxd.url}/write?db=takt&precision=ms`, { method: 'POST', body: `sample quality=1 ${BEGIN}` })
      const bad = collect(caught)
      send(write, sample(1), { ...sample(2), value: Number.NaN }, { ...sample(3), time: 8e15 }, sample(4))
      await until(() => bad.length >= 4, 'all are told')
      assert.deepEqual(new Set(bad.map(({ payload }) => payload.code)), new Set(['TAKT_INFLUX_POINT']))
      const { store } = node('b0') as StoreNode
      await until(async () => (await store.db.selectFrom('quarantine').selectAll().execute()).length === 4, 'all are quarantined')
      assert.match(JSON.stringify(await store.db.selectFrom('quarantine').selectAll().execute()), /field type conflict/)
    })

    it('an outage: the status tells what waits, nothing is lost, also through a redeploy', async () => {
      const first = await load({ influxdb: 'b1' }, {}, { url: influxd.url })
      send(first.write, sample(0))
      await until(async () => (await stored('sample')) === 1, 'it is written')
      await influxd.stop('SIGKILL')
      send(first.write, ...Array.from({ length: 100 }, (_, n) => sample(n + 1)))
      await until(() => /100 waiting, \d+ kB, .*(does not answer)?/.test(statusOf(first.write)?.text ?? ''), 'the status tells')
      assert.equal(statusOf(first.write)?.fill, 'red')
      await helper.unload()
      assert.equal(readdirSync(join(folder, 'takt', 'historian-n0')).length, 1)
      const second = await load({ influxdb: 'b1' }, {}, { url: influxd.url })
      send(second.write, sample(101))
      await influxd.start()
      await until(async () => (await stored('sample')) === 102, 'all is written')
      await until(() => statusOf(second.write)?.fill === 'green', 'the status is green')
      await until(() => readdirSync(join(folder, 'takt', 'historian-n0')).length === 0, 'nothing is left on disk')
    })

    it('a full spool: the oldest go, and the gap is sent, told and recorded', async () => {
      await influxd.stop('SIGKILL')
      try {
        const { write, out, caught, node } = await load({ influxdb: 'b1', store: 'b0', spoolMb: '1', batchRows: '500' }, {}, { url: influxd.url })
        const gap = nextMessage(out, () => true, 30_000)
        const told = nextMessage(caught, ({ payload }) => payload.kind === 'gap', 30_000)
        for (let n = 0; n < 40; n++) {
          send(write, ...Array.from({ length: 500 }, (_, i) => sample(n * 500 + i)))
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        const { payload, topic } = await gap
        validateDocument(payload, 'gap', 'test')
        assert.deepEqual([payload.code, topic], ['TAKT_HISTORIAN_DROPPED', `${payload.source}/gap`])
        assert.ok(payload.from >= BEGIN && payload.from < BEGIN + 4_000_000)
        assert.ok(payload.lost > 0 && payload.to > payload.from)
        assert.match(JSON.stringify((await told).error), /TAKT_HISTORIAN_DROPPED/)
        const { store } = node('b0') as StoreNode
        await until(async () => (await store.events(0, 100)).some(({ type }) => type === 'source.gap'), 'it is recorded')
      } finally {
        await influxd.start()
      }
    })

    it('a guaranteed sample keeps its row of the inbox until it is written or on disk', async () => {
      const { write, node } = await load({ influxdb: 'b1', store: 'b0', batchMs: '2000' }, {}, { url: influxd.url })
      const { store } = node('b0') as StoreNode
      const inbox = inboxOf(store)
      // what the inbox does with a hold is tested there
      const held = new Set<number>()
      const { hold } = inbox
      inbox.hold = (id) => {
        const release = hold.call(inbox, id)
        held.add(id)
        return () => {
          held.delete(id)
          release()
        }
      }
      write.receive({ topic: 't', payload: sample(1), takt: { inbox: 7, index: 0 } } as never)
      write.receive({ topic: 't', payload: sample(2) } as never)
      await new Promise((resolve) => setTimeout(resolve, 500))
      assert.deepEqual([await stored('sample'), [...held]], [0, [7]])
      await until(() => held.size === 0, 'it is let go')
      assert.equal(await stored('sample'), 2)
      await influxd.stop('SIGKILL')
      write.receive({ topic: 't', payload: sample(3), takt: { inbox: 8, index: 0 } } as never)
      assert.deepEqual([...held], [8])
      await until(() => held.size === 0, 'it is let go')
      assert.equal(readdirSync(join(folder, 'takt', 'historian-n0')).length, 1)
      await influxd.start()
    })

    it('a crash: what was in memory only is declared with its bounds; an orderly end leaves nothing to declare', async () => {
      const first = await load({ influxdb: 'b1', batchMs: '60000' }, {}, { url: influxd.url })
      send(first.write, sample(5), sample(6))
      const folderThen = folder
      // what the disk holds at this moment is what a crash leaves
      folder = mkdtempSync(join(tmpdir(), 'takt-historian-'))
      cpSync(folderThen, folder, { recursive: true })
      await helper.unload()
      assert.ok(!existsSync(join(folderThen, 'takt', 'historian-n0.running.json')))
      rmSync(folderThen, { recursive: true, force: true })
      helper.settings({ userDir: folder } as never)

      const second = await load({ influxdb: 'b1' }, {}, { url: influxd.url })
      const gap = nextMessage(second.out)
      send(second.write, sample(9))
      const { payload } = await gap
      validateDocument(payload, 'gap', 'test')
      assert.deepEqual([payload.code, payload.from, payload.to], ['TAKT_HISTORIAN_KILLED', sample(5).time, sample(9).time])
      await helper.unload()
      const third = await load({ influxdb: 'b1' }, {}, { url: influxd.url })
      const gaps = collect(third.out)
      send(third.write, sample(10))
      await until(() => /written/.test(statusOf(third.write)?.text ?? ''), 'it is written')
      assert.deepEqual(gaps, [])
    })

    it('leaves nothing behind when it is deleted, or says what it leaves', async () => {
      const { write } = await load({ influxdb: 'b1' }, {}, { url: influxd.url })
      send(write, sample(1))
      await until(async () => (await stored('sample')) === 1, 'it is written')
      await (write as unknown as { close(removed: boolean): Promise<void> }).close(true)
      assert.deepEqual(readdirSync(join(folder, 'takt')), [])
    })

    it('a question to a database that is away is answered with a code', async () => {
      const { query, caught } = await load({ influxdb: 'b1' }, {}, { url: 'http://127.0.0.1:9', timeout: '1' })
      const error = nextMessage(caught)
      send(query, question())
      assert.match(JSON.stringify((await error).error), /TAKT_INFLUX_AWAY/)
    })
  })
})
