import type { Evidence } from '../messages/anomaly.ts'
import type { CyclePlace, CycleSetting } from './cycles.ts'
import { type Detector, type DetectorState, NOTEWORTHY, openScore, type Score, savedNumber, savedNumbers, twoSidedTail } from './detector.ts'

export interface SeasonalOptions {
  /** Length of a season, ms: a day, a week, a machine's cycle. Seasons begin at the epoch, UTC. Of no use with `cycle`. */
  readonly periodMs: number
  /** A signal of the same unit whose cycles are the seasons; absent: the clock. */
  readonly cycle?: CycleSetting | undefined
  /** Parts a season is divided into, each with a baseline of its own. */
  readonly bins: number
  /** Robust standard deviations at which a value is out. */
  readonly threshold: number
}

/** A part of the season is judged once it was seen in so many seasons. */
const SEASONS = 3
/** Seasons that the profile looks back on. */
const MEMORY = 20
/** A cycle that lasts longer than the usual by more than this is at a stand at its end: what comes then is of no part of it. */
const LATE = 1.25
/** One season moves a part of the profile no further than this many standard deviations do. */
const CLIP = 3
/** The spread of a part seen few times is uncertain: the spread of all parts counts as so many seasons of it. */
const SHRINKAGE = 3
const POOL_MEMORY = 1000

/** Residual against a profile over a season. Each season counts once, however many values it brings, so that a long visit does not teach its own error. */
export class SeasonalDetector implements Detector {
  readonly #options: SeasonalOptions
  readonly #score = openScore()
  /** by bin: mean value, where in the bin (0…1) it was on average, mean square residual, seasons seen */
  readonly #centre: number[]
  readonly #at: number[]
  readonly #square: number[]
  readonly #visits: number[]
  #pooled: number
  #merges: number
  // the visit under way: its bin and season, and what was seen in it
  #bin: number
  #season: number
  #count: number
  #first: number
  #sum: number
  #sumAt: number
  #sumSquare: number
  #value = 0
  #place: CyclePlace | undefined

  constructor(options: SeasonalOptions, state?: DetectorState) {
    this.#options = options
    const { bins, periodMs } = options
    const lists = ['centre', 'at', 'square', 'visits'].map((key) => savedNumbers(state, key))
    const isSame = savedNumber(state, 'periodMs', 0) === periodMs && (state?.cycle ?? '') === (options.cycle?.signal ?? '')
    const saved = isSame && lists.every(({ length }) => length === bins) ? state : undefined
    const [centre, at, square, visits] = saved === undefined ? [] : lists
    this.#centre = centre ?? new Array<number>(bins).fill(0)
    this.#at = at ?? new Array<number>(bins).fill(0.5)
    this.#square = square ?? new Array<number>(bins).fill(0)
    this.#visits = visits ?? new Array<number>(bins).fill(0)
    this.#pooled = savedNumber(saved, 'pooled', 0)
    this.#merges = savedNumber(saved, 'merges', 0)
    this.#bin = savedNumber(saved, 'bin', -1)
    this.#season = savedNumber(saved, 'season', 0)
    this.#count = savedNumber(saved, 'count', 0)
    this.#first = savedNumber(saved, 'first', 0)
    this.#sum = savedNumber(saved, 'sum', 0)
    this.#sumAt = savedNumber(saved, 'sumAt', 0)
    this.#sumSquare = savedNumber(saved, 'sumSquare', 0)
  }

  place(place: CyclePlace | undefined): void {
    this.#place = place
  }

