import type { Evidence } from '../messages/anomaly.ts'

/** How many false alarms people put up with. */
export interface BudgetShare {
  /** Alarms a week that one signal may raise while nothing is wrong. */
  readonly perWeek: number
  /** How much larger than the method's own the threshold may be; absent: 4. */
  readonly most?: number
}

export interface BudgetState {
  readonly counts: readonly number[]
  readonly hours: number
  readonly factor: number
  /** the block under way: judged time, ms, and the largest confirmed deviation in it */
  readonly blockMs: number
  readonly blockMax: number
  readonly time: number
  readonly interval: number
  /** the last deviations, as many as an alarm needs in a row */
  readonly last: readonly number[]
  readonly alarms: readonly CountedAlarm[]
}

interface CountedAlarm {
  readonly id: string
  /** where it is counted, -1: nowhere */
  bin: number
  /** largest confirmed deviation while it stood */
  worst: number
}

const HOUR_MS = 3_600_000
const HOURS_A_WEEK = 168
/** Deviations are counted in parts of an octave, from this one on. */
const PARTS = 16
const LOWEST = 1 / 16
const BINS = 7 * PARTS
/** Its bounds, and where it stands until enough was seen. */
const LEAST = 0.7
const MOST = 4
const START = 2
/** This share of what people put up with is spent: a tail is not known exactly, and alarms come in bursts. */
const SPENT = 0.6
/** Judged hours, and blocks, before the threshold is set by them. */
const ENOUGH_HOURS = 24
const ENOUGH_BLOCKS = 20
/** The tail is fitted to this share of the blocks, and to so many at least and at most. */
const TAIL_SHARE = 0.1
const TAIL_LEAST = 10
const TAIL_MOST = 60
/** No heavier tail than this is believed, nor a lighter one (shape of the generalised Pareto distribution; below 0 it ends somewhere). */
const SHAPE_MOST = 0.5
const SHAPE_LEAST = -0.2
/** Blocks that it looks back on: twelve weeks that are judged throughout. */
const MEMORY = 12 * HOURS_A_WEEK
/** A pause of so many usual intervals is a gap: nobody looked. */
const GAP = 10
/** Alarms that a person may still refuse or confirm. */
const ALARMS_KEPT = 8

/**
 * Sets a signal's threshold from what its own deviations do while nothing is wrong. Of each judged hour the largest deviation that lasted long enough to be an
 * alarm is counted; the highest of these are fitted with a generalised Pareto tail (Pickands 1975; by moments, with a margin for few of them), and the
 * threshold is where that tail leaves so many alarms a week. An alarm counts as one that reached its threshold and no more, until a person confirms it; how far
 * it went is learned only when a person refuses it.
 */
export class FalseAlarmBudget {
  readonly #share: BudgetShare
  readonly #counts: Float64Array
  readonly #last: Float64Array
  readonly #alarms: CountedAlarm[]
  #hours: number
  #factor: number
  #blockMs: number
  #blockMax: number
  #time: number
  #interval: number

  /** `confirm`: values in a row that an alarm needs. `share` is read each time the threshold is set. */
  constructor(share: BudgetShare, confirm: number, state?: Partial<BudgetState>) {
    this.#share = share
    this.#counts = new Float64Array(BINS)
    this.#counts.set(listOf(state?.counts).slice(0, BINS))
    this.#hours = state?.hours ?? 0
    this.#factor = state?.factor ?? START
    this.#blockMs = state?.blockMs ?? 0
    this.#blockMax = state?.blockMax ?? 0
    this.#time = state?.time ?? 0
    this.#interval = state?.interval ?? 0
    this.#last = new Float64Array(Math.max(1, confirm))
    this.#last.set(listOf(state?.last).slice(0, this.#last.length))
    this.#alarms = (state?.alarms ?? []).map((alarm) => ({ ...alarm }))
  }

  /** What the method's own threshold is multiplied by. */
  get factor(): number {
    return this.#factor
  }

