/** Told so often at most, ms: products that come once each must not fill the log. */
const TELL_MS = 60_000

/** Counts what was forgotten for newer contexts, and tells it in sum. */
export class ForgottenContexts {
  readonly #tell: (what: string) => void
  #count = 0
  #told = Number.NEGATIVE_INFINITY

  constructor(tell: (what: string) => void) {
    this.#tell = tell
  }

  readonly add = (): void => {
    this.#count++
  }

  /** `now`: real time, ms. */
  report(now: number): void {
    if (this.#count === 0 || now - this.#told < TELL_MS) return
    this.#tell(`baselines of ${this.#count} contexts, those left longest ago, forgotten for newer ones`)
    this.#told = now
    this.#count = 0
  }
}
