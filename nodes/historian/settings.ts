import { join } from 'node:path'
import type { NodeDef } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { ANSWER_FORMATS, type AnswerFormat } from '../../core/connect/history/history-answer.ts'
import { AGGREGATES, type Aggregate, durationOf, MOST_VALUES } from '../../core/connect/history/history-request.ts'
import { CONTEXT_KEEPING, type ContextKeeping } from '../../core/connect/influx/document-points.ts'
import type { SampleFields } from '../shared/sample-fields.ts'
import { numberSetting } from '../shared/settings.ts'

export interface HistorianConfig extends NodeDef, SampleFields {
  mode: 'write' | 'query'
  /** empty: the store's own ring of recent samples */
  influxdb: string
  plant: string
  store: string
  /** write: rows a batch at most, and ms until it is sent */
  batchRows: string | number
  batchMs: string | number
  /** write: MB on disk while the database is away */
  spoolMb: string | number
  context: ContextKeeping
  /** query: what a question that does not say means */
  asked: string
  span: string
  aggregate: Aggregate
  limit: string | number
  format: AnswerFormat
}

export interface WriteSettings {
  readonly batchRows: number
  readonly batchMs: number
  readonly maxSpoolBytes: number
  readonly context: ContextKeeping
  /** below the user directory */
  readonly folder: string
}

export interface QuerySettings {
  readonly topic: string | undefined
  readonly spanMs: number
  readonly aggregate: Aggregate
  readonly limit: number
  readonly format: AnswerFormat
}

export function readWriteSettings(config: HistorianConfig, where: string): WriteSettings {
  const number = numberSetting(where)
  return {
    batchRows: number(config.batchRows, 'rows a batch', 5000, 1, 50_000),
    batchMs: number(config.batchMs, 'milliseconds until a batch is sent', 1000, 10, 60_000),
    maxSpoolBytes: number(config.spoolMb, 'megabytes on disk', 256, 1, 1_000_000) * 1_000_000,
    context: known(config.context || 'no', CONTEXT_KEEPING, 'context', where),
    folder: join('takt', `historian-${config.id}`),
  }
}

export function readQuerySettings(config: HistorianConfig, where: string): QuerySettings {
  const spanMs = durationOf(config.span || '1h')
  if (spanMs === undefined || spanMs < 1)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `the span is '${config.span}' where a length like 30s, 5m, 8h or 7d is taken`, where })
  return {
    topic: config.asked?.trim() || undefined,
    spanMs,
    aggregate: known(config.aggregate || 'auto', AGGREGATES, 'aggregate', where),
    limit: numberSetting(where)(config.limit, 'values a signal', 1000, 1, MOST_VALUES),
    format: known(config.format || 'chart', ANSWER_FORMATS, 'format', where),
  }
}

function known<T extends string>(value: string, values: readonly T[], what: string, where: string): T {
  const found = values.find((candidate) => candidate === value)
  if (found === undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: `the ${what} is '${value}' where one of ${values.join(', ')} is taken`, where })
  return found
}
