/** What `auto` costs, in a process of its own; prints one line of JSON. All signals go on from one state that has learned, as after a restart. */
import { seededRandom } from '../../core/base/random.ts'
import type { Detector, DetectorState } from '../../core/detect/detector.ts'
import { detectorOf } from '../../core/detect/methods.ts'

const SIGNALS = 10_000
/** Values after which all that `auto` remembers is filled. */
const LEARNED = 5000
/** The median of some rounds: what else the machine does is not its cost. */
const TIMED = 10_000
const ROUNDS = 9
const MINUTE_MS = 60_000
const START = Date.UTC(2026, 0, 1)

const median = (rounds: readonly number[]): number => rounds.toSorted((a, b) => a - b)[rounds.length >> 1] ?? Number.NaN

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
const rounds = Array.from({ length: ROUNDS }, (_, round) => {
  const from = LEARNED + round * TIMED
  const before = performance.now()
  learn(one, from, from + TIMED)
  return ((performance.now() - before) * 1000) / TIMED
})

const written = JSON.stringify(one.state)
const state = JSON.parse(written) as DetectorState
const rssBefore = process.memoryUsage().rss
const many = Array.from({ length: SIGNALS }, () => auto(state))
const manyRounds = Array.from({ length: ROUNDS }, (_, round) => {
  const n = LEARNED + ROUNDS * TIMED + round
  const before = performance.now()
  for (const detector of many) detector.update(START + n * MINUTE_MS, valueAt(n), false)
  return ((performance.now() - before) * 1000) / SIGNALS
})
const megabytes = (process.memoryUsage().rss - rssBefore) / 1024 / 1024
console.log(JSON.stringify({ micros: median(rounds), manyMicros: median(manyRounds), signals: SIGNALS, megabytes, stateBytes: written.length }))
