import assert from 'node:assert/strict'
import { countingIds } from '../../../core/base/id.ts'
import { AnomalyWatch } from '../../../core/detect/anomaly-watch.ts'
import { BUDGETED, METHOD_NAMES, type Method } from '../../../core/detect/methods.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { noisy } from './support/series.ts'

const UNIT = 'acme/mill-1'
const START = Date.UTC(2026, 0, 5)
const ROWS = 900
/** A row at which every method has learned enough to judge. */
const LEARNED = 600

interface Case {
  readonly method: Method
  /** whether a level that jumps by twenty standard deviations for good, and a signal that never moves, are for this method to tell */
  readonly tells: { readonly step: boolean; readonly constant: boolean }
}

/** One of each; a season has 50 values. */
const CASES: Readonly<Record<(typeof METHOD_NAMES)[number], Case>> = {
  auto: { method: { name: 'auto' }, tells: { step: true, constant: false } },
  limits: { method: { name: 'limits', low: 30, high: 62 }, tells: { step: true, constant: false } },
  rate: { method: { name: 'rate', maxPerSecond: 12 }, tells: { step: true, constant: false } },
  ewma: { method: { name: 'ewma', lambda: 0.2, width: 5, warmup: 100 }, tells: { step: true, constant: false } },
  cusum: { method: { name: 'cusum', allowance: 0.5, decision: 14, warmup: 100 }, tells: { step: true, constant: false } },
  'robust-z': { method: { name: 'robust-z', window: 100, threshold: 8, warmup: 30 }, tells: { step: true, constant: false } },
  hampel: { method: { name: 'hampel', reach: 5, threshold: 8 }, tells: { step: false, constant: false } },
  seasonal: { method: { name: 'seasonal', periodMs: 50_000, bins: 10, threshold: 8 }, tells: { step: true, constant: false } },
  discord: { method: { name: 'discord', shape: 16, memory: 256, caution: 1.5 }, tells: { step: false, constant: false } },
  drift: { method: { name: 'drift', size: 2, over: 100, warmup: 200 }, tells: { step: true, constant: false } },
  variance: { method: { name: 'variance', window: 30, factor: 3, warmup: 100 }, tells: { step: false, constant: false } },
  stuck: { method: { name: 'stuck', forMs: 60_000, tolerance: 0 }, tells: { step: false, constant: true } },
}

type Row = readonly [time: number, value: Sample['value'], quality?: Sample['quality']]

/** Noise of standard deviation 1 around 50, a value a second. */
const usual = (rows = ROWS, extra: (row: number) => number = () => 0): Row[] =>
  noisy(3, rows, (n) => 50 + extra(n)).map((value, at) => [START + at * 1000, value])

function watchOf(method: Method, saved?: unknown): AnomalyWatch {
  return new AnomalyWatch(
    {
      method,
      latch: { holdOffMs: 0, clearAfterMs: 0, persistMs: 600_000 },
      maxSignals: 10,
      running: new RunningUnits(['Execute'], 0),
      ids: countingIds(),
      select: () => ({}),
      forgotten: () => {},
      falseAlarmsAWeek: BUDGETED.includes(method.name) ? 1000 : undefined,
    },
    saved,
  )
}

interface Seen {
  /** what was said of each row, as text */
  readonly rows: string[]
  readonly raised: number
  readonly standing: boolean
}

function run(method: Method, rows: readonly Row[], restartEvery = 0): Seen {
  let watch = watchOf(method)
  let raised = 0
  const seen = rows.map(([time, value, quality = 'good'], at) => {
    if (restartEvery > 0 && at % restartEvery === 0) watch = watchOf(method, JSON.parse(JSON.stringify(watch.state)))
    const sample: Sample = { kind: 'sample', equipment: UNIT, signal: 'power', value, quality, time, received: time }
    const track = watch.trackOf(sample)
    assert.ok(track)
    const told = watch.judge(track, sample)
    if (told?.state === 'raised') raised++
    const scored = track.scored()
    for (const number of [
      scored.score,
      scored.expected ?? 0,
      scored.lower ?? 0,
      scored.upper ?? 0,
      scored.onset ?? 0,
      ...(told?.evidence ?? []).flatMap(({ p }) => p ?? []),
    ])
      assert.ok(Number.isFinite(number), `row ${at}: ${JSON.stringify(scored)}`)
    return JSON.stringify([scored, told?.state, told?.evidence])
  })
  return { rows: seen, raised, standing: watch.alarms > 0 }
}

