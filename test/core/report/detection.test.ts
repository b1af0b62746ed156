import assert from 'node:assert/strict'
import { recordAnomaly } from '../../../core/detect/record-anomaly.ts'
import { recordVerdict } from '../../../core/detect/record-verdict.ts'
import { saveScope } from '../../../core/detect/scorecard/detector-scopes.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { ReportContent, Row, TableSection } from '../../../core/report/content.ts'
import { OverviewSource } from '../../../core/report/overview-source.ts'
import { renderCsv, renderJson } from '../../../core/report/render-data.ts'
import { renderHtml } from '../../../core/report/render-html.ts'
import { shiftReport } from '../../../core/report/shift-report.ts'
import { story } from './support/story.ts'
import { HOUR, LINE, MILL_1, MILL_2, MINUTE, START, type World } from './support/world.ts'

const DAY = 24 * HOUR

/**
 * The early shift in which mill-1 fails at 6:44 after an alarm at 6:38, watched by one detector; a false alarm of it on mill-2 at 6:10, which a person refused;
 * and one of five days before that nothing came of. A second detector said nothing.
 */
async function watched(): Promise<World> {
  const world = await story()
  const of = { detector: 'd1', detectorName: 'wear' }
  const [first] = await world.store.list('anomaly')
  await world.tx((tx) => tx.save<'anomaly'>({ ...first!, ...of }, { type: 'anomaly.updated', actor: 'node:d1' }).then(() => {}))
  const add = async (id: string, equipment: string, since: number, cleared: number): Promise<void> => {
    const anomaly: Anomaly = { ...first!, ...of, id, equipment, state: 'raised', since, time: since }
    delete anomaly.revision
    delete anomaly.ledger
    await recordAnomaly(world.store, anomaly, 'node:d1')
    await recordAnomaly(world.store, { ...anomaly, state: 'cleared', time: cleared }, 'node:d1')
  }
  await add('an-2', MILL_2, START + 10 * MINUTE, START + 20 * MINUTE)
  await add('an-3', MILL_2, START - 5 * DAY, START - 5 * DAY + HOUR)
  await recordVerdict(world.store, { anomaly: 'an-2', decision: 'refused', by: 'eva', why: 'a fork lift' }, 'node:d1')
  await saveScope(world.store, { ...of, name: 'wear', method: 'auto', equipment: [MILL_1, MILL_2], since: START - 30 * DAY })
  await saveScope(world.store, { detector: 'd2', name: 'heat', method: 'ewma', equipment: [MILL_1], since: START - DAY })
  return world
}

describe('detection in reports', () => {
  let world: World
  before(async () => {
    world = await watched()
  })
  after(() => world.close())

  const shift = (): Promise<ReportContent> => shiftReport(world.store, world.plant, { scope: LINE, span: 'current-shift', now: world.clock.now(), by: 'eva' })
  const rowsOf = (content: ReportContent): readonly Row[] => (content.sections.find(({ id }) => id === 'detection') as TableSection).rows

  it('prints lead time and false-alarm rate of each detector, of the shift and of seven days', async () => {
    const content = await shift()
    const shiftMs = content.to! - content.from!
    const rows = rowsOf(content)
    assert.deepEqual(
      rows.map(({ detector, span, alarms, right, stops, recall, leadMedian, precision }) => [
        detector,
        span,
        alarms,
        right,
        stops,
        recall,
        leadMedian,
        precision,
      ]),
      [
        ['heat', 'shift', 0, 0, 1, 0, null, null],
        ['heat', '7 days', 0, 0, 1, 0, null, null],
        ['wear', 'shift', 2, 1, 1, 1, 6 * MINUTE, 1 / 2],
        ['wear', '7 days', 3, 1, 1, 1, 6 * MINUTE, 1 / 3],
      ],
    )
    assert.deepEqual(
      rows.map((row) => row.false),
      [0, 0, 1, 2],
    )
    assert.equal(rows[2]?.falsePerWeek, Math.round((10 * 7 * DAY) / shiftMs) / 10)
    assert.equal(rows[3]?.falsePerWeek, 2)
    assert.deepEqual(
      rows.map(({ repaired, beforeRepair }) => [repaired, beforeRepair]),
      [
        [0, null],
        [0, null],
        [0, null],
        [0, null],
      ],
    )
    // the newer one is scored from when it began
    assert.equal(rows[1]?.since, START - DAY)
  })

  it('says the same as HTML, CSV and JSON', async () => {
    const content = await shift()
    const json = renderJson(content).detection as Array<Record<string, unknown>>
    assert.deepEqual(
      json.map((row) => [row.detector, row.leadMedianMs, row.falsePerWeek]),
      rowsOf(content).map((row) => [row.detector, row.leadMedian, row.falsePerWeek]),
    )
    const csv = renderCsv(content, 'detection').split('\r\n')
    assert.match(csv[0] ?? '', /^detector,span,.*precision,.*recall,leadMedianMs,.*,falsePerWeek$/)
    assert.match(csv[4] ?? '', new RegExp(`^wear,7 days,d1,auto,.*,${6 * MINUTE},${6 * MINUTE},${6 * MINUTE},,2$`))
    const html = renderHtml(content)
    assert.match(html, /Detection: lead time and false alarms/)
    assert.match(html, /wear[\s\S]*7 days[\s\S]*6 min/)
    assert.match(renderCsv(content, 'anomalies'), /refused,eva,wear/)
  })

  it('stands in the overview, with the alarms that people may judge', async () => {
    const source = new OverviewSource(world.store, () => world.plant, world.clock)
    const before = await source.snapshot()
    assert.deepEqual(
      before.alarms.map(({ id, unit, detector, cleared, verdict }) => [id, unit, detector, cleared === null, verdict?.decision]),
      [
        ['an-1', 'mill-1', 'wear', false, undefined],
        ['an-2', 'mill-2', 'wear', false, 'refused'],
        ['an-3', 'mill-2', 'wear', false, undefined],
      ],
    )
    assert.deepEqual(before.anomalies, [])
    assert.deepEqual(
      before.scorecard.detectors.map(({ id, name, precision, recall, leadMs, falsePerWeek }) => [id, name, precision, recall, leadMs, falsePerWeek]),
      [
        ['d2', 'heat', null, 0, null, 0],
        ['d1', 'wear', 1 / 3, 1, 6 * MINUTE, 2],
      ],
    )
    // it is not reckoned for each overview, but a person's word shows at once
    assert.equal((await source.snapshot()).scorecard, before.scorecard)
    await recordVerdict(world.store, { anomaly: 'an-3', decision: 'confirmed', by: 'eva', why: undefined }, 'node:d1')
    const after = await source.snapshot()
    assert.equal(after.scorecard.detectors[1]?.precision, 2 / 3)
    assert.ok(after.events.some(({ text }) => text === 'Right: the alarm of mill-2 (vibration), confirmed by eva'))
    assert.ok(after.events.some(({ text }) => text === 'False: the alarm of mill-2 (vibration), refused by eva: a fork lift'))
  })
})
