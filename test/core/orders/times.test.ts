import assert from 'node:assert/strict'
import { readDuration, readTime } from '../../../core/orders/times.ts'

describe('times as people write them', () => {
  const utc = (iso: string): number => Date.parse(iso)
  for (const [text, zone, expected] of [
    ['2026-11-22T14:30:00Z', 'Europe/Berlin', '2026-11-22T14:30:00Z'],
    ['2026-11-22T14:30:00+02:00', 'UTC', '2026-11-22T12:30:00Z'],
    ['2026-11-22 14:30', 'Europe/Berlin', '2026-11-22T13:30:00Z'],
    ['2026-07-01 14:30:15,250', 'Europe/Berlin', '2026-07-01T12:30:15.250Z'],
    ['2012/01/29 23:24:00.000', 'UTC', '2012-01-29T23:24:00Z'],
    ['22.11.2026 14:30', 'Europe/Berlin', '2026-11-22T13:30:00Z'],
    ['2026-11-22', 'UTC', '2026-11-22T00:00:00Z'],
    ['1763810000123', 'UTC', new Date(1763810000123).toISOString()],
  ] as const)
    it(`${text} in ${zone}`, () => assert.equal(readTime(text, zone), utc(expected)))

  for (const text of ['', 'soon', '2026-02-30', '2026-13-01', '2026-11-22 25:00', '11/22/2026', '2026-11-22T14:30:00Z; DROP', Number.NaN, -1, null, {}])
    it(`${String(text)} is no time`, () => assert.equal(readTime(text, 'UTC'), undefined))

  it('spans', () => {
    assert.equal(readDuration('006:19', 'min'), 22_740_000)
    assert.equal(readDuration('0:00:30', 'min'), 30_000)
    assert.equal(readDuration('PT6H19M', 'min'), 22_740_000)
    assert.equal(readDuration('P1DT0.5S', 'min'), 86_400_500)
    assert.equal(readDuration('90', 'min'), 5_400_000)
    assert.equal(readDuration(1.5, 'h'), 5_400_000)
    for (const none of ['', 'PT', 'P', '6:99', '-1', 'an hour', -1, Number.NaN, null]) assert.equal(readDuration(none, 'min'), undefined)
  })
})
