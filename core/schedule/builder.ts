import { CoupledPlacing } from './coupled-placing.ts'
import type { Model } from './model.ts'
import type { Progress } from './progress.ts'

const PLACED_BETWEEN_QUESTIONS = 512

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
export type Index = (operation: number, start: number, setup: number, duration: number) => number

/**
 * An active schedule in one pass (Giffler & Thompson 1960, with alternatives by earliest completion): again and again, of the operations that compete for
 * the unit where something can be finished first, the one of lowest index. Only what competes for a unit that changed is looked at anew.
 * Undefined when time runs out before it is complete.
 */
export function buildByIndex(model: Model, index: Index, progress?: Progress): Built | undefined {
  const placing = new Placing(model, false, false)
  const contest = new Contest(model, placing)
  for (const operation of placing.eligible()) contest.enter(operation)
  for (let placed = 0; placed < model.count; placed++) {
    if (progress !== undefined && placed % PLACED_BETWEEN_QUESTIONS === 0 && progress() >= 1) return undefined
    const operation = contest.winner(index)
    contest.leave(operation)
    for (const follower of placing.place(operation)) contest.enter(follower)
    contest.unitChanged(placing.unitOf(operation))
  }
  return placing.built
}

/** A schedule in which operations are placed by a fixed key as soon as their predecessors are, on the unit of the baseline where they have one; `hold`: and not before the start they had there. */
export function buildInOrder(model: Model, key: Float64Array, hold: boolean): Built {
  const placing = new Placing(model, true, hold)
  const heap = new Heap(key)
  // those whose units still wait for what comes first there
  let parked: number[] = []
  for (const operation of placing.eligible()) heap.push(operation)
  for (let placed = 0; placed < model.count; ) {
    const operation = heap.pop()
    placing.findBest(operation)
    if (!placing.isPlaceable(operation)) {
      parked.push(operation)
      continue
    }
    for (const follower of placing.place(operation)) heap.push(follower)
    placed++
    if (model.isHead[operation] !== 1) continue
    for (const other of parked) heap.push(other)
    parked = []
  }
  return placing.built
}

/** What is placed so far, and where each of the others would end first as things stand. */
class Placing {
  readonly built: Built
  readonly #model: Model
  readonly #keepUnit: boolean
  readonly #hold: boolean
  readonly #free: Float64Array
  readonly #lastOn: Int32Array
  readonly #headsLeft: Int32Array
  readonly #waiting: Int32Array
  readonly #best: Int32Array
  readonly start: Float64Array
  readonly end: Float64Array
  readonly setup: Float64Array
  readonly #coupled: CoupledPlacing | undefined
  #placed = 0

