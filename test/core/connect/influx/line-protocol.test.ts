import assert from 'node:assert/strict'
import { DocumentPoints } from '../../../../core/connect/influx/document-points.ts'
import { fieldText, LATEST_MS, pointLine, seriesKey, tagText } from '../../../../core/connect/influx/line-protocol.ts'
import { outcomeOf } from '../../../../core/connect/influx/write-answer.ts'
import { writeRows } from '../../../../core/connect/influx/write-rows.ts'
import type { Sample } from '../../../../core/messages/sample.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import { Plant } from '../../../../core/plant/plant.ts'

const SAMPLE: Sample = {
  kind: 'sample',
  equipment: 'acme/berlin/line-1/mill-2',
  signal: 'vibration',
  value: 3.21,
  unit: 'mm/s',
  quality: 'good',
  time: 1_700_000_000_123,
  received: 1_700_000_000_150,
}

describe('line protocol', () => {
  it('escapes what means something, and replaces what cannot be escaped', () => {
    assert.equal(
      seriesKey('a b,c', [
        ['t=1', 'x, y=z'],
        ['empty', ''],
      ]),
      'a\\ b\\,c,t\\=1=x\\,\\ y\\=z',
    )
    assert.equal(tagText('line\nbreak\ttab'), 'line_break_tab')
    assert.equal(tagText('C:\\plant\\'), 'C:\\plant/')
    assert.equal(tagText('a\\,b'), 'a/,b')
    assert.equal(seriesKey('#comment', []), '_comment')
    assert.equal(fieldText('text', 'say "hi" \\ there\nnext'), 'text="say \\"hi\\" \\\\ there\nnext"')
    assert.equal(fieldText('value', 1e21), 'value=1e+21')
    assert.equal(fieldText('bool', true), 'bool=true')
    assert.equal(pointLine('m', 'v=1', 12.9), 'm v=1 12')
  })
})

describe('points of documents', () => {
  const plant = new Plant(
    checkPlant(
      {
        plant: 'acme/berlin',
        equipment: [
          { id: 'acme/berlin/line-1', level: 'workCenter' },
          { id: 'acme/berlin/line-1/mill-2', level: 'workUnit', signals: [{ name: 'vibration', role: 'condition' }] },
        ],
      },
      'test',
    ).model,
  )
  const points = new DocumentPoints({ plant: undefined, context: 'no', where: 'test' })

  it('a sample: measurement by role, tags by place, field by type', () => {
    assert.equal(points.pointOf(SAMPLE).line, 'sample,equipment=acme/berlin/line-1/mill-2,signal=vibration,unit=mm/s value=3.21,quality="good" 1700000000123')
    const withPlant = new DocumentPoints({ plant: () => plant, context: 'no', where: 'test' })
    assert.equal(
      withPlant.pointOf(SAMPLE).line,
      'condition,equipment=acme/berlin/line-1/mill-2,workUnit=mill-2,workCenter=line-1,signal=vibration,unit=mm/s value=3.21,quality="good" 1700000000123',
    )
    assert.match(points.pointOf({ ...SAMPLE, value: 'on, "really"' }).line, / text="on, \\"really\\"",quality="good" /)
    assert.match(points.pointOf({ ...SAMPLE, value: false, quality: 'bad' }).line, / bool=false,quality="bad" /)
  })

  it('keeps what was being made only where it is asked to: a tag for each job order would make series without end', () => {
    const sample: Sample = { ...SAMPLE, context: { jobOrder: 'jo-1', product: 'shaft a' } }
    const line = (context: 'no' | 'fields' | 'tags'): string => new DocumentPoints({ plant: undefined, context, where: 'test' }).pointOf(sample).line
    assert.doesNotMatch(line('no'), /jo-1/)
    assert.match(line('fields'), /quality="good",product="shaft a",jobOrder="jo-1" /)
    assert.match(line('tags'), /,product=shaft\\ a,jobOrder=jo-1 value=/)
  })

  it('states, counts, anomalies and key figures', () => {
    const equipment = 'acme/mill-2'
    const state = {
      kind: 'machine-state',
      equipment,
      state: 'Execute',
      mode: 'Produce',
      since: 5,
      element: 'APT',
      reason: null,
      jobOrder: 'jo-1',
      time: 5,
    } as const
    assert.equal(points.pointOf(state).line, 'machine-state,equipment=acme/mill-2 state="Execute",mode="Produce",element="APT",jobOrder="jo-1" 5')
    const count = { kind: 'count', equipment, jobOrder: null, good: 1, scrap: 0, total: { good: 7, scrap: 2 }, time: 6 } as const
    assert.equal(points.pointOf(count).line, 'count,equipment=acme/mill-2 good=1,scrap=0,totalGood=7,totalScrap=2 6')
    const kpi = { kind: 'kpi', scope: 'acme', from: 1, to: 9, values: { OEE: 0.5, scrap: null }, elements: {}, lineage: { states: [], counts: [] } } as const
    assert.equal(points.pointOf(kpi as never).line, 'kpi,equipment=acme OEE=0.5,from=1 9')
    const anomaly = {
      kind: 'anomaly',
      id: 'an-1',
      equipment,
      signals: ['a', 'b'],
      state: 'raised',
      method: 'auto',
      score: 0.9,
      severity: 'high',
      since: 3,
      time: 4,
      evidence: [],
    } as const
    assert.equal(
      points.pointOf(anomaly as never).line,
      'anomaly,equipment=acme/mill-2 id="an-1",state="raised",score=0.9,severity="high",method="auto",signals="a, b" 4',
    )
  })

  it('refuses what the database cannot hold', () => {
    const code = 'TAKT_INFLUX_POINT'
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => points.pointOf({ ...SAMPLE, value }), { code })
    for (const time of [LATEST_MS + 1, -1, Number.NaN]) assert.throws(() => points.pointOf({ ...SAMPLE, time }), { code })
  })
})

