import type { Model } from './model.ts'
import { ResourceProfile } from './resource-profile.ts'

/**
 * Places operations where their unit is free and open and there is enough of whatever else they need, in any hole that those placed before leave. The answer of `place`
 * is in the model's `timeline`, as that of `Model.place` is, and in the fields here.
 */
export class ResourceFit {
  /** When the last operation placed begins to need its resources. */
  busy = 0
  /** When it would have, were there enough of everything. */
  wanted = 0
  /** Did it have to wait for resources? */
  waited = false
  /** Whose end it waited for last; −1 when for a time of more capacity. */
  holder = -1
  readonly profiles: readonly ResourceProfile[]
  readonly #model: Model
  /** Where there is enough again, of the last lack found. */
  #enough = 0

  constructor(model: Model) {
    this.#model = model
    this.profiles = model.capacity.map((steps) => new ResourceProfile(steps))
  }

  place(operation: number, alternative: number, ready: number, free: number, setup: number): void {
    const model = this.#model
    const { timeline } = model
    this.waited = false
    this.holder = -1
    model.place(operation, alternative, ready, free, setup)
    this.busy = this.busyFrom(alternative, timeline.start, setup)
    this.wanted = this.busy
    // each time begun when there is enough of what was lacking: an earlier begin would work while it lacks
    while (this.#lacks(alternative, this.busy, timeline.start, timeline.end)) {
      this.waited = true
      model.place(operation, alternative, ready, Math.max(free, this.#enough), setup)
      // not sooner by the last digit of a sum, or it would wait for ever
      this.busy = Math.max(this.#enough, this.busyFrom(alternative, timeline.start, setup))
    }
  }

  /** Takes what an operation needs of one resource while it works. */
  take(resource: number, amount: number, operation: number, alternative: number, busy: number, start: number, end: number): void {
    const { timeline, alternativeCalendar, setupInOpenTime } = this.#model
    const profile = this.profiles[resource] as ResourceProfile
    const calendar = alternativeCalendar[alternative] as number
    let at = busy
    if (busy < start && !setupInOpenTime) {
      profile.take(busy, start, amount, operation)
      at = start
    }
    const limit = timeline.closedEnd(calendar)
    for (let closed = timeline.closedAfter(calendar, at); closed < limit && timeline.closedFrom(closed) < end; closed++) {
      profile.take(at, timeline.closedFrom(closed), amount, operation)
      at = timeline.closedTo(closed)
    }
    profile.take(at, end, amount, operation)
  }

  /** When an operation begins to need its resources: set-up that is not part of it is done right before its start. */
  busyFrom(alternative: number, start: number, setup: number): number {
    const { attached, setupInOpenTime, timeline, alternativeCalendar } = this.#model
    if (attached || setup === 0) return start
    return setupInOpenTime ? timeline.back(alternativeCalendar[alternative] as number, start, setup) : start - setup
  }

  #lacks(alternative: number, busy: number, start: number, end: number): boolean {
    const { timeline, alternativeCalendar, setupInOpenTime } = this.#model
    const calendar = alternativeCalendar[alternative] as number
    let at = busy
    if (busy < start && !setupInOpenTime) {
      if (this.#lacksIn(alternative, busy, start)) return true
      at = start
    }
    const limit = timeline.closedEnd(calendar)
    for (let closed = timeline.closedAfter(calendar, at); closed < limit && timeline.closedFrom(closed) < end; closed++) {
      if (this.#lacksIn(alternative, at, timeline.closedFrom(closed))) return true
      at = timeline.closedTo(closed)
    }
    return this.#lacksIn(alternative, at, end)
  }

  #lacksIn(alternative: number, from: number, to: number): boolean {
    if (to <= from) return false
    const { needFirst, needResource, needAmount } = this.#model
    for (let need = needFirst[alternative] as number, limit = needFirst[alternative + 1] as number; need < limit; need++) {
      const profile = this.profiles[needResource[need] as number] as ResourceProfile
      const step = profile.lack(from, to, needAmount[need] as number)
      if (step < 0) continue
      this.#enough = profile.from(step)
      this.holder = profile.endedAt(step)
      return true
    }
    return false
  }
}
