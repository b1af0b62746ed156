export { readTime } from '../plant/moment.ts'

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