  constructor(model: Model, keepUnit: boolean, hold: boolean) {
    const n = model.count
    this.#model = model
    this.#keepUnit = keepUnit
    this.#hold = hold
    this.start = new Float64Array(n)
    this.end = new Float64Array(n)
    this.setup = new Float64Array(n)
    this.#best = new Int32Array(n).fill(-1)
    this.built = { sequence: new Int32Array(n), alternative: this.#best, start: this.start, end: this.end, setup: this.setup }
    this.#coupled = model.coupled ? new CoupledPlacing(model, this.built) : undefined
    this.#free = model.unitFree.slice()
    this.#lastOn = new Int32Array(model.units).fill(-1)
    this.#headsLeft = Int32Array.from(model.heads, (heads) => heads.length)
    this.#waiting = new Int32Array(n)
    for (let at = 0; at < n; at++) this.#waiting[at] = (model.beforeFirst[at + 1] as number) - (model.beforeFirst[at] as number)
  }

  /** What waits for no other operation at first. */
  eligible(): number[] {
    return Array.from(this.#waiting.keys()).filter((operation) => this.#waiting[operation] === 0)
  }

  /** The unit where an operation would end first, or is placed. */
  unitOf(operation: number): number {
    return this.#model.alternativeUnit[this.#best[operation] as number] as number
  }

  isPlaceable(operation: number): boolean {
    return (this.#best[operation] as number) >= 0
  }

  duration(operation: number): number {
    return this.#model.alternativeDuration[this.#best[operation] as number] as number
  }

  /** Puts an operation where it would end first; returns those that wait for nothing else any more. */
  place(operation: number): number[] {
    const { afterFirst, after, isHead } = this.#model
    const unit = this.unitOf(operation)
    this.#coupled?.take(operation)
    this.built.sequence[this.#placed++] = operation
    this.#free[unit] = this.end[operation] as number
    this.#lastOn[unit] = operation
    if (isHead[operation] === 1) this.#headsLeft[unit] = (this.#headsLeft[unit] as number) - 1
    const freed: number[] = []
    for (let at = afterFirst[operation] as number; at < (afterFirst[operation + 1] as number); at++) {
      const follower = after[at] as number
      this.#waiting[follower] = (this.#waiting[follower] as number) - 1
      if (this.#waiting[follower] === 0) freed.push(follower)
    }
    return freed
  }

  /** Has somebody taken, since it was last looked at, what an operation would need? Then it cannot end sooner than it would have, but later. */
  isStale(operation: number): boolean {
    return this.#coupled?.isStale(operation) === true
  }

  /** The alternative that ends an operation first as things stand; none while its units still wait for what comes first there. */
  findBest(operation: number): void {
    const model = this.#model
    let best = -1
    let ready = model.release[operation] as number
    for (let at = model.beforeFirst[operation] as number; at < (model.beforeFirst[operation + 1] as number) && this.#coupled === undefined; at++)
      ready = Math.max(ready, this.end[model.before[at] as number] as number)
    this.#coupled?.look(operation)
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
      if (left > 0) {
        const heads = model.heads[unit] as readonly number[]
        if (heads[heads.length - left] !== operation) continue
      }
      const setup = model.setup(at, operation, this.#lastOn[unit] as number)
      if (this.#coupled === undefined) model.place(operation, at, ready, this.#free[unit] as number, setup)
      else this.#coupled.place(operation, at, ready, this.#free[unit] as number, setup)
      const { start, end } = model.timeline
      if (best >= 0 && end >= (this.end[operation] as number)) continue
      best = at
      this.start[operation] = start
      this.end[operation] = end
      this.setup[operation] = setup
    }
    this.#best[operation] = best
  }
}

/** Who competes for which unit. */
class Contest {
  readonly #model: Model
  readonly #placing: Placing
  /** by unit: who could go there; those that are placed meanwhile are dropped when it is looked through */
  readonly #could: number[][]
  /** by unit: who would end first there, and the soonest such end; NaN: to be found again */
  readonly #would: number[][]
  readonly #soonest: Float64Array
  readonly #unit: Int32Array
  readonly #slot: Int32Array
  readonly #gone: Uint8Array

  constructor(model: Model, placing: Placing) {
    this.#model = model
    this.#placing = placing
    this.#could = Array.from({ length: model.units }, () => [])
    this.#would = Array.from({ length: model.units }, () => [])
    this.#soonest = new Float64Array(model.units).fill(Number.POSITIVE_INFINITY)
    this.#unit = new Int32Array(model.count).fill(-1)
    this.#slot = new Int32Array(model.count)
    this.#gone = new Uint8Array(model.count)
  }

  enter(operation: number): void {
    const { alternativeFirst, alternativeUnit } = this.#model
    for (let at = alternativeFirst[operation] as number; at < (alternativeFirst[operation + 1] as number); at++) {
      const could = this.#could[alternativeUnit[at] as number] as number[]
      if (could.at(-1) !== operation) could.push(operation)
    }
    this.#look(operation)
  }

  leave(operation: number): void {
    this.#gone[operation] = 1
    this.#drop(operation)
  }

  /** All who could go to a unit look anew where they would end first. */
  unitChanged(unit: number): void {
    const could = this.#could[unit] as number[]
    let kept = 0
    for (const operation of could) {
      if (this.#gone[operation] === 1) continue
      could[kept++] = operation
      this.#look(operation)
    }
    could.length = kept
  }

  /** Of those that compete for the unit where something ends soonest, by its then: the one of lowest index, of equals the first in the problem. */
  winner(index: Index): number {
    let unit = this.#unitOfSoonest()
    if (this.#model.coupled) while (this.#refresh(unit)) unit = this.#unitOfSoonest()
    const limit = this.#soonest[unit] as number
    const { start, end, setup } = this.#placing
    let chosen = -1
    let lowest = Number.POSITIVE_INFINITY
    for (const operation of this.#would[unit] as readonly number[]) {
      const begin = start[operation] as number
      // an operation of no length may start at the very limit
      if (begin > limit || (begin === limit && (end[operation] as number) > limit)) continue
      const own = index(operation, begin, setup[operation] as number, this.#placing.duration(operation))
      if (chosen >= 0 && (own > lowest || (own === lowest && operation > chosen))) continue
      lowest = own
      chosen = operation
    }
    return chosen
  }

  #unitOfSoonest(): number {
    let unit = -1
    let limit = Number.POSITIVE_INFINITY
    for (let at = 0; at < this.#soonest.length; at++) {
      if (Number.isNaN(this.#soonest[at] as number)) this.#findSoonest(at)
      if ((this.#soonest[at] as number) >= limit) continue
      limit = this.#soonest[at] as number
      unit = at
    }
    return unit
  }

  /** Looks anew at those of a unit whose resources others have taken meanwhile; true when there were any. */
  #refresh(unit: number): boolean {
    const stale = (this.#would[unit] as readonly number[]).filter((operation) => this.#placing.isStale(operation))
    for (const operation of stale) this.#look(operation)
    return stale.length > 0
  }

  #look(operation: number): void {
    this.#placing.findBest(operation)
    const unit = this.#placing.isPlaceable(operation) ? this.#placing.unitOf(operation) : -1
    if (unit !== this.#unit[operation]) {
      this.#drop(operation)
      if (unit >= 0) {
        const would = this.#would[unit] as number[]
        this.#slot[operation] = would.push(operation) - 1
        this.#unit[operation] = unit
      }
    }
    if (unit >= 0) this.#soonest[unit] = Number.NaN
  }

  #drop(operation: number): void {
    const unit = this.#unit[operation] as number
    if (unit < 0) return
    const would = this.#would[unit] as number[]
    const last = would.pop() as number
    if (last !== operation) {
      const slot = this.#slot[operation] as number
      would[slot] = last
      this.#slot[last] = slot
    }
    this.#unit[operation] = -1
    this.#soonest[unit] = Number.NaN
  }

  #findSoonest(unit: number): void {
    let soonest = Number.POSITIVE_INFINITY
    for (const operation of this.#would[unit] as readonly number[]) soonest = Math.min(soonest, this.#placing.end[operation] as number)
    this.#soonest[unit] = soonest
  }
}

/** A binary heap of operations, lowest key first, of equals the first in the problem. */
class Heap {
  readonly #key: Float64Array
  readonly #items: number[] = []

  constructor(key: Float64Array) {
    this.#key = key
  }

  push(operation: number): void {
    const items = this.#items
    let at = items.push(operation) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(operation, items[parent] as number)) break
      items[at] = items[parent] as number
      at = parent
    }
    items[at] = operation
  }

  pop(): number {
    const items = this.#items
    const top = items[0] as number
    const last = items.pop() as number
    if (items.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#isBefore(items[child + 1] as number, items[child] as number)) child++
      if (!this.#isBefore(items[child] as number, last)) break
      items[at] = items[child] as number
      at = child
    }
    items[at] = last
    return top
  }

  #isBefore(a: number, b: number): boolean {
    const difference = (this.#key[a] as number) - (this.#key[b] as number)
    return difference < 0 || (difference === 0 && a < b)
  }
}
