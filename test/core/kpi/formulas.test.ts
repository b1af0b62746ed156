import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { kpiValues, type Quantities, ratio } from '../../../core/kpi/formulas.ts'
import { type StateSpan, sumOf, timeModel } from '../../../core/kpi/time-model.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const nothing: Quantities = { GQ: 0, SQ: 0, RQ: 0, IP: 0, GP: 0, plannedRunMs: 0 }

/** Stays one after another from 0, each in minutes. */
function spans(...list: readonly (Partial<StateSpan> & { readonly minutes: number })[]): StateSpan[] {
  let at = 0
  return list.map(({ minutes, ...span }) => {
    const since = at
    at += minutes * MINUTE
    return { state: 'Execute', element: null, jobOrder: null, maintenance: null, since, until: at, ...span }
  })
}
const open = (toMinutes: number) => [{ from: 0, to: toMinutes * MINUTE, shift: null }]

describe('KPI formulas', () => {
  it('gives the published OEE example', () => {
    const golden = readFileSync(`${process.env.TAKT_BENCH_DATA ?? '../shared'}/goldens/README.md`, 'utf8')
    const published = /planned (\d+) h with availability ([\d.]+), effectiveness \(performance\) ([\d.]+), quality ([\d.]+) \| OEE ([\d.]+)/.exec(golden)
    assert.ok(published !== null, 'the golden is there')
    const [hours, availability, effectiveness, quality, oee] = published.slice(1).map(Number) as [number, number, number, number, number]
    // 60 parts of 2 min in 180 of 480 min, 59 of them good
    const time = timeModel(
      spans({ minutes: hours * 60 * availability, element: 'APT' }, { minutes: hours * 60 * (1 - availability), element: 'ADOT' }),
      open(480),
      0,
      hours * HOUR,
    )
    const values = kpiValues(time, { ...nothing, GQ: 59, SQ: 1, plannedRunMs: 60 * 2 * MINUTE })
    const near = (actual: number | null, expected: number): void =>
      assert.ok(actual !== null && Math.abs(actual / expected - 1) < 1e-4, `${actual} is not ${expected}`)
    near(values.availability!, availability)
    near(values.effectiveness!, effectiveness)
    near(values.qualityRatio!, quality)
    assert.ok(Math.abs(values.OEE! / oee - 1) < 1e-5, `${values.OEE} is not ${oee}`)
  })

  it('splits a shift into the elements of the time model', () => {
    const time = timeModel(
      spans(
        { minutes: 10, element: 'AUST', jobOrder: 'jo-1', state: 'Idle' },
        { minutes: 100, element: 'APT', jobOrder: 'jo-1' },
        { minutes: 20, element: 'ADOT', jobOrder: 'jo-1', state: 'Complete' },
        { minutes: 5, element: 'ADET', state: 'Aborted', jobOrder: 'jo-2' },
        { minutes: 25, element: 'PDOT', state: 'Execute', maintenance: 'unplanned' },
        { minutes: 30, element: 'PDOT', maintenance: 'planned' },
        { minutes: 10, element: null, state: 'NoSignal' },
        { minutes: 40, element: 'ADOT', state: 'Idle' },
      ),
      open(240),
      0,
      240 * MINUTE,
    )
    const minutes = Object.fromEntries(Object.entries(time).map(([name, ms]) => [name, name === 'failures' ? ms : ms / MINUTE]))
    assert.deepEqual(minutes, {
      POT: 230,
      PDOT: 30,
      PBT: 200,
      APT: 100,
      AUST: 10,
      AUPT: 110,
      ADET: 30,
      ADOT: 60,
      AUBT: 140,
      AOET: 115,
      PMT: 30,
      CMT: 25,
      unseen: 10,
      failures: 1,
    })
    assert.equal(time.PBT, time.AUBT + time.ADOT)
    const values = kpiValues(time, { GQ: 45, SQ: 5, RQ: 2, IP: 40, GP: 36, plannedRunMs: 80 * MINUTE })
    assert.equal(values.availability, 100 / 200)
    assert.equal(values.effectiveness, 80 / 100)
    assert.equal(values.qualityRatio, 0.9)
    assert.ok(Math.abs(values.OEE! - 0.5 * 0.8 * 0.9) < 1e-12)
    assert.ok(Math.abs(values.NEE! - (110 / 200) * 0.8 * 0.9) < 1e-12)
    assert.equal(values.utilization, 100 / 140)
    assert.equal(values.allocation, 140 / 200)
    assert.equal(values.technical, 100 / 130)
    assert.equal(values.setup, 10 / 110)
    assert.ok(Math.abs(values.throughput! - 50 / (115 / 60)) < 1e-9)
    assert.equal(values.scrap, 0.1)
    assert.equal(values.rework, 0.04)
    assert.equal(values.FPY, 0.9)
    assert.equal(values.correctiveMaintenance, 25 / 55)
    assert.equal(values.MTBF, 110 * MINUTE)
    assert.equal(values.MTTR, 30 * MINUTE)
  })

  it('is null wherever the denominator is zero', () => {
    const values = kpiValues(timeModel([], open(60), 0, HOUR), nothing)
    for (const [name, value] of Object.entries(values)) assert.equal(value, null, name)
    assert.equal(ratio(0, 5), 0)
    assert.equal(ratio(5, 0), null)
  })

  it('clips stays to the span, and lets the present one run to its end', () => {
    const past: StateSpan[] = [
      { state: 'Execute', element: 'APT', jobOrder: 'jo', since: 0, until: 60 * MINUTE, maintenance: null },
      { state: 'Idle', element: 'ADOT', jobOrder: null, since: 60 * MINUTE, until: null, maintenance: null },
    ]
    const time = timeModel(past, [{ from: 30 * MINUTE, to: 90 * MINUTE, shift: null }], 30 * MINUTE, 90 * MINUTE)
    assert.equal(time.APT, 30 * MINUTE)
    assert.equal(time.ADOT, 30 * MINUTE)
    assert.equal(time.unseen, 0)
  })

  it('counts overtime as operation, and standing still outside the calendar as nothing', () => {
    const time = timeModel(spans({ minutes: 90, element: 'APT', jobOrder: 'jo' }, { minutes: 30, element: 'ADOT' }), open(60), 0, 120 * MINUTE)
    assert.equal(time.POT, 90 * MINUTE)
    assert.equal(time.APT, 90 * MINUTE)
    assert.equal(time.ADOT, 0)
    assert.equal(kpiValues(time, nothing).availability, 1)
  })

  it('takes touching shifts as one open time, and a failure that spans states as one', () => {
    const shifts = [
      { from: 0, to: 60 * MINUTE, shift: 'early' },
      { from: 60 * MINUTE, to: 120 * MINUTE, shift: 'late' },
    ]
    const time = timeModel(
      spans(
        { minutes: 30, element: 'APT' },
        { minutes: 1, element: 'ADET', state: 'Aborting' },
        { minutes: 29, element: 'ADET', state: 'Aborted' },
        { minutes: 30, element: 'APT' },
        { minutes: 30, element: 'ADET', state: 'Held' },
      ),
      shifts,
      0,
      120 * MINUTE,
    )
    assert.equal(time.failures, 2)
    assert.equal(time.POT, 120 * MINUTE)
    // one begun before the span is not counted again
    assert.equal(timeModel([{ state: 'Aborted', element: 'ADET', jobOrder: null, since: -5, until: null, maintenance: null }], shifts, 0, HOUR).failures, 0)
  })

  it('adds units up to a line', () => {
    const one = timeModel(spans({ minutes: 60, element: 'APT' }), open(60), 0, HOUR)
    const other = timeModel(spans({ minutes: 60, element: 'ADOT' }), open(60), 0, HOUR)
    assert.equal(kpiValues(sumOf([one, other]), nothing).availability, 0.5)
  })
})
