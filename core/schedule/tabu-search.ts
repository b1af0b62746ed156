import type { Random } from '../base/random.ts'
import type { Progress } from './progress.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import { ACTIVE_LIMIT, Targets } from './targets.ts'
import type { Timetable } from './timetable.ts'

/** Iterations for which a change of alternative and a change of order are not taken back, at least. */
const TABU_ALTERNATIVE = 12
const TABU_ORDER = 7
/** Where set-ups differ, operations have to pass each other to and fro. */
const TABU_ORDER_SETUPS = 4
const TABU_SPREAD = 8
/** How much a longer duration counts against a move beside what the move does to the targets, at most. */
const MOST_THRIFT = 0.6
const PAIRS = 1 << 17
const MOVES = 4096
const ITERATIONS_BETWEEN_QUESTIONS = 16
/** The tail of an operation that a target does not wait for. */
const NEVER = -1e15
/** How many of the moves that look best are evaluated exactly where estimates are rough. */
const EXACT = 5

/**
 * Tabu search. Each iteration follows what decides when a target (an order's end, the end of all) is reached, and looks at the ways to reach it sooner: an
 * operation further ahead or behind in its block (neighbourhoods N6 of Balas & Vazacopoulos 1998 and N7 of Zhang et al. 2007), or at any place on any of its
 * units that does not lengthen the way (Mastrolilli & Gambardella 2000). Moves are estimated from heads and tails, a tail for each target at stake
 * (Mati, Dauzère-Pérès & Lahlou 2011); the best that is not tabu is made. Where units close or keeping to the old plan counts, tails say little: there the
 * best few are evaluated exactly first.
 */
export class TabuSearch {
  /** Did the last run find anything to move? */
  moved = false
  readonly #table: Timetable
  readonly #random: Random
  readonly #targets: Targets
  readonly #exact: boolean
  /** Do set-ups or stability cost something that no late target shows? */
  readonly #wanders: boolean
  /** Do set-ups depend on what was before? */
  readonly #everyPlace: boolean
  /** A set-up that may be done ahead of the start, and how long the rest takes. */
  readonly #gap: Float64Array
  readonly #length: Float64Array
  /** The longest way from an operation's end to any end, and from its start. */
  readonly #tail: Float64Array
  readonly #reach: Float64Array
  /** The operations of each unit in their order, listed when they are first asked for in an iteration. */
  readonly #row: Int32Array
  readonly #rowFirst: Int32Array
  readonly #rowSize: Int32Array
  readonly #rowOf: Int32Array
  /** The same to each active target, and over followers alone; `operation × active`. */
  readonly #tails: Float64Array
  readonly #jobTails: Float64Array
  /** A bit for each active target whose critical way leads through the operation. */
  readonly #critical: Int32Array
  readonly #reached = new Float64Array(ACTIVE_LIMIT)
  readonly #old = new Float64Array(ACTIVE_LIMIT)
  readonly #path: Int32Array
  /** Until which iteration one operation may not come before another again, and an operation not return to an alternative. */
  readonly #tabuPair = new Int32Array(PAIRS)
  readonly #tabuAlternative: Int32Array
  #iteration = 0
  /** What a move pays for a longer duration of its operation, per unit of time. */
  #thrift = 0
  #stretchTouched = 0

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
    const { model } = table
    const { count, alternativeUnit } = model
    const { weights } = model.problem
    this.#table = table
    this.#random = random
    this.#targets = new Targets(table)
    const keeps = (weights.reassigned > 0 || weights.deviation > 0) && model.baselineUnit.some((unit) => unit >= 0)
    this.#wanders = keeps || weights.setup > 0
    this.#exact = !model.timeline.alwaysOpen || this.#wanders
    this.#everyPlace = model.problem.units.some(({ setups }) => setups !== undefined)
    this.#gap = new Float64Array(count)
    this.#length = new Float64Array(count)
    this.#tail = new Float64Array(count)
    this.#reach = new Float64Array(count)
    this.#row = new Int32Array(count * model.units)
    this.#rowSize = new Int32Array(model.units)
    this.#rowOf = new Int32Array(model.units)
    this.#rowFirst = Int32Array.from({ length: model.units }, (_, unit) => unit * count)
    this.#tails = new Float64Array(count * ACTIVE_LIMIT)
    this.#jobTails = new Float64Array(count * ACTIVE_LIMIT)
    this.#critical = new Int32Array(count)
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
    // mostly little, now and then much: where the load of the units decides, less work gets further than a shorter way
    this.#thrift = MOST_THRIFT * this.#random() ** 3 * this.#targets.meanPrice
    this.moved = false
    let best = snapshotOf(table)
    for (let idle = 0; idle < patience; idle++) {
      if (this.#iteration % ITERATIONS_BETWEEN_QUESTIONS === 0 && progress() >= 1) break
      this.#iteration++
      this.#prepare()
      this.#collect()
      if (this.#moves === 0 || !this.#step(best.cost)) {
        // counts as tried, or a problem in which nothing can move would never end
        table.evaluations++
        if (!this.#wanders) break
        continue
      }
      this.moved = true
      if (table.cost < best.cost - 1e-9) {
        best = snapshotOf(table)
        idle = 0
      }
    }
    return best
  }

  /** Tails of all operations, and which of them are critical for which target. */
  #prepare(): void {
    const table = this.#table
    const targets = this.#targets
    const { model } = table
    const ahead = !model.attached && model.anticipatory
    targets.choose()
    const active = targets.activeCount
    this.#jobTails.fill(NEVER, 0, model.count * active)
    for (let at = 0; at < active; at++) {
      const target = targets.active[at] as number
      this.#reached[at] = targets.reached(target)
      for (const operation of targets.reachedBy[target] as Int32Array) this.#jobTails[operation * active + at] = 0
    }
    if (active === 1) this.#prepareOne(ahead)
    else this.#prepareMany(active, ahead)
    this.#markCritical(active)
  }

