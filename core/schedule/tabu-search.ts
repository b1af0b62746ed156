import type { Random } from '../base/random.ts'
import type { Progress } from './progress.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import type { Timetable } from './timetable.ts'

const PAIRS = 1 << 17
const MOVES = 4096
const ITERATIONS_BETWEEN_QUESTIONS = 16

/**
 * Tabu search for the makespan where no unit is ever closed. Each iteration takes one longest path and looks at every way to shorten it:
 * an operation to the front or the end of its block (neighbourhoods N6 of Balas & Vazacopoulos 1998 and N7 of Zhang et al. 2007), or to any place
 * on any of its units that does not lengthen the path (Mastrolilli & Gambardella 2000). Moves are estimated from heads and tails, the best one that is not tabu
 * is made and evaluated exactly.
 */
export class TabuSearch {
  readonly #table: Timetable
  readonly #random: Random
  readonly #tail: Float64Array
  /** Time between the end of the operation before on the unit and the start: a set-up that may be done ahead. */
  readonly #gap: Float64Array
  readonly #length: Float64Array
  readonly #path: Int32Array
  /** Until which iteration one operation may not come before another again, and an operation not return to an alternative. */
  readonly #tabuPair = new Int32Array(PAIRS)
  readonly #tabuAlternative: Int32Array
  #iteration = 0

  // the moves of an iteration
  readonly #operation = new Int32Array(MOVES)
  readonly #alternative = new Int32Array(MOVES)
  readonly #previous = new Int32Array(MOVES)
  readonly #estimate = new Float64Array(MOVES)
  readonly #isTabu = new Uint8Array(MOVES)
  #moves = 0

  // a stretch of a unit as a move would have it
  readonly #stretch: Int32Array
  readonly #stretchEnd: Float64Array
  readonly #stretchSetup: Float64Array

  constructor(table: Timetable, random: Random) {
    const { count, alternativeUnit } = table.model
    this.#table = table
    this.#random = random
    this.#tail = new Float64Array(count)
    this.#gap = new Float64Array(count)
    this.#length = new Float64Array(count)
    this.#path = new Int32Array(count)
    this.#tabuAlternative = new Int32Array(alternativeUnit.length)
    this.#stretch = new Int32Array(count + 2)
    this.#stretchEnd = new Float64Array(count + 2)
    this.#stretchSetup = new Float64Array(count + 2)
  }

