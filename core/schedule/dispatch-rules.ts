import type { Random } from '../base/random.ts'
import type { Model } from './model.ts'
import type { Schedule } from './problem.ts'

/**
 * Schedules built in one pass, the way a foreman would: again and again, the next operation goes to a unit by a rule.
 * They are always feasible; the search starts from the best of them. (Giffler & Thompson 1960, with alternatives by earliest completion.)
 */
export const DISPATCH_RULES = ['first-come', 'due', 'slack', 'tardiness-cost', 'most-work', 'shortest', 'least-setup'] as const
export type DispatchRule = (typeof DISPATCH_RULES)[number]

/** A schedule as a `Timetable` can load it, and its times. */
export interface Built {
  /** Operations, none before its predecessors, each unit's in the order it does them. */
  readonly sequence: Int32Array
  readonly alternative: Int32Array
  readonly start: Float64Array
  readonly end: Float64Array
  readonly setup: Float64Array
}

/** Index of an operation at the moment when it could start; the lowest goes first. */
type Index = (operation: number, start: number, setup: number, duration: number) => number

/** By one rule; `random` shakes the choice a little (`noise` 0 to 1) so that repeated builds differ. */
export function buildByRule(model: Model, rule: DispatchRule, random?: Random, noise = 0): Built {
  const index = indexOf(model, rule)
  const shaken: Index = random === undefined || noise === 0 ? index : (...args) => index(...args) * (1 + noise * (random() - 0.5))
  return new Builder(model, shaken, false).build()
}

/**
 * The plan in force, shifted right as far as facts demand and no further: same units, same order, no operation earlier than planned. Operations
 * that it does not know come after it, by due time. `hold: false` lets everything move left again, a start for the search.
 */
export function buildFromBaseline(model: Model, hold: boolean): Built {
  const byDue = indexOf(model, 'due')
  const horizon = Math.max(model.now, ...model.baselineStart) + 1
  const index: Index = (operation, ...rest) =>
    (model.baselineUnit[operation] as number) >= 0 ? (model.baselineStart[operation] as number) : horizon + Math.max(0, byDue(operation, ...rest))
  return new Builder(model, index, true, hold).build()
}

/** What it costs to change nothing: the plan in force, shifted right. */
export function rightShift(model: Model): Schedule {
  const built = buildFromBaseline(model, true)
  return toSchedule(model, built, 1)
}

export function toSchedule(model: Model, built: Built, evaluations: number): Schedule {
  return model.toSchedule(
    {
      unit: (at) => model.alternativeUnit[built.alternative[at] as number] as number,
      start: (at) => built.start[at] as number,
      end: (at) => built.end[at] as number,
      setup: (at) => built.setup[at] as number,
    },
    evaluations,
  )
}

function indexOf(model: Model, rule: DispatchRule): Index {
  const { remaining, meanDuration } = workLeft(model)
  const dueOf = (operation: number): number => {
    const due = Math.min(model.due[model.orderOf[operation] as number] as number, model.startBy[operation] as number)
    return due === Number.POSITIVE_INFINITY ? model.now + 1e12 : due
  }
  const weightOf = (operation: number): number => Math.max(1e-6, model.weight[model.orderOf[operation] as number] as number)
  switch (rule) {
    case 'first-come':
      return (operation) => model.release[operation] as number
    case 'due':
      return (operation) => dueOf(operation)
    case 'slack':
      return (operation, start) => dueOf(operation) - start - (remaining[operation] as number)
    case 'tardiness-cost':
      // apparent tardiness cost (Vepsalainen & Morton 1987), look-ahead of two mean durations
      return (operation, start, setup, duration) => {
        const slack = Math.max(0, dueOf(operation) - start - (remaining[operation] as number))
        return -(weightOf(operation) / Math.max(1, setup + duration)) * Math.exp(-slack / (2 * meanDuration)) - 1e-12 / (1 + slack)
      }
    case 'most-work':
      return (operation) => -(remaining[operation] as number)
    case 'shortest':
      return (_operation, _start, setup, duration) => setup + duration
    case 'least-setup':
      return (operation, _start, setup) => setup * 1e3 - (remaining[operation] as number) * 1e-3
  }
}

