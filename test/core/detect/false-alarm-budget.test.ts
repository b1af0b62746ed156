import assert from 'node:assert/strict'
import { countingIds } from '../../../core/base/id.ts'
import { type Random, seededRandom } from '../../../core/base/random.ts'
import { AnomalyWatch } from '../../../core/detect/anomaly-watch.ts'
import { FalseAlarmBudget } from '../../../core/detect/false-alarm-budget.ts'
import type { Method } from '../../../core/detect/methods.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import { validateDocument } from '../../../core/messages/validate.ts'

const UNIT = 'acme/mill-1'
const START = Date.UTC(2026, 0, 5)
const STEP_MS = 5 * 60_000
const WEEK = (7 * 86_400_000) / STEP_MS
const SIGNALS = 5

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

const NOISES: Readonly<Record<string, (random: Random) => () => number>> = {
  gaussian: (random) => () => normal(random),
  // Student's t with three degrees of freedom, of unit variance
  'heavy-tailed': (random) => () => normal(random) / Math.sqrt(normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2),
  autocorrelated: (random) => {
    let x = 0
    return () => (x = 0.95 * x + Math.sqrt(1 - 0.95 ** 2) * normal(random))
  },
}

interface Line {
  readonly watch: AnomalyWatch
  /** Runs the line for so many rows and gives what was told; `extra`: what is added to the values, by row of this run. */
  run(rows: number, extra?: (row: number) => number): Anomaly[]
}

function line(method: Method, noise: string, budget: number | undefined, saved?: unknown, from = 0): Line {
  const watch = new AnomalyWatch(
    {
      method,
      latch: { holdOffMs: 0, clearAfterMs: 60_000, persistMs: 1e12 },
      maxSignals: 100,
      running: new RunningUnits(['Execute'], 0),
      ids: countingIds(),
      select: () => ({}),
      forgotten: () => {},
      falseAlarmsAWeek: budget,
    },
    saved,
  )
  const random = seededRandom(7)
  const noises = Array.from({ length: SIGNALS }, () => NOISES[noise]!(random))
  // goes on with the noise of that row
  for (let n = 0; n < from; n++) for (const draw of noises) draw()
  let row = from
  const run: Line['run'] = (rows, extra = () => 0) => {
    const told: Anomaly[] = []
    for (let n = 0; n < rows; n++, row++) {
      const time = START + row * STEP_MS
      for (const [at, draw] of noises.entries()) {
        const sample = { kind: 'sample', equipment: UNIT, signal: `s${at}`, value: 50 + draw() + extra(n), quality: 'good', time, received: time } as const
        const anomaly = watch.judge(watch.trackOf(sample)!, sample)
        if (anomaly !== undefined) told.push(anomaly)
      }
    }
    return told
  }
  return { watch, run }
}

const raised = (told: readonly Anomaly[]): Anomaly[] => told.filter(({ state }) => state === 'raised')
const thresholdOf = (watch: AnomalyWatch, signal = 's0'): number => watch.trackOf({ equipment: UNIT, signal })?.scored().threshold ?? Number.NaN

const EWMA: Method = { name: 'ewma', lambda: 0.2, width: 4, warmup: 50 }

