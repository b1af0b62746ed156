import type { Built } from './builder.ts'
import type { Model } from './model.ts'
import { ResourceFit } from './resource-fit.ts'
import { lotReadyAt, readyForLast } from './transfer-lots.ts'

/** Where operations end first in a schedule that is being built, when they share resources or hand on transfer lots: into any hole that is left. */
export class CoupledPlacing {
  readonly #model: Model
  readonly #built: Built
  readonly #fit: ResourceFit
  readonly #lotReady: Float64Array
  /** When each resource was last taken, and when each operation was last looked at, in places taken. */
  readonly #takenAt: Int32Array
  readonly #lookedAt: Int32Array
  #taken = 0

  constructor(model: Model, built: Built) {
    this.#model = model
    this.#built = built
    this.#fit = new ResourceFit(model)
    this.#lotReady = new Float64Array(model.count)
    this.#takenAt = new Int32Array(model.capacity.length)
    this.#lookedAt = new Int32Array(model.count)
  }

  look(operation: number): void {
    this.#lookedAt[operation] = this.#taken
  }

  isStale(operation: number): boolean {
    const { alternativeFirst, needFirst, needResource } = this.#model
    const from = needFirst[alternativeFirst[operation] as number] as number
    const to = needFirst[alternativeFirst[operation + 1] as number] as number
    for (let need = from; need < to; need++) if ((this.#takenAt[needResource[need] as number] as number) > (this.#lookedAt[operation] as number)) return true
    return false
  }

  /** The answer is in the model's `timeline`. `release`: not before that, whatever its predecessors do. */
  place(operation: number, alternative: number, release: number, free: number, setup: number): void {
    const model = this.#model
    const { end } = this.#built
    let ready = release
    for (let at = model.beforeFirst[operation] as number; at < (model.beforeFirst[operation + 1] as number); at++) {
      const before = model.before[at] as number
      const ended = end[before] as number
      const share = model.share[before] as number
      ready = Math.max(
        ready,
        share === 0 ? ended : Math.max(this.#lotReady[before] as number, readyForLast(model, operation, alternative, setup, ended, share)),
      )
    }
    for (const lot of model.frozenLots.get(operation) ?? []) ready = Math.max(ready, readyForLast(model, operation, alternative, setup, lot.end, lot.share))
    this.#fit.place(operation, alternative, ready, free, setup)
  }

  /** An operation is placed for good, where `built` has it. */
  take(operation: number): void {
    const model = this.#model
    const { needFirst, needResource, needAmount } = model
    const { alternative, start, end, setup } = this.#built
    const own = alternative[operation] as number
    const [from, to, setting] = [start[operation] as number, end[operation] as number, setup[operation] as number]
    this.#lotReady[operation] = lotReadyAt(model, operation, own, from, to, setting)
    if (needFirst[own] === needFirst[own + 1]) return
    const busy = this.#fit.busyFrom(own, from, setting)
    this.#taken++
    for (let need = needFirst[own] as number; need < (needFirst[own + 1] as number); need++) {
      const resource = needResource[need] as number
      this.#fit.take(resource, needAmount[need] as number, operation, own, busy, from, to)
      this.#takenAt[resource] = this.#taken
    }
  }
}
