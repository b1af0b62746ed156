import { CoupledPass } from './coupled-pass.ts'
import type { Model } from './model.ts'
import { UnitRisk } from './risk-cost.ts'

/**
 * A complete schedule that can be changed one move at a time: which alternative each operation takes and in which order each unit works.
 * Starts follow from that by one forward pass (every operation as early as its predecessors, its unit and the calendars allow).
 *
 * The operations are kept in a topological order. A move repairs that order only between the places it touches and recomputes only operations
 * whose predecessors changed, so the exact cost of a move is a matter of microseconds; `undo` takes the last move back. Where operations share resources,
 * the topological order also says who gets them first, and `overtake` is a move that changes that alone.
 */
export class Timetable {
  readonly model: Model
  readonly alternative: Int32Array
  /** Neighbours on the unit; −1 at the ends. */
  readonly previous: Int32Array
  readonly next: Int32Array
  readonly firstOf: Int32Array
  readonly lastOf: Int32Array
  readonly start: Float64Array
  readonly end: Float64Array
  readonly setup: Float64Array
  /** The operation that decides when this one starts: on its unit, before it in its order, or by what it shares with it; −1 when release or calendar does. */
  readonly binding: Int32Array
  /** Earliest starts: those of the model, unless somebody wants operations to wait. */
  readonly notBefore: Float64Array
  /** Completion by order. */
  readonly completion: Float64Array
  /** The units that may fail; undefined where none may, or nobody cares. */
  readonly unitRisk: UnitRisk | undefined
  cost = 0
  makespan = 0
  /** Moves tried, refused ones included: what a search is bounded by. */
  evaluations = 0
  /** No operation of a higher rank in `order` has another alternative, set-up or follower, or another rank, than when somebody set this to −1. */
  changedTo = -1

  /** The operations in a topological order; changes with every move, not to be written to. */
  readonly order: Int32Array
  readonly #rank: Int32Array
  readonly #marked: Int32Array
  #mark = 0
  readonly #dirty: Uint8Array
  #tardiness = 0
  #setupTime = 0
  #lateStart = 0
  #deviation = 0
  #reassigned = 0
  #risk = 0
  readonly #coupled: CoupledPass | undefined
  /** In the last change of the order, did those marked come forward (or go back)? */
  #came = false

  // what `undo` needs
  readonly #log: Int32Array
  readonly #logStart: Float64Array
  readonly #logEnd: Float64Array
  readonly #logSetup: Float64Array
  readonly #logBinding: Int32Array
  #logged = 0
  readonly #logOrder: Int32Array
  readonly #logCompletion: Float64Array
  #loggedOrders = 0
  readonly #window: Int32Array
  #windowFrom = 0
  #windowLength = 0
  readonly #group: Int32Array
  #moved = -1
  #movedAlternative = -1
  #movedPrevious = -1
  readonly #totals = new Float64Array(8)

  constructor(model: Model) {
    const n = model.count
    this.model = model
    this.alternative = new Int32Array(n)
    this.previous = new Int32Array(n).fill(-1)
    this.next = new Int32Array(n).fill(-1)
    this.firstOf = new Int32Array(model.units).fill(-1)
    this.lastOf = new Int32Array(model.units).fill(-1)
    this.start = new Float64Array(n)
    this.end = new Float64Array(n)
    this.setup = new Float64Array(n)
    this.binding = new Int32Array(n).fill(-1)
    this.notBefore = model.release.slice()
    this.completion = new Float64Array(model.orders)
    this.order = new Int32Array(n)
    this.#rank = new Int32Array(n)
    this.#marked = new Int32Array(n)
    this.#dirty = new Uint8Array(n)
    this.#log = new Int32Array(n)
    this.#logStart = new Float64Array(n)
    this.#logEnd = new Float64Array(n)
    this.#logSetup = new Float64Array(n)
    this.#logBinding = new Int32Array(n)
    this.#logOrder = new Int32Array(model.orders)
    this.#logCompletion = new Float64Array(model.orders)
    this.#window = new Int32Array(n)
    this.#group = new Int32Array(n)
    this.unitRisk = UnitRisk.of(model)
    this.#coupled = model.coupled ? new CoupledPass(this) : undefined
  }

