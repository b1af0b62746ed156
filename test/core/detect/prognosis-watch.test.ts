import assert from 'node:assert/strict'
import { seededRandom } from '../../../core/base/random.ts'
import type { Target } from '../../../core/detect/prognosis/prognosis-track.ts'
import { PrognosisWatch } from '../../../core/detect/prognosis/prognosis-watch.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import type { Disruption } from '../../../core/messages/disruption.ts'
import type { Prognosis } from '../../../core/messages/prognosis.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { validateDocument } from '../../../core/messages/validate.ts'
import { DisruptionDesk } from '../../../core/orders/disruption/disruption-desk.ts'
import { DISRUPTION_DEFAULTS } from '../../../core/orders/disruption/settings.ts'
import { memoryStore, plant } from '../orders/fixture.ts'

const MINUTE = 60_000
const START = Date.parse('2026-03-02T10:00:00+01:00')
const TARGET: Target = { threshold: 10, direction: 'rising', indicator: 'value', unit: 'mm/s' }

describe('prognosis watch', () => {
  let forgotten: number[]
  beforeEach(() => {
    forgotten = []
  })

  const open = (saved?: unknown, maxSignals = 100, running = new RunningUnits(['Execute'], 0)): PrognosisWatch =>
    new PrognosisWatch(
      { maxSignals, running, select: (_, signal) => (signal === 'other' ? undefined : TARGET), forgotten: (signals) => forgotten.push(signals) },
      saved,
    )
  const sampleOf = (time: number, value: number, signal = 'vibration', equipment = 'p/mill-1'): Sample => {
    return { kind: 'sample', equipment, signal, value, quality: 'good', time, received: time }
  }
  const feed = (watch: PrognosisWatch, sample: Sample): Prognosis | undefined => {
    const track = watch.trackOf(sample)
    return track === undefined ? undefined : watch.take(track, sample, sample.value as number)
  }
  /** From 2 to 10 in 1000 minutes. */
  const wear = (rows: number, seed = 1): number[] => {
    const random = seededRandom(seed)
    return Array.from({ length: rows }, (_, row) => 2 + (8 * row) / 1000 + 0.3 * (random() - 0.5))
  }

  it('drives a disruption: a repair is asked for before the lower end, once, and more urgently as it comes near', async () => {
    const { store, clock } = memoryStore(START)
    const told: Disruption[] = []
    const desk = new DisruptionDesk({
      store,
      plant: () => plant,
      clock,
      settings: { ...DISRUPTION_DEFAULTS, deadlineMs: { ...DISRUPTION_DEFAULTS.deadlineMs, low: 2 * 60 * MINUTE } },
      autonomy: 'auto',
      actor: 'test',
      changed: (disruption) => told.push(disruption),
      failed: (thrown) => assert.fail(String(thrown)),
    })
    const watch = open()
    const prognoses: Prognosis[] = []
    for (const [row, value] of wear(950).entries()) {
      clock.advance(MINUTE)
      const prognosis = feed(watch, sampleOf(START + row * MINUTE, value))
      if (prognosis === undefined) continue
      prognoses.push(validateDocument(prognosis, 'prognosis', 'test'))
      await desk.prognosis(prognosis)
    }
    const near = prognoses.flatMap(({ time, remainingMs }) =>
      remainingMs !== null && 0.8 * remainingMs.lower <= 2 * 60 * MINUTE ? [{ time, lower: remainingMs.lower }] : [],
    )
    assert.ok(near.length > 0 && prognoses.length > near.length, 'some of them are too far off to be acted on')
    const stored = await store.list('disruption', { orderBy: 'time' })
    const repairs = await store.list('work-order', { where: { type: 'maintenance' }, orderBy: 'id' })
    assert.deepEqual([stored.length, repairs.length, stored[0]?.action, stored[0]?.cause], [1, 1, 'maintain-before', { prognosis: 'vibration' }])
    // what was told of before it was told a minute ago
    const asked = near.map(({ time, lower }) => Math.max(time + MINUTE, time + 0.8 * lower))
    assert.ok(asked.includes(stored[0]?.deadline ?? 0), `${((stored[0]?.deadline ?? 0) - START) / MINUTE} of ${asked.map((t) => (t - START) / MINUTE)}`)
    assert.ok((stored[0]?.deadline ?? 0) <= START + 950 * MINUTE, 'and before the end')
    assert.match(
      told[0]?.why ?? '',
      /mill-1 will probably reach its limit of vibration in .*, with 90 % confidence not before .* and not after .*: repair mill-1 before /,
    )
    desk.stop()
    await store.close()
  })

  it('tells what is new, not every value', () => {
    const watch = open()
    const told = wear(950).flatMap((value, row) => feed(watch, sampleOf(START + row * MINUTE, value)) ?? [])
    assert.ok(told.length >= 3 && told.length < 40, `${told.length}`)
  })

  it('begins anew when the unit comes out of maintenance', () => {
    const running = new RunningUnits(['Execute'], 0)
    const watch = open(undefined, 100, running)
    const values = wear(800)
    for (const [row, value] of values.entries()) feed(watch, sampleOf(START + row * MINUTE, value))
    assert.equal(watch.ending.signals, 1)
    const mode = (name: number, row: number): void => running.saw({ equipment: 'p/mill-1', value: name, time: START + row * MINUTE }, 'packml-mode')
    mode(2, 800)
    mode(1, 810)
    feed(watch, sampleOf(START + 811 * MINUTE, 8.4))
    assert.equal(watch.ending.signals, 0)
  })

  it('goes on after a restart as if there had been none', () => {
    const whole = open()
    let broken = open()
    for (const [row, value] of wear(500).entries()) {
      if (row % 50 === 0) broken = open(JSON.parse(JSON.stringify(broken.state)))
      const sample = sampleOf(START + row * MINUTE, value)
      assert.deepEqual(feed(broken, sample), feed(whole, sample))
    }
    assert.deepEqual(broken.state, whole.state)
  })

  it('keeps to its bound, forgets the oldest and says so', () => {
    const watch = open(undefined, 50)
    for (let signal = 0; signal < 500; signal++) feed(watch, sampleOf(START + signal * MINUTE, 3, `s${signal}`))
    for (let signal = 0; signal < 500; signal++) feed(watch, sampleOf(START, 3, 'other', `p/${signal}`))
    assert.ok(watch.signals <= 50)
    assert.equal(watch.signals + forgotten.reduce((sum, count) => sum + count, 0), 500)
    watch.forgetIdle(START + 499 * MINUTE, 10 * MINUTE)
    assert.equal(watch.signals, 11)
  })
})
