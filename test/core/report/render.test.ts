import assert from 'node:assert/strict'
import type { ReportContent } from '../../../core/report/content.ts'
import { cellText, durationText, isoText, numberText } from '../../../core/report/format.ts'
import { csvField, renderCsv, renderJson } from '../../../core/report/render-data.ts'
import { escapeHtml, renderHtml } from '../../../core/report/render-html.ts'

const EVIL = `<img src=x onerror="alert('1')">&"'`
const content: ReportContent = {
  type: 'work-order',
  subject: 'wo-1',
  title: EVIL,
  subtitle: EVIL,
  status: { text: EVIL, tone: 'info' },
  plant: EVIL,
  timeZone: 'Europe/Berlin',
  from: Date.UTC(2025, 5, 1, 8),
  to: Date.UTC(2025, 5, 1, 16),
  made: Date.UTC(2025, 11, 1, 16),
  by: EVIL,
  ledger: { sequence: 7, hash: EVIL },
  mainTable: 'rows',
  sections: [
    { kind: 'facts', id: 'facts', title: EVIL, display: 'tiles', facts: [{ key: 'a', label: EVIL, type: 'text', value: EVIL, unit: EVIL, note: EVIL }] },
    {
      kind: 'table',
      id: 'rows',
      title: EVIL,
      note: EVIL,
      columns: [
        { key: 'text', label: EVIL, type: 'text', unit: EVIL },
        { key: 'state', label: 'State', type: 'state' },
        { key: 'at', label: 'At', type: 'time' },
        { key: 'took', label: 'Took', type: 'duration' },
        { key: 'share', label: 'Share', type: 'percent' },
        { key: 'number', label: 'Number', type: 'number' },
        { key: 'hidden', label: 'Hidden', type: 'id', dataOnly: true },
      ],
      rows: [
        { text: EVIL, state: EVIL, at: Date.UTC(2025, 5, 1, 8, 30), took: 65 * 60_000, share: 0.1234, number: -1234.5, hidden: 'h,"1"' },
        { text: null, state: null, at: null, took: null, share: null, number: null, hidden: null },
      ],
      empty: EVIL,
    },
    { kind: 'table', id: 'nothing', title: 'Nothing', columns: [], rows: [], empty: EVIL },
    { kind: 'timeline', id: 'line', title: EVIL, from: 0, to: 100, rows: [{ label: EVIL, spans: [{ from: 10, to: 20, series: 'actual', text: EVIL }] }] },
    {
      kind: 'shares',
      id: 'shares',
      title: EVIL,
      rows: [
        {
          label: EVIL,
          parts: [
            { series: 'APT', ms: 60_000 },
            { series: 'ADOT', ms: 0 },
          ],
        },
      ],
    },
  ],
}

describe('report renderings', () => {
  it('escapes everything that comes from data', () => {
    const html = renderHtml(content)
    assert.ok(!html.includes('<img'), 'no element of the data')
    assert.ok(!/onerror="/.test(html), 'no attribute of the data')
    assert.equal(escapeHtml(`&<>"'`), '&amp;&lt;&gt;&quot;&#39;')
  })

  it('is one file that loads nothing and runs nothing', () => {
    const html = renderHtml(content)
    assert.ok(!/<script|<link|<iframe|@import|url\(/i.test(html))
    assert.match(html, /default-src 'none'/)
    assert.match(html, /@media print/)
    assert.match(html, /<time datetime="2025-06-01T10:30:00.000\+02:00">1 Jun, 10:30<\/time>/)
    assert.ok(!html.includes('Hidden'), 'columns for programs are not on the page')
  })

  it('writes RFC 4180 that no spreadsheet runs', () => {
    assert.equal(csvField('a,b'), '"a,b"')
    assert.equal(csvField('say "hi"'), '"say ""hi"""')
    assert.equal(csvField('two\r\nlines'), '"two\r\nlines"')
    for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx']) assert.ok(csvField(formula).replace(/^"/, '').startsWith("'"), formula)
    assert.equal(csvField('\r=1'), `"'\r=1"`)
    assert.equal(csvField(-1.5), '-1.5', 'a number is no formula')
    assert.equal(csvField(null), '')
    const lines = renderCsv(content).split('\r\n')
    assert.equal(lines.length, 4)
    assert.equal(lines[1]?.endsWith('2025-06-01T10:30:00.000+02:00,3900000,0.1234,-1234.5,"h,""1"""'), true, lines[1])
    assert.equal(lines[2], ',,,,,,')
    assert.equal(lines[3], '')
    assert.throws(() => renderCsv(content, 'shares'), { code: 'TAKT_REPORT_TABLE_UNKNOWN' })
  })

  it('gives programs times with offset, durations in ms and empty values as null', () => {
    const data = renderJson(content) as { rows: Record<string, unknown>[]; made: string; shares: unknown }
    assert.deepEqual(data.rows[0], {
      text: EVIL,
      state: EVIL,
      at: '2025-06-01T10:30:00.000+02:00',
      tookMs: 3_900_000,
      share: 0.1234,
      number: -1234.5,
      hidden: 'h,"1"',
    })
    assert.equal(data.rows[1]?.at, null)
    assert.equal(data.made, '2025-12-01T17:00:00.000+01:00')
    assert.deepEqual(data.shares, [{ label: EVIL, APTMs: 60_000, ADOTMs: 0 }])
  })

  it('writes values as people read them', () => {
    assert.deepEqual([0, 400, 40_000, 90_000, 3_900_000, 27 * 3_600_000, -3_900_000].map(durationText), [
      '0',
      '0',
      '40 s',
      '2 min',
      '1 h 05 min',
      '1 d 3 h',
      '−1 h 05 min',
    ])
    assert.equal(numberText(1234567.123456), '1\u202f234\u202f567.1235')
    assert.equal(numberText(0.30000000000000004), '0.3')
    assert.equal(cellText(null, 'percent', 'UTC'), '–')
    assert.equal(isoText(0, 'UTC'), '1970-01-01T00:00:00.000+00:00')
    assert.equal(isoText(0, 'Asia/Kolkata'), '1970-01-01T05:30:00.000+05:30')
  })
})
