import type { Model } from './model.ts'
import { ResourceFit } from './resource-fit.ts'
import type { ResourceProfile } from './resource-profile.ts'
import type { Timetable } from './timetable.ts'
import { lotReadyAt, readyForLast } from './transfer-lots.ts'

/**
 * Start times of a timetable where operations share resources or hand on transfer lots. The order of the operations decides who gets a resource first: each, in turn, is
 * put at the earliest time at which its unit is free and there is enough left by those before it in the order. So one change may move whatever comes later in the order
 * and needs the same: in a pass along the order, those are looked at again whose time meets a time at which the use of one of their resources has changed.
 */
export class CoupledPass {
  /** Has the use of any resource changed in this pass? */
  spreads = false
  /** When the first lot of each operation is made. */
  readonly lotReady: Float64Array
  readonly #table: Timetable
  readonly #model: Model
  readonly #fit: ResourceFit
  /** When each begins to need its resources, and when it would have with enough of everything. */
  readonly #busy: Float64Array
  readonly #wanted: Float64Array
  /** By resource: up to which place in the order its profile holds what is taken; −1: nothing yet in this pass. */
  readonly #filled: Int32Array
  /** By resource: between when and when its use has changed. */
  readonly #from: Float64Array
  readonly #to: Float64Array
  readonly #logBusy: Float64Array
  readonly #logWanted: Float64Array
  readonly #logLotReady: Float64Array

  constructor(table: Timetable) {
    const { model } = table
    const { count } = model
    const resources = model.capacity.length
    this.#table = table
    this.#model = model
    this.#fit = new ResourceFit(model)
    this.lotReady = new Float64Array(count)
    this.#busy = new Float64Array(count)
    this.#wanted = new Float64Array(count)
    this.#filled = new Int32Array(resources)
    this.#from = new Float64Array(resources)
    this.#to = new Float64Array(resources)
    this.#logBusy = new Float64Array(count)
    this.#logWanted = new Float64Array(count)
    this.#logLotReady = new Float64Array(count)
  }

  begin(): void {
    this.spreads = false
    this.#filled.fill(-1)
    this.#from.fill(Number.POSITIVE_INFINITY)
    this.#to.fill(Number.NEGATIVE_INFINITY)
  }

