/** The last values in the order of arrival and, beside it, sorted: their median and median absolute deviation are a walk away. */
export class SortedWindow {
  readonly size: number
  readonly #ring: number[]
  readonly #sorted: number[]
  #next: number

  /** `ring` and `next`: what `ring` and `next` gave before a restart. */
  constructor(size: number, ring: readonly number[] = [], next = 0) {
    this.size = size
    this.#ring = ring.slice(-size)
    this.#sorted = this.#ring.toSorted((a, b) => a - b)
    this.#next = this.#ring.length < size ? this.#ring.length : Math.max(0, Math.floor(next)) % size
  }

  get isFull(): boolean {
    return this.#ring.length === this.size
  }

  get ring(): readonly number[] {
    return this.#ring
  }

  get next(): number {
    return this.#next
  }

  push(value: number): void {
    if (this.isFull) this.#sorted.splice(lowerBound(this.#sorted, this.#ring[this.#next] ?? 0), 1)
    this.#ring[this.#next] = value
    this.#next = (this.#next + 1) % this.size
    this.#sorted.splice(lowerBound(this.#sorted, value), 0, value)
  }

  /** The value that arrived so many values ago; 0: the newest. */
  ago(values: number): number {
    return this.#ring[(this.#next - 1 - values + 2 * this.size) % this.size] ?? 0
  }

  median(): number {
    const sorted = this.#sorted
    const half = sorted.length >> 1
    const upper = sorted[half] ?? 0
    return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2
  }

  /** Median distance of the values from `middle`, walking outwards from it; of an even number the upper one. */
  deviationFrom(middle: number): number {
    const sorted = this.#sorted
    let right = lowerBound(sorted, middle)
    let left = right - 1
    let distance = 0
    for (let taken = sorted.length >> 1; taken >= 0; taken--) {
      const below = left >= 0 ? middle - (sorted[left] ?? 0) : Number.POSITIVE_INFINITY
      const above = right < sorted.length ? (sorted[right] ?? 0) - middle : Number.POSITIVE_INFINITY
      if (below < above) {
        distance = below
        left--
      } else {
        distance = above
        right++
      }
    }
    return distance
  }
}

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}
