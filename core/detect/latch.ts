import { SEVERITIES, type Severity } from '../messages/anomaly.ts'

export interface LatchOptions {
  /** An alarm is raised when the deviation has been 1 or more for so long, ms of source time … */
  readonly holdOffMs: number
  /** … and over so many values in a row. */
  readonly confirm: number
  /** It is cleared when the deviation has been below CLEAR_BELOW for so long … */
  readonly clearAfterMs: number
  /** … and over so many values in a row. */
  readonly clearConfirm: number
  /** Standing for so long makes it one step more severe. */
  readonly persistMs: number
}

/** Hysteresis: between this and 1 nothing changes. */
export const CLEAR_BELOW = 0.7
/** Deviations at which an alarm is of medium and of high severity. */
const MEDIUM = 1.5
const HIGH = 2.5

export type LatchChange = 'raised' | 'updated' | 'cleared'

export interface LatchState {
  /** source time since which the deviation is on the other side, and values in a row; 0 values: it is not */
  readonly since: number
  readonly values: number
  /** the standing alarm */
  readonly alarm: { readonly id: string; readonly since: number; readonly severity: Severity; readonly worst: number } | null
}

interface OpenAlarm {
  readonly id: string
  readonly since: number
  severity: Severity
  worst: number
}

export const QUIET: LatchState = { since: 0, values: 0, alarm: null }

/** Turns deviations into alarms that are raised, grow worse and are cleared. */
export class Latch {
  readonly #options: LatchOptions
  #since: number
  #values: number
  #alarm: OpenAlarm | null

  constructor(options: LatchOptions, state: LatchState = QUIET) {
    this.#options = options
    this.#since = state.since
    this.#values = state.values
    this.#alarm = state.alarm === null ? null : { ...state.alarm }
  }

  get alarm(): LatchState['alarm'] {
    return this.#alarm
  }

  get state(): LatchState {
    return { since: this.#since, values: this.#values, alarm: this.#alarm === null ? null : { ...this.#alarm } }
  }

  /** What a deviation changes; `newId` is asked when an alarm is raised. After `cleared` the alarm is gone: read it before. */
  update(time: number, deviation: number, newId: () => string): LatchChange | undefined {
    return this.#alarm === null ? this.#watch(time, deviation, newId) : this.#stand(time, deviation, this.#alarm)
  }

  #watch(time: number, deviation: number, newId: () => string): LatchChange | undefined {
    if (!this.#lasts(time, deviation >= 1, this.#options.holdOffMs, this.#options.confirm)) return undefined
    this.#alarm = { id: newId(), since: this.#since, severity: severityOf(deviation), worst: deviation }
    this.#values = 0
    return 'raised'
  }

  #stand(time: number, deviation: number, alarm: OpenAlarm): LatchChange | undefined {
    if (this.#lasts(time, deviation < CLEAR_BELOW, this.#options.clearAfterMs, this.#options.clearConfirm)) {
      this.#values = 0
      this.#alarm = null
      return 'cleared'
    }
    alarm.worst = Math.max(alarm.worst, deviation)
    const persists = deviation >= CLEAR_BELOW && time - alarm.since >= this.#options.persistMs
    const severity = SEVERITIES[Math.min(2, SEVERITIES.indexOf(severityOf(alarm.worst)) + (persists ? 1 : 0))] ?? 'high'
    // it only grows worse: an alarm that flickers between two severities tells nobody anything
    if (SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(alarm.severity)) return undefined
    alarm.severity = severity
    return 'updated'
  }

  #lasts(time: number, holds: boolean, forMs: number, values: number): boolean {
    if (!holds) {
      this.#values = 0
      return false
    }
    if (this.#values++ === 0 || time < this.#since) this.#since = time
    return this.#values >= values && time - this.#since >= forMs
  }
}

function severityOf(deviation: number): Severity {
  return deviation >= HIGH ? 'high' : deviation >= MEDIUM ? 'medium' : 'low'
}