  /** A deviation while nothing is known to be wrong. `time`: source time, ms. */
  learn(time: number, deviation: number): void {
    const passed = this.#passed(time)
    const lasting = this.#lasting(deviation)
    if (lasting > this.#blockMax) this.#blockMax = lasting
    this.#blockMs += passed
    if (this.#blockMs < HOUR_MS) return
    this.#counts[binOf(this.#blockMax)] = (this.#counts[binOf(this.#blockMax)] as number) + 1
    this.#hours += this.#blockMs / HOUR_MS
    this.#blockMs = 0
    this.#blockMax = 0
    if (this.#hours > MEMORY) this.#halve()
    this.#set()
  }

  /** A deviation that is not to be learned: an alarm stands. */
  pass(time: number, deviation: number): void {
    this.#passed(time)
    const lasting = this.#lasting(deviation)
    const standing = this.#alarms.at(-1)
    if (standing !== undefined && lasting > standing.worst) standing.worst = lasting
  }

  /** An alarm was raised at the threshold that it set; the block that led to it is not counted otherwise. */
  raised(id: string): void {
    const bin = binOf(this.#factor)
    this.#counts[bin] = (this.#counts[bin] as number) + 1
    this.#hours += this.#blockMs / HOUR_MS
    this.#alarms.push({ id, bin, worst: Math.min(...this.#last) })
    if (this.#alarms.length > ALARMS_KEPT) this.#alarms.shift()
    this.#blockMs = 0
    this.#blockMax = 0
    this.#set()
  }

  /** A person said that an alarm was one: it says nothing of what is usual. False: it is not known here. */
  confirmed(id: string): boolean {
    return this.#move(id, () => -1)
  }

  /** A person said that an alarm was none: how far it went is usual. False: it is not known here. */
  refused(id: string): boolean {
    return this.#move(id, ({ worst }) => binOf(worst))
  }

  evidence(): Evidence {
    const text = `threshold ${this.#factor.toFixed(2)} times that of the method, for ${round(this.#share.perWeek)} false alarms a week from this signal, by ${Math.round(this.#hours)} hours of it`
    return { source: 'budget', value: this.#factor, text }
  }

  get state(): BudgetState {
    let length = BINS
    while (length > 0 && this.#counts[length - 1] === 0) length--
    return {
      counts: [...this.#counts.subarray(0, length)],
      hours: this.#hours,
      factor: this.#factor,
      blockMs: this.#blockMs,
      blockMax: this.#blockMax,
      time: this.#time,
      interval: this.#interval,
      last: [...this.#last],
      alarms: this.#alarms.map((alarm) => ({ ...alarm })),
    }
  }

  /** Judged time since the value before, ms: none over a gap, nor when a clock goes back. */
  #passed(time: number): number {
    const passed = this.#time === 0 ? 0 : time - this.#time
    this.#time = time
    if (!(passed > 0)) return 0
    if (this.#interval === 0) {
      this.#interval = passed
      return passed
    }
    const isGap = passed > GAP * this.#interval
    this.#interval += (Math.min(passed, GAP * this.#interval) - this.#interval) / 50
    return isGap ? 0 : passed
  }

  /** The largest deviation that lasted for as many values as an alarm needs. */
  #lasting(deviation: number): number {
    const last = this.#last
    last.copyWithin(0, 1)
    last[last.length - 1] = deviation
    let least = deviation
    for (let at = 0; at < last.length; at++) least = Math.min(least, last[at] as number)
    return least
  }

  #move(id: string, to: (alarm: CountedAlarm) => number): boolean {
    const alarm = this.#alarms.find((other) => other.id === id)
    if (alarm === undefined) return false
    if (alarm.bin >= 0) this.#counts[alarm.bin] = Math.max(0, (this.#counts[alarm.bin] as number) - 1)
    alarm.bin = to(alarm)
    if (alarm.bin >= 0) this.#counts[alarm.bin] = (this.#counts[alarm.bin] as number) + 1
    this.#set()
    return true
  }

  #halve(): void {
    for (let bin = 0; bin < BINS; bin++) this.#counts[bin] = (this.#counts[bin] as number) / 2
    this.#hours /= 2
  }

  /** Sets the threshold where the fitted tail leaves as many alarms as there may be. */
  #set(): void {
    const most = this.#share.most ?? MOST
    let blocks = 0
    for (let bin = 0; bin < BINS; bin++) blocks += this.#counts[bin] as number
    if (this.#hours < ENOUGH_HOURS || blocks < ENOUGH_BLOCKS) {
      // alarms so soon: what is usual is not known yet, but surely more than that
      this.#factor = Math.min(most, START * (1 + 0.25 * this.#alarms.filter(({ bin }) => bin >= 0).length))
      return
    }
    const wanted = Math.max(TAIL_LEAST, Math.min(TAIL_MOST, TAIL_SHARE * blocks))
    let from = BINS
    let tail = 0
    while (from > 0 && tail < wanted) tail += this.#counts[--from] as number
    const base = edgeOf(from)
    let sum = 0
    let squares = 0
    for (let bin = from; bin < BINS; bin++) {
      const excess = edgeOf(bin + 0.5) - base
      sum += (this.#counts[bin] as number) * excess
      squares += (this.#counts[bin] as number) * excess * excess
    }
    const mean = sum / tail
    const ratio = squares / tail / (mean * mean)
    // moments of the generalised Pareto distribution; few values show less of a heavy tail than there is
    const variation = Math.max(1e-6, ratio - 1)
    const shape = Math.max(SHAPE_LEAST, Math.min(SHAPE_MOST, (1 - 1 / variation) / 2)) + 1 / Math.sqrt(tail)
    const scale = mean * (1 + 1 / Math.sqrt(tail)) * (1 - Math.min(shape, SHAPE_MOST))
    const times = (tail / this.#hours) * (HOURS_A_WEEK / Math.max(1e-9, SPENT * this.#share.perWeek))
    const beyond = times <= 1 ? 0 : Math.abs(shape) < 1e-6 ? scale * Math.log(times) : (scale / shape) * (times ** shape - 1)
    this.#factor = Math.max(LEAST, Math.min(most, base + beyond))
  }
}

function binOf(deviation: number): number {
  return deviation <= LOWEST ? 0 : Math.min(BINS - 1, Math.floor(PARTS * Math.log2(deviation / LOWEST)))
}

function edgeOf(bin: number): number {
  return LOWEST * 2 ** (bin / PARTS)
}

function listOf(values: readonly number[] | undefined): number[] {
  return Array.isArray(values) ? values.map((value) => (Number.isFinite(value) ? value : 0)) : []
}

function round(value: number): string {
  return value >= 1 ? value.toFixed(1) : value.toPrecision(1)
}
