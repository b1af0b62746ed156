import type { IResponse } from 'influx'
import { SIGNAL_ROLES } from '../../plant/model.ts'
import type { HistoryPoint, HistoryValue, SignalHistory, SpanAggregate } from '../history/history.ts'
import type { SignalName } from '../history/history-request.ts'
import { SAMPLE_MEASUREMENT } from './document-points.ts'
import { tagText } from './line-protocol.ts'

/** A signal's role may have changed, or the plant may have been chosen later: its past is looked for in every measurement of samples. */
const FROM = [SAMPLE_MEASUREMENT, ...SIGNAL_ROLES].map(name).join(', ')
const FUNCTIONS: Readonly<Record<SpanAggregate, string>> = { mean: 'MEAN', min: 'MIN', max: 'MAX', first: 'FIRST', last: 'LAST', sum: 'SUM', count: 'COUNT' }

/** The past of signals in InfluxDB, as the historian's write mode put it there. */
export function influxHistory(query: (statement: string) => Promise<IResponse>): SignalHistory {
  return {
    async values(signal, from, to, limit) {
      const answer = await query(
        `SELECT "value", "text", "bool", "unit" FROM ${FROM} WHERE ${isSignal(signal)} AND ${isWithin(from, to)} ORDER BY time DESC LIMIT ${limit}`,
      )
      const rows = rowsOf(answer).sort((a, b) => b.time - a.time)
      rows.length = Math.min(rows.length, limit)
      const points = rows.flatMap((row) => {
        const value = cellValue(row.cells.get('value') ?? row.cells.get('text') ?? row.cells.get('bool'))
        return value === undefined ? [] : [[row.time, value] as const]
      })
      const unit = rows[0]?.cells.get('unit')
      return { points: points.reverse(), unit: typeof unit === 'string' && unit !== '' ? unit : null }
    },
    async spans(signal, from, to, aggregate, everyMs) {
      const answer = await query(
        `SELECT ${FUNCTIONS[aggregate]}("value") AS "v" FROM ${FROM} WHERE ${isSignal(signal)} AND ${isWithin(from, to)} GROUP BY time(${everyMs}ms) fill(none)`,
      )
      const points: HistoryPoint[] = rowsOf(answer).flatMap((row) => {
        const value = cellValue(row.cells.get('v'))
        return value === undefined ? [] : [[row.time, value] as const]
      })
      return points.sort((a, b) => a[0] - b[0])
    },
  }
}

function isSignal({ equipment, signal }: SignalName): string {
  return `"equipment" = ${text(tagText(equipment))} AND "signal" = ${text(tagText(signal))}`
}

/** Numbers only: they were checked when the request was read. */
function isWithin(from: number, to: number): string {
  return `time >= ${Math.floor(from)}ms AND time <= ${Math.floor(to)}ms`
}

/** A string of InfluxQL. Line breaks and other control characters never come here: tags do not have them. */
export function text(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`
}

/** A quoted identifier of InfluxQL. */
export function name(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&')}"`
}

interface Row {
  readonly time: number
  readonly cells: ReadonlyMap<string, unknown>
}

function rowsOf(answer: IResponse): Row[] {
  const rows: Row[] = []
  for (const result of answer.results ?? [])
    for (const { columns = [], values = [] } of result.series ?? [])
      for (const cells of values as ReadonlyArray<readonly unknown[]>) {
        const row = new Map(columns.map((column, index) => [column as string, cells[index]]))
        const time = row.get('time')
        if (typeof time === 'number') rows.push({ time, cells: row })
      }
  return rows
}

function cellValue(cell: unknown): HistoryValue | undefined {
  return typeof cell === 'number' || typeof cell === 'string' || typeof cell === 'boolean' ? cell : undefined
}