/** Work from an operation to the end of its longest chain of followers, at mean durations. */
function workLeft(model: Model): { readonly remaining: Float64Array; readonly meanDuration: number } {
  const remaining = new Float64Array(model.count)
  const duration = new Float64Array(model.count)
  let total = 0
  for (let operation = 0; operation < model.count; operation++) {
    const from = model.alternativeFirst[operation] as number
    const to = model.alternativeFirst[operation + 1] as number
    for (let at = from; at < to; at++) duration[operation] = (duration[operation] as number) + (model.alternativeDuration[at] as number) / (to - from)
    total += duration[operation] as number
  }
  const waiting = new Int32Array(model.count)
  const ready: number[] = []
  for (let operation = 0; operation < model.count; operation++) {
    waiting[operation] = (model.afterFirst[operation + 1] as number) - (model.afterFirst[operation] as number)
    if (waiting[operation] === 0) ready.push(operation)
  }
  for (let at = 0; at < ready.length; at++) {
    const operation = ready[at] as number
    remaining[operation] = (remaining[operation] as number) + (duration[operation] as number)
    for (let k = model.beforeFirst[operation] as number; k < (model.beforeFirst[operation + 1] as number); k++) {
      const before = model.before[k] as number
      remaining[before] = Math.max(remaining[before] as number, remaining[operation] as number)
      waiting[before] = (waiting[before] as number) - 1
      if (waiting[before] === 0) ready.push(before)
    }
  }
  return { remaining, meanDuration: Math.max(1, total / Math.max(1, model.count)) }
}

class Builder {
  readonly #model: Model
  readonly #index: Index
  readonly #keepUnit: boolean
  readonly #hold: boolean
  readonly #built: Built
  readonly #free: Float64Array
  readonly #lastOn: Int32Array
  readonly #headsLeft: Int32Array
  readonly #waiting: Int32Array
  readonly #eligible: number[] = []
  // the best place of each eligible operation, recomputed when a unit that it could go to has changed
  readonly #best: Int32Array
  readonly #bestStart: Float64Array
  readonly #bestEnd: Float64Array
  readonly #bestSetup: Float64Array