  #prepareOne(ahead: boolean): void {
    const { order, setup, alternative, next, model } = this.#table
    const { after, afterFirst, alternativeDuration } = model
    const [gap, length, tail, reach, tails, jobTails] = [this.#gap, this.#length, this.#tail, this.#reach, this.#tails, this.#jobTails]
    for (let rank = model.count - 1; rank >= 0; rank--) {
      const operation = order[rank] as number
      const own = setup[operation] as number
      const long = (alternativeDuration[alternative[operation] as number] as number) + (ahead ? 0 : own)
      gap[operation] = ahead ? own : 0
      length[operation] = long
      let longest = 0
      let reached = jobTails[operation] as number
      for (let at = afterFirst[operation] as number, limit = afterFirst[operation + 1] as number; at < limit; at++) {
        const follower = after[at] as number
        const through = reach[follower] as number
        if (through > longest) longest = through
        const way = (length[follower] as number) + (tails[follower] as number)
        if (way > reached) reached = way
      }
      jobTails[operation] = reached
      const behind = next[operation] as number
      if (behind >= 0) {
        const through = (gap[behind] as number) + (reach[behind] as number)
        if (through > longest) longest = through
        const way = (gap[behind] as number) + (length[behind] as number) + (tails[behind] as number)
        if (way > reached) reached = way
      }
      tails[operation] = reached
      tail[operation] = longest
      reach[operation] = long + longest
    }
  }

