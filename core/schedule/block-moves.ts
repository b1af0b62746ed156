import type { MoveList } from './move-list.ts'
import type { TabuList } from './tabu-list.ts'
import { NEVER, type Tails } from './tails.ts'
import type { Targets } from './targets.ts'
import type { Timetable } from './timetable.ts'

/** Moves of an operation along its unit inside a block of the way that decides when a target is reached (neighbourhoods N6 and N7), and what they are estimated to cost. */
export class BlockMoves {
  readonly #table: Timetable
  readonly #targets: Targets
  readonly #tails: Tails
  readonly #tabu: TabuList
  readonly #moves: MoveList
  /** Are all moves to be estimated in full, and not only what may be the best? */
  readonly #all: boolean
  /** Do set-ups depend on what was before? */
  readonly #everyPlace: boolean
  #iteration = 0

  // a stretch of a unit as a move would have it
  readonly #stretch: Int32Array
  readonly #stretchEnd: Float64Array
  readonly #stretchWork: Float64Array

  constructor(table: Timetable, targets: Targets, tails: Tails, tabu: TabuList, moves: MoveList, all: boolean) {
    const { count, problem } = table.model
    this.#table = table
    this.#targets = targets
    this.#tails = tails
    this.#tabu = tabu
    this.#moves = moves
    this.#all = all
    this.#everyPlace = problem.units.some(({ setups }) => setups !== undefined)
    this.#stretch = new Int32Array(count + 2)
    this.#stretchEnd = new Float64Array(count + 2)
    this.#stretchWork = new Float64Array(count + 2)
  }

  /** Offers the moves inside the block `path[begin]` (its first) to `path[to]` (its last). */
  collect(path: Int32Array, begin: number, to: number, iteration: number): void {
    this.#iteration = iteration
    const { isHead } = this.#table.model
    let from = begin
    while (from > to && isHead[path[from] as number] === 1) from--
    if (from === to) return
    const first = path[from] as number
    const last = path[to] as number
    if (from - to === 1) return this.#behind(first, last)
    // inside a block nothing moves but set-ups: where they differ, every place in it counts
    if (this.#everyPlace) {
      for (let at = from; at >= to; at--) {
        const operation = path[at] as number
        for (let other = at - 1; other >= to; other--) this.#behind(operation, path[other] as number)
        for (let other = at + 2; other <= from; other++) this.#ahead(operation, path[other] as number)
      }
      return
    }
    for (let at = from; at >= to; at--) {
      const operation = path[at] as number
      if (at > to) this.#behind(operation, last)
      if (at < from) this.#ahead(operation, first)
      // N7: the ends into the block
      if (at < from && at > to) {
        this.#behind(first, operation)
        this.#ahead(last, operation)
      }
    }
  }

  /** Moves an operation right behind another one further on its unit. */
  #behind(operation: number, target: number): void {
    const { model, start, end, next, previous, alternative } = this.#table
    const { after, afterFirst } = model
    const reaches = this.#tails.reach
    // a way from one of its followers to the target would close a circle; tails or times rule it out
    const reach = reaches[target] as number
    const begin = start[target] as number
    for (let at = afterFirst[operation] as number, limit = afterFirst[operation + 1] as number; at < limit; at++) {
      const follower = after[at] as number
      if ((reaches[follower] as number) > reach && (end[follower] as number) <= begin) return
    }
    const stretch = this.#stretch
    let size = 0
    let tabu = false
    for (let other = next[operation] as number; other >= 0; other = next[other] as number) {
      stretch[size++] = other
      if (this.#tabu.isOrderTabu(other, operation, this.#iteration)) tabu = true
      if (other === target) break
    }
    stretch[size++] = operation
    const estimate = this.#estimate(size, previous[operation] as number, next[target] as number)
    this.#moves.offer(operation, alternative[operation] as number, target, estimate, tabu)
  }