describe('what a server says of a batch', () => {
  const answer = (status: number, body: string): string => {
    const outcome = outcomeOf({ status, body }, 'test')
    return outcome.kind === 'failed' ? outcome.problem.code : outcome.kind === 'rejected' ? `rejected ${outcome.rows}` : outcome.kind
  }

  it('InfluxDB 1', () => {
    assert.equal(answer(204, ''), 'written')
    assert.equal(answer(400, '{"error":"partial write: field type conflict: input field … dropped=3"}'), 'rejected 3')
    assert.equal(answer(400, '{"error":"partial write: unable to parse \'bad\': missing fields dropped=0"}'), 'rejected undefined')
    assert.equal(answer(400, '{"error":"unable to parse \'a v=1 93\': time outside range"}'), 'rejected undefined')
    assert.equal(answer(404, '{"error":"database not found: \\"x\\""}'), 'TAKT_INFLUX_DATABASE')
    assert.equal(answer(500, '{"error":"retention policy not found: x"}'), 'TAKT_INFLUX_DATABASE')
    assert.equal(answer(401, '{"error":"authorization failed"}'), 'TAKT_INFLUX_REFUSED')
    assert.equal(answer(413, '{"error":"Request Entity Too Large"}'), 'tooLarge')
    assert.equal(answer(500, '{"error":"timeout"}'), 'TAKT_INFLUX_FAILED')
  })

  it('InfluxDB 2 (its /write for version 1 clients), VictoriaMetrics, and proxies between', () => {
    assert.equal(answer(400, '{"code":"invalid","message":"partial write: field type conflict: input field … dropped=1"}'), 'rejected 1')
    assert.equal(answer(422, '{"code":"unprocessable entity","message":"failure writing points: points beyond retention policy dropped=2"}'), 'rejected 2')
    assert.equal(answer(401, '{"code":"unauthorized","message":"unauthorized access"}'), 'TAKT_INFLUX_REFUSED')
    assert.equal(answer(404, '{"code":"not found","message":"no dbrp mapping found"}'), 'TAKT_INFLUX_DATABASE')
    assert.equal(answer(429, '{"code":"too many requests"}'), 'TAKT_INFLUX_FAILED')
    assert.equal(answer(400, '{"code":"invalid","message":"precision is not valid"}'), 'TAKT_INFLUX_FAILED')
    assert.equal(answer(200, ''), 'written')
    assert.equal(answer(502, '<html>bad gateway</html>'), 'TAKT_INFLUX_FAILED')
  })

  it('finds the rows that are refused, whatever the server tells of them', async () => {
    const lines = Array.from({ length: 400 }, (_, n) => `m,s=${n % 8} v=${n % 8 === 3 && n > 100 ? 'bad' : n} ${n}`)
    const written = new Set<string>()
    for (const counts of [true, false]) {
      let requests = 0
      written.clear()
      const { problem, rejected } = await writeRows(lines, async (body) => {
        requests++
        const some = body.split('\n')
        const bad = some.filter((line) => line.includes('bad'))
        for (const line of some) if (!bad.includes(line)) written.add(line)
        return bad.length === 0 ? { kind: 'written' } : { kind: 'rejected', reason: 'because', rows: counts ? bad.length : undefined }
      })
      assert.equal(problem, undefined)
      assert.deepEqual(rejected.map(({ line }) => line).sort(), lines.filter((line) => line.includes('bad')).sort())
      assert.equal(written.size, lines.length - rejected.length)
      if (counts) assert.ok(requests < 30, `${requests} requests`)
    }
  })

  it('tells nothing of refused rows when the batch has to be written again', async () => {
    let requests = 0
    const outcome = await writeRows(['a', 'b', 'c'], async () => {
      requests++
      if (requests < 3) return { kind: 'rejected', reason: 'because', rows: undefined }
      return outcomeOf({ status: 503, body: '' }, 'test')
    })
    assert.equal(outcome.problem?.code, 'TAKT_INFLUX_FAILED')
    assert.deepEqual(outcome.rejected, [])
  })
})