  update(time: number, value: number, standing: boolean): Score {
    const { periodMs, bins, threshold, cycle } = this.#options
    // by the clock, or by the time since the unit's cycle began, as part of how long they usually take
    const place = this.#place
    const season = cycle === undefined ? Math.floor(time / periodMs) : (place?.cycle ?? 0)
    const phase = cycle === undefined ? time / periodMs - season : place === undefined ? Number.NaN : place.sinceMs / place.usualMs
    if (!(phase <= LATE)) return this.#unjudged(value)
    const position = Math.min(bins - 1e-9, phase * bins)
    const bin = Math.floor(position)
    if (bin !== this.#bin || season !== this.#season) this.#begin(bin, season)
    this.#value = value
    const score = this.#score
    const visits = this.#visits[bin] ?? 0
    const expected = visits === 0 ? value : (this.#centre[bin] ?? 0) + this.#slope(bin) * (position - bin - (this.#at[bin] ?? 0.5))
    if (visits < SEASONS) {
      this.#unjudged(value)
      this.#see(value, position - bin, visits === 0 ? 0 : value - expected)
      return score
    }
    const sigma = this.#sigma(bin)
    score.deviation = Math.abs(value - expected) / (sigma * threshold)
    score.expected = expected
    score.lower = expected - sigma * threshold
    score.upper = expected + sigma * threshold
    if (!standing && score.deviation < 1) this.#see(value, position - bin, value - expected)
    return score
  }

  #unjudged(value: number): Score {
    this.#value = value
    const score = this.#score
    score.deviation = null
    score.expected = null
    score.lower = null
    score.upper = null
    return score
  }

  evidence(): Evidence[] {
    const { deviation, expected, lower, upper } = this.#score
    if (deviation === null || deviation < NOTEWORTHY || expected === null || lower === null || upper === null) return []
    const p = twoSidedTail(deviation * this.#options.threshold)
    const text = `part ${this.#bin + 1} of ${this.#options.bins} of the ${this.#options.cycle === undefined ? 'season' : 'cycle'}, seen in ${this.#visits[this.#bin] ?? 0} ${this.#options.cycle === undefined ? 'seasons' : 'cycles'}`
    return [{ source: 'seasonal', value: this.#value, expected, lower, upper, p, text }]
  }

  get state(): DetectorState {
    return {
      periodMs: this.#options.periodMs,
      ...(this.#options.cycle === undefined ? {} : { cycle: this.#options.cycle.signal }),
      centre: this.#centre.slice(),
      at: this.#at.slice(),
      square: this.#square.slice(),
      visits: this.#visits.slice(),
      pooled: this.#pooled,
      merges: this.#merges,
      bin: this.#bin,
      season: this.#season,
      count: this.#count,
      first: this.#first,
      sum: this.#sum,
      sumAt: this.#sumAt,
      sumSquare: this.#sumSquare,
    }
  }

  #begin(bin: number, season: number): void {
    if (this.#count > 0) this.#merge(this.#bin)
    this.#bin = bin
    this.#season = season
    this.#count = 0
    this.#sum = 0
    this.#sumAt = 0
    this.#sumSquare = 0
  }

  #see(value: number, at: number, residual: number): void {
    if (this.#count++ === 0) this.#first = value
    const step = value - this.#first
    this.#sum += step
    this.#sumAt += at
    // of the first visit nothing is known but how it differs within itself
    this.#sumSquare += (this.#visits[this.#bin] ?? 0) === 0 ? step * step : residual * residual
  }

  /** The visit that ended becomes part of the profile. */
  #merge(bin: number): void {
    const count = this.#count
    const visits = this.#visits[bin] ?? 0
    const offset = this.#sum / count
    const mean = this.#first + offset
    const square = Math.max(0, visits === 0 ? this.#sumSquare / count - offset * offset : this.#sumSquare / count)
    const weight = Math.max(1 / (visits + 1), 1 / MEMORY)
    const centre = this.#centre[bin] ?? 0
    const reach = visits < SEASONS ? Number.POSITIVE_INFINITY : CLIP * this.#sigma(bin)
    this.#centre[bin] = centre + weight * Math.max(-reach, Math.min(reach, mean - centre))
    this.#at[bin] = (this.#at[bin] ?? 0.5) + weight * (this.#sumAt / count - (this.#at[bin] ?? 0.5))
    // a first visit says nothing of how seasons differ
    if (visits > 0) {
      const capped = visits < SEASONS ? square : Math.min(square, (CLIP * this.#sigma(bin)) ** 2)
      this.#square[bin] = (this.#square[bin] ?? 0) + Math.max(1 / visits, 1 / MEMORY) * (capped - (this.#square[bin] ?? 0))
      this.#pooled += Math.max(1 / ++this.#merges, 1 / POOL_MEMORY) * (capped - this.#pooled)
    }
    this.#visits[bin] = visits + 1
  }

  #sigma(bin: number): number {
    const visits = Math.min(this.#visits[bin] ?? 0, MEMORY)
    const variance = (visits * (this.#square[bin] ?? 0) + SHRINKAGE * this.#pooled) / (visits + SHRINKAGE)
    return Math.max(Math.sqrt(variance), 1e-9 + 1e-3 * Math.abs(this.#centre[bin] ?? 0))
  }

  /** Change of the profile within a bin, from its neighbours; 0 where one of them is not known. */
  #slope(bin: number): number {
    const { bins } = this.#options
    const before = (bin + bins - 1) % bins
    const after = (bin + 1) % bins
    if (bins < 3 || this.#visits[before] === 0 || this.#visits[after] === 0) return 0
    return ((this.#centre[after] ?? 0) - (this.#centre[before] ?? 0)) / (2 + (this.#at[after] ?? 0) - (this.#at[before] ?? 0))
  }
}
