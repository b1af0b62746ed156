import type { EdgeValue } from './edge-unit.ts'

/** A value that hosts were not told, or may not have heard. */
export interface Untold {
  readonly device: string | undefined
  readonly value: EdgeValue
}

/** Values of one metric that were given up because there were too many. */
export interface Dropped {
  readonly device: string | undefined
  readonly name: string
  /** Epoch ms of the first and of the last one. */
  readonly from: number
  readonly to: number
  readonly count: number
}

/**
 * What an edge node could not tell its hosts yet, oldest first, bounded: when it is full the oldest value goes. What went is kept in sum, metric by metric,
 * so that the hole can be declared with its bounds.
 */
export class EdgeBacklog {
  readonly #capacity: number
  #values: Untold[] = []
  /** Values before this place are gone; moving them all at each loss would cost too much. */
  #head = 0
  readonly #dropped = new Map<string, Dropped>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#values.length - this.#head
  }

  /** Epoch ms of the oldest value; `undefined` when it is empty. */
  get oldest(): number | undefined {
    return this.#values[this.#head]?.value.time
  }

  /** Values given up since they were last declared. */
  get dropped(): number {
    let count = 0
    for (const each of this.#dropped.values()) count += each.count
    return count
  }

  push(untold: Untold): void {
    this.#values.push(untold)
    if (this.size > this.#capacity) this.#drop()
  }

  /** Values that are older than all others. */
  unshift(older: readonly Untold[]): void {
    if (older.length === 0) return
    this.#values = [...older, ...this.#values.slice(this.#head)]
    this.#head = 0
    while (this.size > this.#capacity) this.#drop()
  }

  /** Takes out what may be told now; the rest stays, in its order. */
  take(may: (untold: Untold) => boolean, limit: number): Untold[] {
    const taken: Untold[] = []
    const kept: Untold[] = []
    let at = this.#head
    for (; at < this.#values.length && taken.length < limit; at++) {
      const untold = this.#values[at] as Untold
      if (may(untold)) taken.push(untold)
      else kept.push(untold)
    }
    this.#values = kept.length === 0 ? this.#values.slice(at) : [...kept, ...this.#values.slice(at)]
    this.#head = 0
    return taken
  }

  all(): readonly Untold[] {
    return this.#values.slice(this.#head)
  }

  /** What was given up since the last call. */
  declare(): readonly Dropped[] {
    const dropped = [...this.#dropped.values()]
    this.#dropped.clear()
    return dropped
  }

  #drop(): void {
    const { device, value } = this.#values[this.#head] as Untold
    this.#head++
    if (this.#head > 1024 && this.#head * 2 > this.#values.length) {
      this.#values = this.#values.slice(this.#head)
      this.#head = 0
    }
    const key = `${device ?? ''}\n${value.name}`
    const before = this.#dropped.get(key)
    this.#dropped.set(key, {
      device,
      name: value.name,
      from: Math.min(before?.from ?? value.time, value.time),
      to: Math.max(before?.to ?? value.time, value.time),
      count: (before?.count ?? 0) + 1,
    })
  }
}
