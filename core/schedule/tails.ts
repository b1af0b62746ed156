import type { Random } from '../base/random.ts'
import { ACTIVE_LIMIT, type Targets } from './targets.ts'
import type { Timetable } from './timetable.ts'

/** The tail of an operation that a target does not wait for. */
export const NEVER = -1e15

/**
 * The longest ways from operations to what a schedule is paid for: with the starts as they are (the heads), what a move does can be estimated from them without
 * making it. Where units close they leave closed time out.
 */
export class Tails {
  /** By operation: a set-up that may be done ahead of the start, and how long the rest takes. */
  readonly gap: Float64Array
  readonly length: Float64Array
  /** The length without any set-up. */
  readonly duration: Float64Array
  /** The longest way from an operation's start to any end. */
  readonly reach: Float64Array
  /** The longest way from an operation's end to each active target, and over followers alone; `operation × active`, `NEVER` where there is none. */
  readonly ways: Float64Array
  readonly jobWays: Float64Array
  /** When each active target is reached. */
  readonly reached = new Float64Array(ACTIVE_LIMIT)
  /** Of operations that `visit` was asked about in this iteration: when everything before them in their order has ended. */
  readonly ready: Float64Array
  /** Of the same: a bit for each active target whose critical way leads through the operation. */
  readonly critical: Int32Array
  readonly #due = new Float64Array(ACTIVE_LIMIT)
  readonly #price = new Float64Array(ACTIVE_LIMIT)
  readonly #table: Timetable
  readonly #targets: Targets
  readonly #random: Random
  /** No closed time anywhere, and nothing else to wait for that no tail shows: resources, transfer lots. */
  readonly isOpen: boolean
  /** Ways of no length: 0 where an operation ends a target, else `NEVER`; of the active targets that were found last. */
  readonly #ends: Float64Array
  readonly #foundFor = new Int32Array(ACTIVE_LIMIT).fill(-1)
  #found = -1

  constructor(table: Timetable, targets: Targets, random: Random) {
    const { count, timeline, coupled } = table.model
    this.#table = table
    this.#targets = targets
    this.#random = random
    this.isOpen = timeline.alwaysOpen && !coupled
    this.ready = new Float64Array(count)
    this.critical = new Int32Array(count)
    this.gap = new Float64Array(count)
    this.length = new Float64Array(count)
    this.duration = new Float64Array(count)
    this.reach = new Float64Array(count)
    this.ways = new Float64Array(count * ACTIVE_LIMIT)
    this.jobWays = new Float64Array(count * ACTIVE_LIMIT)
    this.#ends = new Float64Array(count * ACTIVE_LIMIT)
  }

  /** Chooses the targets to look at, and finds the ways to them as the table stands: anew only where something changed. */
  find(): void {
    const table = this.#table
    const { model } = table
    const targets = this.#targets
    targets.choose()
    const active = targets.activeCount
    let isKnown = active === this.#found
    for (let at = 0; at < active; at++) {
      const target = targets.active[at] as number
      this.reached[at] = targets.reached(target)
      if (this.#foundFor[at] === target) continue
      isKnown = false
      this.#foundFor[at] = target
      this.#due[at] = targets.due[target] as number
      this.#price[at] = targets.price[target] as number
    }
    if (!isKnown) this.#begin(active)
    const ahead = !model.attached && model.anticipatory
    const from = isKnown ? table.changedTo : model.count - 1
    table.changedTo = -1
    if (active === 1) this.#findOne(from, ahead)
    else this.#findMany(from, active, ahead)
    if (!this.isOpen) this.#markCritical(active)
  }

  #begin(active: number): void {
    const targets = this.#targets
    this.#found = active
    this.#ends.fill(NEVER, 0, this.#table.model.count * active)
    for (let at = 0; at < active; at++)
      for (const operation of targets.reachedBy[targets.active[at] as number] as Int32Array) this.#ends[operation * active + at] = 0
  }

