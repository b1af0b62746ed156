import type { Steps } from '../../base/in-slices.ts'
import { openWindows } from '../../plant/calendar.ts'
import type { Calendar } from '../../plant/model.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Span } from '../../schedule/problem.ts'

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS
const LONGEST_MS = 2 * 365 * DAY_MS
const LOOK_MS = 8 * WEEK_MS

/** The same array for every unit without a calendar: it goes to the searching thread only once. */
const NEVER: readonly Span[] = []

/**
 * Closed time of units from now until far enough ahead that all open work fits into each calendar. A calendar that has no open time in two years
 * is closed for good; after the horizon units count as closed, so that no plan relies on what was not looked at.
 */
export class CalendarHorizon {
  readonly end: number
  readonly #plant: Plant
  readonly #now: number
  readonly #closed = new Map<string, readonly Span[]>()

  private constructor(plant: Plant, now: number, end: number) {
    this.#plant = plant
    this.#now = now
    this.end = end
  }

  /** In steps: the local time of a day that nobody has asked for before takes a while. */
  static *of(plant: Plant, now: number, workMs: number): Steps<CalendarHorizon> {
    const calendars = Object.values(plant.model.calendars ?? {}).map((calendar) => ({ calendar, openMs: 0 }))
    let length = 0
    do {
      const longer = length === 0 ? 2 * WEEK_MS : Math.min(2 * length, LONGEST_MS)
      for (const known of calendars) {
        for (let from = length; from < longer; from += LOOK_MS) {
          known.openMs += openMs(known.calendar, plant.timeZone, now + from, now + Math.min(from + LOOK_MS, longer))
          yield
        }
      }
      length = longer
    } while (length < LONGEST_MS && calendars.some((known) => known.openMs < 2 * workMs))
    return new CalendarHorizon(plant, now, now + length)
  }

  /** A unit's closed time; none when it has no calendar. */
  closed(unit: string): readonly Span[] {
    const name = this.#plant.equipment(unit)?.calendar
    const calendar = this.#plant.calendarOf(unit)
    return name === undefined || calendar === undefined ? NEVER : this.closedOf(name, calendar)
  }

  closedOf(name: string, calendar: Calendar): readonly Span[] {
    const known = this.#closed.get(name)
    if (known !== undefined) return known
    const closed: Span[] = []
    let open = Number.NEGATIVE_INFINITY
    for (const { from, to } of openWindows(calendar, this.#plant.timeZone, this.#now, this.end)) {
      if (from > open) closed.push({ from: open, to: from })
      open = Math.max(open, to)
    }
    closed.push({ from: open, to: Number.POSITIVE_INFINITY })
    this.#closed.set(name, closed)
    return closed
  }
}

function openMs(calendar: Calendar, timeZone: string, from: number, to: number): number {
  return openWindows(calendar, timeZone, from, to).reduce((sum, window) => sum + window.to - window.from, 0)
}
