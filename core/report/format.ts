import { isoText } from '../base/iso-text.ts'
import type { Cell, CellType } from './content.ts'

export { isoText }

const formats = new Map<string, Intl.DateTimeFormat>()

function dateFormat(key: string, timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${key} ${timeZone}`
  let format = formats.get(name)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...options })
    formats.set(name, format)
  }
  return format
}

const DAY: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' }
const MINUTES: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }

/** `22 Nov, 14:05`, in the plant's time zone. */
export function timeText(time: number, timeZone: string): string {
  return dateFormat('time', timeZone, { ...DAY, ...MINUTES }).format(time)
}

/** `22 Nov, 14:05:30` */
export function momentText(time: number, timeZone: string): string {
  return dateFormat('moment', timeZone, { ...DAY, ...MINUTES, second: '2-digit' }).format(time)
}

/** `14:05` */
export function clockText(time: number, timeZone: string): string {
  return dateFormat('clock', timeZone, MINUTES).format(time)
}

/** `Sat 22 November 2025, 14:05` */
export function longTimeText(time: number, timeZone: string): string {
  return dateFormat('long', timeZone, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric', ...MINUTES }).format(time)
}

/** `2 d 3 h`, `1 h 05 min`, `12 min`, `40 s`, `0`; the two largest units. */
export function durationText(ms: number): string {
  const sign = ms < 0 ? '−' : ''
  const seconds = Math.round(Math.abs(ms) / 1000)
  if (seconds === 0) return '0'
  if (seconds < 60) return `${sign}${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${sign}${minutes} min`
  if (minutes < 24 * 60) return `${sign}${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
  const hours = Math.round(minutes / 60)
  return `${sign}${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Up to four decimals, thousands set apart by a thin space. */
export function numberText(value: number): string {
  const [whole = '', fraction] = String(Number(value.toFixed(4)))
    .replace('-', '−')
    .split('.')
  return whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') + (fraction === undefined ? '' : `.${fraction}`)
}

export function percentText(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

export const NOTHING = '–'

/** A value as people read it. */
export function cellText(value: Cell, type: CellType, timeZone: string): string {
  if (value === null || value === '') return NOTHING
  if (typeof value === 'string') return value
  switch (type) {
    case 'time':
      return timeText(value, timeZone)
    case 'moment':
      return momentText(value, timeZone)
    case 'duration':
      return durationText(value)
    case 'percent':
      return percentText(value)
    default:
      return numberText(value)
  }
}

/** A value as programs read it: times ISO 8601 with offset, durations ms, percents shares. */
export function plainValue(value: Cell, type: CellType, timeZone: string): Cell {
  return typeof value === 'number' && (type === 'time' || type === 'moment') ? isoText(value, timeZone) : value
}

/** The key of a value for programs: a duration says its unit. */
export function plainKey(key: string, type: CellType): string {
  return type === 'duration' && !key.endsWith('Ms') ? `${key}Ms` : key
}