  /** What an active target costs when the longest way to it through what a move touches becomes `longest`, and was `old`. `critical`: the bits of what it touches. */
  cost(k: number, longest: number, old: number, critical: number): number {
    const reached = this.reached[k] as number
    let then = longest
    // where closed time lies on the way, the difference says more than the sum
    if ((critical & (1 << k)) === 0) then = longest > reached ? longest : reached
    else if (!this.isOpen) then = reached + longest - old
    const late = then - (this.#due[k] as number)
    return late > 0 ? late * (this.#price[k] as number) : 0
  }

  /** The operation that reaches an active target last; a random one of several. */
  lastOf(k: number): number {
    const { end } = this.#table
    const reached = this.reached[k] as number
    let last = -1
    let equals = 0
    for (const operation of this.#targets.reachedBy[this.#targets.active[k] as number] as Int32Array) {
      if ((end[operation] as number) >= reached && this.#random() * ++equals < 1) last = operation
    }
    return last
  }

  /** Finds when everything before an operation in its order has ended, and which targets it is critical for. Returns the former. */
  visit(operation: number): number {
    const { model, end } = this.#table
    const { before, beforeFirst } = model
    let ready = model.release[operation] as number
    for (let at = beforeFirst[operation] as number, limit = beforeFirst[operation + 1] as number; at < limit; at++) {
      const other = end[before[at] as number] as number
      if (other > ready) ready = other
    }
    this.ready[operation] = ready
    if (!this.isOpen) return ready
    const { ways, reached } = this
    const active = this.#found
    const own = (end[operation] as number) + 1e-6
    let bits = 0
    for (let k = 0, at = operation * active; k < active; k++, at++) if (own + (ways[at] as number) >= (reached[k] as number)) bits |= 1 << k
    this.critical[operation] = bits
    return ready
  }

  /** Closed time, resources and transfer lots are in no tail: the way that decided is the critical one. */
  #markCritical(active: number): void {
    const { binding } = this.#table
    const { critical } = this
    critical.fill(0)
    for (let k = 0; k < active; k++) {
      for (let operation = this.lastOf(k); operation >= 0; operation = binding[operation] as number)
        critical[operation] = (critical[operation] as number) | (1 << k)
    }
  }

  #findOne(from: number, ahead: boolean): void {
    const { order, setup, alternative, next, model } = this.#table
    const { after, afterFirst, alternativeDuration } = model
    const { gap, length, duration, reach, ways, jobWays } = this
    const ends = this.#ends
    for (let rank = from; rank >= 0; rank--) {
      const operation = order[rank] as number
      const own = setup[operation] as number
      const works = alternativeDuration[alternative[operation] as number] as number
      const long = ahead ? works : works + own
      gap[operation] = ahead ? own : 0
      duration[operation] = works
      length[operation] = long
      let longest = 0
      let way = ends[operation] as number
      for (let at = afterFirst[operation] as number, limit = afterFirst[operation + 1] as number; at < limit; at++) {
        const follower = after[at] as number
        const through = reach[follower] as number
        if (through > longest) longest = through
        const over = (length[follower] as number) + (ways[follower] as number)
        if (over > way) way = over
      }
      jobWays[operation] = way
      const behind = next[operation] as number
      if (behind >= 0) {
        const before = gap[behind] as number
        const through = before + (reach[behind] as number)
        if (through > longest) longest = through
        const over = before + (length[behind] as number) + (ways[behind] as number)
        if (over > way) way = over
      }
      ways[operation] = way
      reach[operation] = long + longest
    }
  }

  #findMany(from: number, active: number, ahead: boolean): void {
    const { order, setup, alternative, next, model } = this.#table
    const { after, afterFirst, alternativeDuration } = model
    const { gap, length, duration, reach, ways, jobWays } = this
    const ends = this.#ends
    for (let rank = from; rank >= 0; rank--) {
      const operation = order[rank] as number
      const own = setup[operation] as number
      const works = alternativeDuration[alternative[operation] as number] as number
      const long = ahead ? works : works + own
      gap[operation] = ahead ? own : 0
      duration[operation] = works
      length[operation] = long
      const base = operation * active
      for (let k = base, end = base + active; k < end; k++) jobWays[k] = ends[k] as number
      let longest = 0
      for (let at = afterFirst[operation] as number, limit = afterFirst[operation + 1] as number; at < limit; at++) {
        const follower = after[at] as number
        const takes = length[follower] as number
        const through = reach[follower] as number
        if (through > longest) longest = through
        for (let k = base, other = follower * active, end = base + active; k < end; k++, other++) {
          const way = takes + (ways[other] as number)
          if (way > (jobWays[k] as number)) jobWays[k] = way
        }
      }
      const behind = next[operation] as number
      if (behind >= 0) {
        const before = gap[behind] as number
        const takes = before + (length[behind] as number)
        const through = before + (reach[behind] as number)
        if (through > longest) longest = through
        for (let k = base, other = behind * active, end = base + active; k < end; k++, other++) {
          const way = takes + (ways[other] as number)
          const alone = jobWays[k] as number
          ways[k] = way > alone ? way : alone
        }
      } else for (let k = base, end = base + active; k < end; k++) ways[k] = jobWays[k] as number
      reach[operation] = long + longest
    }
  }
}
