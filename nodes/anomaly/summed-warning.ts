/** Told so often at most, ms: what comes a thousand times a second must not fill the log. */
const TELL_MS = 60_000

/** Counts what happened, and tells it in sum. */
export class SummedWarning {
  readonly #tell: (count: number) => void
  #count = 0
  #told = Number.NEGATIVE_INFINITY

  constructor(tell: (count: number) => void) {
    this.#tell = tell
  }

  add(count: number): void {
    this.#count += count
  }

  /** `now`: real time, ms. */
  report(now: number): void {
    if (this.#count === 0 || now - this.#told < TELL_MS) return
    this.#tell(this.#count)
    this.#told = now
    this.#count = 0
  }
}
