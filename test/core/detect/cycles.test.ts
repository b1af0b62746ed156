import assert from 'node:assert/strict'
import { countingIds } from '../../../core/base/id.ts'
import { seededRandom } from '../../../core/base/random.ts'
import { AnomalyWatch } from '../../../core/detect/anomaly-watch.ts'
import { Cycles } from '../../../core/detect/cycles.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { Sample } from '../../../core/messages/sample.ts'

const UNIT = 'acme/press-1'
const of = (signal: string, value: Sample['value'], time: number): Sample => ({
  ...{ kind: 'sample', equipment: UNIT, signal, value, quality: 'good', time, received: time },
})

/** Cycles of 30 seconds in which the force goes up and down once, with a pause of up to 20 seconds after each: no clock would find them. */
function press(cycles: number, extra: (cycle: number, second: number) => number = () => 0): Sample[] {
  const random = seededRandom(5)
  const samples: Sample[] = []
  let time = 1_000_000
  for (let cycle = 0; cycle < cycles; cycle++) {
    const length = 30_000 + Math.floor(20 * random()) * 1000
    samples.push(of('good', cycle, time))
    for (let at = 500; at < length; at += 1000)
      samples.push(of('force', 100 * Math.sin(Math.PI * Math.min(1, at / 30_000)) + random() + extra(cycle, at / 1000), time + at))
    time += length
  }
  return samples
}

function watchOf(saved?: unknown, begins: 'change' | 'rise' = 'change'): AnomalyWatch {
  return new AnomalyWatch(
    {
      method: { name: 'seasonal', periodMs: 0, bins: 32, threshold: 6, cycle: { signal: 'good', begins } },
      latch: { holdOffMs: 0, clearAfterMs: 0, persistMs: 1e12 },
      maxSignals: 10,
      running: new RunningUnits(['Execute'], 0),
      ids: countingIds(),
      select: (_equipment, signal) => (signal === 'force' ? {} : undefined),
      forgotten: () => {},
    },
    saved,
  )
}

function judge(watch: AnomalyWatch, sample: Sample): Anomaly | undefined {
  watch.hear(sample)
  const track = watch.trackOf(sample)
  return track === undefined ? undefined : watch.judge(track, sample)
}

describe('cycles of a machine', () => {
  it('a profile by the phase of the cycle, whenever it begins, sees what is wrong in a part of it', () => {
    const usual = watchOf()
    const told = press(200, (cycle, second) => (cycle === 150 && second > 3 && second < 8 ? 30 : 0)).flatMap((sample) => judge(usual, sample) ?? [])
    assert.deepEqual(
      told.map(({ state, signals }) => [state, signals[0]]),
      [
        ['raised', 'force'],
        ['cleared', 'force'],
      ],
    )
    assert.match(told[0]?.evidence[0]?.text ?? '', /^part [3-8] of 32 of the cycle, seen in \d+ cycles$/)
  })

  it('does not judge before five cycles were seen, and says of how many units', () => {
    const watch = watchOf()
    const [first, ...others] = press(1)
    for (const sample of others) judge(watch, sample)
    assert.equal(watch.cycleless, 1)
    assert.equal(watch.trackOf(others[0]!)?.scored().expected, null)
    assert.equal(watch.trackOf(others[0]!)?.state.detector.pooled, 0)
    judge(watch, first!)
    for (const sample of press(10)) judge(watch, sample)
    assert.equal(watch.cycleless, 0)
  })

  it('goes on after a restart at any row as if there had been none', () => {
    const rows = press(60, (cycle) => (cycle > 50 ? 60 : 0))
    const scores = (every: number): string[] => {
      let watch = watchOf()
      return rows.map((sample, at) => {
        if (at % every === 0) watch = watchOf(JSON.parse(JSON.stringify(watch.state)))
        const told = judge(watch, sample)
        return JSON.stringify([watch.trackOf(sample)?.scored(), told?.state])
      })
    }
    const whole = scores(1e9)
    assert.ok(whole.some((row) => row.includes('raised":true')))
    for (const every of [1, 13, 200]) assert.deepEqual(scores(every), whole, `every ${every}`)
  })

  it('begin with each change of a counter, or with each rise of a contact; late, bad and repeated samples begin none', () => {
    const counter = new Cycles({ signal: 'good', begins: 'change' })
    for (const [time, value] of [...[0, 1, 2, 3, 4, 5].map((n) => [n * 1000, n] as const), [5500, 5], [8000, 6], [7000, 9], [8000, 7]] as const)
      counter.saw(of('good', value, time))
    counter.saw({ ...of('good', 8, 9000), quality: 'bad' })
    counter.saw(of('good', Number.NaN, 9000))
    counter.saw(of('other', 1, 9000))
    assert.deepEqual(counter.of(UNIT, 8500), { cycle: 6, sinceMs: 500, usualMs: 1000 })
    assert.deepEqual(counter.of(UNIT, 7900), { cycle: 5, sinceMs: 2900, usualMs: 1000 }, 'a value that comes after the next cycle began')
    assert.equal(counter.of(UNIT, 1500), undefined)
    assert.equal(counter.of('acme/other', 8500), undefined)
    const contact = new Cycles({ signal: 'good', begins: 'rise' })
    for (const [time, value] of [
      ...[0, 1, 2, 3, 4, 5].flatMap((n) => [[10 * n + 1, false] as const, [10 * n + 5, true] as const, [10 * n + 7, true] as const]),
      [65, false],
    ] as const)
      contact.saw(of('good', value, time))
    assert.deepEqual(contact.of(UNIT, 65), { cycle: 6, sinceMs: 10, usualMs: 10 })
  })

  it('are found again after a clock was set back for good, and a long pause does not change how long they take', () => {
    const cycles = new Cycles({ signal: 'good', begins: 'change' })
    for (let n = 0; n < 20; n++) cycles.saw(of('good', n, 1e9 + n * 1000))
    cycles.saw(of('good', 21, 1e9 + 7_200_000))
    cycles.saw(of('good', 22, 1e9 + 7_201_000))
    assert.equal(cycles.of(UNIT, 1e9 + 7_201_500)?.usualMs, 1000)
    for (let n = 0; n < 8; n++) cycles.saw(of('good', n, 1000 + n * 1000))
    assert.deepEqual(cycles.of(UNIT, 8500), { cycle: 6, sinceMs: 500, usualMs: 1000 })
  })
})