  unit(operation: number): number {
    return this.model.alternativeUnit[this.alternative[operation] as number] as number
  }

  /** Takes over a schedule given as alternatives and the order on each unit. Operations must be listed so that none comes before its predecessors. */
  load(sequence: readonly number[] | Int32Array, alternative: Int32Array): void {
    this.alternative.set(alternative)
    this.previous.fill(-1)
    this.next.fill(-1)
    this.firstOf.fill(-1)
    this.lastOf.fill(-1)
    sequence.forEach((operation: number, rank: number) => {
      this.order[rank] = operation
      this.#rank[operation] = rank
      const unit = this.unit(operation)
      const last = this.lastOf[unit] as number
      this.previous[operation] = last
      if (last < 0) this.firstOf[unit] = operation
      else this.next[last] = operation
      this.lastOf[unit] = operation
    })
    this.evaluate()
  }

  /** The operations in an order in which `load` can take them again. */
  sequence(): Int32Array {
    return this.order.slice()
  }

  /** Everything anew: free of the rounding that many small changes add up to. */
  evaluate(): void {
    const { model } = this
    this.#lateStart = 0
    this.#deviation = 0
    this.#reassigned = 0
    this.#setupTime = 0
    this.#tardiness = 0
    this.start.fill(0)
    this.end.fill(0)
    this.setup.fill(0)
    this.#logged = 0
    this.#coupled?.begin()
    for (let rank = 0; rank < model.count; rank++) {
      const operation = this.order[rank] as number
      if (this.#coupled === undefined) this.#place(operation)
      else this.#coupled.place(operation, rank)
      this.#setupTime += this.setup[operation] as number
      this.#addPenalties(operation, 1)
      this.#reassigned += this.#isReassigned(operation)
    }
    for (let order = 0; order < model.orders; order++) {
      this.completion[order] = this.#completionOf(order)
      this.#tardiness += this.#tardinessOf(order)
    }
    this.#setMakespan()
    this.#moved = -1
    this.#risk = this.unitRisk === undefined ? 0 : this.#riskOfAll(this.unitRisk)
    this.changedTo = model.count - 1
    this.#sum()
  }

  /**
   * Puts an operation right after `previous` on the unit of an alternative (−1: first there) and returns the new cost.
   * `Infinity`, with nothing changed, when operations would wait for each other in a circle.
   */
  move(operation: number, alternative: number, previous: number): number {
    const { model } = this
    const oldPrevious = this.previous[operation] as number
    const oldNext = this.next[operation] as number
    const unit = model.alternativeUnit[alternative] as number
    this.#begin(operation)
    if (this.unitRisk !== undefined) this.#risk -= this.#riskOf(this.unitRisk, this.unit(operation), unit)
    this.#unlink(operation)
    const next = (previous < 0 ? this.firstOf[unit] : this.next[previous]) as number
    if (!this.#reorder(operation, previous, next)) {
      this.#link(operation, oldPrevious, this.unit(operation))
      this.#moved = -1
      this.#risk = this.#totals[7] as number
      return Number.POSITIVE_INFINITY
    }
    this.#reassigned -= this.#isReassigned(operation)
    this.alternative[operation] = alternative
    this.#reassigned += this.#isReassigned(operation)
    this.#link(operation, previous, unit)
    this.#noteChange(operation, previous, next, oldPrevious, oldNext)
    if (this.unitRisk !== undefined) this.#risk += this.#riskOf(this.unitRisk, unit, model.alternativeUnit[this.#movedAlternative] as number)

    let from = this.#rank[operation] as number
    this.#dirty[operation] = 1
    let pending = 1
    if (oldNext >= 0 && oldNext !== operation) {
      this.#dirty[oldNext] = 1
      pending++
      from = Math.min(from, this.#rank[oldNext] as number)
    }
    if (next >= 0 && this.#dirty[next] === 0) {
      this.#dirty[next] = 1
      pending++
      from = Math.min(from, this.#rank[next] as number)
    }
    if (this.#coupled === undefined) this.#propagate(from, pending)
    else this.#propagateCoupled(this.#coupled, from, pending)
    return this.cost
  }

  /**
   * Puts an operation, and what must come before it, ahead of another one in the order in which they get resources; every unit's own order stays. Returns the new
   * cost; `Infinity`, with nothing changed, when it is ahead already or must wait for the other.
   */
  overtake(operation: number, other: number): number {
    const rank = this.#rank[operation] as number
    const to = this.#rank[other] as number
    this.#begin(operation)
    if (this.#coupled === undefined || rank < to || !this.#advance(operation, to, rank)) {
      this.#moved = -1
      return Number.POSITIVE_INFINITY
    }
    this.#propagateCoupled(this.#coupled, this.model.count, 0)
    return this.cost
  }

  /**
   * Ranks the operations by their starts. Each finds the place that it has, or an earlier one, because nobody who is placed before it now takes more of that place (now and
   * then one does, where set-up is done before the start). A move then disturbs what comes after it in time, and not what many moves have left behind it in the order.
   */
  rankByStart(): void {
    const { order, start } = this
    // equal starts keep their order: sorting is stable
    order.set(Array.from(order).sort((a, b) => (start[a] as number) - (start[b] as number)))
    order.forEach((operation, rank) => {
      this.#rank[operation] = rank
    })
    this.evaluate()
  }

  /** Does an operation wait for another only because both need the same? Then `binding` is that other. */
  isHeldUp(operation: number): boolean {
    return this.#coupled?.isHeldUp(operation) === true
  }

  /** Everything that `undo` needs to know of what is about to be moved. */
  #begin(operation: number): void {
    this.evaluations++
    this.#moved = operation
    this.#movedAlternative = this.alternative[operation] as number
    this.#movedPrevious = this.previous[operation] as number
    this.#saveTotals()
    this.#windowLength = 0
    this.#logged = 0
    this.#loggedOrders = 0
  }

  /** Takes the last `move` or `overtake` back. Once, and only when it was not refused. */
  undo(): void {
    const operation = this.#moved
    if (operation < 0) return
    this.#moved = -1
    this.#unlink(operation)
    this.alternative[operation] = this.#movedAlternative
    this.#link(operation, this.#movedPrevious, this.unit(operation))
    for (let at = 0; at < this.#windowLength; at++) {
      const other = this.#window[at] as number
      this.order[this.#windowFrom + at] = other
      this.#rank[other] = this.#windowFrom + at
    }
    for (let at = 0; at < this.#logged; at++) {
      const other = this.#log[at] as number
      this.start[other] = this.#logStart[at] as number
      this.end[other] = this.#logEnd[at] as number
      this.setup[other] = this.#logSetup[at] as number
      this.binding[other] = this.#logBinding[at] as number
    }
    if (this.#coupled !== undefined) for (let at = 0; at < this.#logged; at++) this.#coupled.restore(at, this.#log[at] as number)
    for (let at = 0; at < this.#loggedOrders; at++) this.completion[this.#logOrder[at] as number] = this.#logCompletion[at] as number
    const totals = this.#totals
    this.#tardiness = totals[0] as number
    this.#setupTime = totals[1] as number
    this.#lateStart = totals[2] as number
    this.#deviation = totals[3] as number
    this.#reassigned = totals[4] as number
    this.makespan = totals[5] as number
    this.cost = totals[6] as number
    this.#risk = totals[7] as number
  }

  #noteChange(operation: number, previous: number, next: number, oldPrevious: number, oldNext: number): void {
    const rank = this.#rank
    let last = rank[operation] as number
    if (previous >= 0) last = Math.max(last, rank[previous] as number)
    if (next >= 0) last = Math.max(last, rank[next] as number)
    if (oldPrevious >= 0) last = Math.max(last, rank[oldPrevious] as number)
    if (oldNext >= 0) last = Math.max(last, rank[oldNext] as number)
    this.changedTo = Math.max(this.changedTo, last)
  }

  #saveTotals(): void {
    const totals = this.#totals
    totals[0] = this.#tardiness
    totals[1] = this.#setupTime
    totals[2] = this.#lateStart
    totals[3] = this.#deviation
    totals[4] = this.#reassigned
    totals[5] = this.makespan
    totals[6] = this.cost
    totals[7] = this.#risk
  }

  #unlink(operation: number): void {
    const previous = this.previous[operation] as number
    const next = this.next[operation] as number
    const unit = this.unit(operation)
    if (previous < 0) this.firstOf[unit] = next
    else this.next[previous] = next
    if (next < 0) this.lastOf[unit] = previous
    else this.previous[next] = previous
  }

  #link(operation: number, previous: number, unit: number): void {
    const next = (previous < 0 ? this.firstOf[unit] : this.next[previous]) as number
    this.previous[operation] = previous
    this.next[operation] = next
    if (previous < 0) this.firstOf[unit] = operation
    else this.next[previous] = operation
    if (next < 0) this.lastOf[unit] = operation
    else this.previous[next] = operation
  }

  /** Makes the topological order fit `previous → operation → next`; false, with the order as it was, when there is none. */
  #reorder(operation: number, previous: number, next: number): boolean {
    const rank = this.#rank[operation] as number
    if (previous >= 0 && (this.#rank[previous] as number) > rank) return this.#delay(operation, rank, this.#rank[previous] as number)
    if (next >= 0 && (this.#rank[next] as number) < rank) return this.#advance(operation, this.#rank[next] as number, rank)
    return true
  }

  /** Moves an operation, and what must follow it, behind the operation at rank `to`. */
  #delay(operation: number, from: number, to: number): boolean {
    const { before, beforeFirst } = this.model
    const mark = ++this.#mark
    this.#came = false
    this.#marked[operation] = mark
    const group = this.#group
    let grouped = 0
    group[grouped++] = operation
    for (let rank = from + 1; rank <= to; rank++) {
      const other = this.order[rank] as number
      let follows = false
      const previous = this.previous[other] as number
      if (previous >= 0 && this.#marked[previous] === mark) follows = true
      for (let at = beforeFirst[other] as number, limit = beforeFirst[other + 1] as number; !follows && at < limit; at++)
        follows = this.#marked[before[at] as number] === mark
      if (!follows) continue
      if (rank === to) return false
      this.#marked[other] = mark
      group[grouped++] = other
    }
    this.#saveWindow(from, to)
    let write = from
    for (let at = 0; at < this.#windowLength; at++) {
      const other = this.#window[at] as number
      if (this.#marked[other] === mark) continue
      this.order[write] = other
      this.#rank[other] = write++
    }
    for (let at = 0; at < grouped; at++) {
      const other = group[at] as number
      this.order[write] = other
      this.#rank[other] = write++
    }
    return true
  }

  /** Moves an operation, and what must come before it, ahead of the operation at rank `from`. */
  #advance(operation: number, from: number, to: number): boolean {
    const { after, afterFirst } = this.model
    const mark = ++this.#mark
    this.#came = true
    this.#marked[operation] = mark
    const group = this.#group
    let grouped = 0
    group[grouped++] = operation
    for (let rank = to - 1; rank >= from; rank--) {
      const other = this.order[rank] as number
      let leads = false
      const next = this.next[other] as number
      if (next >= 0 && this.#marked[next] === mark) leads = true
      for (let at = afterFirst[other] as number, limit = afterFirst[other + 1] as number; !leads && at < limit; at++)
        leads = this.#marked[after[at] as number] === mark
      if (!leads) continue
      if (rank === from) return false
      this.#marked[other] = mark
      group[grouped++] = other
    }
    this.#saveWindow(from, to)
    let write = to
    for (let at = this.#windowLength - 1; at >= 0; at--) {
      const other = this.#window[at] as number
      if (this.#marked[other] === mark) continue
      this.order[write] = other
      this.#rank[other] = write--
    }
    for (let at = 0; at < grouped; at++) {
      const other = group[at] as number
      this.order[write] = other
      this.#rank[other] = write--
    }
    return true
  }

  #saveWindow(from: number, to: number): void {
    this.changedTo = Math.max(this.changedTo, to)
    this.#windowFrom = from
    this.#windowLength = to - from + 1
    for (let at = 0; at < this.#windowLength; at++) this.#window[at] = this.order[from + at] as number
  }

  /** Recomputes what changed, in topological order, until nothing that waits has changed. */
  #propagate(from: number, waiting: number): void {
    const { after, afterFirst, orderOf, isLast, count } = this.model
    let pending = waiting
    for (let rank = from; pending > 0 && rank < count; rank++) {
      const operation = this.order[rank] as number
      if (this.#dirty[operation] === 0) continue
      this.#dirty[operation] = 0
      pending--
      const oldStart = this.start[operation] as number
      const oldEnd = this.end[operation] as number
      const oldSetup = this.setup[operation] as number
      const logged = this.#logged++
      this.#log[logged] = operation
      this.#logStart[logged] = oldStart
      this.#logEnd[logged] = oldEnd
      this.#logSetup[logged] = oldSetup
      this.#logBinding[logged] = this.binding[operation] as number
      this.#addPenalties(operation, -1)
      this.#place(operation)
      this.#addPenalties(operation, 1)
      this.#setupTime += (this.setup[operation] as number) - oldSetup
      if (this.end[operation] === oldEnd) continue
      const next = this.next[operation] as number
      if (next >= 0 && this.#dirty[next] === 0) {
        this.#dirty[next] = 1
        pending++
      }
      for (let at = afterFirst[operation] as number, limit = afterFirst[operation + 1] as number; at < limit; at++) {
        const follower = after[at] as number
        if (this.#dirty[follower] === 0) {
          this.#dirty[follower] = 1
          pending++
        }
      }
      if (isLast[operation] === 1) this.#finishOrder(orderOf[operation] as number)
    }
    this.#setMakespan()
    this.#sum()
  }

  /** The same where operations share resources or hand on transfer lots. */
  #propagateCoupled(coupled: CoupledPass, first: number, waiting: number): void {
    const { after, afterFirst, orderOf, isLast, count } = this.model
    coupled.begin()
    let from = first
    let pending = waiting
    // whoever has others behind it in the order that were ahead may find a place that they had
    for (let at = 0; at < this.#windowLength; at++) {
      const operation = this.#window[at] as number
      if ((this.#marked[operation] === this.#mark) !== this.#came || this.#dirty[operation] === 1 || !coupled.needsAny(operation)) continue
      this.#dirty[operation] = 1
      pending++
      from = Math.min(from, this.#rank[operation] as number)
    }
    for (let rank = from; rank < count && (pending > 0 || coupled.spreads); rank++) {
      const operation = this.order[rank] as number
      if (this.#dirty[operation] === 1) pending--
      else if (!coupled.isTouched(operation)) continue
      this.#dirty[operation] = 0
      const oldStart = this.start[operation] as number
      const oldEnd = this.end[operation] as number
      const oldSetup = this.setup[operation] as number
      const oldLotReady = coupled.lotReady[operation] as number
      const logged = this.#logged++
      this.#log[logged] = operation
      this.#logStart[logged] = oldStart
      this.#logEnd[logged] = oldEnd
      this.#logSetup[logged] = oldSetup
      this.#logBinding[logged] = this.binding[operation] as number
      coupled.save(logged, operation)
      this.#addPenalties(operation, -1)
      coupled.place(operation, rank)
      this.#addPenalties(operation, 1)
      this.#setupTime += (this.setup[operation] as number) - oldSetup
      const alternative = this.alternative[operation] as number
      coupled.moved(logged, operation, operation === this.#moved ? this.#movedAlternative : alternative, oldStart, oldEnd)
      const sameEnd = this.end[operation] === oldEnd
      if (sameEnd && coupled.lotReady[operation] === oldLotReady) continue
      const next = this.next[operation] as number
      if (next >= 0 && this.#dirty[next] === 0) {
        this.#dirty[next] = 1
        pending++
      }
      for (let at = afterFirst[operation] as number, limit = afterFirst[operation + 1] as number; at < limit; at++) {
        const follower = after[at] as number
        if (this.#dirty[follower] === 0) {
          this.#dirty[follower] = 1
          pending++
        }
      }
      if (isLast[operation] === 1 && !sameEnd) this.#finishOrder(orderOf[operation] as number)
    }
    this.#setMakespan()
    this.#sum()
  }

  #finishOrder(order: number): void {
    const completion = this.#completionOf(order)
    if (completion === this.completion[order]) return
    // an order with several last operations may come here more than once: the log is undone backwards only for the first, so log once
    let known = false
    for (let at = 0; at < this.#loggedOrders && !known; at++) known = this.#logOrder[at] === order
    if (!known) {
      this.#logOrder[this.#loggedOrders] = order
      this.#logCompletion[this.#loggedOrders++] = this.completion[order] as number
    }
    this.#tardiness -= this.#tardinessOf(order)
    this.completion[order] = completion
    this.#tardiness += this.#tardinessOf(order)
  }

  /** Start and end of an operation whose predecessors are placed. */
  #place(operation: number): void {
    const { model } = this
    let ready = this.notBefore[operation] as number
    let binding = -1
    for (let at = model.beforeFirst[operation] as number, limit = model.beforeFirst[operation + 1] as number; at < limit; at++) {
      const other = model.before[at] as number
      const end = this.end[other] as number
      if (end > ready) {
        ready = end
        binding = other
      }
    }
    const previous = this.previous[operation] as number
    const alternative = this.alternative[operation] as number
    const setup = model.setup(alternative, operation, previous)
    const free = (previous < 0 ? model.unitFree[model.alternativeUnit[alternative] as number] : this.end[previous]) as number
    if (previous >= 0 && free + (model.attached || !model.anticipatory ? 0 : setup) >= ready) binding = previous
    model.place(operation, alternative, ready, free, setup)
    this.start[operation] = model.timeline.start
    this.end[operation] = model.timeline.end
    this.setup[operation] = setup
    this.binding[operation] = binding
  }

  #addPenalties(operation: number, sign: number): void {
    const { model } = this
    const start = this.start[operation] as number
    const startBy = model.startBy[operation] as number
    if (start > startBy) this.#lateStart += sign * (start - startBy)
    if ((model.baselineUnit[operation] as number) >= 0) this.#deviation += sign * Math.abs(start - (model.baselineStart[operation] as number))
  }

  #isReassigned(operation: number): number {
    const baseline = this.model.baselineUnit[operation] as number
    return baseline >= 0 && baseline !== this.unit(operation) ? 1 : 0
  }

  #riskOfAll(unitRisk: UnitRisk): number {
    let cost = 0
    for (let unit = 0; unit < this.model.units; unit++) cost += unitRisk.cost(unit, this.firstOf[unit] as number, this.next, this.alternative)
    return cost
  }

  /** The risk of one unit or two. */
  #riskOf(unitRisk: UnitRisk, one: number, other: number): number {
    const cost = unitRisk.cost(one, this.firstOf[one] as number, this.next, this.alternative)
    return one === other ? cost : cost + unitRisk.cost(other, this.firstOf[other] as number, this.next, this.alternative)
  }

  #completionOf(order: number): number {
    const { last, lastFirst, frozenEnd } = this.model
    let completion = frozenEnd[order] as number
    for (let at = lastFirst[order] as number, limit = lastFirst[order + 1] as number; at < limit; at++) {
      const end = this.end[last[at] as number] as number
      if (end > completion) completion = end
    }
    return completion
  }

  #tardinessOf(order: number): number {
    const late = (this.completion[order] as number) - (this.model.due[order] as number)
    return late > 0 ? late * (this.model.weight[order] as number) : 0
  }

  #setMakespan(): void {
    const { counts, orders, now } = this.model
    let makespan = now
    for (let order = 0; order < orders; order++) {
      const completion = this.completion[order] as number
      if (counts[order] === 1 && completion > makespan) makespan = completion
    }
    this.makespan = makespan - now
  }

  #sum(): void {
    const weights = this.model.problem.weights
    this.cost =
      weights.tardiness * this.#tardiness +
      weights.makespan * this.makespan +
      weights.setup * this.#setupTime +
      weights.lateStart * this.#lateStart +
      weights.reassigned * this.#reassigned +
      weights.deviation * this.#deviation +
      this.#risk
  }
}
