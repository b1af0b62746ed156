import type { Sample } from '../../messages/sample.ts'
import type { SignalRole } from '../../plant/model.ts'
import { DATA_TYPES } from './datatypes.ts'
import type { DataSet, Metric, Value } from './payload.ts'

/** The property of a metric that says whether its value can be trusted (3.0, 6.4.17). */
const QUALITY = 'Quality'

/**
 * Quality as Sparkplug hosts have it: 192 good, 0 bad, 500 stale. Values between follow OPC Classic, from which these come: from 192 good, from 64
 * uncertain. What cannot be read is uncertain.
 */
export function qualityOf(metric: Metric): Sample['quality'] {
  const property = metric.properties?.get(QUALITY)
  if (property === undefined) return 'good'
  const value = typeof property.value === 'bigint' ? Number(property.value) : property.value
  if (typeof value !== 'number') return 'uncertain'
  if (value >= 192 && value < 256) return 'good'
  return value >= 64 && value < 192 ? 'uncertain' : 'bad'
}

/**
 * A metric's value as one that a sample can carry. Arrays and data sets become JSON text, bytes Base64 text; an integer that a number cannot hold
 * exactly becomes decimal text where the role takes text, and is refused behind this where it takes a number.
 */
export function scalarOf(value: Value, role: SignalRole | undefined): unknown {
  if (typeof value === 'bigint') return role === undefined || role === 'other' || role === 'job-order' ? String(value) : value
  if (typeof value !== 'object') return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (value instanceof Map || 'metrics' in value) return value
  if (Array.isArray(value)) return JSON.stringify(value, exactJson)
  const { columns, types, rows } = value as DataSet
  return JSON.stringify({ columns, types, rows }, exactJson)
}

/** JSON has no integers beyond 2^53 that every reader takes exactly, and no NaN. */
function exactJson(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value
}

export function isTemplate(metric: Metric): boolean {
  return metric.wire === 'template' || metric.datatype === DATA_TYPES.Template
}
