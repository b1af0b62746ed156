import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { seededRandom } from '../../../../core/base/random.ts'
import { ForeignEdge, metric } from './support/foreign-edge.ts'
import { HostBench, NOW } from './support/host-bench.ts'
import { foreignEncode } from './support/schema.ts'

describe('Sparkplug host', () => {
  let bench: HostBench
  let edge: ForeignEdge

  const births = () => {
    bench.take(edge.birth([metric.double('Cabinet', 31, { alias: 1 })]))
    bench.take(
      edge.deviceBirth('mill', [
        metric.text('State', 'Idle', { alias: 10 }),
        metric.long('Good', 100, { alias: 11 }),
        metric.text('Job', 'jo-1', { alias: 12 }),
        metric.double('Spindle/Vibration', 2.5, { alias: 13 }),
        metric.double('Unbound', 1, { alias: 14 }),
      ]),
    )
  }

  beforeEach(() => {
    bench = new HostBench().connect()
    edge = new ForeignEdge('plant', 'cell', () => bench.clock.now())
  })

  describe('births and data', () => {
    it('the values of a birth are samples, the job first and the state last', () => {
      births()
      assert.deepEqual(bench.values(), [
        ['cabinet', 31, 'good'],
        ['job', 'jo-1', 'good'],
        ['good', 100, 'good'],
        ['vibration', 2.5, 'good'],
        ['state', 'Idle', 'good'],
      ])
      assert.deepEqual(bench.codes(), [])
      assert.deepEqual(bench.rebirths(), [])
    })

    it('data by alias, without names and data types', () => {
      births()
      bench.values()
      bench.clock.advance(50)
      bench.take(
        edge.deviceData('mill', [
          { alias: 13, double_value: 3.25 },
          { alias: 14, double_value: 7 },
        ]),
      )
      bench.take(edge.data([{ alias: 1, double_value: 32 }]))
      const [vibration, cabinet] = bench.samples
      assert.deepEqual([vibration?.value, vibration?.unit, vibration?.time, vibration?.received], [3.25, 'mm/s', NOW + 50, NOW + 50])
      assert.equal(cabinet?.value, 32)
      assert.deepEqual(bench.codes(), [])
    })

    it('a message has the number that its sender gave it, without the wrap', () => {
      births()
      for (let count = 0; count < 600; count++) bench.take(edge.deviceData('mill', [{ alias: 11, long_value: count }]))
      assert.deepEqual(bench.gaps, [])
      const sessions = new Set(bench.numbers.map(([session]) => session))
      assert.deepEqual([...sessions], [`plant/cell/bdSeq0@${NOW}`])
      assert.deepEqual(
        bench.numbers.map(([, number]) => number),
        Array.from({ length: 602 }, (_, index) => index),
      )
      assert.deepEqual(bench.samples.at(-1)?.origin, { source: 'line', session: `plant/cell/bdSeq0@${NOW}`, sequence: 601 })
    })

    it('historical values come in the order of their times and are not the present ones', () => {
      births()
      bench.values()
      bench.take(
        edge.deviceData('mill', [
          { alias: 13, double_value: 9, timestamp: NOW },
          { alias: 13, double_value: 7, timestamp: NOW - 2000, is_historical: true },
          { alias: 13, double_value: 6, timestamp: NOW - 3000, is_historical: true },
        ]),
      )
      assert.deepEqual(
        bench.samples.splice(0).map(({ value, time }) => [value, time]),
        [
          [6, NOW - 3000],
          [7, NOW - 2000],
          [9, NOW],
        ],
      )
      bench.take(edge.deviceData('mill', [{ alias: 13, double_value: 1, timestamp: NOW - 9000, is_historical: true }]))
      bench.values()
      bench.take(edge.death())
      assert.ok(bench.values().some(([signal, value, quality]) => signal === 'vibration' && value === 9 && quality === 'bad'))
    })

    it('null says that the last value is good no longer; of a job that there is none', () => {
      births()
      bench.values()
      bench.take(
        edge.deviceData('mill', [
          { alias: 13, is_null: true },
          { alias: 12, is_null: true },
        ]),
      )
      assert.deepEqual(bench.values(), [
        ['job', '', 'good'],
        ['vibration', 2.5, 'bad'],
      ])
    })

    it('a birth that has null for a metric, or has it no longer, ends its last value', () => {
      births()
      bench.values()
      bench.clock.advance(1000)
      bench.take(edge.deviceBirth('mill', [metric.long('Good', 101, { alias: 11 }), { name: 'Spindle/Vibration', datatype: 10, is_null: true }]))
      assert.deepEqual(bench.values(), [
        ['state', 'Idle', 'bad'],
        ['job', 'jo-1', 'bad'],
        ['good', 101, 'good'],
        ['vibration', 2.5, 'bad'],
      ])
    })

    it('the property Quality becomes the quality: 192 good, 0 bad, 500 stale', () => {
      births()
      bench.values()
      const quality = (value: number) => ({ properties: { keys: ['Quality'], values: [{ type: 3, int_value: value }] } })
      for (const value of [192, 0, 500, 64]) bench.take(edge.deviceData('mill', [{ alias: 13, double_value: 1, ...quality(value) }]))
      assert.deepEqual(
        bench.values().map(([, , found]) => found),
        ['good', 'bad', 'bad', 'uncertain'],
      )
    })

    it('a template is its members, a data set is JSON, an integer beyond 2^53 is exact text', () => {
      bench.take(edge.birth())
      const bearing = {
        name: 'Bearing',
        datatype: 19,
        template_value: { metrics: [metric.double('Temperature', 61)], is_definition: false, template_ref: 'bearing' },
      }
      const motor = {
        name: 'Motor',
        datatype: 19,
        template_value: { metrics: [metric.int('Speed', 3000), bearing], is_definition: false, template_ref: 'motor' },
      }
      const table = {
        num_of_columns: 2,
        columns: ['a', 'b'],
        types: [8, 12],
        rows: [{ elements: [{ long_value: '9007199254740993' }, { string_value: 'x' }] }],
      }
      bench.take(
        edge.deviceBirth('mill', [
          motor,
          { name: 'Table', datatype: 16, dataset_value: table },
          { name: 'Serial', datatype: 8, long_value: '9007199254740993' },
        ]),
      )
      assert.deepEqual(bench.values(), [
        ['member', 3000, 'good'],
        ['inner', 61, 'good'],
        ['table', '{"columns":["a","b"],"types":[8,12],"rows":[["9007199254740993","x"]]}', 'good'],
        ['serial', '9007199254740993', 'good'],
      ])
      bench.take(edge.deviceData('mill', [{ name: 'Motor', datatype: 19, template_value: { metrics: [metric.int('Speed', 2900)] } }]))
      assert.deepEqual(bench.values(), [['member', 2900, 'good']])
      assert.deepEqual(bench.codes(), [])
    })

    it('an integer that is no exact number is refused where a number is due, never rounded', () => {
      bench.take(edge.birth([{ name: 'Cabinet', datatype: 8, long_value: '9007199254740993' }]))
      assert.deepEqual(bench.values(), [])
      assert.deepEqual(bench.codes(), ['TAKT_SAMPLE_VALUE_TYPE'])
    })
  })

  describe('deaths', () => {
    beforeEach(() => {
      births()
      bench.values()
      bench.clock.advance(5000)
    })

    it('of the edge node: everything of it and its devices is bad from when it was heard', () => {
      bench.take(edge.death(NOW - 60_000))
      assert.deepEqual(
        bench.samples.map(({ quality, time }) => [quality, time]),
        Array.from({ length: 5 }, () => ['bad', NOW + 5000]),
      )
      assert.equal(bench.host.figures.alive, 0)
      bench.values()
      bench.take(edge.death(NOW - 60_000))
      assert.deepEqual(bench.values(), [], 'told once')
    })

    it('of a device: what is its own is bad from the time that the edge node says', () => {
      bench.take(edge.deviceDeath('mill', NOW + 3000))
      assert.deepEqual(
        bench.samples.map(({ signal, quality, time }) => [signal, quality, time]),
        ['state', 'good', 'job', 'vibration'].map((signal) => [signal, 'bad', NOW + 3000]),
      )
      bench.values()
      bench.take(edge.deviceData('mill', [{ alias: 13, double_value: 1 }]))
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_NOT_BORN'])
      assert.equal(bench.rebirths().length, 1)
      bench.take(edge.deviceBirth('mill', [metric.double('Spindle/Vibration', 4)]))
      assert.deepEqual(bench.values(), [['vibration', 4, 'good']])
    })

    it('of an older session says nothing about the one that runs', () => {
      const old = edge.death()
      edge.bdSeq = 1
      births()
      bench.values()
      bench.take(old)
      assert.deepEqual(bench.values(), [])
      assert.equal(bench.host.figures.alive, 1)
    })

    it('data after the death waits for a birth and is given up, as a declared gap, when the birth is another', () => {
      bench.take(edge.death())
      bench.values()
      edge.bdSeq = 1
      edge.seq = 5
      void bench.take(edge.deviceData('mill', [{ alias: 13, double_value: 1 }]))
      assert.equal(bench.rebirths().length, 1)
      bench.clock.advance(100)
      births()
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_NOT_BORN'])
      assert.deepEqual(bench.gaps.map(({ from, to, lost, code, equipment }) => ({ from, to, lost, code, equipment }))[0], {
        from: NOW + 5000,
        to: NOW + 5000,
        lost: 1,
        code: 'TAKT_SPARKPLUG_NOT_BORN',
        equipment: 'acme/mill',
      })
      assert.equal(bench.values().length, 5)
    })

    it('a device that is not born again after its edge node has died unseen', () => {
      bench.take(edge.birth([metric.double('Cabinet', 31, { alias: 1 })]))
      bench.values()
      bench.clock.advance(20_000)
      assert.deepEqual(
        new Set(bench.values().map(([signal, , quality]) => `${signal} ${quality}`)),
        new Set(['state bad', 'good bad', 'job bad', 'vibration bad']),
      )
    })
  })

  describe('sequence', () => {
    beforeEach(() => {
      births()
      bench.values()
      bench.numbers.length = 0
    })
    const count = (value: number) => edge.deviceData('mill', [{ alias: 11, long_value: value }])

    it('messages that change places are taken in their order, and nobody is asked for anything', async () => {
      const [first, second, third] = [count(1), count(2), count(3)]
      const held = [bench.take(third), bench.take(second)]
      assert.deepEqual(bench.values(), [])
      bench.take(first)
      await Promise.all(held)
      assert.deepEqual(
        bench.values().map(([, value]) => value),
        [1, 2, 3],
      )
      bench.clock.advance(60_000)
      assert.deepEqual([bench.rebirths().length, bench.gaps.length, bench.host.figures.held], [0, 0, 0])
    })

    it('across the wrap', () => {
      edge.seq = 0
      bench = new HostBench().connect()
      births()
      for (let value = 0; value < 253; value++) bench.take(count(value))
      bench.values()
      const [last, wrapped] = [count(254), count(255)]
      void bench.take(wrapped)
      bench.take(last)
      assert.deepEqual(
        bench.values().map(([, value]) => value),
        [254, 255],
      )
      assert.equal(bench.numbers.at(-1)?.[1], 256)
    })

    it('what is missing after the timeout is a declared gap, and births are asked for; what came waits for them', async () => {
      bench.clock.advance(100)
      count(1)
      count(2)
      const held = bench.take(count(3))
      bench.clock.advance(1999)
      assert.equal(bench.rebirths().length, 0)
      bench.clock.advance(1)
      assert.equal(bench.rebirths().length, 1)
      assert.deepEqual(
        bench.gaps.map(({ from, to, lost, code, equipment }) => ({ from, to, lost, code, equipment })),
        [{ from: NOW, to: NOW + 100, lost: 2, code: 'TAKT_SPARKPLUG_SEQUENCE', equipment: 'acme/mill' }],
      )
      assert.deepEqual(bench.values(), [])
      births()
      await held
      assert.deepEqual(bench.values()[0], ['good', 3, 'good'], 'the same births: the alias meant what it means')
      assert.deepEqual(bench.codes(), [])
    })

    it('when the births have changed in the gap, what came before them is not guessed', () => {
      count(1)
      void bench.take(count(2))
      bench.clock.advance(2000)
      bench.take(edge.birth([metric.double('Cabinet', 31, { alias: 13 })]))
      assert.deepEqual(bench.values(), [['cabinet', 31, 'good']])
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_NOT_BORN'])
      assert.deepEqual(
        bench.gaps.map(({ code }) => code),
        ['TAKT_SPARKPLUG_SEQUENCE', 'TAKT_SPARKPLUG_NOT_BORN'],
      )
    })

    it('what waited is dealt with before the birth that let it go, for those who wait for the promise as well', async () => {
      count(1)
      const dealt: string[] = []
      const after = (what: string, done: void | Promise<void>): Promise<void> => Promise.resolve(done).then(() => void dealt.push(what))
      const all = [after('first', bench.take(count(2))), after('second', bench.take(count(3)))]
      bench.clock.advance(2000)
      const birth = bench.take(edge.birth([metric.double('Cabinet', 31, { alias: 1 })]))
      assert.ok(birth instanceof Promise)
      await Promise.all([...all, after('birth', birth)])
      assert.deepEqual(dealt, ['first', 'second', 'birth'])
    })

    it('what is missing among messages that wait is said', () => {
      count(1)
      void bench.take(count(2))
      bench.clock.advance(2000)
      count(3)
      void bench.take(count(4))
      births()
      assert.deepEqual(
        bench.gaps.map(({ lost }) => lost),
        [1, 1],
      )
      assert.deepEqual(
        bench
          .values()
          .slice(0, 2)
          .map(([, value]) => value),
        [2, 4],
      )
    })

    it('an edge node that answers nobody is taken by its last births, as uncertain', () => {
      count(1)
      void bench.take(count(2))
      bench.clock.advance(2000)
      bench.clock.advance(10_000)
      assert.deepEqual(bench.values(), [['good', 2, 'uncertain']])
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_UNCONFIRMED'])
      bench.take(count(3))
      assert.deepEqual(bench.values(), [['good', 3, 'uncertain']])
      births()
      bench.values()
      bench.take(count(4))
      assert.deepEqual(bench.values(), [['good', 4, 'good']])
    })

    it('a repetition is passed over', () => {
      const packet = count(7)
      bench.take(packet)
      bench.take(packet, { dup: true })
      bench.take(packet)
      assert.equal(bench.values().length, 1)
      bench.clock.advance(60_000)
      assert.deepEqual([bench.gaps.length, bench.rebirths().length], [0, 0])
    })

    it('a repeated birth too', () => {
      bench.clock.advance(1)
      const packet = edge.birth([metric.double('Cabinet', 31, { alias: 1 })])
      bench.take(packet)
      bench.take(packet, { dup: true })
      assert.equal(bench.values().length, 1)
    })

    it('a message without a number, or with one beyond 255, is refused', () => {
      bench.take({ topic: 'spBv1.0/plant/DDATA/cell/mill', payload: Buffer.from([]) })
      bench.take({ topic: 'spBv1.0/plant/DDATA/cell/mill', payload: foreignEncode({ seq: 256 }) })
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_INVALID', 'TAKT_SPARKPLUG_INVALID'])
    })

    it('gives up before the numbers come round and another message passes for the missing one', () => {
      count(0)
      for (let value = 1; value <= 128; value++) void bench.take(count(value))
      assert.equal(bench.gaps.length, 0)
      void bench.take(count(129))
      assert.deepEqual([bench.gaps.length, bench.gaps[0]?.lost, bench.rebirths().length], [1, 1, 1])
      births()
      assert.deepEqual(
        bench
          .values()
          .slice(0, 129)
          .map(([, value]) => value),
        Array.from({ length: 129 }, (_, index) => index + 1),
      )
    })

    it('does not hold more than it may: what is too much is passed on as uncertain', () => {
      count(0)
      for (let value = 1; value <= 2000; value++) void bench.take(count(value))
      assert.ok(bench.host.figures.held <= 500)
      const values = bench.values()
      assert.deepEqual(values[0], ['good', 1, 'uncertain'])
      assert.deepEqual(
        values.map(([, value]) => value),
        Array.from({ length: values.length }, (_, index) => index + 1),
      )
    })
  })

  describe('restart and reconnection', () => {
    it('asks for births when data comes of an edge node that is not known', () => {
      edge.seq = 41
      void bench.take(edge.deviceData('mill', [{ alias: 13, double_value: 1 }]))
      const [rebirth, ...others] = bench.rebirths()
      assert.equal(others.length, 0)
      assert.equal(rebirth?.topic, 'spBv1.0/plant/NCMD/cell')
      births()
      assert.equal(bench.values().length, 5)
    })

    it('asks ever more rarely', () => {
      edge.seq = 41
      const asked: number[] = []
      for (let second = 0; second < 120; second++) {
        void bench.take(edge.deviceData('mill', [{ alias: 13, double_value: 1 }]))
        if (bench.rebirths().length > 0) asked.push(second)
        bench.clock.advance(1000)
      }
      assert.deepEqual(asked, [0, 5, 15, 35, 75])
    })

    it('remembers births: what came before they were confirmed is taken', async () => {
      let saved: unknown
      const memory = { load: () => saved, save: (state: unknown) => void (saved = JSON.parse(JSON.stringify(state))) }
      bench = new HostBench({ memory }).connect()
      edge = new ForeignEdge('plant', 'cell', () => bench.clock.now())
      births()
      await bench.host.stop(bench.line)

      bench = new HostBench({ memory })
      bench.connect()
      edge.seq = 77
      const held = bench.take(edge.deviceData('mill', [{ alias: 11, long_value: 104 }]))
      assert.deepEqual(bench.values(), [])
      births()
      await held
      assert.deepEqual(bench.values()[0], ['good', 104, 'good'])
      assert.deepEqual(bench.codes(), [])
    })

    it('asks for the births of every edge node that it remembers, on each connection', () => {
      births()
      bench.host.lost(bench.line)
      bench.host.connected(bench.line)
      assert.equal(bench.rebirths().length, 1)
    })

    it('a memory that is damaged is none', () => {
      for (const state of [
        undefined,
        7,
        [],
        { version: 2 },
        { version: 1, nodes: { 'a/b': { bdSeq: {}, metrics: [], devices: {} } } },
        { version: 1, nodes: { 'a/b': 1 } },
      ]) {
        assert.equal(new HostBench({ memory: { load: () => state, save: () => {} } }).host.figures.nodes, 0)
      }
    })

    it('when the broker is lost everything is bad, and good again with the next births', () => {
      births()
      bench.values()
      bench.clock.advance(1000)
      bench.host.lost(bench.line)
      assert.deepEqual(new Set(bench.samples.map(({ quality, time }) => `${quality} ${time}`)), new Set([`bad ${NOW + 1000}`]))
      assert.equal(bench.values().length, 5)
      bench.host.connected(bench.line)
      births()
      assert.deepEqual(new Set(bench.values().map(([, , quality]) => quality)), new Set(['good']))
    })
  })

  describe('births and data that do not fit', () => {
    beforeEach(() => {
      births()
      bench.values()
    })
    const take = (...metrics: Record<string, unknown>[]) => {
      bench.take(edge.deviceData('mill', metrics))
      return { values: bench.values(), codes: bench.codes(), rebirths: bench.rebirths().length }
    }
    const good = { alias: 11, long_value: 5 }

    it('an alias that no birth has: refused, births are asked for, the other metrics are good', () => {
      assert.deepEqual(take({ alias: 99, double_value: 1 }, good), { values: [['good', 5, 'good']], codes: ['TAKT_SPARKPLUG_ALIAS_UNKNOWN'], rebirths: 1 })
    })

    it('a name that no birth has', () => {
      assert.deepEqual(take(metric.double('Torque', 1), good), { values: [['good', 5, 'good']], codes: ['TAKT_SPARKPLUG_METRIC_UNKNOWN'], rebirths: 1 })
    })

    it('a data type that is not that of the birth', () => {
      assert.deepEqual(take(metric.text('Spindle/Vibration', 'high'), good), { values: [['good', 5, 'good']], codes: ['TAKT_SPARKPLUG_TYPE'], rebirths: 1 })
      assert.deepEqual(take({ alias: 13, string_value: 'high' }), { values: [], codes: ['TAKT_SPARKPLUG_TYPE'], rebirths: 0 })
    })

    it('a value that is not of its own data type', () => {
      assert.deepEqual(take({ alias: 13, datatype: 10, string_value: 'high' }, good), {
        values: [['good', 5, 'good']],
        codes: ['TAKT_SPARKPLUG_VALUE'],
        rebirths: 0,
      })
    })

    it('an alias that stands for two metrics means neither; by name both are known', () => {
      bench.take(edge.deviceBirth('mill', [metric.double('Spindle/Vibration', 1, { alias: 4 }), metric.long('Good', 6, { alias: 4 })]))
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_ALIAS_DUPLICATE'])
      bench.values()
      assert.deepEqual(take({ alias: 4, double_value: 2 }), { values: [], codes: ['TAKT_SPARKPLUG_ALIAS_DUPLICATE'], rebirths: 0 })
      assert.deepEqual(take(metric.long('Good', 7)), { values: [['good', 7, 'good']], codes: [], rebirths: 0 })
    })

    it('a metric with neither name nor alias', () => {
      assert.deepEqual(take({ double_value: 1 }), { values: [], codes: ['TAKT_SPARKPLUG_INVALID'], rebirths: 0 })
    })

    it('data of a device before its birth', () => {
      bench.take(edge.deviceData('saw', [metric.double('x', 1)]))
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_NOT_BORN'])
      assert.equal(bench.rebirths().length, 1)
    })

    it('seconds sent as milliseconds are refused as ancient', () => {
      assert.deepEqual(take({ ...good, timestamp: Math.round(NOW / 1000) }).codes, ['TAKT_SAMPLE_TIME_ANCIENT'])
      assert.deepEqual(take({ ...good, timestamp: NOW * 1000 }).codes, ['TAKT_SAMPLE_TIME_FUTURE'])
      assert.deepEqual(take({ ...good, timestamp: '18446744073709551615' }).codes, ['TAKT_SAMPLE_TIME_FUTURE'])
    })

    it('NaN and infinity', () => {
      assert.deepEqual(take({ alias: 13, double_value: Number.NaN }, good).codes, ['TAKT_SAMPLE_VALUE_NOT_FINITE'])
      assert.deepEqual(take({ alias: 13, double_value: Number.POSITIVE_INFINITY }).codes, ['TAKT_SAMPLE_VALUE_NOT_FINITE'])
    })

    it('names that could alter objects are names like others', () => {
      bench.take(edge.deviceBirth('__proto__', [metric.double('constructor', 1), metric.double('__proto__', 2)]))
      assert.deepEqual(bench.codes(), [])
      assert.equal(({} as Record<string, unknown>).constructor, Object)
    })
  })

  describe('its own state', () => {
    const said = () =>
      bench.published.splice(0).map(({ topic, payload, qos, retain }) => {
        assert.deepEqual([topic, qos, retain], ['spBv1.0/STATE/takt', 1, true])
        return JSON.parse(String(payload))
      })
    const hear = (payload: string | Buffer, retain = false) => bench.take({ topic: 'spBv1.0/STATE/takt', payload: Buffer.from(payload) }, { retain })

    beforeEach(() => bench.clock.advance(10_000))

    it('is answered at most once a second when somebody else says that it is offline, and told of', () => {
      hear('{"online":false,"timestamp":1}')
      assert.deepEqual(said(), [{ online: true, timestamp: NOW }])
      for (let time = 0; time < 5; time++) hear('{"online":false,"timestamp":2}')
      assert.deepEqual(said(), [])
      bench.clock.advance(1000)
      assert.deepEqual(said(), [{ online: true, timestamp: NOW }])
      assert.deepEqual(new Set(bench.codes()), new Set(['TAKT_SPARKPLUG_STATE_FOREIGN']))
    })

    it('is answered when it cannot be read: edge nodes cannot read it either', () => {
      for (const forged of [
        '',
        'OFFLINE',
        '{"online":',
        '{"online":"true"}',
        '[]',
        'null',
        Buffer.from([0xff]),
        '{"__proto__":{"online":true}}',
        'x'.repeat(5000),
      ]) {
        hear(forged)
        assert.equal(said().length, 1, String(forged).slice(0, 20))
        bench.clock.advance(1000)
      }
    })

    it('is not answered when it is right, or while nothing is connected', () => {
      hear('{"online":true,"timestamp":1}')
      bench.host.lost(bench.line)
      hear('{"online":false,"timestamp":1}')
      bench.clock.advance(5000)
      assert.deepEqual([said(), bench.codes()], [[], []])
    })

    it('that lay retained from before is answered without a complaint: it was our own will', () => {
      hear('{"online":false,"timestamp":1}', true)
      assert.deepEqual([said().length, bench.codes()], [1, []])
    })

    it('has a new time with each connection, the same in will and birth', () => {
      const will = JSON.parse(bench.host.will()?.payload ?? '')
      bench.host.lost(bench.line)
      bench.host.connected(bench.line)
      assert.deepEqual(will, { online: false, timestamp: NOW + 10_000 })
      assert.deepEqual(said(), [{ online: true, timestamp: NOW + 10_000 }])
    })

    it('of a host without a name is none', async () => {
      bench = new HostBench({ hostId: undefined }).connect()
      assert.equal(bench.host.will(), undefined)
      await bench.host.stop(bench.line)
      assert.deepEqual(said(), [])
    })
  })

  describe('what is no message of an edge node', () => {
    it('a topic of another form is refused; commands and the states of other hosts are none of our business', () => {
      const payload = Buffer.alloc(0)
      for (const topic of [
        'spBv1.0',
        'spBv1.0/g/NBIRTH',
        'spBv1.0/g/NBIRTH/n/d',
        'spBv1.0/g/DDATA/n',
        'spBv1.0/g/NOISE/n',
        'spBv1.0//NDATA/n',
        'spBv1.0/g/DDATA/n/d/e',
      ])
        bench.take({ topic, payload })
      assert.deepEqual(new Set(bench.codes()), new Set(['TAKT_SPARKPLUG_TOPIC']))
      for (const topic of ['spBv1.0/g/NCMD/n', 'spBv1.0/g/DCMD/n/d', 'spBv1.0/STATE/another']) bench.take({ topic, payload })
      assert.deepEqual(bench.codes(), [])
    })

    it('a retained birth is refused: nobody knows how old it is', () => {
      bench.take(edge.birth([metric.double('Cabinet', 1)]), { retain: true })
      assert.deepEqual([bench.codes(), bench.values()], [['TAKT_SPARKPLUG_RETAINED'], []])
    })

    it('a compressed payload is what it is when unpacked', () => {
      births()
      bench.values()
      const { topic, payload } = edge.deviceData('mill', [{ alias: 11, long_value: 7 }])
      const algorithm = metric.text('algorithm', 'GZIP')
      bench.take({ topic, payload: foreignEncode({ uuid: 'SPBV1.0_COMPRESSED', body: gzipSync(payload), metrics: [algorithm] }) })
      assert.deepEqual([bench.values(), bench.codes()], [[['good', 7, 'good']], []])
      const bomb = foreignEncode({ uuid: 'SPBV1.0_COMPRESSED', body: gzipSync(Buffer.alloc(8 * 1024 * 1024)), metrics: [algorithm] })
      bench.take({ topic, payload: bomb })
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_TOO_LARGE'])
    })

    it('whatever comes in whatever order, nothing is thrown, and the next births set everything right', () => {
      const random = seededRandom(5)
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
      for (let round = 0; round < 3000; round++) {
        edge.bdSeq = pick([0, 0, 0, 1, 2])
        if (random() < 0.3) edge.seq = Math.floor(random() * 256)
        const packet = pick([
          () => edge.birth([metric.double('Cabinet', random())]),
          () => edge.death(),
          () => edge.data([{ alias: pick([1, 2, 99]), double_value: random() }]),
          () => edge.deviceBirth('mill', [metric.long('Good', round, { alias: 11 }), metric.double('Spindle/Vibration', 1, { alias: pick([11, 13]) })]),
          () => edge.deviceData('mill', [{ alias: pick([11, 13]), long_value: round }]),
          () => edge.deviceDeath('mill'),
        ])()
        const payload = Buffer.from(packet.payload)
        if (random() < 0.2 && payload.length > 0) payload[Math.floor(random() * payload.length)] = Math.floor(random() * 256)
        void bench.take({ topic: packet.topic, payload }, { dup: random() < 0.1, retain: random() < 0.02 })
        if (random() < 0.05) bench.clock.advance(random() * 15_000)
        if (random() < 0.01) bench.host.lost(bench.line)
        if (random() < 0.05) bench.host.connected(bench.line)
        assert.ok(bench.host.figures.held <= 500)
      }
      bench.host.connected(bench.line)
      edge.bdSeq = 7
      bench.clock.advance(60_000)
      births()
      bench.values()
      bench.codes()
      bench.take(edge.deviceData('mill', [{ alias: 11, long_value: 4711 }]))
      assert.deepEqual([bench.values(), bench.codes()], [[['good', 4711, 'good']], []])
    })

    it('a payload that is no protobuf', () => {
      bench.take({ topic: 'spBv1.0/plant/NDATA/cell', payload: Buffer.from('{"value": 1}') })
      assert.deepEqual(bench.codes(), ['TAKT_SPARKPLUG_INVALID'])
    })
  })
})
