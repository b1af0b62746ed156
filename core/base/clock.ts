/** Cancels a pending timer; calling it again does nothing. */
export type Cancel = () => void

/**
 * Plant time. Everything in core asks this and never the system: a shift can then pass in a minute, and tests decide what time it is.
 * `now()` is epoch milliseconds UTC of the plant; `rate` is plant milliseconds per real millisecond.
 */
export interface Clock {
  now(): number
  readonly rate: number
  /** Calls back once after `delayMs` of plant time. The timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): Cancel
}

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

function realTimeout(delayMs: number, callback: () => void): Cancel {
  const timer = setTimeout(callback, Math.min(LONGEST_TIMEOUT_MS, Math.max(0, delayMs)))
  timer.unref()
  return () => clearTimeout(timer)
}

/** The clock of a real plant: the system's own. */
export const systemClock: Clock = {
  now: () => Date.now(),
  rate: 1,
  after: realTimeout,
}

export interface ClockAnchor {
  /** Plant time, epoch ms, at the moment `real` of the real clock. */
  readonly plant: number
  /** Real time, epoch ms. */
  readonly real: number
  /** Plant milliseconds per real millisecond; 0 stops the clock. */
  readonly rate: number
}

interface PendingTimer {
  readonly due: number
  readonly callback: () => void
  cancel: Cancel
}

/** A clock tied to another moment and speed, for simulated plants. It can be tied anew; pending timers follow. */
export class AnchoredClock implements Clock {
  #anchor: ClockAnchor
  readonly #realNow: () => number
  readonly #pending = new Set<PendingTimer>()

  constructor(anchor: ClockAnchor, realNow: () => number = Date.now) {
    this.#anchor = anchor
    this.#realNow = realNow
  }

  get rate(): number {
    return this.#anchor.rate
  }

  get anchor(): ClockAnchor {
    return this.#anchor
  }

  now(): number {
    const { plant, real, rate } = this.#anchor
    return Math.round(plant + (this.#realNow() - real) * rate)
  }

  set(anchor: ClockAnchor): void {
    this.#anchor = anchor
    for (const timer of this.#pending) {
      timer.cancel()
      this.#arm(timer)
    }
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer: PendingTimer = { due: this.now() + delayMs, callback, cancel: () => {} }
    this.#pending.add(timer)
    this.#arm(timer)
    return () => {
      timer.cancel()
      this.#pending.delete(timer)
    }
  }

  #arm(timer: PendingTimer): void {
    if (this.rate <= 0) {
      timer.cancel = () => {}
      return
    }
    timer.cancel = realTimeout((timer.due - this.now()) / this.rate, () => {
      if (this.now() < timer.due) return this.#arm(timer)
      this.#pending.delete(timer)
      timer.callback()
    })
  }
}

/** A clock that moves only when told to; for tests. Timers fire in order of their due time. */
export class ManualClock implements Clock {
  readonly rate = 1
  #now: number
  readonly #pending = new Set<{ readonly due: number; readonly callback: () => void }>()

  constructor(now = 0) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { due: this.#now + delayMs, callback }
    this.#pending.add(timer)
    return () => void this.#pending.delete(timer)
  }

  advance(byMs: number): void {
    const end = this.#now + byMs
    for (;;) {
      const next = [...this.#pending].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0]
      if (next === undefined) break
      this.#pending.delete(next)
      this.#now = Math.max(this.#now, next.due)
      next.callback()
    }
    this.#now = end
  }
}
