import type { Evidence } from '../messages/anomaly.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber, savedNumbers, twoSidedTail } from './detector.ts'
import { Onset } from './onset/onset.ts'

export interface AutoOptions {
  /** Values that the baseline is learned from before it judges. */
  readonly warmup: number
  /** Factor on every threshold: below 1 it speaks earlier and errs more often. */
  readonly caution: number
}

export const AUTO_DEFAULTS: AutoOptions = { warmup: 30, caution: 1 }

/** Values that the baseline looks back on once it has seen that many: long, so that slow wear does not become normal. */
const MEMORY = 10_000
/** The baseline stands as if it had been learned from so many values more: what changes early on is a change, not yet normal. */
const INERTIA = 120
/** The further the level is out, in standard deviations, the less is learned: half of it here, next to nothing at twice as many. */
const DOUBT = 1.2
const SLOWER_WHILE_STANDING = 20
/** One value moves the baseline no further than this many standard deviations do. */
const CLIP = 4
/** Nor an average further than so many: a wild one would be seen in it for hours. */
const WILD = 1000

/** The signal at three speeds, and how many standard deviations *of a single value* each may be out: what lasts is believed sooner than what flashes. */
const SPEEDS = [
  { name: 'level', weight: 0.08, limit: 4 },
  { name: 'shift', weight: 0.3, limit: 5.5 },
  { name: 'spike', weight: 1, limit: 9 },
] as const

/** Beyond the range seen so far by this share of it, and by this many standard deviations, before it counts. */
const RANGE_SHARE = 0.12
const RANGE_SIGMAS = 1.5
/** An early range says little, and a new extreme alone is never a severe matter. */
const RANGE_AFTER = 500
const RANGE_MOST = 1.4
/** What is beyond the range becomes part of it by this share a value: what creeps out of it must not take it along. */
const RANGE_GROWTH = 0.02

/** A signal that moved until now, at every few values, and repeats one value this many times as long as ever before. */
const STUCK_MOVES = 0.25
const STUCK_FACTOR = 8
const STUCK_RUN = 40
const STUCK_AFTER = 200

/**
 * The detector for a machine that drifts and wears, without a setting. A slowly adapting baseline (centre, and spread upwards and downwards apart, because
 * machines run cold more often than hot) is learned robustly; against it stand the signal's averages at three speeds, the range seen so far, and the length
 * of its flat runs. The strongest of these sources is the deviation; all that are noteworthy are the evidence.
 *
 * That is the state: is it out, still? Beside it stands the onset: does something unlike before begin with this value?
 */
export class AutoDetector implements Detector {
  readonly #options: AutoOptions
  readonly #score = openScore()
  readonly #onset: Onset
  readonly #first: number[]
  readonly #averages: [number, number, number]
  #n: number
  #centre: number
  /** mean squares of what lies above and below the centre */
  #above: number
  #below: number
  #low: number
  #high: number
  #last: number
  #run: number
  #longestRun: number
  #moves: number

  // what the last update saw, for evidence
  #sigmas: [number, number, number] = [0, 0, 0]
  #rangeDeviation = 0
  #stuckDeviation = 0

  constructor(options: AutoOptions, state?: DetectorState) {
    this.#options = options
    this.#onset = new Onset({ singles: state?.onset, doubles: state?.onsetNumbers })
    this.#first = savedNumbers(state, 'first')
    const averages = savedNumbers(state, 'averages')
    this.#averages = [averages[0] ?? 0, averages[1] ?? 0, averages[2] ?? 0]
    this.#n = savedNumber(state, 'n', 0)
    this.#centre = savedNumber(state, 'centre', 0)
    this.#above = savedNumber(state, 'above', 0)
    this.#below = savedNumber(state, 'below', 0)
    this.#low = savedNumber(state, 'low', 0)
    this.#high = savedNumber(state, 'high', 0)
    this.#last = savedNumber(state, 'last', Number.NaN)
    this.#run = savedNumber(state, 'run', 0)
    this.#longestRun = savedNumber(state, 'longestRun', 0)
    this.#moves = savedNumber(state, 'moves', 0)
  }

  update(time: number, value: number, standing: boolean, fixed = false): Score {
    // the state knows no season, so an alarm of it alone must not keep the onset from learning one
    this.#score.onset = this.#onset.update(time, value, !fixed)
    this.#countRun(value)
    if (this.#n < this.#options.warmup) {
      this.#warm(value)
      return this.#score
    }
    this.#judge(value)
    if (!fixed) this.#learn(value, standing)
    return this.#score
  }