  constructor(model: Model, index: Index, keepUnit: boolean, hold = false) {
    const n = model.count
    this.#model = model
    this.#index = index
    this.#keepUnit = keepUnit
    this.#hold = hold
    this.#built = {
      sequence: new Int32Array(n),
      alternative: new Int32Array(n),
      start: new Float64Array(n),
      end: new Float64Array(n),
      setup: new Float64Array(n),
    }
    this.#free = model.unitFree.slice()
    this.#lastOn = new Int32Array(model.units).fill(-1)
    this.#headsLeft = Int32Array.from(model.heads, (heads) => heads.length)
    this.#waiting = new Int32Array(n)
    this.#best = new Int32Array(n).fill(-1)
    this.#bestStart = new Float64Array(n)
    this.#bestEnd = new Float64Array(n)
    this.#bestSetup = new Float64Array(n)
  }

  build(): Built {
    const { count, beforeFirst } = this.#model
    for (let operation = 0; operation < count; operation++) {
      this.#waiting[operation] = (beforeFirst[operation + 1] as number) - (beforeFirst[operation] as number)
      if (this.#waiting[operation] === 0) this.#makeEligible(operation)
    }
    for (let placed = 0; placed < count; placed++) this.#placeNext(placed)
    return this.#built
  }

  #makeEligible(operation: number): void {
    this.#eligible.push(operation)
    this.#findBest(operation)
  }

  #placeNext(placed: number): void {
    const chosen = this.#keepUnit ? this.#lowest(Number.POSITIVE_INFINITY, -1) : this.#fromConflict()
    const operation = this.#eligible[chosen] as number
    const { afterFirst, after, alternativeFirst, alternativeUnit, heads } = this.#model
    const built = this.#built
    const alternative = this.#best[operation] as number
    const unit = alternativeUnit[alternative] as number
    built.sequence[placed] = operation
    built.alternative[operation] = alternative
    built.start[operation] = this.#bestStart[operation] as number
    built.end[operation] = this.#bestEnd[operation] as number
    built.setup[operation] = this.#bestSetup[operation] as number
    this.#free[unit] = this.#bestEnd[operation] as number
    this.#lastOn[unit] = operation
    const headPlaced = (this.#headsLeft[unit] as number) > 0 && (heads[unit] as readonly number[]).includes(operation)
    if (headPlaced) this.#headsLeft[unit] = (this.#headsLeft[unit] as number) - 1
    this.#eligible[chosen] = this.#eligible.at(-1) as number
    this.#eligible.pop()
    for (const other of this.#eligible) {
      for (let at = alternativeFirst[other] as number; at < (alternativeFirst[other + 1] as number); at++) {
        if (alternativeUnit[at] !== unit) continue
        this.#findBest(other)
        break
      }
    }
    for (let at = afterFirst[operation] as number; at < (afterFirst[operation + 1] as number); at++) {
      const follower = after[at] as number
      this.#waiting[follower] = (this.#waiting[follower] as number) - 1
      if (this.#waiting[follower] === 0) this.#makeEligible(follower)
    }
  }

  /** Among the operations that would compete for the unit where something can be finished first. */
  #fromConflict(): number {
    let soonest = Number.POSITIVE_INFINITY
    let unit = -1
    for (const operation of this.#eligible) {
      const best = this.#best[operation] as number
      if (best < 0 || (this.#bestEnd[operation] as number) >= soonest) continue
      soonest = this.#bestEnd[operation] as number
      unit = this.#model.alternativeUnit[best] as number
    }
    return this.#lowest(soonest, unit)
  }

  #lowest(startLimit: number, unit: number): number {
    const { alternativeUnit, alternativeDuration } = this.#model
    let chosen = -1
    let lowest = Number.POSITIVE_INFINITY
    this.#eligible.forEach((operation, at) => {
      const best = this.#best[operation] as number
      if (best < 0 || (unit >= 0 && alternativeUnit[best] !== unit)) return
      const start = this.#bestStart[operation] as number
      // an operation of no length may start at the very limit
      if (start > startLimit || (start === startLimit && (this.#bestEnd[operation] as number) > startLimit)) return
      const index = this.#index(operation, start, this.#bestSetup[operation] as number, alternativeDuration[best] as number)
      if (chosen >= 0 && (index > lowest || (index === lowest && operation > (this.#eligible[chosen] as number)))) return
      lowest = index
      chosen = at
    })
    return chosen
  }

  /** The alternative that ends an operation first as things stand; none while its units still wait for what comes first there. */
  #findBest(operation: number): void {
    const model = this.#model
    this.#best[operation] = -1
    let ready = model.release[operation] as number
    for (let at = model.beforeFirst[operation] as number; at < (model.beforeFirst[operation + 1] as number); at++)
      ready = Math.max(ready, this.#built.end[model.before[at] as number] as number)
    const baseline = model.baselineUnit[operation] as number
    if (this.#hold && baseline >= 0) ready = Math.max(ready, model.baselineStart[operation] as number)
    const from = model.alternativeFirst[operation] as number
    const to = model.alternativeFirst[operation + 1] as number
    let stays = false
    for (let at = from; at < to && this.#keepUnit && !stays; at++) stays = model.alternativeUnit[at] === baseline
    for (let at = from; at < to; at++) {
      const unit = model.alternativeUnit[at] as number
      if (stays && unit !== baseline) continue
      const left = this.#headsLeft[unit] as number
      const heads = model.heads[unit] as readonly number[]
      if (left > 0 && heads[heads.length - left] !== operation) continue
      const setup = model.setup(at, operation, this.#lastOn[unit] as number)
      model.place(operation, at, ready, this.#free[unit] as number, setup)
      const { start, end } = model.timeline
      if ((this.#best[operation] as number) >= 0 && end >= (this.#bestEnd[operation] as number)) continue
      this.#best[operation] = at
      this.#bestStart[operation] = start
      this.#bestEnd[operation] = end
      this.#bestSetup[operation] = setup
    }
  }
}
