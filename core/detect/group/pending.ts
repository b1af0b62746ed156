/** Most rows that wait. */
export const PENDING_MOST = 20

/** Rows that were judged but not learned yet: the first rows of a fault look normal, and are thrown away when it is seen. A ring of numbers, no garbage. */
export class Pending {
  readonly #width: number
  readonly #ring: Float64Array
  #first = 0
  #count = 0

  /** `width`: numbers a row. */
  constructor(width: number, saved: readonly number[] = []) {
    this.#width = width
    this.#ring = new Float64Array(width * PENDING_MOST)
    this.#count = Math.min(PENDING_MOST, Math.floor(saved.length / width))
    for (let i = 0; i < this.#count * width; i++) this.#ring[i] = saved[i] ?? Number.NaN
  }

  get count(): number {
    return this.#count
  }

  /** Room for one row more, to be filled; there are fewer than PENDING_MOST. */
  push(): Float64Array {
    return this.#at(this.#count++)
  }

  /** The oldest row; good until the next push. */
  shift(): Float64Array {
    const oldest = this.#at(0)
    this.#first = (this.#first + 1) % PENDING_MOST
    this.#count--
    return oldest
  }

  clear(): void {
    this.#count = 0
  }

  /** Oldest first; what is no number is null in JSON, and no number again when it is read. */
  get state(): readonly number[] {
    return Array.from({ length: this.#count }, (_, i) => [...this.#at(i)]).flat()
  }

  #at(index: number): Float64Array {
    const slot = (this.#first + index) % PENDING_MOST
    return (this.#slots[slot] ??= this.#ring.subarray(slot * this.#width, (slot + 1) * this.#width))
  }

  readonly #slots: Float64Array[] = []
}
