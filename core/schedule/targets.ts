import type { Model } from './model.ts'
import type { Timetable } from './timetable.ts'

/** At most so many targets are looked at in one iteration: a bit each. */
export const ACTIVE_LIMIT = 30

/**
 * What a schedule is paid for reaching in time: the end of each order by its due time, the start of an operation by its `startBy`, and the end of all as soon
 * as possible. Each has operations that reach it, a time, and a price per unit of time after it.
 */
export class Targets {
  readonly count: number
  readonly price: Float64Array
  readonly due: Float64Array
  readonly reachedBy: readonly Int32Array[]
  readonly meanPrice: number
  /** The targets looked at now: late ones, and those that nearly are. */
  readonly active: Int32Array
  activeCount = 0
  readonly #table: Timetable
  readonly #margin: number
  readonly #lateness: Float64Array

  constructor(table: Timetable) {
    const { model } = table
    const { weights } = model.problem
    const targets: { price: number; due: number; reachedBy: Int32Array }[] = []
    for (let order = 0; order < model.orders; order++) {
      const price = weights.tardiness * (model.weight[order] as number)
      const reachedBy = model.last.slice(model.lastFirst[order], model.lastFirst[order + 1])
      if (price > 0 && model.due[order] !== Number.POSITIVE_INFINITY && reachedBy.length > 0)
        targets.push({ price, due: model.due[order] as number, reachedBy })
    }
    for (let operation = 0; operation < model.count && weights.lateStart > 0; operation++) {
      const by = model.startBy[operation] as number
      // its start is late by as much as its end would be by then, give or take a set-up
      if (by !== Number.POSITIVE_INFINITY)
        targets.push({ price: weights.lateStart, due: by + durationOf(model, operation), reachedBy: Int32Array.of(operation) })
    }
    if (weights.makespan > 0) {
      const last = Array.from(model.last).filter((operation) => model.counts[model.orderOf[operation] as number] === 1)
      if (last.length > 0) targets.push({ price: weights.makespan, due: model.now, reachedBy: Int32Array.from(last) })
    }
    this.#table = table
    this.count = targets.length
    this.price = Float64Array.from(targets, (target) => target.price)
    this.due = Float64Array.from(targets, (target) => target.due)
    this.reachedBy = targets.map((target) => target.reachedBy)
    this.meanPrice = this.price.reduce((sum, price) => sum + price, 0) / Math.max(1, targets.length)
    this.active = new Int32Array(ACTIVE_LIMIT)
    this.#lateness = new Float64Array(targets.length)
    let work = 0
    for (let operation = 0; operation < model.count; operation++) work += durationOf(model, operation)
    this.#margin = (2 * work) / Math.max(1, model.count)
  }

  /** When a target is reached as things stand. */
  reached(target: number): number {
    const { end } = this.#table
    let reached = 0
    for (const operation of this.reachedBy[target] as Int32Array) {
      const at = end[operation] as number
      if (at > reached) reached = at
    }
    return reached
  }

  /** Chooses the targets to look at: those that are late or nearly so, the dearest when there are too many. */
  choose(): void {
    let found = 0
    for (let target = 0; target < this.count; target++) {
      const late = this.reached(target) - (this.due[target] as number)
      this.#lateness[target] = late
      if (late <= -this.#margin) continue
      if (found < ACTIVE_LIMIT) {
        this.active[found++] = target
        continue
      }
      let least = 0
      for (let at = 1; at < found; at++) if (this.#worth(this.active[at] as number) < this.#worth(this.active[least] as number)) least = at
      if (this.#worth(target) > this.#worth(this.active[least] as number)) this.active[least] = target
    }
    this.activeCount = found
  }

  lateness(target: number): number {
    return this.#lateness[target] as number
  }

  #worth(target: number): number {
    return (this.#lateness[target] as number) * (this.price[target] as number)
  }
}

function durationOf(model: Model, operation: number): number {
  return model.alternativeDuration[model.alternativeFirst[operation] as number] as number
}