  evidence(): Evidence[] {
    const { expected, lower, upper } = this.#score
    if (expected === null || lower === null || upper === null) return []
    const evidence: Evidence[] = []
    SPEEDS.forEach(({ name, limit }, at) => {
      const sigmas = this.#sigmas[at] ?? 0
      if (sigmas / (limit * this.#caution()) >= NOTEWORTHY)
        evidence.push({ source: name, value: this.#averages[at] ?? 0, expected, lower, upper, p: twoSidedTail(sigmas) })
    })
    if (this.#rangeDeviation >= NOTEWORTHY) evidence.push({ source: 'range', value: this.#averages[1], lower: this.#low, upper: this.#high })
    if (this.#stuckDeviation >= NOTEWORTHY) evidence.push({ source: 'stuck', value: this.#last, text: `${this.#run} times the same value` })
    return evidence
  }

  get state(): DetectorState {
    const onset = this.#onset.state
    return {
      first: this.#first.slice(),
      averages: this.#averages.slice(),
      n: this.#n,
      centre: this.#centre,
      above: this.#above,
      below: this.#below,
      low: this.#low,
      high: this.#high,
      last: Number.isNaN(this.#last) ? null : this.#last,
      run: this.#run,
      longestRun: this.#longestRun,
      moves: this.#moves,
      onset: onset.singles,
      onsetNumbers: onset.doubles,
    }
  }

  /** Little has been seen yet: the baseline may be off, so more is let pass. */
  #caution(): number {
    return this.#options.caution * (1 + 15 / this.#n)
  }

  #warm(value: number): void {
    this.#n++
    this.#first.push(value)
    if (this.#n < this.#options.warmup) return
    const sorted = this.#first.toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? value
    this.#centre = at(0.5)
    this.#above = (at(0.84) - this.#centre) ** 2
    this.#below = (this.#centre - at(0.16)) ** 2
    this.#averages.fill(this.#centre)
    this.#low = at(0.1)
    this.#high = at(0.9)
    this.#first.length = 0
  }

  #judge(value: number): void {
    const caution = this.#caution()
    const up = this.#sigma(this.#above)
    const down = this.#sigma(this.#below)
    const tame = Math.max(this.#centre - WILD * down, Math.min(this.#centre + WILD * up, value))
    let deviation = 0
    for (let at = 0; at < SPEEDS.length; at++) {
      const { weight, limit } = SPEEDS[at] as (typeof SPEEDS)[number]
      const average = (this.#averages[at] ?? 0) + weight * (tame - (this.#averages[at] ?? 0))
      this.#averages[at] = average
      const distance = average - this.#centre
      const sigmas = distance > 0 ? distance / up : -distance / down
      this.#sigmas[at] = sigmas
      deviation = Math.max(deviation, sigmas / (limit * caution))
    }
    this.#rangeDeviation = this.#n < RANGE_AFTER ? 0 : Math.min(RANGE_MOST, this.#beyondRange(up, down) / this.#options.caution)
    const before = this.#n - this.#run
    const movesUsually = before >= STUCK_AFTER && this.#moves >= STUCK_MOVES * before
    this.#stuckDeviation = movesUsually ? this.#run / Math.max(STUCK_RUN, STUCK_FACTOR * this.#longestRun) : 0
    const score = this.#score
    score.deviation = Math.max(deviation, this.#rangeDeviation, this.#stuckDeviation)
    score.expected = this.#centre
    score.lower = this.#centre - SPEEDS[0].limit * caution * down
    score.upper = this.#centre + SPEEDS[0].limit * caution * up
  }

  #beyondRange(up: number, down: number): number {
    const average = this.#averages[1]
    const range = Math.max(this.#high - this.#low, 1e-12)
    if (average > this.#high) return Math.min((average - this.#high) / (RANGE_SHARE * range), (average - this.#high) / (RANGE_SIGMAS * up))
    if (average < this.#low) return Math.min((this.#low - average) / (RANGE_SHARE * range), (this.#low - average) / (RANGE_SIGMAS * down))
    return 0
  }

  #learn(value: number, standing: boolean): void {
    this.#n++
    const trust = standing ? 1 / SLOWER_WHILE_STANDING : 1 / (1 + (this.#sigmas[0] / DOUBT) ** 4)
    const weight = trust * Math.max(1 / (this.#n + INERTIA), 1 / MEMORY)
    const distance = value - this.#centre
    // each side sees about half of the values
    if (distance > 0) this.#above += 2 * weight * (Math.min(distance * distance, CLIP * CLIP * this.#sigma(this.#above) ** 2) - this.#above)
    else this.#below += 2 * weight * (Math.min(distance * distance, CLIP * CLIP * this.#sigma(this.#below) ** 2) - this.#below)
    this.#centre += weight * Math.max(-CLIP * this.#sigma(this.#below), Math.min(CLIP * this.#sigma(this.#above), distance))
    const growth = standing ? RANGE_GROWTH / SLOWER_WHILE_STANDING : RANGE_GROWTH
    const average = this.#averages[1]
    if (average > this.#high) this.#high += growth * (average - this.#high)
    else if (average < this.#low) this.#low += growth * (average - this.#low)
  }

  /** A signal that hardly ever moved may move by two thousandths of its level. */
  #sigma(meanSquare: number): number {
    return Math.max(Math.sqrt(meanSquare), 0.002 * Math.abs(this.#centre), 1e-9)
  }

  #countRun(value: number): void {
    if (value === this.#last) {
      this.#run++
      return
    }
    // a flat run that was judged to be stuck teaches nothing
    if (this.#run < STUCK_RUN || this.#n < STUCK_AFTER) this.#longestRun = Math.max(this.#longestRun, this.#run)
    this.#last = value
    this.#run = 1
    this.#moves++
  }
}
