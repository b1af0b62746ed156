import type { Span } from './problem.ts'

/** Later than any plan reaches, yet a plain number: "closed for good" stays comparable instead of becoming Infinity − Infinity. */
export const NEVER_AFTER = 1e13

/** Sorted, without overlaps or empty spans, and without `Infinity`. */
export function mergeSpans(spans: readonly Span[], now: number): Span[] {
  const merged: { from: number; to: number }[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const to = Math.min(span.to, now + NEVER_AFTER)
    if (to <= span.from || to <= now) continue
    const last = merged.at(-1)
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, to)
    else merged.push({ from: span.from, to })
  }
  return merged
}

/** Closed time of many calendars in flat arrays, and the one question asked of it: when does so much work fit, from a moment on? */
export class Timeline {
  readonly #first: Int32Array
  readonly #from: Float64Array
  readonly #to: Float64Array
  /** The answer of the last `fit`. Two fields instead of a returned pair, because this runs millions of times a second. */
  start = 0
  end = 0

  /** No closed time anywhere. */
  readonly alwaysOpen: boolean

  constructor(calendars: readonly (readonly Span[])[]) {
    this.alwaysOpen = calendars.every((calendar) => calendar.length === 0)
    this.#first = new Int32Array(calendars.length + 1)
    const spans = calendars.flat()
    this.#from = Float64Array.from(spans, (span) => span.from)
    this.#to = Float64Array.from(spans, (span) => span.to)
    calendars.forEach((calendar, index) => {
      this.#first[index + 1] = (this.#first[index] as number) + calendar.length
    })
  }

  /** Places `work` at or after `at`: in one open window, or across closed time when it is resumable. Sets `start` and `end`. */
  fit(calendar: number, at: number, work: number, resumable: boolean): void {
    const limit = this.#first[calendar + 1] as number
    let index = this.#first[calendar] as number
    if (index === limit || (this.#to[limit - 1] as number) <= at) {
      this.start = at
      this.end = at + work
      return
    }
    index = this.#after(index, limit, at)
    let time = at
    if (!resumable) {
      while (index < limit && time + work > (this.#from[index] as number)) {
        time = Math.max(time, this.#to[index] as number)
        index++
      }
      this.start = time
      this.end = time + work
      return
    }
    if (index < limit && (this.#from[index] as number) <= time) time = this.#to[index++] as number
    this.start = time
    let left = work
    while (index < limit && time + left > (this.#from[index] as number)) {
      left -= (this.#from[index] as number) - time
      time = this.#to[index++] as number
    }
    this.end = time + left
  }

  /** The earliest time from which on no more than `work` can be done until `at`. */
  back(calendar: number, at: number, work: number): number {
    const first = this.#first[calendar] as number
    let time = at
    let left = work
    for (let index = this.#after(first, this.#first[calendar + 1] as number, at); ; index--) {
      // spans from `index` on begin after `time`, but for one that `time` lies in
      if (index < (this.#first[calendar + 1] as number) && (this.#from[index] as number) < time) time = this.#from[index] as number
      const open = index > first ? (this.#to[index - 1] as number) : Number.NEGATIVE_INFINITY
      // so also where it has always been closed
      if (!(time - open < left)) return time - left
      left -= time - open
      time = open
    }
  }

  /** The first closed span of a calendar that ends after a time, as an index for `closedFrom` and `closedTo`; `closedEnd` when there is none. */
  closedAfter(calendar: number, time: number): number {
    return this.#after(this.#first[calendar] as number, this.#first[calendar + 1] as number, time)
  }

  /** One more than the last index of a calendar's closed spans. */
  closedEnd(calendar: number): number {
    return this.#first[calendar + 1] as number
  }

  closedFrom(index: number): number {
    return this.#from[index] as number
  }

  closedTo(index: number): number {
    return this.#to[index] as number
  }

  /** First span that ends after a time. */
  #after(low: number, high: number, time: number): number {
    let from = low
    let to = high
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#to[middle] as number) > time) to = middle
      else from = middle + 1
    }
    return from
  }
}
