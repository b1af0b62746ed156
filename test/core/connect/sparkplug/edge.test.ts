import assert from 'node:assert/strict'
import { ManualClock } from '../../../../core/base/clock.ts'
import type { TaktError } from '../../../../core/base/error.ts'
import { DATA_TYPES as T } from '../../../../core/connect/sparkplug/datatypes.ts'
import { type EdgeCommand, type EdgeMemory, type EdgeSetting, type EdgeState, SparkplugEdge } from '../../../../core/connect/sparkplug/edge.ts'
import type { Dropped } from '../../../../core/connect/sparkplug/edge-backlog.ts'
import type { EdgeValue } from '../../../../core/connect/sparkplug/edge-unit.ts'
import { FakeTransport, type Heard } from './support/fake-transport.ts'
import { foreignEncode } from './support/schema.ts'

const REBIRTH = foreignEncode({ timestamp: 1, metrics: [{ name: 'Node Control/Rebirth', boolean_value: true }] })
const START = 1_700_000_000_000

function setUp(more: Partial<EdgeSetting> = {}, memory: EdgeMemory | undefined = undefined) {
  const clock = new ManualClock(START)
  const transport = new FakeTransport()
  const saved: EdgeMemory[] = []
  const states: EdgeState[] = []
  const commands: EdgeCommand[] = []
  const bad: TaktError[] = []
  const dropped: Dropped[] = []
  const edge = new SparkplugEdge(
    {
      group: 'plant',
      edge: 'takt',
      aliases: false,
      servers: 1,
      capacity: 1000,
      gatherMs: 10,
      settleMs: 100,
      patienceMs: 5000,
      now: () => clock.now(),
      timer: clock,
      memory: { load: () => saved.at(-1) ?? memory, save: (state) => void saved.push(JSON.parse(JSON.stringify(state))) },
      transport,
      where: 'a test',
      ...more,
    },
    {
      changed: (state) => void states.push(state),
      command: (command) => void commands.push(command),
      bad: (problem) => void bad.push(problem),
      dropped: (lost) => void dropped.push(...lost),
    },
  )
  const number = (name: string, value: number | null, time = clock.now(), extra: Partial<EdgeValue> = {}): EdgeValue => ({
    name,
    datatype: T.Double,
    value,
    time,
    ...extra,
  })
  return { clock, transport, edge, saved, states, commands, bad, dropped, number }
}

/** Started, connected, one device with one metric. */
function running(more: Partial<EdgeSetting> = {}) {
  const all = setUp(more)
  all.edge.update('mill', [all.number('speed', 1)])
  all.edge.start()
  all.transport.session.opened()
  return all
}

const verbs = (heard: readonly Heard[]): string[] => heard.map(({ verb }) => verb)
const seqs = (heard: readonly Heard[]): number[] => heard.filter(({ verb }) => verb !== 'NDEATH').map(({ payload }) => Number(payload.seq))
const metricOf = ({ payload }: Heard, name: string) => payload.metrics.find((metric: { name?: string }) => metric.name === name)
const valuesOf = (heard: readonly Heard[], name: string): unknown[] =>
  heard.flatMap(({ payload }) => payload.metrics.filter((metric: any) => metric.name === name).map((metric: any) => metric.double_value ?? null))

