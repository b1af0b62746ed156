import { TaktError } from '../../base/error.ts'
import { assertSafe } from '../../base/json.ts'

/** `auto`: every value, or where there are more than `limit`, the mean of as many spans. */
export const AGGREGATES = ['auto', 'none', 'mean', 'min', 'max', 'first', 'last', 'sum', 'count'] as const
export type Aggregate = (typeof AGGREGATES)[number]

export interface SignalName {
  readonly equipment: string
  readonly signal: string
}

/** What a chart wants to know. Times are epoch ms, both ends included. */
export interface HistoryRequest {
  readonly signals: readonly SignalName[]
  readonly from: number
  readonly to: number
  readonly aggregate: Aggregate
  /** Length of the spans that are made one value, ms; spans begin at multiples of it. Undefined: by `limit`. */
  readonly everyMs: number | undefined
  /** Values of one signal at most; of more the newest are given. */
  readonly limit: number
}

export interface HistoryDefaults {
  readonly topic: string | undefined
  readonly spanMs: number
  readonly aggregate: Aggregate
  readonly limit: number
}

const MOST_SIGNALS = 50
export const MOST_VALUES = 50_000
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * Reads `{ signal | signals, equipment, from, to, aggregate, every, limit }` from a message; a text is the topic of a signal. Times are epoch ms, ISO 8601,
 * `now`, or `-2h` before now. Throws TAKT_HISTORY_QUERY.
 */
export function readHistoryRequest(payload: unknown, defaults: HistoryDefaults, now: number, where: string): HistoryRequest {
  const wrong = (what: string): TaktError => new TaktError('TAKT_HISTORY_QUERY', { what, where })
  const asked = typeof payload === 'string' && payload.trim() !== '' ? { signal: payload } : isObject(payload) ? payload : {}
  assertSafe(asked, where)

  const time = (value: unknown, name: string, fallback: number): number => {
    if (value === undefined || value === null || value === '') return fallback
    const found = timeOf(value, now)
    if (found === undefined || found < 0 || found > 8.64e15) throw wrong(`${name} is ${show(value)}, which is no time`)
    return found
  }
  const duration = (value: unknown): number | undefined => {
    if (value === undefined || value === null || value === '') return undefined
    const found = typeof value === 'number' ? value : durationOf(String(value))
    if (found === undefined || !(found >= 1)) throw wrong(`every is ${show(value)} where a length like 30s, 5m, 1h or milliseconds is taken`)
    return Math.floor(found)
  }
  const to = time(asked.to, 'to', now)
  const from = time(asked.from, 'from', to - defaults.spanMs)
  if (from > to) throw wrong('from lies after to')

  const aggregate = AGGREGATES.find((name) => name === (asked.aggregate ?? defaults.aggregate))
  if (aggregate === undefined) throw wrong(`aggregate is ${show(asked.aggregate)} where one of ${AGGREGATES.join(', ')} is taken`)
  const limit = Number(asked.limit ?? defaults.limit)
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_VALUES) throw wrong(`limit is ${show(asked.limit)} where 1 to ${MOST_VALUES} is taken`)
  const everyMs = duration(asked.every)
  if (everyMs !== undefined && (to - from) / everyMs > MOST_VALUES) throw wrong(`every is too short for the time from ${from} to ${to}`)

  return { signals: signalsOf(asked, defaults.topic, wrong), from: Math.floor(from), to: Math.floor(to), aggregate, everyMs, limit }
}

function signalsOf(asked: Readonly<Record<string, unknown>>, topic: string | undefined, wrong: (what: string) => TaktError): SignalName[] {
  const given = asked.signals ?? asked.signal ?? asked.topic ?? topic
  const list = Array.isArray(given) ? given : given === undefined || given === '' ? [] : [given]
  if (list.length === 0) throw wrong('no signal is asked for')
  if (list.length > MOST_SIGNALS) throw wrong(`${list.length} signals are asked for where ${MOST_SIGNALS} at most are taken`)
  const { equipment } = asked
  if (equipment !== undefined && (typeof equipment !== 'string' || equipment === '')) throw wrong(`equipment is ${show(equipment)}`)
  return list.map((name: unknown) => {
    if (typeof name !== 'string' || name.length > 800) throw wrong(`the signal ${show(name)} is no text`)
    if (equipment !== undefined) return { equipment, signal: name.startsWith(`${equipment}/`) ? name.slice(equipment.length + 1) : name }
    const slash = name.lastIndexOf('/')
    if (slash < 1 || slash === name.length - 1) throw wrong(`the signal ${show(name)} has no equipment: ask with <equipment>/<signal>`)
    return { equipment: name.slice(0, slash), signal: name.slice(slash + 1) }
  })
}

function timeOf(value: unknown, now: number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (value instanceof Date) return timeOf(value.getTime(), now)
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (text === 'now') return now
  if (/^\d+$/.test(text)) return Number(text)
  if (text.startsWith('-')) {
    const back = durationOf(text.slice(1))
    return back === undefined ? undefined : now - back
  }
  // without an offset it would mean another moment on every machine
  if (!/^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/i.test(text)) return undefined
  const parsed = Date.parse(text)
  return Number.isNaN(parsed) ? undefined : parsed
}

/** `500ms`, `30s`, `5m`, `1.5h`, `7d`, `2w` in ms. */
export function durationOf(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text.trim()) ?? []
  const factor = unit === undefined ? undefined : UNIT_MS[unit]
  return factor === undefined ? undefined : Number(number) * factor
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const show = (value: unknown): string => `'${String(JSON.stringify(value) ?? value).slice(0, 80)}'`
