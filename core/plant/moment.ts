import { toUtc } from './calendar.ts'

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