  /** Goes on from where the table stands until nothing better was found for `patience` iterations; returns the best. */
  run(patience: number, progress: Progress): Snapshot {
    const table = this.#table
    // what was forbidden before belongs to another part of the search
    this.#iteration += 1000
    let best = snapshotOf(table)
    for (let idle = 0; idle < patience; idle++) {
      if (this.#iteration % ITERATIONS_BETWEEN_QUESTIONS === 0 && progress() >= 1) break
      this.#iteration++
      this.#computeTails()
      const length = this.#longestPath()
      this.#collect(length)
      if (!this.#step(best.cost)) break
      if (table.cost < best.cost - 1e-9) {
        best = snapshotOf(table)
        idle = 0
      }
    }
    return best
  }

  #computeTails(): void {
    const table = this.#table
    const { model, order } = table
    const ahead = !model.attached && model.anticipatory
    for (let rank = model.count - 1; rank >= 0; rank--) {
      const operation = order[rank] as number
      const setup = table.setup[operation] as number
      this.#gap[operation] = ahead ? setup : 0
      this.#length[operation] = (model.alternativeDuration[table.alternative[operation] as number] as number) + (ahead ? 0 : setup)
      let tail = this.#tailAfter(operation)
      const next = table.next[operation] as number
      if (next >= 0) {
        const through = (this.#gap[next] as number) + (this.#length[next] as number) + (this.#tail[next] as number)
        if (through > tail) tail = through
      }
      this.#tail[operation] = tail
    }
  }

  /** The longest way from the end of an operation to the end of all, over its followers. */
  #tailAfter(operation: number): number {
    const { after, afterFirst } = this.#table.model
    let tail = 0
    for (let at = afterFirst[operation] as number, limit = afterFirst[operation + 1] as number; at < limit; at++) {
      const follower = after[at] as number
      const through = (this.#length[follower] as number) + (this.#tail[follower] as number)
      if (through > tail) tail = through
    }
    return tail
  }

  /** When everything before an operation in its order has ended. */
  #readyAt(operation: number): number {
    const { model, end } = this.#table
    let ready = model.release[operation] as number
    for (let at = model.beforeFirst[operation] as number, limit = model.beforeFirst[operation + 1] as number; at < limit; at++) {
      const other = end[model.before[at] as number] as number
      if (other > ready) ready = other
    }
    return ready
  }

  /** A random longest path, last operation first; returns how many. */
  #longestPath(): number {
    const table = this.#table
    const { model, end } = table
    const total = table.makespan + model.now
    let operation = -1
    let seen = 0
    for (let at = 0; at < model.last.length; at++) {
      const candidate = model.last[at] as number
      if ((end[candidate] as number) >= total && this.#random() * ++seen < 1) operation = candidate
    }
    let length = 0
    while (operation >= 0) {
      this.#path[length++] = operation
      const begin = (end[operation] as number) - (this.#length[operation] as number)
      const previous = table.previous[operation] as number
      const byUnit = previous >= 0 && (end[previous] as number) + (this.#gap[operation] as number) >= begin
      let before = -1
      for (let at = model.beforeFirst[operation] as number, limit = model.beforeFirst[operation + 1] as number; at < limit; at++) {
        const other = model.before[at] as number
        if ((end[other] as number) >= begin) before = other
      }
      if (byUnit && before >= 0) operation = this.#random() < 0.5 ? previous : before
      else operation = byUnit ? previous : before
    }
    return length
  }

  #collect(length: number): void {
    this.#moves = 0
    const { model, alternative, previous } = this.#table
    // the path runs backwards, so a block is a run of it on one unit
    for (let from = length - 1; from >= 0; ) {
      let to = from
      while (to > 0 && previous[this.#path[to - 1] as number] === this.#path[to]) to--
      if (from > to) this.#collectBlock(from, to)
      from = to - 1
    }
    for (let at = 0; at < length; at++) {
      const operation = this.#path[at] as number
      if (model.isHead[operation] === 1) continue
      const first = model.alternativeFirst[operation] as number
      const limit = model.alternativeFirst[operation + 1] as number
      if (limit - first < 2) continue
      for (let other = first; other < limit; other++) if (other !== alternative[operation]) this.#collectPlaces(operation, other)
    }
  }

  /** Moves inside the block `path[from]` (its first) to `path[to]` (its last). */
  #collectBlock(from: number, to: number): void {
    const path = this.#path
    const { isHead } = this.#table.model
    while (from > to && isHead[path[from] as number] === 1) from--
    const first = path[from] as number
    const last = path[to] as number
    for (let at = from; at >= to; at--) {
      const operation = path[at] as number
      if (at > to) this.#collectBehind(operation, last)
      if (at < from - (from - to === 1 ? 1 : 0)) this.#collectAhead(operation, first)
      // N7: the ends into the block
      if (at < from && at > to) {
        this.#collectBehind(first, operation)
        this.#collectAhead(last, operation)
      }
    }
  }

  /** Moves an operation right behind another one further on its unit. */
  #collectBehind(operation: number, target: number): void {
    const table = this.#table
    const { model } = table
    // a way from one of its followers to the target would close a circle; the lengths of their tails rule it out
    const reach = (this.#length[target] as number) + (this.#tail[target] as number)
    for (let at = model.afterFirst[operation] as number, limit = model.afterFirst[operation + 1] as number; at < limit; at++) {
      const follower = model.after[at] as number
      if ((this.#length[follower] as number) + (this.#tail[follower] as number) > reach) return
    }
    let size = 0
    let tabu = 0
    for (let other = table.next[operation] as number; other >= 0; other = table.next[other] as number) {
      this.#stretch[size++] = other
      if ((this.#tabuPair[pairOf(other, operation)] as number) > this.#iteration) tabu = 1
      if (other === target) break
    }
    this.#stretch[size++] = operation
    this.#offer(
      operation,
      table.alternative[operation] as number,
      target,
      this.#estimateStretch(size, table.previous[operation] as number, table.next[target] as number),
      tabu,
    )
  }

  /** Moves an operation right ahead of another one earlier on its unit. */
  #collectAhead(operation: number, target: number): void {
    const table = this.#table
    const { model, end } = table
    const reach = end[target] as number
    for (let at = model.beforeFirst[operation] as number, limit = model.beforeFirst[operation + 1] as number; at < limit; at++) {
      if ((end[model.before[at] as number] as number) > reach) return
    }
    let size = 0
    let tabu = 0
    this.#stretch[size++] = operation
    for (let other = target; other !== operation; other = table.next[other] as number) {
      this.#stretch[size++] = other
      if ((this.#tabuPair[pairOf(operation, other)] as number) > this.#iteration) tabu = 1
    }
    const previous = table.previous[target] as number
    this.#offer(operation, table.alternative[operation] as number, previous, this.#estimateStretch(size, previous, table.next[operation] as number), tabu)
  }

  /** The longest way through a stretch of a unit in its new order, with everything around it as it is. */
  #estimateStretch(size: number, previous: number, next: number): number {
    const table = this.#table
    const { model } = table
    const ahead = !model.attached && model.anticipatory
    let before = previous
    let free = (previous < 0 ? this.#freeAfterUnit(this.#stretch[0] as number) : table.end[previous]) as number
    for (let at = 0; at < size; at++) {
      const operation = this.#stretch[at] as number
      const alternative = table.alternative[operation] as number
      const setup = model.setup(alternative, operation, before)
      this.#stretchSetup[at] = setup
      const ready = this.#readyAt(operation)
      const start = ahead ? Math.max(free + setup, ready) : Math.max(free, ready) + setup
      free = start + (model.alternativeDuration[alternative] as number)
      this.#stretchEnd[at] = free
      before = operation
    }
    let through = 0
    if (next >= 0) {
      const setup = model.setup(table.alternative[next] as number, next, before)
      through = setup + (model.alternativeDuration[table.alternative[next] as number] as number) + (this.#tail[next] as number)
    }
    let longest = 0
    for (let at = size - 1; at >= 0; at--) {
      const operation = this.#stretch[at] as number
      const tail = Math.max(this.#tailAfter(operation), through)
      const whole = (this.#stretchEnd[at] as number) + tail
      if (whole > longest) longest = whole
      through = (this.#stretchSetup[at] as number) + (model.alternativeDuration[table.alternative[operation] as number] as number) + tail
    }
    return longest - model.now
  }

  #freeAfterUnit(operation: number): number {
    const table = this.#table
    return table.model.unitFree[table.unit(operation)] as number
  }

  /** Every place on another unit where an operation could go without certainly making things worse. */
  #collectPlaces(operation: number, alternative: number): void {
    const table = this.#table
    const { model, end } = table
    const unit = model.alternativeUnit[alternative] as number
    const ready = this.#readyAt(operation)
    const tail = this.#tailAfter(operation)
    const duration = model.alternativeDuration[alternative] as number
    const ahead = !model.attached && model.anticipatory
    const tabu = (this.#tabuAlternative[alternative] as number) > this.#iteration ? 1 : 0
    // behind everything that is over before it could begin and must be early itself
    let previous = -1
    let next = table.firstOf[unit] as number
    while (next >= 0) {
      const isEarly = (end[next] as number) <= ready
      const mustBeEarly = (this.#length[next] as number) + (this.#tail[next] as number) > tail
      if (model.isHead[next] !== 1 && !(isEarly && mustBeEarly)) break
      previous = next
      next = table.next[next] as number
    }
    for (;;) {
      const setup = model.setup(alternative, operation, previous)
      const free = (previous < 0 ? model.unitFree[unit] : end[previous]) as number
      const done = (ahead ? Math.max(free + setup, ready) : Math.max(free, ready) + setup) + duration
      let through = tail
      if (next >= 0) {
        const other = table.alternative[next] as number
        const after = model.setup(other, next, operation) + (model.alternativeDuration[other] as number) + (this.#tail[next] as number)
        if (after > through) through = after
      }
      this.#offer(operation, alternative, previous, done + through - model.now, tabu)
      // not behind what is late and may be late
      if (next < 0 || ((end[next] as number) > ready && (this.#length[next] as number) + (this.#tail[next] as number) <= tail)) return
      previous = next
      next = table.next[next] as number
    }
  }

  #offer(operation: number, alternative: number, previous: number, estimate: number, tabu: number): void {
    const at = this.#moves
    if (at >= MOVES) return
    this.#operation[at] = operation
    this.#alternative[at] = alternative
    this.#previous[at] = previous
    this.#estimate[at] = estimate
    this.#isTabu[at] = tabu
    this.#moves = at + 1
  }

  /** Makes the best move that is allowed, or any when none is; false when there is none at all. */
  #step(best: number): boolean {
    while (this.#moves > 0) {
      const chosen = this.#choose(best)
      const operation = this.#operation[chosen] as number
      const alternative = this.#alternative[chosen] as number
      const previous = this.#previous[chosen] as number
      this.#forbid(operation, alternative, previous)
      if (this.#table.move(operation, alternative, previous) !== Number.POSITIVE_INFINITY) return true
      const last = --this.#moves
      this.#operation[chosen] = this.#operation[last] as number
      this.#alternative[chosen] = this.#alternative[last] as number
      this.#previous[chosen] = this.#previous[last] as number
      this.#estimate[chosen] = this.#estimate[last] as number
      this.#isTabu[chosen] = this.#isTabu[last] as number
    }
    return false
  }

  #choose(best: number): number {
    const aspired = best / this.#table.model.problem.weights.makespan - 1e-9
    let chosen = -1
    let lowest = Number.POSITIVE_INFINITY
    let equals = 0
    for (let at = 0; at < this.#moves; at++) {
      const estimate = this.#estimate[at] as number
      if (estimate > lowest || (this.#isTabu[at] === 1 && estimate >= aspired)) continue
      if (estimate < lowest) {
        lowest = estimate
        equals = 0
      }
      if (this.#random() * ++equals < 1) chosen = at
    }
    return chosen >= 0 ? chosen : Math.floor(this.#random() * this.#moves)
  }

  /** Keeps a move from being undone for a while. */
  #forbid(operation: number, alternative: number, previous: number): void {
    const table = this.#table
    const { model } = table
    const present = table.alternative[operation] as number
    if (alternative !== present) {
      const choices = (model.alternativeFirst[operation + 1] as number) - (model.alternativeFirst[operation] as number)
      this.#tabuAlternative[present] = this.#iteration + 8 + choices + Math.floor(this.#random() * 8)
      return
    }
    const until = this.#iteration + 10 + Math.floor(model.count / Math.max(1, model.units) / 4) + Math.floor(this.#random() * 8)
    // which way it goes: the target lies ahead when walking on from the operation does not meet it
    let other = table.next[operation] as number
    while (other >= 0 && other !== previous) other = table.next[other] as number
    if (other >= 0 && previous >= 0) {
      for (let passed = table.next[operation] as number; ; passed = table.next[passed] as number) {
        this.#tabuPair[pairOf(operation, passed)] = until
        if (passed === previous) return
      }
    }
    for (let passed = table.previous[operation] as number; passed >= 0 && passed !== previous; passed = table.previous[passed] as number)
      this.#tabuPair[pairOf(passed, operation)] = until
  }
}

/** A place in the table for "`a` comes before `b`". */
function pairOf(a: number, b: number): number {
  return (Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)) & (PAIRS - 1)
}
