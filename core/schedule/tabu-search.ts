import type { Random } from '../base/random.ts'
import { BlockMoves } from './block-moves.ts'
import { MoveList } from './move-list.ts'
import { PlaceMoves } from './place-moves.ts'
import type { Progress } from './progress.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import { TabuList } from './tabu-list.ts'
import { NEVER, Tails } from './tails.ts'
import { Targets } from './targets.ts'
import type { Timetable } from './timetable.ts'

/** How much a longer duration counts against a move beside what the move does to the targets, at most: tried on public instances; more helps some with many units and harms others. */
const MOST_THRIFT = 0.6
const ITERATIONS_BETWEEN_QUESTIONS = 16
/** How many of the moves that look best are evaluated exactly where estimates are rough. */
const EXACT = 5

/**
 * Tabu search. Each iteration follows what decides when a target (an order's end, the end of all) is reached, and looks at the ways to reach it sooner: an
 * operation further ahead or behind in its block (neighbourhoods N6 of Balas & Vazacopoulos 1998 and N7 of Zhang et al. 2007), or at any place on any of its
 * units that does not lengthen the way (Mastrolilli & Gambardella 2000). Moves are estimated from heads and tails, a tail for each target at stake
 * (Mati, Dauzère-Pérès & Lahlou 2011); the best that is not tabu is made. Where units close, operations share resources or keeping to the old plan counts, tails say little: there the
 * best few are evaluated exactly first.
 */
export class TabuSearch {
  /** Did the last run find anything to move? */
  moved = false
  readonly #table: Timetable
  readonly #random: Random
  readonly #targets: Targets
  readonly #tails: Tails
  readonly #tabu: TabuList
  readonly #moves = new MoveList()
  readonly #blocks: BlockMoves
  readonly #places: PlaceMoves
  readonly #exact: boolean
  /** Do set-ups or stability cost something that no late target shows? */
  readonly #wanders: boolean
  readonly #path: Int32Array
  #iteration = 0
  /** What a move pays for a longer duration of its operation, per unit of time. */
  #thrift = 0

