/**
 * InfluxDB's line protocol, version 1: `measurement,tag=value field=value time`. Names and tags come from plants and messages, so every character that
 * means something in the protocol is escaped; what the protocol cannot carry in a tag (line breaks, a backslash before a delimiter) is replaced.
 */

export type FieldValue = number | string | boolean
export type Tags = ReadonlyArray<readonly [name: string, value: string]>

/** The latest time that fits the database's 64-bit nanoseconds, epoch ms (2262-04-11). */
export const LATEST_MS = 9_223_372_036_853

/** A tag's value (or key, or a field's key) as the database keeps it. Queries must ask for this form. */
export function tagText(value: string): string {
  // nothing escapes a backslash: at the end, or before a delimiter, it would swallow that delimiter
  return value.replace(/\p{Cc}+/gu, '_').replace(/\\(?=[,= ]|$)/g, '/')
}

const escapeKey = (value: string): string => tagText(value).replace(/[,= ]/g, '\\$&')
const escapeMeasurement = (value: string): string => measurementText(value).replace(/[, ]/g, '\\$&')

/** A measurement's name as the database keeps it. */
export function measurementText(value: string): string {
  // a line that begins with # is a comment: it would be acknowledged and not written
  return tagText(value).replace(/^#/, '_')
}

/** `measurement,tag=value` for all points of one series; empty tags are left out, since the protocol has none. */
export function seriesKey(measurement: string, tags: Tags): string {
  let key = escapeMeasurement(measurement)
  for (const [name, value] of tags) if (value !== '') key += `,${escapeKey(name)}=${escapeKey(value)}`
  return key
}

/** `name=value`, numbers always as floats: the type of a field is fixed by its first value. The number must be finite. */
export function fieldText(name: string, value: FieldValue): string {
  return `${escapeKey(name)}=${typeof value === 'string' ? `"${value.replace(/[\\"]/g, '\\$&')}"` : value}`
}

/** A whole line from a series key, fields already as text, and epoch ms. */
export function pointLine(key: string, fields: string, timeMs: number): string {
  return `${key} ${fields} ${Math.floor(timeMs)}`
}
