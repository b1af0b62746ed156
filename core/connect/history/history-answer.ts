import type { HistorySeries, HistoryValue } from './history.ts'

/** `chart`: what a Dashboard 2 ui-chart draws with x `x`, y `y`, series `series`. `rows`: one object a value. `series`: one object a signal. */
export const ANSWER_FORMATS = ['chart', 'rows', 'series'] as const
export type AnswerFormat = (typeof ANSWER_FORMATS)[number]

export interface ChartPoint {
  readonly x: number
  /** null where the value is a text: a chart has no place for it */
  readonly y: number | null
  readonly series: string
}

export interface HistoryRow {
  readonly time: number
  readonly equipment: string
  readonly signal: string
  readonly value: HistoryValue
  readonly unit: string | null
}

export function formatAnswer(answer: readonly HistorySeries[], format: AnswerFormat): ChartPoint[] | HistoryRow[] | readonly HistorySeries[] {
  if (format === 'series') return answer
  if (format === 'rows')
    return answer.flatMap(({ equipment, signal, unit, points }) => points.map(([time, value]) => ({ time, equipment, signal, value, unit })))
  return answer.flatMap(({ equipment, signal, points }) => {
    // signals of one name need the equipment to be told apart, and the last part of it says enough
    const series = `${equipment.slice(equipment.lastIndexOf('/') + 1)} ${signal}`
    return points.map(([x, value]) => ({ x, y: heightOf(value), series }))
  })
}

function heightOf(value: HistoryValue): number | null {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' ? value : null
}
