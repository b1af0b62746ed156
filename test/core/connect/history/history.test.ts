import assert from 'node:assert/strict'
import { type HistoryPoint, historyOf, type SignalHistory, spansOf } from '../../../../core/connect/history/history.ts'
import { formatAnswer } from '../../../../core/connect/history/history-answer.ts'
import { durationOf, type HistoryRequest, readHistoryRequest } from '../../../../core/connect/history/history-request.ts'

const NOW = Date.UTC(2026, 2, 2, 12)
const read = (asked: unknown, topic?: string): HistoryRequest =>
  readHistoryRequest(asked, { topic, spanMs: 3_600_000, aggregate: 'auto', limit: 1000 }, NOW, 'test')

describe('a question to the historian', () => {
  it('may be as short as the name of a signal', () => {
    const expected = { signals: [{ equipment: 'a/b', signal: 'c' }], from: NOW - 3_600_000, to: NOW, aggregate: 'auto', everyMs: undefined, limit: 1000 }
    assert.deepEqual(read('a/b/c'), expected)
    assert.deepEqual(read({ signal: 'a/b/c' }), expected)
    assert.deepEqual(read({ equipment: 'a/b', signal: 'c' }), expected)
    assert.deepEqual(read({ equipment: 'a/b', signals: ['a/b/c'] }), expected)
    for (const nothing of [undefined, null, '', 7, true, []]) assert.deepEqual(read(nothing, 'a/b/c'), expected)
  })

  it('says times in every way that means one moment', () => {
    const at = (from: unknown): number => read({ signal: 'a/b', from, to: NOW + 1 }).from
    assert.equal(at(NOW - 5), NOW - 5)
    assert.equal(at(String(NOW - 5)), NOW - 5)
    assert.equal(at(new Date(NOW - 5)), NOW - 5)
    assert.equal(at('now'), NOW)
    assert.equal(at('-1.5h'), NOW - 5_400_000)
    assert.equal(at('2026-03-02T13:00:00+02:00'), NOW - 3_600_000)
    for (const wrong of ['2026-03-02T11:00:00', 'yesterday', '-2 moons', Number.NaN, Number.POSITIVE_INFINITY, -1, {}, []])
      assert.throws(() => at(wrong), { code: 'TAKT_HISTORY_QUERY' }, String(wrong))
  })

  it('knows lengths', () => {
    const lengths = ['500ms', '30s', '5m', '1.5h', '7d', '2w', '5', '-5m', '5 moons'].map(durationOf)
    assert.deepEqual(lengths, [500, 30_000, 300_000, 5_400_000, 604_800_000, 1_209_600_000, undefined, undefined, undefined])
  })
})

describe('an answer of the historian', () => {
  const points: HistoryPoint[] = Array.from({ length: 1000 }, (_, n) => [NOW - (999 - n) * 1000, n])
  const within = (from: number, to: number): HistoryPoint[] => points.filter(([time]) => time >= from && time <= to)
  const source: SignalHistory = {
    values: async (_name, from, to, limit) => ({ points: within(from, to).slice(-limit), unit: 'mm' }),
    spans: async (_name, from, to, aggregate, everyMs) => spansOf(within(from, to), aggregate, everyMs),
  }
  const ask = async (asked: object) => (await historyOf(source).query(read({ signal: 'line/mill-2/x', ...asked })))[0]!

  it('never has more than was asked for, and says when there was more', async () => {
    for (const limit of [1, 2, 7, 100, 999, 1000]) {
      for (const aggregate of ['auto', 'none', 'max']) {
        const { points: given, truncated, everyMs } = await ask({ limit, aggregate })
        assert.ok(given.length <= limit && given.length > 0, `${aggregate}, ${given.length} for ${limit}`)
        if (aggregate === 'none') assert.deepEqual([truncated, given.at(-1)?.[1]], [limit < 1000, 999])
        if (everyMs !== null) assert.ok(given.every(([time]) => time % everyMs === 0))
      }
    }
  })

  it('makes one value of each span', async () => {
    const minute = async (aggregate: string) => (await ask({ from: NOW - 59_000, to: NOW - 1, every: '1m', aggregate })).points
    const begin = NOW - 60_000
    assert.deepEqual(await minute('mean'), [[begin, 969]])
    assert.deepEqual(await minute('first'), [[begin, 940]])
    assert.deepEqual(await minute('last'), [[begin, 998]])
    assert.deepEqual(await minute('count'), [[begin, 59]])
    assert.deepEqual(
      spansOf(
        [
          [1, 'text'],
          [2, true],
        ],
        'mean',
        10,
      ),
      [],
    )
  })

  it('has a form for charts, for tables and for programs', async () => {
    const series = {
      ...(await ask({ limit: 1, aggregate: 'none' })),
      points: [
        [1, 5],
        [2, true],
        [3, 'text'],
      ] as const,
    }
    assert.deepEqual(formatAnswer([series], 'chart'), [
      { x: 1, y: 5, series: 'mill-2 x' },
      { x: 2, y: 1, series: 'mill-2 x' },
      { x: 3, y: null, series: 'mill-2 x' },
    ])
    assert.deepEqual(formatAnswer([series], 'rows')[0], { time: 1, equipment: 'line/mill-2', signal: 'x', value: 5, unit: 'mm' })
    assert.deepEqual(formatAnswer([series], 'series'), [series])
  })
})