  /** Could an operation, about which nothing else has changed, be somewhere else now? */
  isTouched(operation: number): boolean {
    if (!this.spreads) return false
    const { needFirst, needResource } = this.#model
    const { alternative, end } = this.#table
    const own = alternative[operation] as number
    for (let need = needFirst[own] as number, limit = needFirst[own + 1] as number; need < limit; need++) {
      const resource = needResource[need] as number
      if ((this.#from[resource] as number) < (end[operation] as number) && (this.#to[resource] as number) > (this.#wanted[operation] as number)) return true
    }
    return false
  }

  needsAny(operation: number): boolean {
    const own = this.#table.alternative[operation] as number
    return (this.#model.needFirst[own + 1] as number) > (this.#model.needFirst[own] as number)
  }

  /** Start and end of the operation at a place in the order, with all before it placed. */
  place(operation: number, rank: number): void {
    const table = this.#table
    const model = this.#model
    const alternative = table.alternative[operation] as number
    const previous = table.previous[operation] as number
    const setup = model.setup(alternative, operation, previous)
    let ready = table.notBefore[operation] as number
    let binding = -1
    for (let at = model.beforeFirst[operation] as number, limit = model.beforeFirst[operation + 1] as number; at < limit; at++) {
      const other = model.before[at] as number
      const after = this.#readyAfter(operation, alternative, setup, other)
      if (after <= ready) continue
      ready = after
      binding = other
    }
    const lots = model.frozenLots.get(operation)
    if (lots !== undefined) for (const { end, share } of lots) ready = Math.max(ready, readyForLast(model, operation, alternative, setup, end, share))
    const free = (previous < 0 ? model.unitFree[model.alternativeUnit[alternative] as number] : table.end[previous]) as number
    if (previous >= 0 && free + (model.attached || !model.anticipatory ? 0 : setup) >= ready) binding = previous
    if (this.needsAny(operation)) {
      this.#fill(alternative, rank)
      this.#fit.place(operation, alternative, ready, free, setup)
      if (this.#fit.waited) binding = this.#fit.holder
      this.#busy[operation] = this.#fit.busy
      this.#wanted[operation] = this.#fit.wanted
    } else model.place(operation, alternative, ready, free, setup)
    const { start, end } = model.timeline
    table.start[operation] = start
    table.end[operation] = end
    table.setup[operation] = setup
    table.binding[operation] = binding
    this.lotReady[operation] = lotReadyAt(model, operation, alternative, start, end, setup)
  }

  /** Does an operation wait for another only because both need the same? */
  isHeldUp(operation: number): boolean {
    const { binding, previous } = this.#table
    const { before, beforeFirst } = this.#model
    const holder = binding[operation] as number
    if (holder < 0 || holder === previous[operation]) return false
    for (let at = beforeFirst[operation] as number, limit = beforeFirst[operation + 1] as number; at < limit; at++) if (before[at] === holder) return false
    return true
  }

  save(at: number, operation: number): void {
    this.#logBusy[at] = this.#busy[operation] as number
    this.#logWanted[at] = this.#wanted[operation] as number
    this.#logLotReady[at] = this.lotReady[operation] as number
  }

  restore(at: number, operation: number): void {
    this.#busy[operation] = this.#logBusy[at] as number
    this.#wanted[operation] = this.#logWanted[at] as number
    this.lotReady[operation] = this.#logLotReady[at] as number
  }

  /** Tells that an operation was, as saved, on another alternative or at another time than it is now. */
  moved(at: number, operation: number, oldAlternative: number, oldStart: number, oldEnd: number): void {
    const { alternative, start, end } = this.#table
    const own = alternative[operation] as number
    const busy = this.#busy[operation] as number
    const oldBusy = this.#logBusy[at] as number
    if (own === oldAlternative && start[operation] === oldStart && end[operation] === oldEnd && busy === oldBusy) return
    this.#spread(oldAlternative, oldBusy, oldEnd)
    this.#spread(own, busy, end[operation] as number)
  }

  #spread(alternative: number, from: number, to: number): void {
    const { needFirst, needResource } = this.#model
    for (let need = needFirst[alternative] as number, limit = needFirst[alternative + 1] as number; need < limit; need++) {
      const resource = needResource[need] as number
      if (from < (this.#from[resource] as number)) this.#from[resource] = from
      if (to > (this.#to[resource] as number)) this.#to[resource] = to
      this.spreads = true
    }
  }

  #readyAfter(operation: number, alternative: number, setup: number, before: number): number {
    const share = this.#model.share[before] as number
    const end = this.#table.end[before] as number
    if (share === 0) return end
    return Math.max(this.lotReady[before] as number, readyForLast(this.#model, operation, alternative, setup, end, share))
  }

  /** Brings the profiles of what an alternative needs to hold what all before a place in the order take. */
  #fill(alternative: number, rank: number): void {
    const { needFirst, needResource } = this.#model
    for (let need = needFirst[alternative] as number, limit = needFirst[alternative + 1] as number; need < limit; need++)
      this.#fillOne(needResource[need] as number, rank)
  }

  #fillOne(resource: number, rank: number): void {
    const { needFirst, needResource, needAmount } = this.#model
    const { order, alternative, start, end } = this.#table
    let from = this.#filled[resource] as number
    if (from < 0) {
      const profile = this.#fit.profiles[resource] as ResourceProfile
      profile.reset()
      from = 0
    }
    for (let at = from; at < rank; at++) {
      const operation = order[at] as number
      const own = alternative[operation] as number
      for (let need = needFirst[own] as number, limit = needFirst[own + 1] as number; need < limit; need++) {
        if (needResource[need] !== resource) continue
        this.#fit.take(
          resource,
          needAmount[need] as number,
          operation,
          own,
          this.#busy[operation] as number,
          start[operation] as number,
          end[operation] as number,
        )
      }
    }
    this.#filled[resource] = rank
  }
}
