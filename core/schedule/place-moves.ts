import type { MoveList } from './move-list.ts'
import type { TabuList } from './tabu-list.ts'
import { NEVER, type Tails } from './tails.ts'
import { ACTIVE_LIMIT, type Targets } from './targets.ts'
import type { Timetable } from './timetable.ts'

/** Moves of an operation to any place on a unit that does not certainly make things worse (after Mastrolilli & Gambardella 2000), and what they are estimated to cost. */
export class PlaceMoves {
  readonly #table: Timetable
  readonly #targets: Targets
  readonly #tails: Tails
  readonly #tabu: TabuList
  readonly #moves: MoveList
  /** Are all moves to be estimated in full, and not only what may be the best? */
  readonly #all: boolean
  readonly #old = new Float64Array(ACTIVE_LIMIT)
  /** The operations of each unit in their order, listed when they are first asked for in an iteration. */
  readonly #row: Int32Array
  readonly #rowSize: Int32Array
  readonly #rowOf: Int32Array

  constructor(table: Timetable, targets: Targets, tails: Tails, tabu: TabuList, moves: MoveList, all: boolean) {
    const { count, units } = table.model
    this.#table = table
    this.#targets = targets
    this.#tails = tails
    this.#tabu = tabu
    this.#moves = moves
    this.#all = all
    this.#row = new Int32Array(count * units)
    this.#rowSize = new Int32Array(units)
    this.#rowOf = new Int32Array(units)
  }

  /** Offers the places on the unit of an alternative; a longer duration costs `thrift` per unit of time. */
  collect(operation: number, alternative: number, iteration: number, thrift: number): void {
    const table = this.#table
    const { model, end, previous } = table
    const { after, afterFirst, alternativeDuration, alternativeSetup } = model
    const tails = this.#tails
    const { ways, jobWays, reach, duration } = tails
    const unit = model.alternativeUnit[alternative] as number
    const same = alternative === table.alternative[operation]
    const tabu = !same && this.#tabu.isAlternativeTabu(alternative, iteration)
    if (tabu && this.#all) return
    const ready = tails.ready[operation] as number
    const works = alternativeDuration[alternative] as number
    const ahead = !model.attached && model.anticipatory
    const differ = model.families > 0
    let tail = 0
    for (let at = afterFirst[operation] as number, limit = afterFirst[operation + 1] as number; at < limit; at++) {
      const way = reach[after[at] as number] as number
      if (way > tail) tail = way
    }
    const fixed = this.#removalGain(operation) + this.#reassignment(operation, unit) + thrift * (works - (duration[operation] as number))
    const critical = tails.critical[operation] as number
    const active = this.#targets.activeCount
    const old = this.#old
    const base = operation * active
    for (let k = 0; k < active; k++) old[k] = (end[operation] as number) + (ways[base + k] as number)
    if (!this.#all && this.#atLeast(base, ready + works, fixed, critical) > this.#moves.lowest) return
    const row = this.#row
    const first = unit * model.count
    const limit = first + this.#list(unit, first, iteration)
    // behind everything that is over before it could begin and must be early itself
    let at = this.#firstPlace(first, limit, ready, tail)
    const setupWeight = model.problem.weights.setup
    const stays = previous[operation] as number
    for (;;) {
      if (at < limit && row[at] === operation) at++
      let before = at > first ? (row[at - 1] as number) : -1
      if (before === operation) before = at - 1 > first ? (row[at - 2] as number) : -1
      const next = at < limit ? (row[at] as number) : -1
      if (!same || stays !== before) {
        const setup = differ ? model.setup(alternative, operation, before) : (alternativeSetup[alternative] as number)
        const free = (before < 0 ? model.unitFree[unit] : end[before]) as number
        let done: number
        if (ahead) done = (free + setup > ready ? free + setup : ready) + works
        else done = (free > ready ? free : ready) + setup + works
        let cost = fixed
        let nextLength = 0
        if (next >= 0) {
          const other = table.alternative[next] as number
          const nextSetup = differ ? model.setup(other, next, operation) : (alternativeSetup[other] as number)
          nextLength = nextSetup + (duration[next] as number)
          if (setupWeight > 0) cost += (setup + nextSetup - (table.setup[next] as number)) * setupWeight
        } else if (setupWeight > 0) cost += setup * setupWeight
        for (let k = 0; k < active; k++) {
          const own = jobWays[base + k] as number
          const through = next < 0 ? NEVER : nextLength + (ways[next * active + k] as number)
          cost += tails.cost(k, done + (own > through ? own : through), old[k] as number, critical)
        }
        this.#moves.offer(operation, alternative, before, cost, tabu)
      }
      // not behind what is late and may be late
      if (next < 0 || ((end[next] as number) > ready && (reach[next] as number) <= tail)) return
      at++
    }
  }

  /** What any place costs at least for an operation that is done at `done` or later. */
  #atLeast(base: number, done: number, fixed: number, critical: number): number {
    const tails = this.#tails
    const active = this.#targets.activeCount
    let cost = fixed
    for (let k = 0; k < active; k++) cost += tails.cost(k, done + (tails.jobWays[base + k] as number), this.#old[k] as number, critical)
    return cost
  }

  /** Lists the operations of a unit in `#row` from `first`; returns how many. */
  #list(unit: number, first: number, iteration: number): number {
    if (this.#rowOf[unit] === iteration) return this.#rowSize[unit] as number
    this.#rowOf[unit] = iteration
    const { next, firstOf } = this.#table
    const row = this.#row
    let at = first
    for (let operation = firstOf[unit] as number; operation >= 0; operation = next[operation] as number) row[at++] = operation
    this.#rowSize[unit] = at - first
    return at - first
  }

  /** Behind the heads, and all that ends by `ready` and must be earlier than what has `tail` after it: along a unit ends grow and ways to the end shrink. */
  #firstPlace(first: number, limit: number, ready: number, tail: number): number {
    const { model, end } = this.#table
    const { reach } = this.#tails
    const row = this.#row
    let from = first
    let to = limit
    while (from < to) {
      const middle = (from + to) >> 1
      const other = row[middle] as number
      if (model.isHead[other] === 1 || ((end[other] as number) <= ready && (reach[other] as number) > tail)) from = middle + 1
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
}
