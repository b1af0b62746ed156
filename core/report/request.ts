import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import { assertText } from '../orders/order-text.ts'
import { readTime } from '../orders/times.ts'
import { SPANS, type SpanName } from './shift-span.ts'

export const REPORT_TYPES = ['work-order', 'shift', 'overview'] as const
export type ReportType = (typeof REPORT_TYPES)[number]
export const REPORT_FORMATS = ['html', 'csv', 'json'] as const
export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** A report that is wanted. */
export interface ReportRequest {
  readonly type: ReportType
  /** A work order's id, or a unit, line, area or site; empty: the whole plant. */
  readonly subject: string
  readonly format: ReportFormat
  readonly span: SpanName
  readonly from: number | undefined
  readonly to: number | undefined
  /** Which table of the report a CSV holds; undefined: its main one. */
  readonly table: string | undefined
  /** Name of the file below the folder for reports; undefined: made from type, subject and time. */
  readonly file: string | undefined
}

/**
 * What a message asks for, over what the node is set to: `{ type, subject, format, span, from, to, table, file }`, each optional; a text is the subject;
 * a work order document is its work order; anything else (an inject node's timestamp) asks for what is set. Throws TAKT_REPORT_REQUEST_INVALID.
 */
export function reportRequest(payload: unknown, set: ReportRequest, timeZone: string, where: string): ReportRequest {
  assertSafe(payload, where)
  const fields = fieldsOf(payload, set)
  const type = oneOf(fields.type, REPORT_TYPES, 'type', set.type, where)
  // another type than the set one has another subject than the set one
  const subject = text(fields.subject, 'subject', where) ?? (type === set.type ? set.subject : '')
  const request: ReportRequest = {
    type,
    subject: type === 'overview' ? '' : subject.trim(),
    format: type === 'overview' ? 'json' : oneOf(fields.format, REPORT_FORMATS, 'format', set.format, where),
    span: oneOf(fields.span, SPANS, 'span', set.span, where),
    from: moment(fields.from, 'from', timeZone, where) ?? set.from,
    to: moment(fields.to, 'to', timeZone, where) ?? set.to,
    table: text(fields.table, 'table', where) ?? set.table,
    file: text(fields.file, 'file', where) ?? set.file,
  }
  if (type === 'work-order' && request.subject === '')
    throw new TaktError('TAKT_REPORT_REQUEST_INVALID', { what: 'a work-order report needs the id of a work order as subject', where })
  if (type === 'overview' && fields.format !== undefined && fields.format !== 'json')
    throw new TaktError('TAKT_REPORT_REQUEST_INVALID', { what: 'the overview is JSON only', where })
  return request
}

function fieldsOf(payload: unknown, set: ReportRequest): Readonly<Record<string, unknown>> {
  if (typeof payload === 'string' && payload.trim() !== '') return { subject: payload }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload) || Buffer.isBuffer(payload)) return {}
  const fields = payload as Readonly<Record<string, unknown>>
  // a document that comes by is no request: only of a work order is it clear what is meant
  if (fields.kind === undefined) return fields
  return fields.kind === 'work-order' && set.type === 'work-order' ? { subject: fields.id } : {}
}

function oneOf<T extends string>(value: unknown, known: readonly T[], field: string, otherwise: T, where: string): T {
  if (value === undefined || value === null || value === '') return otherwise
  const found = known.find((candidate) => candidate === value)
  if (found === undefined)
    throw new TaktError('TAKT_REPORT_REQUEST_INVALID', { what: `${field} is '${String(value).slice(0, 40)}' where one of ${known.join(', ')} is taken`, where })
  return found
}

function text(value: unknown, field: string, where: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string' || value.length > 500) throw new TaktError('TAKT_REPORT_REQUEST_INVALID', { what: `${field} is not a text`, where })
  // a path says itself what is wrong with it
  if (field !== 'file') assertText(value, where, `/${field}`)
  return value
}

function moment(value: unknown, field: string, timeZone: string, where: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const time = typeof value === 'number' || typeof value === 'string' ? readTime(value, timeZone) : undefined
  if (time === undefined) throw new TaktError('TAKT_REPORT_REQUEST_INVALID', { what: `${field} is neither epoch milliseconds nor a time as ISO 8601`, where })
  return time
}