  constructor(table: Timetable, random: Random) {
    const { model } = table
    const { weights } = model.problem
    this.#table = table
    this.#random = random
    this.#targets = new Targets(table)
    this.#tails = new Tails(table, this.#targets, random)
    this.#tabu = new TabuList(table, random)
    const keeps = (weights.reassigned > 0 || weights.deviation > 0) && model.baselineUnit.some((unit) => unit >= 0)
    this.#wanders = keeps || weights.setup > 0 || model.risky
    this.#exact = !model.timeline.alwaysOpen || model.coupled || this.#wanders
    this.#blocks = new BlockMoves(table, this.#targets, this.#tails, this.#tabu, this.#moves, this.#exact)
    this.#places = new PlaceMoves(table, this.#targets, this.#tails, this.#tabu, this.#moves, this.#exact)
    this.#path = new Int32Array(model.count)
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
      this.#tails.find()
      this.#collect()
      if (this.#moves.size === 0 || !this.#step(best.cost)) {
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

  #collect(): void {
    this.#moves.clear()
    const targets = this.#targets
    let first = this.#draw(-1)
    if (first < 0 && targets.activeCount > 0) first = Math.floor(this.#random() * targets.activeCount)
    if (first >= 0) this.#collectPath(first)
    const second = targets.activeCount > 1 ? this.#draw(first) : -1
    if (second >= 0) this.#collectPath(second)
    if (this.#wanders && (this.#moves.size === 0 || this.#random() < 0.2)) this.#collectAnywhere(Math.floor(this.#random() * this.#table.model.count))
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
    const { previous } = this.#table
    const { isHead, alternativeFirst } = this.#table.model
    const { alternative } = this.#table
    const path = this.#path
    const length = this.#follow(target)
    // the path runs backwards, so a block is a run of it on one unit
    for (let from = length - 1; from >= 0; ) {
      let to = from
      while (to > 0 && previous[path[to - 1] as number] === path[to]) to--
      if (from > to) this.#blocks.collect(path, from, to, this.#iteration)
      from = to - 1
    }
    for (let at = 0; at < length; at++) {
      const operation = path[at] as number
      if (isHead[operation] === 1) continue
      const first = alternativeFirst[operation] as number
      const limit = alternativeFirst[operation + 1] as number
      for (let other = first; other < limit && limit - first > 1; other++)
        if (other !== alternative[operation]) this.#places.collect(operation, other, this.#iteration, this.#thrift)
    }
  }

  /** Lists the way that decides when a target is reached, backwards, in `#path`; returns how long it is. */
  #follow(target: number): number {
    const { model, end, previous, binding } = this.#table
    const { before, beforeFirst, release } = model
    const { gap } = this.#tails
    const path = this.#path
    let length = 0
    for (let operation = this.#tails.lastOf(target); operation >= 0; ) {
      path[length++] = operation
      if (model.coupled) {
        this.#tails.visit(operation)
        operation = binding[operation] as number
        continue
      }
      const ahead = previous[operation] as number
      const ready = this.#tails.visit(operation)
      const free = ahead < 0 ? NEVER : (end[ahead] as number) + (gap[operation] as number)
      let follows = -1
      if (ready >= free && ready > (release[operation] as number)) {
        for (let at = beforeFirst[operation] as number, limit = beforeFirst[operation + 1] as number; at < limit; at++) {
          const other = before[at] as number
          if ((end[other] as number) >= ready) follows = other
        }
      }
      if (free > ready || (free === ready && (follows < 0 || this.#random() < 0.5))) operation = ahead
      else operation = follows
    }
    return length
  }

  /** An operation to any place on any of its units. */
  #collectAnywhere(operation: number): void {
    const { isHead, alternativeFirst } = this.#table.model
    if (isHead[operation] === 1) return
    this.#tails.visit(operation)
    for (let other = alternativeFirst[operation] as number; other < (alternativeFirst[operation + 1] as number); other++)
      this.#places.collect(operation, other, this.#iteration, this.#thrift)
  }

  /** Makes the best move that is allowed, or any when none is; false when there is none at all. */
  #step(best: number): boolean {
    if (this.#exact) return this.#stepExactly()
    const table = this.#table
    const moves = this.#moves
    while (moves.size > 0) {
      const chosen = moves.choose(this.#random, best - 1e-9)
      const at = chosen >= 0 ? chosen : Math.floor(this.#random() * moves.size)
      const operation = moves.operation[at] as number
      const alternative = moves.alternative[at] as number
      const previous = moves.previous[at] as number
      this.#tabu.forbid(operation, alternative, previous, this.#iteration)
      if (table.move(operation, alternative, previous) !== Number.POSITIVE_INFINITY) return true
      moves.drop(at)
    }
    return false
  }

  /** The same among the few that look best, by their exact cost; nothing tabu, unless all is. */
  #stepExactly(): boolean {
    const table = this.#table
    const moves = this.#moves
    let lowest = Number.POSITIVE_INFINITY
    let operation = -1
    let alternative = -1
    let previous = -1
    for (let tried = 0; tried < EXACT && moves.size > 0; tried++) {
      const chosen = moves.choose(this.#random, Number.NEGATIVE_INFINITY)
      if (chosen < 0 && operation >= 0) break
      const at = chosen >= 0 ? chosen : Math.floor(this.#random() * moves.size)
      const cost = table.move(moves.operation[at] as number, moves.alternative[at] as number, moves.previous[at] as number)
      if (cost !== Number.POSITIVE_INFINITY) {
        table.undo()
        if (cost < lowest) {
          lowest = cost
          operation = moves.operation[at] as number
          alternative = moves.alternative[at] as number
          previous = moves.previous[at] as number
        }
      }
      moves.drop(at)
    }
    if (operation < 0) return false
    this.#tabu.forbid(operation, alternative, previous, this.#iteration)
    table.move(operation, alternative, previous)
    return true
  }
}