  /** Moves an operation right ahead of another one earlier on its unit. */
  #ahead(operation: number, target: number): void {
    const { model, end, next, previous, alternative } = this.#table
    const { before, beforeFirst } = model
    const reach = end[target] as number
    for (let at = beforeFirst[operation] as number, limit = beforeFirst[operation + 1] as number; at < limit; at++) {
      if ((end[before[at] as number] as number) > reach) return
    }
    const stretch = this.#stretch
    let size = 0
    let tabu = false
    stretch[size++] = operation
    for (let other = target; other !== operation; other = next[other] as number) {
      stretch[size++] = other
      if (this.#tabu.isOrderTabu(operation, other, this.#iteration)) tabu = true
    }
    const behind = previous[target] as number
    const estimate = this.#estimate(size, behind, next[operation] as number)
    this.#moves.offer(operation, alternative[operation] as number, behind, estimate, tabu)
  }

  /** What the targets would cost with a stretch of a unit in its new order and everything around it as it is; where only the best is wanted, less when it is not that. */
  #estimate(size: number, before: number, next: number): number {
    const table = this.#table
    const { model, end, alternative } = table
    const { alternativeUnit, alternativeSetup } = model
    const { ready, duration, critical } = this.#tails
    const stretch = this.#stretch
    const stretchEnd = this.#stretchEnd
    const stretchWork = this.#stretchWork
    const ahead = !model.attached && model.anticipatory
    const differ = model.families > 0
    let last = before
    let free = (before < 0 ? model.unitFree[alternativeUnit[alternative[stretch[0] as number] as number] as number] : end[before]) as number
    let setups = 0
    let touched = 0
    for (let at = 0; at < size; at++) {
      const operation = stretch[at] as number
      const way = alternative[operation] as number
      const setup = differ ? model.setup(way, operation, last) : (alternativeSetup[way] as number)
      setups += setup - (table.setup[operation] as number)
      const able = ready[operation] as number
      const works = duration[operation] as number
      if (ahead) free = free + setup > able ? free + setup : able
      else free = (free > able ? free : able) + setup
      free += works
      stretchEnd[at] = free
      stretchWork[at] = setup + works
      touched |= critical[operation] as number
      last = operation
    }
    let nextWork = 0
    if (next >= 0) {
      const setup = differ ? model.setup(alternative[next] as number, next, last) : (alternativeSetup[alternative[next] as number] as number)
      setups += setup - (table.setup[next] as number)
      nextWork = setup + (duration[next] as number)
    }
    const limit = this.#all ? Number.POSITIVE_INFINITY : this.#moves.lowest
    return this.#costOf(size, next, nextWork, touched, setups * model.problem.weights.setup, limit)
  }

  #costOf(size: number, next: number, nextWork: number, touched: number, setupCost: number, limit: number): number {
    const tails = this.#tails
    const { ways, jobWays } = tails
    const stretch = this.#stretch
    const stretchEnd = this.#stretchEnd
    const stretchWork = this.#stretchWork
    const active = this.#targets.activeCount
    let cost = setupCost
    for (let k = 0; k < active && cost <= limit; k++) {
      let through = next < 0 ? NEVER : nextWork + (ways[next * active + k] as number)
      let longest = NEVER
      for (let at = size - 1; at >= 0; at--) {
        const own = jobWays[(stretch[at] as number) * active + k] as number
        const tail = own > through ? own : through
        const whole = (stretchEnd[at] as number) + tail
        if (whole > longest) longest = whole
        through = (stretchWork[at] as number) + tail
      }
      cost += tails.cost(k, longest, tails.isOpen ? 0 : this.#longestBefore(size, k), touched)
    }
    return cost
  }

  /** The longest way to an active target through the stretch as it is. */
  #longestBefore(size: number, k: number): number {
    const { end } = this.#table
    const { ways } = this.#tails
    const active = this.#targets.activeCount
    let longest = NEVER
    for (let at = 0; at < size; at++) {
      const operation = this.#stretch[at] as number
      longest = Math.max(longest, (end[operation] as number) + (ways[operation * active + k] as number))
    }
    return longest
  }
}
