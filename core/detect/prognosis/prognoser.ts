import type { DetectorState } from '../detector.ts'
import { HealthIndicator, type IndicatorState } from './health-indicator.ts'
import { LifeClock, type Outcome } from './life-clock.ts'
import { Roughness, type RoughnessState } from './roughness.ts'
import { standardNormal } from './standard-normal.ts'
import { MEMORIES, TrendFits, type TrendState } from './trend-fit.ts'

export interface PrognoserOptions {
  /** Where the life ends, in the signal's unit. */
  readonly threshold: number
  /** Whether the signal rises or falls towards it; told by its first values where it is not given. */
  readonly direction?: 'rising' | 'falling' | undefined
}

/** Remaining running time until the threshold, ms. */
export interface Estimate {
  readonly median: number
  readonly lower: number
  readonly upper: number
  readonly trend: 'linear' | 'exponential' | 'reached'
  /** so many values at the usual spacing */
  readonly rows: { readonly median: number; readonly lower: number; readonly upper: number }
}

export interface PrognoserState {
  readonly threshold: number
  readonly sign: number
  readonly first: readonly number[]
  readonly rows: number
  readonly base: number
  readonly origin: number
  readonly fallen: number
  readonly damage: number
  readonly trends: TrendState
  readonly roughness: RoughnessState
  readonly indicator: IndicatorState
  readonly clock: DetectorState
}

/** The interval's probability. */
export const CONFIDENCE = 0.9

/** Values that tell on which side of the threshold the signal lives, and what is healthy. */
const FIRST = 12
/** Fewer values say nothing. */
const LEAST_ROWS = 30
/** Nothing is foretold before the signal has gone this share of the way from healthy to the threshold: until then a change of product or of load looks like the beginning of an end. */
const SHOWN_SHARE = 0.125
/** A trend counts when it is so many of its standard deviations. */
const SIGNIFICANT = 4.5
/** How much slope and level may differ between memories before the shorter one is believed, standard deviations. */
const AGREES = 0.9
/** So many memories longer than the one in use may show that there is a slope. */
const NEXT = 3
/** Damage need not go on as it went: share of the foretold rise. */
const UNSTEADY = 0.3
/** From this mean power on growth counts as exponential. */
const BENT = 0.5
/** Nothing is foretold beyond so many times of what was seen. */
const FARTHEST = 8
/** Damage worth the name, share of the way to the threshold; back so far towards healthy, so many values long, is a repair. */
const DAMAGED_SHARE = 0.15
const FALLEN_SHARE = 0.4
const FALLEN_ROWS = 8
/** A fit rests on its memory once so many memories of values were seen. */
const FILLED = 2.5
/**
 * Laws of growth: damage grows at a pace in proportion to a power of itself. Below 0 it fades, 0 is linear, 0.5 grows with the square of time, 1 is exponential, beyond that it is faster
 * still. And what is known of them beforehand.
 */
const POWERS: readonly number[] = [-0.7, 0, 0.25, 0.5, 0.75, 1, 1.5]
const PRIOR: readonly number[] = [0.1, 0.3, 0.08, 0.09, 0.1, 0.18, 0.15]
/** A measured bend says no more than this of the law: share of the bend of exponential growth. */
const BEND_DOUBT = 0.35

/**
 * How long one signal has until it reaches its threshold. Level, slope and bend come from least squares with several memories; of the memories that agree the longest is taken, so that
 * it is long while nothing changes and short once damage sets in (Lepski's rule). What the bend tells of the law of growth, between linear and exponential, is weighed with what
 * is known beforehand. The slope must stand out from noise and wander as measured at the scale of the memory. The time to the threshold is the
 * passage of a level that goes on by these laws of growth, with all their uncertainties and with wander that grows with the horizon.
 */
export class Prognoser {
  readonly #threshold: number
  readonly #clock: LifeClock
  #sign: number
  #first: number[]
  #rows: number
  #base: number
  #origin: number
  #fallen: number
  #damage: number
  #trends: TrendFits
  #roughness: Roughness
  #indicator: HealthIndicator
  // the trend in use, by value: what it is and how exactly that is known
  #memory = 0
  #level = 0
  #slope = 0
  #power = 0
  #noise = 0
  #wander = 0
  #excess = 0
  readonly #levels: number[] = POWERS.map(() => 0)
  readonly #slopes: number[] = POWERS.map(() => 0)
  readonly #weights: number[] = POWERS.map(() => 0)
  #levelVariance = 0
  #slopeVariance = 0
  /** how far slopes of other memories may lie apart */
  #deviation = 0
  #lowLevel = 0
  #highLevel = 0
  readonly #tried: number[] = POWERS.map(() => 0)
  #stands = false

