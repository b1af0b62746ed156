import type { Random } from '../base/random.ts'
import { type Built, buildByIndex, buildInOrder, type Index } from './builder.ts'
import type { Model } from './model.ts'
import type { Schedule } from './problem.ts'
import type { Progress } from './progress.ts'

/**
 * Schedules built in one pass, the way a foreman would: again and again, the next operation goes to a unit by a rule.
 * They are always feasible; the search starts from the best of them. (Giffler & Thompson 1960, with alternatives by earliest completion.)
 */
export const DISPATCH_RULES = ['first-come', 'due', 'slack', 'tardiness-cost', 'most-work', 'shortest', 'least-setup'] as const
export type DispatchRule = (typeof DISPATCH_RULES)[number]

/** By one rule; `random` shakes the choice a little (`noise` 0 to 1) so that repeated builds differ. */
export function buildByRule(model: Model, rule: DispatchRule, random?: Random, noise = 0): Built {
  return buildByIndex(model, shaken(indexOf(model, rule), random, noise)) as Built
}

/** The same; undefined when time runs out before it is complete. */
export function buildInTime(model: Model, rule: DispatchRule, progress: Progress): Built | undefined {
  return buildByIndex(model, indexOf(model, rule), progress)
}

/** Placed one after another by due time: the fastest of all, and never the best. */
export function buildByDue(model: Model): Built {
  return buildInOrder(
    model,
    Float64Array.from({ length: model.count }, (_, operation) => dueOf(model, operation)),
    false,
  )
}

function shaken(index: Index, random: Random | undefined, noise: number): Index {
  return random === undefined || noise === 0 ? index : (...args) => index(...args) * (1 + noise * (random() - 0.5))
}

/**
 * The plan in force, shifted right as far as facts demand and no further: same units, same order, no operation earlier than planned. Operations
 * that it does not know come after it, by due time. `hold: false` lets everything move left again, a start for the search.
 */
export function buildFromBaseline(model: Model, hold: boolean): Built {
  const horizon = model.baselineStart.reduce((latest, start) => Math.max(latest, start), model.now) + 1
  const key = Float64Array.from({ length: model.count }, (_, operation) =>
    (model.baselineUnit[operation] as number) >= 0 ? (model.baselineStart[operation] as number) : horizon + Math.max(0, dueOf(model, operation)),
  )
  return buildInOrder(model, key, hold)
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
  const weightOf = (operation: number): number => Math.max(1e-6, model.weight[model.orderOf[operation] as number] as number)
  switch (rule) {
    case 'first-come':
      return (operation) => model.release[operation] as number
    case 'due':
      return (operation) => dueOf(model, operation)
    case 'slack':
      return (operation, start) => dueOf(model, operation) - start - (remaining[operation] as number)
    case 'tardiness-cost':
      // apparent tardiness cost (Vepsalainen & Morton 1987), look-ahead of two mean durations
      return (operation, start, setup, duration) => {
        const slack = Math.max(0, dueOf(model, operation) - start - (remaining[operation] as number))
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

/** When an operation's order is due, or the operation itself should start; far away where neither is. */
export function dueOf(model: Model, operation: number): number {
  const due = Math.min(model.due[model.orderOf[operation] as number] as number, model.startBy[operation] as number)
  return due === Number.POSITIVE_INFINITY ? model.now + 1e12 : due
}

/** Work from an operation to the end of its longest chain of followers, at mean durations. */
export function workLeft(model: Model): { readonly remaining: Float64Array; readonly meanDuration: number } {
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
