import type { Cancel, Clock } from '../../base/clock.ts'

/** Something a unit was told and has not answered with its state yet. */
export interface Telling {
  readonly attempt: number
  /** the time for an answer is over */
  readonly overdue: boolean
}

/** What waits for an answer, by a key. Lives in memory only: after a restart everything is told again, which changes nothing at a unit that has heard it. */
export class Tellings {
  readonly #real: Clock
  readonly #entries = new Map<string, { attempt: number; overdue: boolean; cancel: Cancel }>()

  constructor(real: Clock) {
    this.#real = real
  }

  get size(): number {
    return this.#entries.size
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()]
  }

  get(key: string): Telling | undefined {
    return this.#entries.get(key)
  }

  /** Waits for an answer; calls `late` when it has not come after `waitMs` of real time. */
  expect(key: string, attempt: number, waitMs: number, late: () => void): void {
    this.forget(key)
    const entry = { attempt, overdue: false, cancel: (): void => {} }
    entry.cancel = this.#real.after(waitMs, () => {
      entry.overdue = true
      late()
    })
    this.#entries.set(key, entry)
  }

  forget(key: string): void {
    this.#entries.get(key)?.cancel()
    this.#entries.delete(key)
  }

  clear(): void {
    for (const key of this.keys()) this.forget(key)
  }
}