  #prepareMany(active: number, ahead: boolean): void {
    const table = this.#table
    const { model, order } = table
    const tails = this.#tails
    const jobTails = this.#jobTails
    for (let rank = model.count - 1; rank >= 0; rank--) {
      const operation = order[rank] as number
      const setup = table.setup[operation] as number
      this.#gap[operation] = ahead ? setup : 0
      this.#length[operation] = (model.alternativeDuration[table.alternative[operation] as number] as number) + (ahead ? 0 : setup)
      const base = operation * active
      let tail = 0
      for (let at = model.afterFirst[operation] as number, limit = model.afterFirst[operation + 1] as number; at < limit; at++) {
        const follower = model.after[at] as number
        const length = this.#length[follower] as number
        const through = length + (this.#tail[follower] as number)
        if (through > tail) tail = through
        for (let k = 0, other = follower * active; k < active; k++, other++) {
          const way = length + (tails[other] as number)
          if (way > (jobTails[base + k] as number)) jobTails[base + k] = way
        }
      }
      const next = table.next[operation] as number
      if (next >= 0) {
        const length = (this.#gap[next] as number) + (this.#length[next] as number)
        const through = length + (this.#tail[next] as number)
        if (through > tail) tail = through
        for (let k = 0, other = next * active; k < active; k++, other++) {
          const way = length + (tails[other] as number)
          const own = jobTails[base + k] as number
          tails[base + k] = Math.max(way, own)
        }
      } else for (let k = 0; k < active; k++) tails[base + k] = jobTails[base + k] as number
      this.#tail[operation] = tail
      this.#reach[operation] = (this.#length[operation] as number) + tail
    }
  }

  #markCritical(active: number): void {
    const table = this.#table
    if (table.model.timeline.alwaysOpen) {
      for (let operation = 0, at = 0; operation < table.model.count; operation++) {
        let bits = 0
        const end = table.end[operation] as number
        for (let k = 0; k < active; k++, at++) if (end + (this.#tails[at] as number) >= (this.#reached[k] as number) - 1e-6) bits |= 1 << k
        this.#critical[operation] = bits
      }
      return
    }
    // closed time is in no tail: there the way that decided is the critical one
    this.#critical.fill(0)
    for (let k = 0; k < active; k++) {
      for (let operation = this.#lastOf(k); operation >= 0; operation = table.binding[operation] as number)
        this.#critical[operation] = (this.#critical[operation] as number) | (1 << k)
    }
  }

  /** The operation that reaches an active target last; a random one of several. */
  #lastOf(active: number): number {
    const { end } = this.#table
    let last = -1
    let equals = 0
    for (const operation of this.#targets.reachedBy[this.#targets.active[active] as number] as Int32Array) {
      if ((end[operation] as number) >= (this.#reached[active] as number) && this.#random() * ++equals < 1) last = operation
    }
    return last
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

  #collect(): void {
    this.#moves = 0
    const targets = this.#targets
    let first = this.#draw(-1)
    if (first < 0 && targets.activeCount > 0) first = Math.floor(this.#random() * targets.activeCount)
    if (first >= 0) this.#collectPath(first)
    const second = targets.activeCount > 1 ? this.#draw(first) : -1
    if (second >= 0) this.#collectPath(second)
    if (this.#wanders && (this.#moves === 0 || this.#random() < 0.2)) this.#collectAnywhere(Math.floor(this.#random() * this.#table.model.count))
  }

  /** A late target, the dearer the likelier; −1 when nothing is late. */
  #draw(except: number): number {
    const targets = this.#targets
    let drawn = -1
    let sum = 0
    for (let at = 0; at < targets.activeCount; at++) {
      const target = targets.active[at] as number
      if (at === except || targets.lateness(target) <= 0) continue
      const price = targets.price[target] as number
      sum += price
      if (this.#random() * sum < price) drawn = at
    }
    return drawn
  }

  /** The moves along the way that decides when a target is reached. */
  #collectPath(target: number): void {
    const table = this.#table
    const { model, end, previous } = table
    const path = this.#path
    let length = 0
    for (let operation = this.#lastOf(target); operation >= 0; ) {
      path[length++] = operation
      const before = previous[operation] as number
      const ready = this.#readyAt(operation)
      const free = before < 0 ? NEVER : (end[before] as number) + (this.#gap[operation] as number)
      let follows = -1
      if (ready >= free && ready > (model.release[operation] as number)) {
        for (let at = model.beforeFirst[operation] as number, limit = model.beforeFirst[operation + 1] as number; at < limit; at++) {
          const other = model.before[at] as number
          if ((end[other] as number) >= ready) follows = other
        }
      }
      if (free > ready || (free === ready && (follows < 0 || this.#random() < 0.5))) operation = before
      else operation = follows
    }
    // the path runs backwards, so a block is a run of it on one unit
    for (let from = length - 1; from >= 0; ) {
      let to = from
      while (to > 0 && previous[path[to - 1] as number] === path[to]) to--
      if (from > to) this.#collectBlock(from, to)
      from = to - 1
    }
    for (let at = 0; at < length; at++) {
      const operation = path[at] as number
      if (model.isHead[operation] === 1) continue
      const first = model.alternativeFirst[operation] as number
      const limit = model.alternativeFirst[operation + 1] as number
      for (let other = first; other < limit && limit - first > 1; other++) if (other !== table.alternative[operation]) this.#collectPlaces(operation, other)
    }
  }

  /** An operation to any place on any of its units. */
  #collectAnywhere(operation: number): void {
    const { model } = this.#table
    if (model.isHead[operation] === 1) return
    for (let other = model.alternativeFirst[operation] as number; other < (model.alternativeFirst[operation + 1] as number); other++)
      this.#collectPlaces(operation, other)
  }

  /** Moves inside the block `path[from]` (its first) to `path[to]` (its last). */
  #collectBlock(begin: number, to: number): void {
    const path = this.#path
    const { isHead } = this.#table.model
    let from = begin
    while (from > to && isHead[path[from] as number] === 1) from--
    if (from === to) return
    const first = path[from] as number
    const last = path[to] as number
    if (from - to === 1) return this.#collectBehind(first, last)
    // inside a block nothing moves but set-ups: where they differ, every place in it counts
    if (this.#everyPlace) {
      for (let at = from; at >= to; at--) {
        const operation = path[at] as number
        for (let other = at - 1; other >= to; other--) this.#collectBehind(operation, path[other] as number)
        for (let other = at + 2; other <= from; other++) this.#collectAhead(operation, path[other] as number)
      }
      return
    }
    for (let at = from; at >= to; at--) {
      const operation = path[at] as number
      if (at > to) this.#collectBehind(operation, last)
      if (at < from) this.#collectAhead(operation, first)
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
    const { model, start, end } = table
    // a way from one of its followers to the target would close a circle; tails or times rule it out
    const reach = this.#reach[target] as number
    for (let at = model.afterFirst[operation] as number, limit = model.afterFirst[operation + 1] as number; at < limit; at++) {
      const follower = model.after[at] as number
      if ((this.#reach[follower] as number) > reach && (end[follower] as number) <= (start[target] as number)) return
    }
    let size = 0
    let tabu = 0
    for (let other = table.next[operation] as number; other >= 0; other = table.next[other] as number) {
      this.#stretch[size++] = other
      if ((this.#tabuPair[pairOf(other, operation)] as number) > this.#iteration) tabu = 1
      if (other === target) break
    }
    this.#stretch[size++] = operation
    const estimate = this.#estimateStretch(size, table.previous[operation] as number, table.next[target] as number)
    this.#offer(operation, table.alternative[operation] as number, target, estimate, tabu)
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
    const estimate = this.#estimateStretch(size, previous, table.next[operation] as number)
    this.#offer(operation, table.alternative[operation] as number, previous, estimate, tabu)
  }

  /** What the targets would cost with a stretch of a unit in its new order and everything around it as it is. */
  #estimateStretch(size: number, previous: number, next: number): number {
    const table = this.#table
    const { model } = table
    const ahead = !model.attached && model.anticipatory
    const unit = table.unit(this.#stretch[0] as number)
    let before = previous
    let free = (previous < 0 ? model.unitFree[unit] : table.end[previous]) as number
    let setups = 0
    let critical = 0
    for (let at = 0; at < size; at++) {
      const operation = this.#stretch[at] as number
      const alternative = table.alternative[operation] as number
      const setup = model.setup(alternative, operation, before)
      setups += setup - (table.setup[operation] as number)
      this.#stretchSetup[at] = setup
      const ready = this.#readyAt(operation)
      const start = ahead ? Math.max(free + setup, ready) : Math.max(free, ready) + setup
      free = start + (model.alternativeDuration[alternative] as number)
      this.#stretchEnd[at] = free
      critical |= this.#critical[operation] as number
      before = operation
    }
    let nextLength = 0
    if (next >= 0) {
      const alternative = table.alternative[next] as number
      const setup = model.setup(alternative, next, before)
      setups += setup - (table.setup[next] as number)
      nextLength = setup + (model.alternativeDuration[alternative] as number)
    }
    this.#stretchTouched = critical
    const active = this.#targets.activeCount
    let cost = setups * model.problem.weights.setup
    for (let k = 0; k < active; k++) {
      let through = next < 0 ? NEVER : nextLength + (this.#tails[next * active + k] as number)
      let longest = NEVER
      let old = NEVER
      for (let at = size - 1; at >= 0; at--) {
        const operation = this.#stretch[at] as number
        const own = this.#jobTails[operation * active + k] as number
        const tail = Math.max(own, through)
        const whole = (this.#stretchEnd[at] as number) + tail
        if (whole > longest) longest = whole
        const was = (table.end[operation] as number) + (this.#tails[operation * active + k] as number)
        if (was > old) old = was
        through = (this.#stretchSetup[at] as number) + (model.alternativeDuration[table.alternative[operation] as number] as number) + tail
      }
      cost += this.#costOf(k, longest, old)
    }
    return cost
  }

  /** What an active target costs when the longest way to it through what a move touches becomes `longest`, and was `old`. */
  #costOf(k: number, longest: number, old: number): number {
    const target = this.#targets.active[k] as number
    const reached = this.#reached[k] as number
    // where closed time lies on the way, the difference says more than the sum
    const then = (this.#stretchTouched & (1 << k)) !== 0 ? reached + longest - old : Math.max(longest, reached)
    const late = then - (this.#targets.due[target] as number)
    return late > 0 ? late * (this.#targets.price[target] as number) : 0
  }

  /** Every place on a unit where an operation could go without certainly making things worse. */
  #collectPlaces(operation: number, alternative: number): void {
    const table = this.#table
    const { model, end } = table
    const unit = model.alternativeUnit[alternative] as number
    const same = alternative === table.alternative[operation]
    const tabu = !same && (this.#tabuAlternative[alternative] as number) > this.#iteration ? 1 : 0
    if (tabu === 1 && this.#exact) return
    const ready = this.#readyAt(operation)
    const duration = model.alternativeDuration[alternative] as number
    const ahead = !model.attached && model.anticipatory
    const reach = this.#reach
    let tail = 0
    for (let at = model.afterFirst[operation] as number, limit = model.afterFirst[operation + 1] as number; at < limit; at++) {
      const way = reach[model.after[at] as number] as number
      if (way > tail) tail = way
    }
    const fixed =
      this.#removalGain(operation) +
      this.#reassignment(operation, unit) +
      this.#thrift * (duration - (model.alternativeDuration[table.alternative[operation] as number] as number))
    this.#stretchTouched = this.#critical[operation] as number
    const active = this.#targets.activeCount
    for (let k = 0; k < active; k++) this.#old[k] = (end[operation] as number) + (this.#tails[operation * active + k] as number)
    const row = this.#row
    const first = this.#list(unit)
    const limit = first + (this.#rowSize[unit] as number)
    // behind everything that is over before it could begin and must be early itself
    let at = this.#firstPlace(first, limit, ready, tail)
    const setupWeight = model.problem.weights.setup
    for (;;) {
      if (at < limit && row[at] === operation) at++
      let previous = at > first ? (row[at - 1] as number) : -1
      if (previous === operation) previous = at - 1 > first ? (row[at - 2] as number) : -1
      const next = at < limit ? (row[at] as number) : -1
      if (!same || table.previous[operation] !== previous) {
        const setup = model.setup(alternative, operation, previous)
        const free = (previous < 0 ? model.unitFree[unit] : end[previous]) as number
        const done = (ahead ? Math.max(free + setup, ready) : Math.max(free, ready) + setup) + duration
        let nextLength = 0
        let setups = setup
        if (next >= 0) {
          const other = table.alternative[next] as number
          const nextSetup = model.setup(other, next, operation)
          nextLength = nextSetup + (model.alternativeDuration[other] as number)
          setups += nextSetup - (table.setup[next] as number)
        }
        let cost = fixed + setups * setupWeight
        for (let k = 0; k < active; k++) {
          const own = this.#jobTails[operation * active + k] as number
          const through = next < 0 ? NEVER : nextLength + (this.#tails[next * active + k] as number)
          cost += this.#costOf(k, done + Math.max(own, through), this.#old[k] as number)
        }
        this.#offer(operation, alternative, previous, cost, tabu)
      }
      // not behind what is late and may be late
      if (next < 0 || ((end[next] as number) > ready && (reach[next] as number) <= tail)) return
      at++
    }
  }

  /** Where the operations of a unit are listed in `#row`. */
  #list(unit: number): number {
    const first = this.#rowFirst[unit] as number
    if (this.#rowOf[unit] === this.#iteration) return first
    this.#rowOf[unit] = this.#iteration
    const { next, firstOf } = this.#table
    let at = first
    for (let operation = firstOf[unit] as number; operation >= 0; operation = next[operation] as number) this.#row[at++] = operation
    this.#rowSize[unit] = at - first
    return first
  }

  /** Behind the heads, and all that ends by `ready` and must be earlier than what has `tail` after it: along a unit ends grow and ways to the end shrink. */
  #firstPlace(first: number, limit: number, ready: number, tail: number): number {
    const { model, end } = this.#table
    let from = first
    let to = limit
    while (from < to) {
      const middle = (from + to) >> 1
      const other = this.#row[middle] as number
      if (model.isHead[other] === 1 || ((end[other] as number) <= ready && (this.#reach[other] as number) > tail)) from = middle + 1
      else to = middle
    }
    return from
  }

  /** The change of set-up cost where an operation leaves. */
  #removalGain(operation: number): number {
    const table = this.#table
    const { model } = table
    const { weights } = model.problem
    if (weights.setup === 0) return 0
    const next = table.next[operation] as number
    const setups = next < 0 ? 0 : model.setup(table.alternative[next] as number, next, table.previous[operation] as number) - (table.setup[next] as number)
    return (setups - (table.setup[operation] as number)) * weights.setup
  }

  #reassignment(operation: number, unit: number): number {
    const { baselineUnit, problem } = this.#table.model
    const baseline = baselineUnit[operation] as number
    if (baseline < 0) return 0
    const was = this.#table.unit(operation) === baseline ? 0 : 1
    return ((unit === baseline ? 0 : 1) - was) * problem.weights.reassigned
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
    const table = this.#table
    if (this.#exact) return this.#stepExactly(best)
    while (this.#moves > 0) {
      const chosen = this.#choose(best)
      const at = chosen >= 0 ? chosen : Math.floor(this.#random() * this.#moves)
      const operation = this.#operation[at] as number
      const alternative = this.#alternative[at] as number
      const previous = this.#previous[at] as number
      this.#forbid(operation, alternative, previous)
      if (table.move(operation, alternative, previous) !== Number.POSITIVE_INFINITY) return true
      this.#drop(at)
    }
    return false
  }

  /** The same among the few that look best, by their exact cost. */
  #stepExactly(best: number): boolean {
    const table = this.#table
    let lowest = Number.POSITIVE_INFINITY
    let operation = -1
    let alternative = -1
    let previous = -1
    for (let tried = 0; tried < EXACT && this.#moves > 0; tried++) {
      const chosen = this.#choose(best)
      if (chosen < 0 && operation >= 0) break
      const at = chosen >= 0 ? chosen : Math.floor(this.#random() * this.#moves)
      const cost = table.move(this.#operation[at] as number, this.#alternative[at] as number, this.#previous[at] as number)
      if (cost !== Number.POSITIVE_INFINITY) {
        table.undo()
        if (cost < lowest) {
          lowest = cost
          operation = this.#operation[at] as number
          alternative = this.#alternative[at] as number
          previous = this.#previous[at] as number
        }
      }
      this.#drop(at)
    }
    if (operation < 0) return false
    this.#forbid(operation, alternative, previous)
    table.move(operation, alternative, previous)
    return true
  }

  #drop(at: number): void {
    const last = --this.#moves
    this.#operation[at] = this.#operation[last] as number
    this.#alternative[at] = this.#alternative[last] as number
    this.#previous[at] = this.#previous[last] as number
    this.#estimate[at] = this.#estimate[last] as number
    this.#isTabu[at] = this.#isTabu[last] as number
  }

  /** The move that looks best and is not tabu, or looks better than the best so far; −1 when all are tabu. */
  #choose(best: number): number {
    let chosen = -1
    let lowest = Number.POSITIVE_INFINITY
    let equals = 0
    for (let at = 0; at < this.#moves; at++) {
      const estimate = this.#estimate[at] as number
      if (estimate > lowest || (this.#isTabu[at] === 1 && (this.#exact || estimate >= best - 1e-9))) continue
      if (estimate < lowest) {
        lowest = estimate
        equals = 0
      }
      if (this.#random() * ++equals < 1) chosen = at
    }
    return chosen
  }

  /** Keeps a move from being undone for a while. */
  #forbid(operation: number, alternative: number, previous: number): void {
    const table = this.#table
    const { model } = table
    const present = table.alternative[operation] as number
    if (alternative !== present) {
      const choices = (model.alternativeFirst[operation + 1] as number) - (model.alternativeFirst[operation] as number)
      this.#tabuAlternative[present] = this.#iteration + TABU_ALTERNATIVE + choices + Math.floor(this.#random() * TABU_SPREAD)
      return
    }
    const until =
      this.#iteration +
      (this.#everyPlace ? TABU_ORDER_SETUPS : TABU_ORDER) +
      Math.floor(model.count / Math.max(1, model.units) / 4) +
      Math.floor(this.#random() * TABU_SPREAD)
    // which way it goes: the target lies ahead when walking on from the operation meets it
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
