/**
 * Keeps work that comes before something is ready (a memory that is being read), in order, and does it then. Bounded: what comes when it is full is
 * counted and not done.
 */
export class UntilOpen {
  readonly #most: number
  #waiting: Array<() => void> = []
  #open = false
  #refused = 0

  /** `most`: pieces of work kept. */
  constructor(most: number) {
    this.#most = most
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Pieces of work that there was no room for. */
  get refused(): number {
    return this.#refused
  }

  /** Does it at once when open; else later, and the promise settles as the work does. Full: it is not done, and nothing is waited for. */
  run(work: () => void | Promise<void>): void | Promise<void> {
    if (this.#open) return work()
    if (this.#waiting.length >= this.#most) {
      this.#refused++
      return undefined
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          Promise.resolve(work()).then(resolve, reject)
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)))
        }
      })
    })
  }

  /** From now on work is done as it comes; what waited is done first. */
  open(): void {
    this.#open = true
    for (const work of this.#waiting.splice(0)) work()
  }
}