describe('false-alarm budget', () => {
  for (const [method, noise, perWeek] of [
    [{ name: 'auto' }, 'gaussian', 1],
    [{ name: 'auto' }, 'heavy-tailed', 3],
    [{ name: 'auto' }, 'autocorrelated', 3],
    [EWMA, 'gaussian', 2],
    [EWMA, 'heavy-tailed', 2],
    [EWMA, 'autocorrelated', 2],
    [{ name: 'cusum', allowance: 0.5, decision: 12, warmup: 100 }, 'gaussian', 2],
    [{ name: 'robust-z', window: 100, threshold: 6, warmup: 30 }, 'heavy-tailed', 3],
    [{ name: 'drift', size: 2, over: 200, warmup: 200 }, 'autocorrelated', 2],
  ] as const) {
    it(`${method.name} on ${noise} noise: no more than ${perWeek} alarms a week over ${SIGNALS} signals`, () => {
      const { run } = line(method, noise, perWeek)
      const weeks = 4
      const alarms = raised(run(weeks * WEEK)).length
      // no more than one run in a thousand with as many as were allowed would have more than this
      assert.ok(alarms <= weeks * perWeek + 3.1 * Math.sqrt(weeks * perWeek), `${alarms} alarms in ${weeks} weeks`)
    })
  }

  it('still finds a shift of six standard deviations, and a ramp, in every signal', () => {
    for (const noise of Object.keys(NOISES)) {
      for (const extra of [() => 6, (row: number) => row / 20]) {
        const made = line({ name: 'auto' }, noise, 5)
        made.run(2 * WEEK)
        const found = new Set(raised(made.run(300, extra)).map(({ signals }) => signals[0]))
        assert.equal(found.size, SIGNALS, `${noise}: ${[...found]}`)
      }
    }
  })

  it('sets the threshold by the noise: higher where it has a heavy tail, lower than that of the method where there is none', () => {
    const quiet = line({ name: 'auto' }, 'gaussian', 2)
    const wild = line(EWMA, 'heavy-tailed', 2)
    quiet.run(100)
    assert.equal(thresholdOf(quiet.watch), 2, 'careful until enough was seen')
    quiet.run(WEEK)
    wild.run(WEEK)
    assert.ok(thresholdOf(quiet.watch) < 1, String(thresholdOf(quiet.watch)))
    assert.ok(thresholdOf(wild.watch) > 1.5, String(thresholdOf(wild.watch)))
    const many = line(EWMA, 'gaussian', 50)
    const few = line(EWMA, 'gaussian', 0.5)
    many.run(2 * WEEK)
    few.run(2 * WEEK)
    assert.ok(thresholdOf(many.watch) < thresholdOf(few.watch))
    assert.equal('threshold' in (line(EWMA, 'gaussian', undefined).watch.trackOf({ equipment: UNIT, signal: 's0' })?.scored() ?? {}), false)
  })

  it('says with each alarm which threshold is in force', () => {
    const { run } = line({ name: 'auto' }, 'gaussian', 2)
    run(WEEK)
    const [alarm] = raised(run(20, () => 12))
    validateDocument(alarm, 'anomaly', 'test')
    assert.match(
      alarm?.evidence.find(({ source }) => source === 'budget')?.text ?? '',
      /^threshold 0\.\d+ times that of the method, for 0\.4 false alarms a week/,
    )
  })

  it('learns nothing from a standing alarm, until a person says that it was none; a confirmed one does not count', () => {
    const fault = (said: (watch: AnomalyWatch, id: string) => boolean): readonly [before: number, after: number] => {
      const { watch, run } = line(EWMA, 'gaussian', 2)
      run(WEEK)
      const before = thresholdOf(watch)
      const [first] = raised(run(40, () => 8)).filter(({ signals }) => signals[0] === 's0')
      run(40)
      assert.ok(said(watch, first?.id ?? ''))
      run(WEEK)
      return [before, thresholdOf(watch)]
    }
    const [before, unsaid] = fault(() => true)
    const [, confirmed] = fault((watch, id) => watch.confirmed(id))
    const [, refused] = fault((watch, id) => watch.refused(id))
    assert.ok(confirmed <= unsaid, `${confirmed} ${unsaid}`)
    assert.ok(unsaid < 1.3 * before, `${before} ${unsaid}`)
    assert.ok(refused > 1.15 * unsaid, `${unsaid} ${refused}`)
    assert.equal(line(EWMA, 'gaussian', 2).watch.refused('nobody knows it'), false)
  })

  it('counts judged time of the source only: not gaps, not clocks that go back, however fast the plant runs', () => {
    const budget = new FalseAlarmBudget({ perWeek: 1 }, 1)
    let time = START
    for (let day = 0; day < 30; day++) {
      for (let n = 0; n < 12; n++) budget.learn((time += STEP_MS), 0.2)
      time += 23 * 3_600_000
    }
    const { hours, counts } = budget.state
    assert.ok(hours > 25 && hours < 31, `${hours} hours`)
    assert.ok(Math.abs(counts.reduce((sum, count) => sum + count, 0) - hours) < 2)
    budget.learn(START, 0.2)
    assert.ok(budget.state.hours === hours)
  })

  it('goes on as if there had been no restart, and remembers little', () => {
    const rest = (made: Line): unknown => [
      made.run(1500).map(({ time, signals, state, evidence }) => [time, signals, state, evidence]),
      thresholdOf(made.watch),
    ]
    const whole = line(EWMA, 'autocorrelated', 3)
    whole.run(500)
    const other = line(EWMA, 'autocorrelated', 3, JSON.parse(JSON.stringify(whole.watch.state)), 500)
    assert.deepEqual(rest(other), rest(whole))
    const { budget } = other.watch.trackOf({ equipment: UNIT, signal: 's0' })?.state ?? {}
    assert.ok(JSON.stringify(budget).length < 1500)
  })
})
