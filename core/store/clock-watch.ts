import type { Clock } from '../base/clock.ts'

/** The clock stood at `from`, and then at `to` when it should have been `byMs` less or more; epoch ms. */
export interface ClockJump {
  readonly from: number
  readonly to: number
  /** ms that it was set forward; negative: back */
  readonly byMs: number
}

/** A clock that is kept right is moved by little: in steps below this, ms, */
const STEP_MS = 5000
/** or by a share of the time that passes. */
const DRIFT = 0.001

/**
 * Sees when a clock is set: it goes on by another time than passes on the clock that nobody can set. A machine that slept wakes with a jump too.
 * A clock that is only kept right (NTP) makes none.
 */
export class ClockWatch {
  readonly #clock: Pick<Clock, 'now' | 'rate'>
  readonly #passed: () => number
  #now: number
  #at: number

  /** `passed` gives real ms since any moment; they only grow. */
  constructor(clock: Pick<Clock, 'now' | 'rate'>, passed: () => number = () => performance.now()) {
    this.#clock = clock
    this.#passed = passed
    this.#now = clock.now()
    this.#at = passed()
  }

  /** The jump since the last look. To be asked now and then, so that little drift comes together. */
  look(): ClockJump | undefined {
    const [now, at] = [this.#clock.now(), this.#passed()]
    const passed = (at - this.#at) * this.#clock.rate
    const from = this.#now
    const byMs = Math.round(now - from - passed)
    this.#now = now
    this.#at = at
    return isJump(byMs, passed) ? { from, to: now, byMs } : undefined
  }
}

/** A row of the ledger from so far ahead of the clock, ms, shows that the clock was set back since. */
export function setBackSince(time: number, now: number): ClockJump | undefined {
  return isJump(now - time, 0) && now < time ? { from: time, to: now, byMs: now - time } : undefined
}

/** `the clock was set back by 1 h 0 min 5 s` */
export function jumpText({ byMs }: ClockJump): string {
  const seconds = Math.round(Math.abs(byMs) / 1000)
  const parts = [`${Math.floor(seconds / 3600)} h`, `${Math.floor(seconds / 60) % 60} min`, `${seconds % 60} s`]
  const first = parts.findIndex((part) => !part.startsWith('0 '))
  return `the clock was set ${byMs < 0 ? 'back' : 'forward'} by ${parts.slice(first).join(' ')}`
}

function isJump(byMs: number, passed: number): boolean {
  return Math.abs(byMs) > STEP_MS + DRIFT * passed
}
