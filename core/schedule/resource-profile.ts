/** Amounts may be fractions, whose sums are not exact. */
const TINY = 1e-9

/**
 * How many of a resource are left over time: steps in flat arrays, from the beginning of time as far as anybody has asked. What is taken is never given back one by one;
 * `reset` goes back to what there is without any operation.
 */
export class ResourceProfile {
  readonly #base: { readonly time: Float64Array; readonly left: Float64Array }
  /** Step `i` goes from `#time[i]` to `#time[i + 1]`. */
  #time: Float64Array
  #left: Float64Array
  /** The operation whose end begins the step; −1 where none does. */
  #ended: Int32Array
  #steps = 0
  /** How many steps of the base are in: those that are not begin after whatever was taken. */
  #known = 0

  /** Steps in the order of time, the first from −∞ on. */
  constructor(steps: readonly { readonly from: number; readonly left: number }[]) {
    this.#base = { time: Float64Array.from(steps, (step) => step.from), left: Float64Array.from(steps, (step) => step.left) }
    const room = 2 * steps.length + 16
    this.#time = new Float64Array(room)
    this.#left = new Float64Array(room)
    this.#ended = new Int32Array(room)
    this.reset()
  }

  reset(): void {
    this.#steps = 0
    this.#known = 0
    this.#append()
  }

  /** The step at whose beginning there is enough again, when somewhere in a time there is less than `amount`; −1 when there is enough all the time. */
  lack(from: number, to: number, amount: number): number {
    this.#know(to)
    const least = amount - TINY
    for (let step = this.#at(from); step < this.#steps && (this.#time[step] as number) < to; step++) {
      if ((this.#left[step] as number) >= least) continue
      // there is enough at last, or the problem would not have been taken
      do {
        step++
        if (step === this.#steps) this.#append()
      } while ((this.#left[step] as number) < least)
      return step
    }
    return -1
  }

  from(step: number): number {
    return this.#time[step] as number
  }

  /** The operation whose end begins a step; −1 where none does. */
  endedAt(step: number): number {
    return this.#ended[step] as number
  }

  take(from: number, to: number, amount: number, operation: number): void {
    if (to <= from) return
    this.#know(to)
    const at = this.#at(from)
    const first = this.#time[at] === from ? at : this.#cut(at, from)
    let last = first
    while (last + 1 < this.#steps && (this.#time[last + 1] as number) <= to) last++
    if (this.#time[last] !== to) last = this.#cut(last, to)
    for (let step = first; step < last; step++) this.#left[step] = (this.#left[step] as number) - amount
    this.#ended[last] = operation
  }

  /** Cuts a step in two at a time within it; the second one. */
  #cut(at: number, time: number): number {
    if (this.#steps === this.#time.length) this.#grow()
    const [times, left, ended] = [this.#time, this.#left, this.#ended]
    // mostly near the end, where a loop is faster than any function that moves memory
    for (let step = this.#steps++; step > at + 1; step--) {
      times[step] = times[step - 1] as number
      left[step] = left[step - 1] as number
      ended[step] = ended[step - 1] as number
    }
    times[at + 1] = time
    left[at + 1] = left[at] as number
    ended[at + 1] = -1
    return at + 1
  }

  /** The last step that begins at or before a time. */
  #at(time: number): number {
    let from = 0
    let to = this.#steps - 1
    while (from < to) {
      const middle = (from + to + 1) >> 1
      if ((this.#time[middle] as number) <= time) from = middle
      else to = middle - 1
    }
    return from
  }

  #know(until: number): void {
    while (this.#known < this.#base.time.length && (this.#base.time[this.#known] as number) <= until) this.#append()
  }

  #append(): void {
    if (this.#steps === this.#time.length) this.#grow()
    this.#time[this.#steps] = this.#base.time[this.#known] as number
    this.#left[this.#steps] = this.#base.left[this.#known] as number
    this.#ended[this.#steps] = -1
    this.#steps++
    this.#known++
  }

  #grow(): void {
    const [time, left, ended] = [this.#time, this.#left, this.#ended]
    this.#time = new Float64Array(2 * time.length)
    this.#left = new Float64Array(2 * time.length)
    this.#ended = new Int32Array(2 * time.length)
    this.#time.set(time)
    this.#left.set(left)
    this.#ended.set(ended)
  }
}
