/** What `auto` costs, in a process of its own; prints one line of JSON. All signals go on from one state that has learned, as after a restart. */
import { seededRandom } from '../../core/base/random.ts'
import type { Detector, DetectorState } from '../../core/detect/detector.ts'
import { detectorOf } from '../../core/detect/methods.ts'

const SIGNALS = 10_000
/** Values after which all that `auto` remembers is filled. */
const LEARNED = 5000
const TIMED = 50_000
const ROUNDS = 10
const MINUTE_MS = 60_000
const START = Date.UTC(2026, 0, 1)

const random = seededRandom(7)
/** A signal with a day and with noise. */
const valueAt = (n: number): number => 50 + 5 * Math.sin((2 * Math.PI * n) / 1440) + random() + random() + random()

function auto(state?: DetectorState): Detector {
  const detector = detectorOf({ name: 'auto' }, undefined, state)
  if (detector === undefined) throw new Error('auto judges any signal')
  return detector
}

function learn(detector: Detector, from: number, to: number): void {
  for (let n = from; n < to; n++) detector.update(START + n * MINUTE_MS, valueAt(n), false)
}

const one = auto()
learn(one, 0, LEARNED)
const before = performance.now()
learn(one, LEARNED, LEARNED + TIMED)
const micros = ((performance.now() - before) * 1000) / TIMED

const written = JSON.stringify(one.state)
const state = JSON.parse(written) as DetectorState
const rssBefore = process.memoryUsage().rss
const many = Array.from({ length: SIGNALS }, () => auto(state))
const manyBefore = performance.now()
for (let round = 0; round < ROUNDS; round++) {
  const n = LEARNED + TIMED + round
  for (const detector of many) detector.update(START + n * MINUTE_MS, valueAt(n), false)
}
const manyMicros = ((performance.now() - manyBefore) * 1000) / (ROUNDS * SIGNALS)
const megabytes = (process.memoryUsage().rss - rssBefore) / 1024 / 1024
console.log(JSON.stringify({ micros, manyMicros, signals: SIGNALS, megabytes, stateBytes: written.length }))
