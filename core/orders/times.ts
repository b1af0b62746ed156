import { toUtc } from '../plant/calendar.ts'

/**
 * A moment as people and ERP systems write it: epoch ms, ISO 8601, `2026-11-22 14:30`, `2026/11/22`, `22.11.2026 14:30`. What has no offset is local time of
 * the plant. `undefined` for what is no time.
 */
export function readTime(value: unknown, timeZone: string): number | undefined {
  if (typeof value === 'number') return value >= 0 && value <= 8.64e15 ? value : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^\d{11,}$/.test(text)) return readTime(Number(text), timeZone)
  const german = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)$/.exec(text)
  const parts = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i.exec(
    german === null ? text : `${german[3]}-${german[2]}-${german[1]}${german[4] ?? ''}`,
  )
  if (parts === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', offset] = parts
  const numbers = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)] as const
  const ms = Math.floor(Number(`0.${fraction}`) * 1000)
  const local = Date.UTC(...numbers) + ms
  const back = new Date(local)
  // Date would take 31 February for 2 March
  const real = back.getUTCMonth() === numbers[1] && back.getUTCDate() === numbers[2] && back.getUTCHours() === numbers[3] && back.getUTCMinutes() === numbers[4]
  if (!real) return undefined
  return offset === undefined ? toUtc(local, timeZone) : local - offsetMs(offset)
}

function offsetMs(offset: string): number {
  if (offset.toUpperCase() === 'Z') return 0
  const digits = offset.slice(1).replace(':', '')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000
}

export const DURATION_UNITS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 } as const
export type DurationUnit = keyof typeof DURATION_UNITS

/** A span as people write it, in ms: `6:19` (hours and minutes), `0:06:19`, `PT6H19M`, or a plain number in `unit`. `undefined` for what is none. */
export function readDuration(value: unknown, unit: DurationUnit): number | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? value * DURATION_UNITS[unit] : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * DURATION_UNITS[unit]
  const clock = /^(\d+):([0-5]\d)(?::([0-5]\d))?$/.exec(text)
  if (clock !== null) return Number(clock[1]) * 3_600_000 + Number(clock[2]) * 60_000 + Number(clock[3] ?? 0) * 1000
  const iso = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  if (iso === null || text === 'P' || text.endsWith('T')) return undefined
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = iso
  return Number(days) * 86_400_000 + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000
}
