import type { Aggregate, HistoryRequest, SignalName } from './history-request.ts'

export type HistoryValue = number | string | boolean
export type HistoryPoint = readonly [time: number, value: HistoryValue]

/** The past of one signal. */
export interface HistorySeries {
  readonly equipment: string
  readonly signal: string
  readonly unit: string | null
  /** How its values were made; `none`: as they came. */
  readonly aggregate: Exclude<Aggregate, 'auto'>
  readonly everyMs: number | null
  /** There were more values than the limit; the newest are here. */
  readonly truncated: boolean
  /** Oldest first. */
  readonly points: readonly HistoryPoint[]
}

/** Where the past can be asked for. */
export interface History {
  query(request: HistoryRequest): Promise<readonly HistorySeries[]>
}

/** A source of one signal's past: all its values, or one for each span. */
export interface SignalHistory {
  /** The newest `limit` values, oldest first. */
  values(name: SignalName, from: number, to: number, limit: number): Promise<{ readonly points: readonly HistoryPoint[]; readonly unit: string | null }>
  /** One number for each span that has any; spans begin at multiples of `everyMs`. Only numbers count. */
  spans(name: SignalName, from: number, to: number, aggregate: SpanAggregate, everyMs: number): Promise<readonly HistoryPoint[]>
}
export type SpanAggregate = Exclude<Aggregate, 'auto' | 'none'>

/** The same answer to the same question, wherever the values lie. */
export function historyOf(source: SignalHistory): History {
  return { query: (request) => Promise.all(request.signals.map((name) => ask(source, name, request))) }
}

async function ask(source: SignalHistory, name: SignalName, request: HistoryRequest): Promise<HistorySeries> {
  const { from, to, aggregate, limit } = request
  if (aggregate === 'auto' || aggregate === 'none') {
    const { points, unit } = await source.values(name, from, to, limit + 1)
    const truncated = points.length > limit
    const isNumeric = points.some(([, value]) => typeof value === 'number')
    if (aggregate === 'none' || !truncated || !isNumeric)
      return { ...name, unit, aggregate: 'none', everyMs: null, truncated, points: truncated ? points.slice(-limit) : points }
    const everyMs = request.everyMs ?? spanFor(request)
    return { ...name, unit, aggregate: 'mean', everyMs, ...newest(await source.spans(name, from, to, 'mean', everyMs), limit) }
  }
  const everyMs = request.everyMs ?? spanFor(request)
  const [points, { unit }] = await Promise.all([source.spans(name, from, to, aggregate, everyMs), source.values(name, from, to, 1)])
  return { ...name, unit, aggregate, everyMs, ...newest(points, limit) }
}

function newest(points: readonly HistoryPoint[], limit: number): Pick<HistorySeries, 'points' | 'truncated'> {
  const truncated = points.length > limit
  return { truncated, points: truncated ? points.slice(-limit) : points }
}

/** Begins and ends of the time fall into spans of their own, hence one less. */
function spanFor({ from, to, limit }: HistoryRequest): number {
  return Math.max(1, Math.ceil((to - from + 1) / Math.max(1, limit - 1)))
}

/** Values of one span as one. `values` are in the order of their times. */
export function aggregateOf(values: readonly number[], aggregate: SpanAggregate): number {
  switch (aggregate) {
    case 'mean':
      return values.reduce((sum, value) => sum + value, 0) / values.length
    case 'sum':
      return values.reduce((sum, value) => sum + value, 0)
    case 'min':
      return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
    case 'max':
      return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
    case 'first':
      return values[0] as number
    case 'last':
      return values[values.length - 1] as number
    case 'count':
      return values.length
  }
}

/** Sorted values by spans that begin at multiples of `everyMs`. */
export function spansOf(points: readonly HistoryPoint[], aggregate: SpanAggregate, everyMs: number): HistoryPoint[] {
  const spans = new Map<number, number[]>()
  for (const [time, value] of points) {
    if (typeof value !== 'number') continue
    const begin = Math.floor(time / everyMs) * everyMs
    const span = spans.get(begin)
    if (span === undefined) spans.set(begin, [value])
    else span.push(value)
  }
  return [...spans].map(([begin, values]) => [begin, aggregateOf(values, aggregate)] as const)
}