/** The same rows with others between them; what is said of the rows themselves. */
function among(method: Method, rows: readonly Row[], others: (row: Row, at: number) => readonly Row[]): string[] {
  const mixed = rows.flatMap((row, at) => [{ row, own: true }, ...others(row, at).map((other) => ({ row: other, own: false }))])
  const seen = run(
    method,
    mixed.map(({ row }) => row),
  )
  return seen.rows.filter((_, at) => mixed[at]?.own)
}

describe('every method', () => {
  for (const name of METHOD_NAMES) {
    const { method, tells } = CASES[name]
    describe(name, () => {
      const rows = usual(ROWS, (n) => (n > 800 ? 25 : 0))
      const whole = run(method, rows)

      it('is quiet on noise', () => {
        const { raised } = run(method, usual())
        assert.equal(raised, 0)
      })

      it('goes on as before after a restart at any row', () => {
        for (const every of [1, 7, 93])
          assert.equal(
            run(method, rows, every).rows.findIndex((row, at) => row !== whole.rows[at]),
            -1,
            `every ${every}`,
          )
      })

      it('passes over values that come twice, a few that come late, and what is no measurement', () => {
        const nothing: ReadonlyArray<Sample['value']> = [
          Number.NaN,
          Number.POSITIVE_INFINITY,
          Number.NEGATIVE_INFINITY,
          1e300,
          -Number.MAX_VALUE,
          '7',
          'fault',
          '',
          true,
          false,
        ]
        const disturbed = among(method, rows, (row, at) => {
          const [time, value] = row
          if (at % 10 === 1) return [row, row]
          if (at % 10 === 3)
            return [
              [time - 5000, 1e6],
              [time - 7000, -3],
            ]
          if (at % 10 === 5) return nothing.map((what, n) => [time + 50 * n, what])
          if (at % 10 === 7) return [[time + 500, value, 'bad']]
          return []
        })
        assert.equal(
          disturbed.findIndex((row, at) => row !== whole.rows[at]),
          -1,
        )
      })

      it('has one outcome for two values of one time', () => {
        const twice = usual().flatMap(([time, value]): Row[] => [
          [time, value],
          [time, Number(value) + 0.1],
        ])
        const first = run(method, twice)
        assert.deepEqual(run(method, twice).rows, first.rows)
        assert.equal(first.raised, 0)
      })

      it('bears gaps of hours and days', () => {
        const gaps = usual().map(
          ([time, value], at): Row => [time + (at > 650 ? 5 * 3_600_000 : 0) + (at > 700 ? 9 * 86_400_000 : 0) + Math.floor(at / 300) * 600_000, value],
        )
        assert.equal(run(method, gaps).raised, 0)
      })

      it('goes on when a clock was set back for good', () => {
        const back = usual(2 * ROWS, (n) => (n > 2 * ROWS - 100 ? 25 : 0)).map(([time, value], at): Row => [time - (at >= ROWS ? 400 * 86_400_000 : 0), value])
        const seen = run(method, back)
        const judged = seen.rows.slice(ROWS + 20).filter((row) => !row.startsWith('[{"score":0,"expected":null,"lower":null,"upper":null'))
        assert.ok(name === 'stuck' || judged.length > 0)
        assert.equal(seen.raised > 0, tells.step)
      })

      it('tells a step where that is its business', () => {
        const step = run(
          method,
          usual(ROWS, (n) => (n >= LEARNED + 100 ? 20 : 0)),
        )
        assert.equal(step.raised > 0, tells.step)
      })

      it('tells a constant where that is its business', () => {
        for (const value of [0, 45, -1e-9]) {
          if (name === 'limits' && value !== 45) continue
          const constant = run(
            method,
            usual().map(([time]) => [time, value]),
          )
          assert.equal(constant.raised > 0, tells.constant, String(value))
        }
      })

      it('is itself again soon after wild values', () => {
        if (name === 'limits' || name === 'stuck') return
        for (const wild of [1e6, -1e12, 1e29]) {
          const calm = usual(LEARNED + 600)
          const seen = run(
            method,
            calm.map(([time, value], at) => [time, at === LEARNED || at === LEARNED + 20 ? wild : value]),
          )
          assert.equal(seen.standing, false, `an alarm stands 580 rows after ${wild}`)
          const last = seen.rows.slice(-100)
          assert.ok(
            last.every((row) => (JSON.parse(row) as [{ score: number }])[0].score < 0.5),
            `${wild}`,
          )
          const shifted = run(
            method,
            usual(LEARNED + 900, (n) => (n > LEARNED + 700 ? 40 : 0)).map(([time, value], at) => [time, at === LEARNED ? wild : value]),
          )
          assert.equal(shifted.standing || shifted.raised > 1, tells.step || shifted.raised > 1, `blind after ${wild}`)
        }
      })
    })
  }
})
