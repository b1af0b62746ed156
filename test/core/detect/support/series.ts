import assert from 'node:assert/strict'
import { type Random, seededRandom } from '../../../../core/base/random.ts'
import type { Detector } from '../../../../core/detect/detector.ts'
import { detectorOf, type Method } from '../../../../core/detect/methods.ts'
import { Track, type TrackState } from '../../../../core/detect/track.ts'

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

export const series = (length: number, at: (n: number) => number): number[] => Array.from({ length }, (_, n) => at(n))

/** Noise of a seed around what `at` gives. */
export function noisy(seed: number, length: number, at: (n: number) => number, sigma = 1): number[] {
  const random = seededRandom(seed)
  return series(length, (n) => at(n) + sigma * normal(random))
}

export function make(method: Method, state?: Detector['state']): Detector {
  const detector = detectorOf(method, undefined, state)
  assert.ok(detector)
  return detector
}

/** The deviation of each value; `standing` while it is 1 or more, as with a latch without hold-off. */
export function deviations(detector: Detector, values: readonly number[], stepMs = 1000): Array<number | null> {
  let standing = false
  return values.map((value, at) => {
    const { deviation } = detector.update(at * stepMs, value, standing)
    standing = (deviation ?? 0) >= (standing ? 0.7 : 1)
    return deviation
  })
}

/** Rows at which the deviation is 1 or more. */
export function rowsOut(detector: Detector, values: readonly number[], stepMs = 1000): number[] {
  return deviations(detector, values, stepMs).flatMap((deviation, at) => ((deviation ?? 0) >= 1 ? [at] : []))
}

/** The same scores, alarms and evidence when the state is written and read at any row. */
export function assertRestarts(method: Method, values: readonly number[], stepMs = 1000): void {
  const options = { holdOffMs: 0, clearAfterMs: 2 * stepMs, persistMs: 1e12, confirm: 1, clearConfirm: 2 }
  const run = (every: number): string[] => {
    let id = 0
    let track = new Track(make(method), options)
    return values.map((value, at) => {
      if (at % every === 0) {
        const state = JSON.parse(JSON.stringify(track.state)) as TrackState
        track = new Track(make(method, state.detector), options, state)
      }
      const alarm = track.update(at * stepMs, value, () => `a${++id}`)
      return JSON.stringify([track.scored(), alarm ?? null])
    })
  }
  const whole = run(1_000_000)
  assert.ok(
    whole.some((row) => row.includes('"raised":true')),
    'no alarm in the series: it proves little',
  )
  for (const every of [1, 7, 93]) assert.deepEqual(run(every), whole, `every ${every}`)
}

/** Nothing is out, and nothing is thrown, on what does not move and on what is hardly a signal. */
export function assertQuietOnConstants(method: Method, stepMs = 1000): void {
  for (const values of [series(1500, () => 7), series(1500, () => 0), series(1500, (n) => (n % 2 === 0 ? 0 : 1e-12)), series(1500, () => -1e9)])
    assert.deepEqual(rowsOut(make(method), values, stepMs), [], `${values[0]}, ${values[1]}`)
}

/** A state that makes no sense, and values beyond all bounds, do not throw. */
export function assertSturdy(method: Method): void {
  const broken = { n: 'x', ring: { a: 1 }, first: [null, 'x'], centre: 7, past: [1], window: 8, taken: 99, mean: Number.NaN } as never
  assert.doesNotThrow(() =>
    deviations(
      make(method, broken),
      series(700, (n) => n % 7),
    ),
  )
  const random = seededRandom(1)
  assert.doesNotThrow(() => deviations(make(method), [...noisy(2, 700, () => 0), 1e300, -1e300, Number.MAX_VALUE, ...series(50, () => random())]))
}

/** What was learned is not touched while an alarm stands: states differ in what measures only, given by its keys. */
export function assertLearnsNothing(method: Method, before: readonly number[], during: readonly number[], measuring: readonly string[], stepMs = 1000): void {
  const detector = make(method)
  before.forEach((value, at) => void detector.update(at * stepMs, value, false))
  const learned = (): Record<string, unknown> => Object.fromEntries(Object.entries(detector.state).filter(([key]) => !measuring.includes(key)))
  const was = structuredClone(learned())
  assert.ok(Object.keys(was).length > 0)
  during.forEach((value, at) => void detector.update((before.length + at) * stepMs, value, true))
  assert.deepEqual(learned(), was)
}