  constructor({ threshold, direction }: PrognoserOptions, saved?: PrognoserState) {
    this.#threshold = threshold
    // another threshold: what was seen on the way to the old one is of no use
    const state = saved !== undefined && saved.threshold === threshold ? saved : undefined
    this.#sign = direction === 'rising' ? 1 : direction === 'falling' ? -1 : (state?.sign ?? 0)
    this.#first = [...(state?.first ?? [])]
    this.#rows = state?.rows ?? 0
    this.#base = state?.base ?? 0
    this.#origin = state?.origin ?? 0
    this.#fallen = state?.fallen ?? 0
    this.#damage = state?.damage ?? 0
    this.#trends = new TrendFits(state?.trends)
    this.#roughness = new Roughness(state?.roughness)
    this.#indicator = new HealthIndicator(state?.indicator)
    this.#clock = new LifeClock(state?.clock)
    if (this.#rows > 0) this.#choose()
  }

  /** Takes a value at its source time, epoch ms. What cannot be used is passed over and changes nothing. */
  update(time: number, value: number): Outcome {
    const outcome = this.#clock.update(time, value)
    if (outcome !== 'taken') return outcome
    if (this.#first.length < FIRST) this.#begin(value)
    else this.#take(value)
    return outcome
  }

  /** Nothing as long as there is no trend towards the threshold. */
  estimate(): Estimate | undefined {
    const spacing = this.#clock.spacing
    if (this.#memory === 0 || spacing <= 0) return undefined
    const target = this.#sign * this.#threshold - this.#origin
    if (this.#level >= target) return { median: 0, lower: 0, upper: 0, trend: 'reached', rows: { median: 0, lower: 0, upper: 0 } }
    if (!this.#stands || this.#rows < LEAST_ROWS) return undefined
    if (this.#level - this.#base < SHOWN_SHARE * (target - this.#base)) return undefined
    const median = this.#quantile(0.5, target)
    if (median > FARTHEST * this.#rows) return undefined
    const lower = this.#quantile((1 - CONFIDENCE) / 2, target)
    const upper = this.#quantile((1 + CONFIDENCE) / 2, target)
    const trend = this.#power > BENT ? 'exponential' : 'linear'
    return { median: median * spacing, lower: lower * spacing, upper: upper * spacing, trend, rows: { median, lower, upper } }
  }

  /** The smoothed indicator, in the signal's unit. */
  get smooth(): number {
    return this.#first.length < FIRST && this.#first.length > 0 ? mean(this.#first) : this.#sign * (this.#indicator.smooth + this.#origin)
  }

  /** Where the line in use stands now and how it goes on, in the signal's unit and its unit a ms of running time; nothing before there is one. */
  get line(): { readonly level: number; readonly slope: number } | undefined {
    if (this.#memory === 0 || this.#clock.spacing <= 0) return undefined
    return { level: this.#sign * (this.#level + this.#origin), slope: (this.#sign * this.#slope) / this.#clock.spacing }
  }

  /** Source time of the newest value. */
  get time(): number {
    return this.#clock.time
  }

  get state(): PrognoserState {
    return {
      threshold: this.#threshold,
      sign: this.#sign,
      first: [...this.#first],
      rows: this.#rows,
      base: this.#base,
      origin: this.#origin,
      fallen: this.#fallen,
      damage: this.#damage,
      trends: this.#trends.state,
      roughness: this.#roughness.state,
      indicator: this.#indicator.state,
      clock: this.#clock.state,
    }
  }

  /** Forgets everything but the clock and the direction: after a repair, and on command. */
  renew(): void {
    this.#first = []
    this.#rows = 0
    this.#fallen = 0
    this.#damage = 0
    this.#memory = 0
    this.#trends = new TrendFits()
    this.#roughness = new Roughness()
    this.#indicator = new HealthIndicator()
  }

  #begin(value: number): void {
    this.#first.push(value)
    if (this.#first.length < FIRST) return
    const middle = median(this.#first)
    if (this.#sign === 0) this.#sign = middle <= this.#threshold ? 1 : -1
    this.#origin = this.#sign * middle
    this.#base = 0
    for (const early of this.#first) this.#learn(this.#clock.spacing, early)
  }

  #take(value: number): void {
    if (this.#isRepaired(value)) {
      this.renew()
      this.#begin(value)
      return
    }
    this.#learn(this.#clock.elapsed, value)
  }

  #learn(elapsed: number, value: number): void {
    const cleaned = this.#indicator.update(this.#sign * value - this.#origin)
    const rows = this.#clock.spacing > 0 ? elapsed / this.#clock.spacing : 1
    this.#rows++
    this.#trends.update(rows, cleaned)
    this.#roughness.update(cleaned)
    this.#choose()
  }

  /** Of the memories that agree, the longest. */
  #choose(): void {
    this.#memory = 0
    this.#lowLevel = Number.NEGATIVE_INFINITY
    this.#highLevel = Number.POSITIVE_INFINITY
    let lowest = Number.NEGATIVE_INFINITY
    let highest = Number.POSITIVE_INFINITY
    for (let k = 0; k < MEMORIES.length; k++) {
      const memory = MEMORIES[k] as number
      if (this.#rows < FILLED * memory) break
      const noise = this.#roughness.noise(memory)
      const wander = this.#roughness.wander(memory)
      if (!this.#fit(k, memory, noise, wander, lowest, highest)) {
        this.#stands ||= this.#slope > 0 && this.#standsOver(k)
        break
      }
      lowest = Math.max(lowest, this.#slope - this.#deviation)
      highest = Math.min(highest, this.#slope + this.#deviation)
      // healthy is the lowest that a steady level ever was
      if (this.#rows >= 4 * memory && memory >= 20) this.#base = Math.min(this.#base, this.#trends.mean(k))
    }
  }

  /**
   * The trend of one memory; false, and the trend in use stays, when its slope does not agree with those before. Variances are those of the estimates under exponential weights, for white
   * noise and for a level that wanders (integrals over Laguerre polynomials); the bend's prior is taken in as an observation is.
   */
  #fit(k: number, m: number, noise: number, wander: number, lowest: number, highest: number): boolean {
    this.#trends.line(k)
    const straight = this.#trends.slope
    const straightDeviation = Math.sqrt((0.25 * noise) / m ** 3 + (0.25 * wander) / m)
    const rise = Math.max(straight, 0)
    const excess = Math.max(this.#trends.level - this.#base, rise * m, 1e-300)
    const exponential = (rise * rise) / excess
    this.#trends.parabola(k)
    const { level, slope, bend } = this.#trends
    const bendVariance = (0.1875 * noise) / m ** 5 + (0.0625 * wander) / m ** 3
    const slopeBend = ((0.5625 * noise) / m ** 4 + (0.1875 * wander) / m ** 2) / (bendVariance || 1)
    const levelBend = (0.5 * noise) / m ** 3 / (bendVariance || 1)
    const doubt = bendVariance + (BEND_DOUBT * exponential) ** 2 || 1
    let sum = 0
    for (let law = 0; law < POWERS.length; law++) {
      const off = (POWERS[law] as number) * exponential - bend
      sum += this.#tried[law] = (PRIOR[law] as number) * Math.exp((-off * off) / (2 * doubt)) + 1e-9
    }
    // the slope as each law would have it, and as all together have it
    let middle = 0
    let between = 0
    for (let law = 0; law < POWERS.length; law++) {
      const own = slope + slopeBend * ((POWERS[law] as number) * exponential - bend)
      const weight = (this.#tried[law] as number) / sum
      middle += weight * own
      between += weight * own * own
    }
    const certain = Math.max(0, (1.75 * noise) / m ** 3 + (0.75 * wander) / m - slopeBend * slopeBend * bendVariance)
    const deviation = AGREES * Math.sqrt(certain + Math.max(0, between - middle * middle))
    if (Math.max(lowest, middle - deviation) > Math.min(highest, middle + deviation)) return false
    const levelDeviation = AGREES * Math.sqrt((2.0625 * noise) / m + 0.1875 * wander * m)
    if (Math.max(this.#lowLevel, level - levelDeviation) > Math.min(this.#highLevel, level + levelDeviation)) return false
    this.#lowLevel = Math.max(this.#lowLevel, level - levelDeviation)
    this.#highLevel = Math.min(this.#highLevel, level + levelDeviation)
    this.#memory = m
    this.#noise = noise
    this.#wander = wander
    this.#slope = middle
    this.#deviation = deviation
    this.#excess = excess
    this.#slopeVariance = certain
    this.#levelVariance = Math.max(0, (2.0625 * noise) / m + 0.1875 * wander * m - levelBend * levelBend * bendVariance)
    this.#level = 0
    this.#power = 0
    for (let law = 0; law < POWERS.length; law++) {
      const off = (POWERS[law] as number) * exponential - bend
      const weight = (this.#tried[law] as number) / sum
      this.#weights[law] = weight
      this.#levels[law] = level + levelBend * off
      this.#slopes[law] = Math.max(slope + slopeBend * off, 0.1 * straight)
      this.#level += weight * (this.#levels[law] as number)
      this.#power += weight * (POWERS[law] as number)
    }
    this.#stands = straight > SIGNIFICANT * straightDeviation && middle > 0
    return true
  }

  /** Whether the slope stands out over one of the next memories: the one in use may be too short to tell. */
  #standsOver(k: number): boolean {
    for (let longer = k; longer < Math.min(MEMORIES.length, k + NEXT); longer++) {
      const m = MEMORIES[longer] as number
      if (this.#rows < FILLED * m) return false
      this.#trends.line(longer)
      const deviation = Math.sqrt((0.25 * this.#roughness.noise(m)) / m ** 3 + (0.25 * this.#roughness.wander(m)) / m)
      if (this.#trends.slope > SIGNIFICANT * deviation) return true
    }
    return false
  }

  /** Probability that the threshold is reached within so many values. */
  #reached(ahead: number, target: number): number {
    let probability = 0
    for (let law = 0; law < POWERS.length; law++) {
      const weight = this.#weights[law] as number
      if (weight > 1e-4) probability += weight * this.#passed(law, ahead, target)
    }
    return probability
  }

  /** The same for one law. */
  #passed(law: number, ahead: number, target: number): number {
    const slope = this.#slopes[law] as number
    const rise = grown(POWERS[law] as number, (slope * ahead) / this.#excess) * this.#excess
    const stretched = rise / slope
    const variance = this.#levelVariance + this.#slopeVariance * stretched * stretched + this.#wander * Math.max(ahead, stretched) + (UNSTEADY * rise) ** 2
    return standardNormal(((this.#levels[law] as number) + rise - target) / Math.sqrt(variance))
  }

  #quantile(probability: number, target: number): number {
    let low = 0
    let high = Math.max(1, this.#memory)
    const farthest = FARTHEST * FARTHEST * this.#rows
    while (high < farthest && this.#reached(high, target) < probability) {
      low = high
      high *= 2
    }
    for (let n = 0; n < 24; n++) {
      const middle = (low + high) / 2
      if (this.#reached(middle, target) < probability) low = middle
      else high = middle
    }
    return (low + high) / 2
  }

  /** The signal came back to healthy at once, and stays there. */
  #isRepaired(value: number): boolean {
    // the line falls with the values: what it was before they fell is what counts
    if (this.#fallen === 0) {
      const risen = this.#level - this.#base
      const span = this.#sign * this.#threshold - this.#origin - this.#base
      this.#damage = this.#memory > 0 && risen > DAMAGED_SHARE * span && risen > 4 * Math.sqrt(this.#noise) ? risen : 0
    }
    const isBack = this.#damage > 0 && this.#sign * value - this.#origin < this.#base + FALLEN_SHARE * this.#damage
    this.#fallen = isBack ? this.#fallen + 1 : 0
    return this.#fallen >= FALLEN_ROWS
  }
}

/** Damage after so much time at the present pace, as a share of the damage now, when its pace goes with this power of it. */
function grown(power: number, time: number): number {
  if (power === 0) return time
  if (power === 1) return Math.expm1(Math.min(time, 50))
  const inner = 1 + (1 - power) * time
  return inner <= 0 ? 1e20 : Math.min(inner ** (1 / (1 - power)) - 1, 1e20)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
}
