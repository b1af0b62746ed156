import type { Plant } from '../plant/plant.ts'

/** A span of time that a report is about, and the shift that it is. */
export interface ShiftSpan {
  readonly shift: string | null
  readonly from: number
  readonly to: number
  /** The shift goes on after `to`. */
  readonly running: boolean
}

export const SPANS = ['current-shift', 'last-shift', 'last-24h'] as const
export type SpanName = (typeof SPANS)[number]

const HOUR_MS = 3_600_000
const LOOK_BACK_MS = 4 * 24 * HOUR_MS
const WITHOUT_CALENDAR_MS = 8 * HOUR_MS

/**
 * The shift that runs at `now` (up to now), or the last one that has ended, by the calendars of these units. Without calendars, and outside all shifts for the
 * current one, the last eight hours.
 */
export function shiftSpan(plant: Plant, units: readonly string[], span: SpanName, now: number): ShiftSpan {
  const without = (ms: number): ShiftSpan => ({ shift: null, from: now - ms, to: now, running: false })
  if (span === 'last-24h') return without(24 * HOUR_MS)
  const shifts = shiftsBefore(plant, units, now)
  if (span === 'current-shift') {
    const running = shifts.findLast(({ to }) => to > now)
    return running === undefined ? without(WITHOUT_CALENDAR_MS) : { ...running, to: now, running: true }
  }
  return shifts.findLast(({ to }) => to <= now) ?? without(WITHOUT_CALENDAR_MS)
}

/** Shifts of any of the units that have begun, oldest first. */
function shiftsBefore(plant: Plant, units: readonly string[], now: number): readonly ShiftSpan[] {
  const calendars = new Map(units.map((unit) => [plant.calendarOf(unit), unit]))
  const spans: ShiftSpan[] = []
  for (const [calendar, unit] of calendars) {
    if (calendar === undefined) continue
    for (const window of plant.openWindows(unit, now - LOOK_BACK_MS, now + 2 * 24 * HOUR_MS)) {
      if (window.from <= now && window.from > now - LOOK_BACK_MS) spans.push({ ...window, running: false })
    }
  }
  return spans.sort((a, b) => a.from - b.from || a.to - b.to)
}