describe('Sparkplug edge node', () => {
  it('is born with everything it has: NBIRTH with seq 0, then its devices', () => {
    const { transport, states, saved } = running()
    const [nbirth, dbirth, ...rest] = transport.take()
    assert.deepEqual([nbirth!.topic, dbirth!.topic, rest.length], ['spBv1.0/plant/NBIRTH/takt', 'spBv1.0/plant/DBIRTH/takt/mill', 0])
    assert.deepEqual(
      nbirth!.payload.metrics.map(({ name, datatype, long_value, boolean_value }: any) => [name, datatype, long_value ?? boolean_value]),
      [
        ['bdSeq', T.Int64, '0'],
        ['Node Control/Rebirth', T.Boolean, false],
      ],
    )
    assert.deepEqual(seqs([nbirth!, dbirth!]), [0, 1])
    assert.equal(dbirth!.payload.timestamp, String(START))
    const { name, datatype, double_value, timestamp } = metricOf(dbirth!, 'speed')
    assert.deepEqual([name, datatype, double_value, timestamp], ['speed', T.Double, 1, String(START)])
    assert.deepEqual([states, saved[0]!.bdSeq], [['connecting', 'online'], 0])
  })

  it('carries its death as a will with the number of its birth, counted up with each session and across restarts', () => {
    const { transport, edge, clock } = running()
    const will = () => transport.session.will
    assert.equal(will().topic, 'spBv1.0/plant/NDEATH/takt')
    transport.session.lost(undefined, true)
    assert.equal(edge.state, 'away')
    clock.advance(1000)
    transport.session.opened()
    assert.equal(metricOf(transport.take().findLast(({ verb }) => verb === 'NBIRTH')!, 'bdSeq').long_value, '1')
    transport.session.lost(undefined, true)
    for (let attempt = 0; attempt < 3; attempt++) {
      clock.advance(1000)
      transport.session.lost(undefined, false)
    }
    clock.advance(1000)
    transport.session.opened()
    assert.equal(metricOf(transport.take().findLast(({ verb }) => verb === 'NBIRTH')!, 'bdSeq').long_value, '2', 'attempts that no server saw do not count')
    const { transport: wrapped, edge: again } = setUp({}, { bdSeq: 255 })
    again.start()
    wrapped.session.opened()
    assert.equal(metricOf(wrapped.take()[0]!, 'bdSeq').long_value, '0')
  })

  it('tells changes only, by exception, and gathers what comes together', () => {
    const { transport, edge, clock, number } = running()
    transport.take()
    edge.update('mill', [number('speed', 1)])
    clock.advance(50)
    assert.deepEqual(transport.take(), [])
    edge.update('mill', [number('speed', 2, START + 60)])
    edge.update('mill', [number('speed', 3, START + 61)])
    clock.advance(50)
    const heard = transport.take()
    assert.deepEqual([verbs(heard), valuesOf(heard, 'speed')], [['DDATA'], [2, 3]])
    assert.ok(heard[0]!.payload.metrics.every((metric: any) => metric.datatype === undefined && metric.is_historical !== true))
  })

  it('wraps its sequence from 255 to 0', () => {
    const { transport, edge, clock, number } = running()
    for (let value = 2; value < 302; value++) {
      edge.update('mill', [number('speed', value, clock.now())])
      clock.advance(10)
    }
    const all = seqs(transport.take())
    assert.deepEqual(
      all,
      all.map((_, index) => index % 256),
    )
    assert.equal(all.length, 302)
  })

  it('is born anew where a metric is new or changed its type: the device alone, or all for one of its own', () => {
    const { transport, edge, clock, number } = running()
    transport.take()
    edge.update('mill', [number('load', 5)])
    edge.update('mill', [{ name: 'speed', datatype: T.String, value: 'fast', time: clock.now() }])
    clock.advance(200)
    const [dbirth, ...none] = transport.take()
    assert.deepEqual([dbirth!.verb, none.length, metricOf(dbirth!, 'speed').datatype, metricOf(dbirth!, 'load').double_value], ['DBIRTH', 0, T.String, 5])
    edge.update(undefined, [number('oee', 0.8)])
    clock.advance(200)
    const heard = transport.take()
    assert.deepEqual([verbs(heard), seqs(heard), metricOf(heard[0]!, 'oee').double_value], [['NBIRTH', 'DBIRTH'], [0, 1], 0.8])
  })

  it('says null where a value is not known, and the unit and the quality as properties', () => {
    const { transport, edge, clock, number } = running()
    edge.update('mill', [number('load', null, START, { unit: 'kN' })])
    clock.advance(200)
    const birth = metricOf(transport.take().at(-1)!, 'load')
    assert.deepEqual([birth.is_null, 'double_value' in birth], [true, false])
    assert.deepEqual(birth.properties.keys, ['Quality', 'engUnit'])
    assert.deepEqual(
      birth.properties.values.map(({ type, int_value, string_value }: any) => [type, int_value ?? string_value]),
      [
        [T.Int32, 192],
        [T.String, 'kN'],
      ],
    )
    edge.update('mill', [number('load', 3, START + 1000, { quality: 'bad' })])
    clock.advance(50)
    edge.update('mill', [number('load', 3, START + 2000, { quality: 'good' })])
    clock.advance(50)
    edge.update('mill', [number('load', 4, START + 3000)])
    clock.advance(50)
    const codes = transport.take().map(({ payload }) => payload.metrics[0].properties?.values[0].int_value)
    assert.deepEqual(codes, [0, 192, undefined])
  })

  it('uses aliases where it is told to: name and alias in births, alias alone in data', () => {
    const { transport, edge, clock, number } = running({ aliases: true })
    edge.update('saw', [number('speed', 9)])
    clock.advance(200)
    edge.update('saw', [number('speed', 10, clock.now())])
    clock.advance(50)
    const heard = transport.take()
    const aliases = heard.filter(({ verb }) => verb === 'DBIRTH').map((message) => metricOf(message, 'speed').alias)
    assert.equal(new Set(aliases).size, 2, 'unique over all devices')
    assert.equal(metricOf(heard[0]!, 'Node Control/Rebirth').alias, undefined)
    const data = heard.at(-1)!.payload.metrics[0]
    assert.deepEqual([data.name, data.alias, data.double_value], [undefined, aliases[1], 10])
  })

  describe('deaths', () => {
    it('declares a device dead once, and bears it again with its next good value', () => {
      const { transport, edge, clock, number } = running()
      transport.take()
      edge.deviceDied('mill')
      edge.deviceDied('mill')
      const [death, ...none] = transport.take()
      assert.deepEqual([death!.verb, death!.device, seqs([death!]), none.length], ['DDEATH', 'mill', [2], 0])
      edge.update('mill', [number('speed', 1, clock.now() + 1, { quality: 'bad' })])
      clock.advance(200)
      assert.deepEqual(transport.take(), [], 'a bad value brings nothing back')
      edge.update('mill', [number('speed', 1, clock.now() + 2)])
      clock.advance(200)
      const [birth, late] = transport.take()
      assert.deepEqual([birth!.verb, late!.verb, late!.payload.metrics[0].is_historical], ['DBIRTH', 'DDATA', true])
    })

    it('tells what was gathered before a death first', () => {
      const { transport, edge, number } = running()
      transport.take()
      edge.update('mill', [number('speed', 7, START + 5)])
      edge.deviceDied('mill')
      assert.deepEqual(verbs(transport.take()), ['DDATA', 'DDEATH'])
    })

    it('says its own before it goes, and nothing is kept that the server has', async () => {
      const { transport, edge, saved, number } = running()
      transport.take()
      edge.update('mill', [number('speed', 7, START + 5)])
      await edge.stop()
      const heard = transport.take()
      assert.deepEqual(verbs(heard), ['DDATA', 'NDEATH'])
      assert.deepEqual([heard[1]!.payload.seq, metricOf(heard[1]!, 'bdSeq').long_value], [undefined, '0'])
      assert.deepEqual(saved.at(-1), { bdSeq: 0, untold: [] })
      assert.equal(edge.state, 'idle')
    })
  })

  describe('what could not be told in its time', () => {
    it('is told as historical after the births, in order, and the present value once', () => {
      const { transport, edge, clock, number } = running()
      transport.prove()
      transport.session.lost(undefined, true)
      transport.take()
      for (let value = 2; value <= 5; value++) edge.update('mill', [number('speed', value, START + value)])
      assert.deepEqual(edge.waiting, { values: 4, oldest: START + 2, dropped: 0 })
      clock.advance(1000)
      transport.session.opened()
      const heard = transport.take()
      assert.deepEqual(verbs(heard), ['NBIRTH', 'DBIRTH', 'DDATA'])
      assert.equal(metricOf(heard[1]!, 'speed').double_value, 5)
      assert.deepEqual(
        heard[2]!.payload.metrics.map(({ double_value, is_historical, timestamp }: any) => [double_value, is_historical, Number(timestamp)]),
        [2, 3, 4].map((value) => [value, true, START + value]),
      )
      assert.equal(edge.waiting.values, 0)
    })

    it('is told again where the server may not have got it, births included', () => {
      const { transport, edge, clock, number } = running()
      transport.prove()
      transport.take()
      edge.update('mill', [number('speed', 2, START + 2)])
      clock.advance(20)
      transport.prove()
      // from here on the network is a black hole
      transport.delivers = false
      edge.update('mill', [number('speed', 3, START + 3)])
      clock.advance(20)
      edge.update('mill', [number('speed', 4, START + 4)])
      clock.advance(20)
      transport.session.lost(undefined, true)
      clock.advance(1000)
      transport.session.opened()
      // also these births were never heard, and were overtaken
      edge.update('mill', [number('speed', 5, START + 5)])
      clock.advance(20)
      transport.session.lost(undefined, true)
      clock.advance(1000)
      transport.delivers = true
      transport.session.opened()
      const heard = transport.take()
      const told = valuesOf(heard, 'speed').toSorted() as number[]
      assert.deepEqual(told, [2, 3, 4, 5], 'nothing is missing, nothing is doubled')
      assert.equal(metricOf(heard.find(({ verb }) => verb === 'DBIRTH')!, 'speed').double_value, 5)
    })

    it('is bounded: the oldest goes, and the hole is declared with its bounds', () => {
      const { transport, edge, clock, dropped, number } = running({ capacity: 10 })
      transport.prove()
      transport.session.lost(undefined, true)
      for (let value = 2; value < 27; value++) edge.update('mill', [number('speed', value, START + value)])
      assert.deepEqual(edge.waiting, { values: 10, oldest: START + 17, dropped: 15 })
      clock.advance(1000)
      transport.session.opened()
      assert.deepEqual(dropped, [{ device: 'mill', name: 'speed', from: START + 2, to: START + 16, count: 15 }])
      assert.equal(edge.waiting.dropped, 0)
    })

    it('survives an orderly end and waits for its device', async () => {
      const { edge, saved, number } = setUp()
      edge.update('mill', [number('speed', 1, START), number('speed', 2, START + 1)])
      await edge.stop()
      const next = setUp({}, saved.at(-1))
      next.edge.start()
      next.transport.session.opened()
      assert.deepEqual(verbs(next.transport.take()), ['NBIRTH'])
      assert.equal(next.edge.waiting.values, 2)
      next.edge.update('mill', [number('speed', 3, START + 9)])
      next.clock.advance(200)
      const heard = next.transport.take()
      assert.deepEqual(
        [verbs(heard), valuesOf(heard, 'speed')],
        [
          ['DBIRTH', 'DDATA'],
          [3, 1, 2],
        ],
      )
    })

    it('goes in parts, and live values pass meanwhile', () => {
      const { transport, edge, clock, number } = running({ capacity: 5000 })
      transport.prove()
      transport.session.lost(undefined, true)
      for (let value = 2; value < 2002; value++) edge.update('mill', [number('speed', value, START + value)])
      clock.advance(1000)
      transport.take()
      transport.session.opened()
      assert.equal(edge.waiting.values, 1500)
      edge.update('mill', [number('speed', 9999, START + 5000)])
      clock.advance(100)
      const heard = transport.take()
      const told = valuesOf(heard, 'speed') as number[]
      assert.deepEqual([told.length, new Set(told).size], [2001, 2001])
      const live = heard.filter(({ verb, payload }) => verb === 'DDATA' && payload.metrics[0].is_historical !== true)
      assert.deepEqual(valuesOf(live, 'speed'), [9999])
    })

    it('is a value that comes late, too: historical, and the present one stays', () => {
      const { transport, edge, clock, number } = running()
      transport.take()
      edge.update('mill', [number('speed', 0.5, START - 1000)])
      clock.advance(200)
      const [late] = transport.take()
      assert.deepEqual([late!.payload.metrics[0].is_historical, late!.payload.metrics[0].double_value], [true, 0.5])
      transport.say('spBv1.0/plant/NCMD/takt', REBIRTH)
      clock.advance(2000)
      assert.equal(metricOf(transport.take().at(-1)!, 'speed').double_value, 1)
    })
  })

  it('takes the first value for the present one, though it is older than the birth that had none', () => {
    const { transport, edge, clock, number } = running()
    edge.update('mill', [number('load', null, START + 50)])
    clock.advance(200)
    transport.take()
    edge.update('mill', [number('load', 7, START + 10)])
    clock.advance(200)
    const [data] = transport.take()
    assert.deepEqual([data!.payload.metrics[0].double_value, data!.payload.metrics[0].is_historical], [7, undefined])
  })

  describe('rebirth', () => {
    it('gives all births at once, with the same bdSeq, and what was gathered is not lost', () => {
      const { transport, edge, clock, number } = running()
      clock.advance(2000)
      transport.take()
      edge.update('mill', [number('speed', 2, START + 2), number('speed', 3, START + 3)])
      transport.say('spBv1.0/plant/NCMD/takt', REBIRTH)
      const heard = transport.take()
      assert.deepEqual(
        [verbs(heard), seqs(heard)],
        [
          ['NBIRTH', 'DBIRTH', 'DDATA'],
          [0, 1, 2],
        ],
      )
      assert.equal(metricOf(heard[0]!, 'bdSeq').long_value, '0')
      assert.deepEqual([metricOf(heard[1]!, 'speed').double_value, valuesOf([heard[2]!], 'speed')], [3, [2]])
      clock.advance(100)
      assert.deepEqual(transport.take(), [])
    })

    it('asked for a hundred times a second comes once a second, and no data passes before it', () => {
      const { transport, edge, clock, number } = running()
      clock.advance(2000)
      transport.take()
      for (let ask = 0; ask < 100; ask++) {
        transport.say('spBv1.0/plant/NCMD/takt', REBIRTH)
        edge.update('mill', [number('speed', 100 + ask, clock.now())])
        clock.advance(10)
      }
      clock.advance(2000)
      const heard = transport.take()
      // the first change went out before the second wish
      assert.deepEqual(verbs(heard).slice(0, 5), ['NBIRTH', 'DBIRTH', 'DDATA', 'NBIRTH', 'DBIRTH'])
      assert.equal(new Set(valuesOf(heard, 'speed')).size, 101)
    })

    it('is not granted to a false, a text, or a retained message', () => {
      const { transport, clock } = running()
      clock.advance(2000)
      transport.take()
      for (const value of [{ boolean_value: false }, { string_value: 'true' }, { int_value: 1 }])
        transport.say('spBv1.0/plant/NCMD/takt', foreignEncode({ metrics: [{ name: 'Node Control/Rebirth', ...value }] }))
      transport.say('spBv1.0/plant/NCMD/takt', REBIRTH, true)
      assert.deepEqual(transport.take(), [])
    })
  })

  describe('commands', () => {
    function commanded(metric: Record<string, unknown>, more: Partial<EdgeSetting> = {}) {
      const all = running(more)
      all.edge.update('mill', [{ name: 'limit', datatype: T.Int16, value: 5, time: START }])
      all.clock.advance(200)
      all.transport.say('spBv1.0/plant/DCMD/takt/mill', foreignEncode({ timestamp: START, metrics: [metric] }))
      return all
    }

    it('are read by the type of the birth, negative ones too', () => {
      const { commands } = commanded({ name: 'limit', int_value: 0xffff_fffb })
      assert.deepEqual(commands, [{ device: 'mill', metric: 'limit', value: -5, time: START }])
    })

    it('are read by alias', () => {
      const { commands } = commanded({ alias: 2, int_value: 9 }, { aliases: true })
      assert.deepEqual([commands[0]!.metric, commands[0]!.value], ['limit', 9])
    })

    const refused: ReadonlyArray<readonly [string, string, Record<string, unknown>]> = [
      ['a metric that is not in the birth', 'TAKT_SPARKPLUG_METRIC_UNKNOWN', { name: 'colour', int_value: 1 }],
      ['an alias that is not in the birth', 'TAKT_SPARKPLUG_METRIC_UNKNOWN', { alias: 99, int_value: 1 }],
      ['another type than that of the birth', 'TAKT_SPARKPLUG_VALUE', { name: 'limit', string_value: 'five' }],
      ['a type that is not that of the birth', 'TAKT_SPARKPLUG_VALUE', { name: 'limit', datatype: T.Int32, int_value: 1 }],
      ['a number out of range', 'TAKT_SPARKPLUG_VALUE', { name: 'limit', int_value: 70_000 }],
    ]
    for (const [what, code, metric] of refused) {
      it(`are refused for ${what}`, () => {
        const { commands, bad } = commanded(metric)
        assert.deepEqual([commands.length, bad.map((problem) => problem.code)], [0, [code]])
      })
    }

    it('that are no Sparkplug, to a device that is not there or is dead, or retained, change nothing', () => {
      const { transport, edge, commands, bad } = running()
      const set = foreignEncode({ metrics: [{ name: 'speed', double_value: 1 }] })
      transport.say('spBv1.0/plant/DCMD/takt/mill', Buffer.from([0xff, 0xff]))
      transport.say('spBv1.0/plant/DCMD/takt/nobody', set)
      transport.say('spBv1.0/plant/DCMD/takt/mill', set, true)
      edge.deviceDied('mill')
      transport.say('spBv1.0/plant/DCMD/takt/mill', set)
      assert.deepEqual([commands.length, bad.map(({ code }) => code)], [0, ['TAKT_SPARKPLUG_INVALID', 'TAKT_SPARKPLUG_METRIC_UNKNOWN', 'TAKT_SPARKPLUG_DEAD']])
    })
  })

  describe('with a primary host', () => {
    const STATE = 'spBv1.0/STATE/scada'
    const state = (online: boolean, timestamp: number): string => JSON.stringify({ online, timestamp })

    function waiting(more: Partial<EdgeSetting> = {}) {
      const all = setUp({ primaryHost: 'scada', ...more })
      all.edge.update('mill', [all.number('speed', 1)])
      all.edge.start()
      return all
    }

    it('waits for it, and keeps what comes meanwhile', () => {
      const { transport, edge, clock, states, number } = waiting()
      assert.ok(transport.session.filters.includes(STATE))
      transport.session.opened()
      edge.update('mill', [number('speed', 2, START + 1)])
      clock.advance(60_000)
      assert.deepEqual([transport.take(), edge.state], [[], 'waiting'])
      transport.say(STATE, state(true, 100), true)
      const heard = transport.take()
      assert.deepEqual([verbs(heard), states.at(-1)], [['NBIRTH', 'DBIRTH', 'DDATA'], 'online'])
    })

    it('is born at once where its STATE was kept and came before the grant', () => {
      const { transport, edge } = waiting()
      transport.say(STATE, state(true, 100), true)
      assert.deepEqual(transport.take(), [])
      transport.session.opened()
      assert.equal(edge.state, 'online')
    })

    it('dies and leaves when the host goes, and begins anew', async () => {
      const { transport, edge, clock } = waiting()
      transport.session.opened()
      transport.say(STATE, state(true, 100))
      transport.take()
      transport.say(STATE, state(false, 100))
      const [death] = transport.take()
      assert.deepEqual([death!.verb, metricOf(death!, 'bdSeq').long_value, transport.closed], ['NDEATH', '0', [0]])
      await Promise.resolve()
      await Promise.resolve()
      assert.equal(edge.state, 'away')
      clock.advance(1000)
      assert.equal(transport.sessions.length, 2)
      transport.session.opened()
      assert.deepEqual(transport.take(), [])
      transport.say(STATE, state(true, 200))
      assert.equal(metricOf(transport.take()[0]!, 'bdSeq').long_value, '1')
    })

    it('takes no notice of an offline that is older than the last online, nor of an online that is older than what was heard', () => {
      const { transport, edge } = waiting()
      transport.session.opened()
      transport.say(STATE, state(true, 100))
      transport.say(STATE, state(false, 99))
      assert.deepEqual([edge.state, transport.closed], ['online', []])
      const other = waiting()
      other.transport.session.opened()
      other.transport.say(STATE, state(false, 100))
      other.transport.say(STATE, state(true, 99))
      assert.equal(other.edge.state, 'waiting')
      other.transport.say(STATE, state(true, 100))
      assert.equal(other.edge.state, 'online')
    })

    it('refuses a STATE that is none, and one of another host', () => {
      const { transport, edge, bad } = waiting()
      transport.session.opened()
      for (const body of ['ONLINE', '{"online":"true","timestamp":1}', '{"online":true}', '{"online":true,"timestamp":-1}', '[]']) transport.say(STATE, body)
      transport.say('spBv1.0/STATE/other', state(true, 100))
      assert.equal(edge.state, 'waiting')
      assert.deepEqual(new Set(bad.map(({ code }) => code)), new Set(['TAKT_MESSAGE_NOT_JSON', 'TAKT_SPARKPLUG_STATE']))
      assert.equal(bad.length, 5)
    })

    it('walks the servers until it finds the host, one at a time', async () => {
      const { transport, edge, clock } = waiting({ servers: 3 })
      const next = async () => {
        await Promise.resolve()
        await Promise.resolve()
        clock.advance(1000)
      }
      transport.session.lost(undefined, true)
      await next()
      assert.equal(transport.session.server, 1)
      transport.session.opened()
      transport.say(STATE, state(false, 100), true)
      await next()
      assert.deepEqual([transport.session.server, transport.closed], [2, [1]])
      transport.session.opened()
      clock.advance(5000)
      await next()
      assert.deepEqual([transport.session.server, transport.closed], [0, [1, 2]])
      assert.deepEqual(
        transport.take().filter(({ verb }) => verb !== 'NDEATH'),
        [],
      )
      transport.session.opened()
      transport.say(STATE, state(true, 50))
      assert.deepEqual([edge.state, edge.server], ['online', 0], 'each server has a time of its own')
    })
  })

  it('refuses names that hosts could not tell apart, values that are not of their type, and templates that are not defined', () => {
    const { edge, number } = running()
    const problems = edge.update('mill', [
      number('Speed', 1),
      number('', 1),
      number('bdSeq', 1),
      number('Node Control/Rebirth', 1),
      { name: 'n', datatype: T.Int8, value: 200, time: START },
      { name: 'w', datatype: T.Double, value: 'x', time: START },
      { name: 't', datatype: T.Template, value: { templateRef: 'motor', metrics: [], parameters: [] }, time: START },
      number('good', 1, Number.NaN),
    ])
    const [NAME, VALUE] = ['TAKT_SPARKPLUG_NAME', 'TAKT_SPARKPLUG_VALUE']
    assert.deepEqual(
      problems.map(({ code }) => code),
      [NAME, NAME, NAME, NAME, VALUE, VALUE, VALUE, VALUE],
    )
  })
})
