import type { Calendar } from './model.ts'

/** A span of open time, epoch ms, and the shift it belongs to. */
export interface Window {
  readonly from: number
  readonly to: number
  readonly shift: string | null
}

const DAY_NAMES: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const DAY_MS = 86_400_000

function daysOf(text: string): ReadonlySet<number> {
  const days = new Set<number>()
  for (const part of text.split(',')) {
    const [first = '', last = first] = part.split('-')
    const end = DAY_NAMES.indexOf(last)
    for (let day = DAY_NAMES.indexOf(first); ; day = (day + 1) % 7) {
      days.add(day)
      if (day === end || days.size > 7) break
    }
  }
  return days
}

interface Zone {
  readonly format: Intl.DateTimeFormat
  /** Offset by day (UTC), for the days on which it does not change; `undefined` for those on which it does. */
  readonly days: Map<number, number | undefined>
}

/** Calendars are asked for the same days again and again, and the formatter is slow. */
const DAYS_KEPT = 2000
const zones = new Map<string, Zone>()

/** Milliseconds that local time is ahead of UTC at a moment. */
function offsetMs(time: number, timeZone: string): number {
  const { format, days } = zoneOf(timeZone)
  const day = Math.floor(time / DAY_MS)
  if (!days.has(day)) {
    const first = askOffset(format, day * DAY_MS)
    if (days.size >= DAYS_KEPT) days.clear()
    days.set(day, first === askOffset(format, (day + 1) * DAY_MS) ? first : undefined)
  }
  return days.get(day) ?? askOffset(format, time)
}

function zoneOf(timeZone: string): Zone {
  let zone = zones.get(timeZone)
  if (zone === undefined) {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    zone = { format, days: new Map() }
    zones.set(timeZone, zone)
  }
  return zone
}

function askOffset(format: Intl.DateTimeFormat, time: number): number {
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(time)) part[type] = Number(value)
  const local = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day ?? 1, part.hour ?? 0, part.minute ?? 0, part.second ?? 0)
  return local - Math.floor(time / 1000) * 1000
}

/** The moment of a local wall-clock time, given as if it were UTC. */
export function toUtc(local: number, timeZone: string): number {
  const guess = local - offsetMs(local, timeZone)
  return local - offsetMs(guess, timeZone)
}

function minutesOf(clock: string): number {
  const [hours = '0', minutes = '0'] = clock.split(':')
  return Number(hours) * 60 + Number(minutes)
}

/** The open windows of a calendar between two times, in order, touching shifts kept apart so that each keeps its name. Daylight saving is honoured. */
export function openWindows(calendar: Calendar, timeZone: string, from: number, to: number): readonly Window[] {
  const windows: Window[] = []
  const shifts = calendar.shifts.map((shift) => ({ ...shift, onDays: daysOf(shift.days), fromMin: minutesOf(shift.from), toMin: minutesOf(shift.to) }))
  const exceptions = new Map((calendar.exceptions ?? []).map((exception) => [exception.date, exception.open]))
  const firstDay = Math.floor((from + offsetMs(from, timeZone)) / DAY_MS) - 1
  const lastDay = Math.floor((to + offsetMs(to, timeZone)) / DAY_MS)
  for (let day = firstDay; day <= lastDay; day++) {
    const midnight = day * DAY_MS
    const exception = exceptions.get(new Date(midnight).toISOString().slice(0, 10))
    if (exception === false) continue
    const weekday = new Date(midnight).getUTCDay()
    for (const shift of shifts) {
      if (exception === undefined && !shift.onDays.has(weekday)) continue
      const endMin = shift.toMin > shift.fromMin ? shift.toMin : shift.toMin + 24 * 60
      const start = Math.max(from, toUtc(midnight + shift.fromMin * 60_000, timeZone))
      const end = Math.min(to, toUtc(midnight + endMin * 60_000, timeZone))
      if (end > start) windows.push({ from: start, to: end, shift: shift.name })
    }
  }
  return windows.sort((a, b) => a.from - b.from)
}
