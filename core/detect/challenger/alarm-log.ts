import type { Anomaly } from '../../messages/anomaly.ts'
import type { SignalAlarm } from './verdicts.ts'

export interface SavedAlarms {
  readonly alarms: readonly SignalAlarm[]
  /** source time from which on none is missing, epoch ms */
  readonly from: number
}

/** Alarms kept, the newest. */
const KEPT = 500

/** The last alarms of a detector, for scoring. */
export class AlarmLog {
  readonly #alarms = new Map<string, SignalAlarm>()
  #from: number

  constructor({ alarms, from }: SavedAlarms) {
    this.#from = from
    for (const alarm of alarms) this.#alarms.set(alarm.id, alarm)
  }

  take({ id, equipment, signals, since, time, state }: Anomaly): void {
    this.#alarms.set(id, { id, equipment, signal: signals[0] ?? '', since, cleared: state === 'cleared' ? time : null })
    if (this.#alarms.size <= KEPT) return
    for (const [oldest, alarm] of this.#alarms) {
      this.#alarms.delete(oldest)
      this.#from = Math.max(this.#from, alarm.since + 1)
      return
    }
  }

  get alarms(): readonly SignalAlarm[] {
    return [...this.#alarms.values()]
  }

  get from(): number {
    return this.#from
  }

  get state(): SavedAlarms {
    return { alarms: this.alarms, from: this.#from }
  }
}
