import type { Clock } from '../../base/clock.ts'

const FIRST_PAUSE_MS = 5000
const LONGEST_PAUSE_MS = 300_000

/** Asks for births, ever more rarely while nobody answers: an edge node that bears thousands of metrics must not be kept busy with that. */
export class RebirthRequest {
  readonly #timers: Clock
  readonly #send: () => void
  #askedAt = Number.NEGATIVE_INFINITY
  #pauseMs = FIRST_PAUSE_MS

  constructor(timers: Clock, send: () => void) {
    this.#timers = timers
    this.#send = send
  }

  ask(): void {
    const now = this.#timers.now()
    if (now - this.#askedAt < this.#pauseMs) return
    if (this.#askedAt !== Number.NEGATIVE_INFINITY) this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
    this.#askedAt = now
    this.#send()
  }

  /** On a new connection: what was asked for on the old one is not to be expected here. */
  now(): void {
    this.#askedAt = this.#timers.now()
    this.#pauseMs = FIRST_PAUSE_MS
    this.#send()
  }

  answered(): void {
    this.#pauseMs = FIRST_PAUSE_MS
  }
}
