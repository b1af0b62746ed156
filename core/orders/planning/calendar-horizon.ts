import { openWindows } from '../../plant/calendar.ts'
import type { Calendar } from '../../plant/model.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Span } from '../../schedule/problem.ts'

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS
const LONGEST_MS = 2 * 365 * DAY_MS

/**
 * Closed time of units from now until far enough ahead that all open work fits into each calendar. A calendar that has no open time in two years
 * is closed for good; after the horizon units count as closed, so that no plan relies on what was not looked at.
 */
export class CalendarHorizon {
  readonly end: number
  readonly #plant: Plant
  readonly #now: number
  readonly #closed = new Map<string, readonly Span[]>()

  constructor(plant: Plant, now: number, workMs: number) {
    this.#plant = plant
    this.#now = now
    let length = 2 * WEEK_MS
    const calendars = Object.values(plant.model.calendars ?? {})
    while (length < LONGEST_MS && calendars.some((calendar) => openMs(calendar, plant.timeZone, now, now + length) < 2 * workMs)) length *= 2
    this.end = now + Math.min(length, LONGEST_MS)
  }

  /** A unit's closed time; none when it has no calendar. */
  closed(unit: string): readonly Span[] {
    const name = this.#plant.equipment(unit)?.calendar
    const calendar = this.#plant.calendarOf(unit)
    return name === undefined || calendar === undefined ? [] : this.closedOf(name, calendar)
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
