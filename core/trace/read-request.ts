import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import { GENEALOGY_EVENTS, type Genealogy, type GenealogyEvent } from '../messages/genealogy.ts'
import { TRACE_QUERIES, type TraceQuery } from '../messages/trace.ts'
import { hasKind, validateDocument } from '../messages/validate.ts'
import { idFrom } from './canonical.ts'
import type { ExportRequest } from './epcis/export.ts'
import { LINEAGE_LIMIT } from './lineage.ts'

/** How far containment goes by itself. */
export const CONTAINMENT_LEVELS = ['off', 'shadow', 'approve', 'auto'] as const

/** What somebody asks of the trace. */
export type TraceRequest =
  /** `timed` is false where the time is only when the message came */
  | { readonly do: 'record'; readonly event: Genealogy; readonly timed: boolean }
  | { readonly do: 'ask'; readonly query: TraceQuery; readonly lot: string; readonly limit: number; readonly relations: boolean }
  | { readonly do: 'capture'; readonly document: unknown }
  | { readonly do: 'export'; readonly request: ExportRequest }
  | { readonly do: 'contain'; readonly anomaly: string }
  | { readonly do: 'autonomy'; readonly level: (typeof CONTAINMENT_LEVELS)[number] }
  | { readonly do: 'answer'; readonly containment: string; readonly decision: 'accept' | 'refuse'; readonly why: string | undefined }

export interface RequestFacts {
  /** plant time, epoch ms */
  readonly now: number
  /** the same for the same message, however often it comes; undefined where nothing tells */
  readonly occasion: string | undefined
  readonly where: string
}

const RELATIONS_AT_MOST = 2000

/**
 * Reads a message: a genealogy document; `{ inputs, outputs, … }` under the topic of an event (`receive`, `genealogy/ship`); a lot under `backward`, `forward`, `recall` or
 * `touched`; an EPCIS document (also under `capture`), `export`, `contain`, `accept` and `refuse`. Undefined for documents of other kinds. Throws TAKT_MESSAGE_INVALID.
 */
export function readRequest(topic: string, payload: unknown, facts: RequestFacts): TraceRequest | undefined {
  const { where } = facts
  if (hasKind(payload))
    return payload.kind === 'genealogy' ? { do: 'record', event: named(validateDocument(payload, 'genealogy', where), facts), timed: true } : undefined
  const word = topic.slice(topic.lastIndexOf('/') + 1)
  if (word === 'capture' || isEpcis(payload)) return { do: 'capture', document: payload }
  assertSafe(payload, where)
  const event = GENEALOGY_EVENTS.find((known) => known === word)
  if (event !== undefined) return { do: 'record', event: readEvent(event, payload, facts), timed: fieldsOf(payload).time !== undefined }
  const query = TRACE_QUERIES.find((known) => known === word)
  const fields = fieldsOf(payload)
  if (query !== undefined) {
    const limit = fields.limit ?? LINEAGE_LIMIT
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > 1_000_000)
      throw new TaktError('TAKT_MESSAGE_INVALID', { what: `limit is '${String(limit)}' where a whole number from 1 to 1000000 is taken`, where })
    const relations = fields.relations === true
    return { do: 'ask', query, lot: idIn(payload, fields, 'lot', where), limit: relations ? Math.min(limit, RELATIONS_AT_MOST) : limit, relations }
  }
  if (word === 'export') return { do: 'export', request: exportOf(payload, fields, where) }
  if (word === 'contain') return { do: 'contain', anomaly: idIn(payload, fields, 'anomaly', where) }
  if (word === 'autonomy') {
    const level = CONTAINMENT_LEVELS.find((known) => known === payload)
    if (level === undefined)
      throw new TaktError('TAKT_MESSAGE_INVALID', {
        what: `autonomy is '${String(payload).slice(0, 40)}' where ${CONTAINMENT_LEVELS.join(', ')} is taken`,
        where,
      })
    return { do: 'autonomy', level }
  }
  if (word === 'accept' || word === 'refuse') {
    const why = typeof fields.why === 'string' && fields.why.trim() !== '' ? fields.why.slice(0, 1000) : undefined
    return { do: 'answer', containment: idIn(payload, fields, 'containment', where), decision: word, why }
  }
  throw new TaktError('TAKT_MESSAGE_INVALID', { what: `neither a genealogy document nor a question: topic '${topic.slice(0, 100)}'`, where })
}

/** Whether it is an EPCIS document, or an event of one by itself. */
function isEpcis(payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, '@context')) return false
  const { type } = payload as { type?: unknown }
  return typeof type === 'string' && /^(EPCIS(Query)?Document|\w+Event)$/.test(type)
}

function readEvent(event: GenealogyEvent, payload: unknown, facts: RequestFacts): Genealogy {
  const { inputs, outputs, time = facts.now, jobOrder = null, ...others } = fieldsOf(payload)
  const told = { kind: 'genealogy', ...others, event, inputs: sideOf(inputs), outputs: sideOf(outputs), jobOrder, time }
  return named(validateDocument(told, 'genealogy', facts.where), facts)
}

/** `{ lot, quantity: 5, unit: 'm' }` is short for `{ lot, quantity: { value: 5, unit: 'm' } }`. */
function sideOf(side: unknown): unknown {
  if (side === undefined || side === null) return []
  if (!Array.isArray(side)) return side
  return side.map((entry: unknown) => {
    const { unit, quantity, ...others } = fieldsOf(entry)
    return typeof quantity === 'number' ? { ...others, quantity: { value: quantity, unit } } : entry
  })
}

function named(event: Genealogy, { occasion }: RequestFacts): Genealogy {
  return event.id === undefined && occasion !== undefined ? { ...event, id: idFrom('message', occasion) } : event
}

function exportOf(payload: unknown, fields: Readonly<Record<string, unknown>>, where: string): ExportRequest {
  if (typeof fields.document === 'string') return { document: fields.document }
  const { from, to, direction } = fields
  if (typeof from === 'number' && typeof to === 'number' && Number.isFinite(from) && Number.isFinite(to)) return { from, to }
  if (direction !== undefined && direction !== 'backward' && direction !== 'forward' && direction !== 'none')
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `direction is '${String(direction)}' where backward, forward or none is taken`, where })
  const lot = idIn(payload, fields, 'lot', where, 'a lot, a document, or from and to')
  return direction === undefined ? { lot } : { lot, direction }
}

const LONGEST_ID = 200

function idIn(payload: unknown, fields: Readonly<Record<string, unknown>>, name: string, where: string, what = `a ${name}`): string {
  const id = typeof payload === 'string' ? payload : (fields[name] ?? fields.id)
  if (typeof id !== 'string' || id.trim() === '' || id.length > LONGEST_ID || id.includes('\0') || !id.isWellFormed())
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `it does not name ${what}`, where })
  return id
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}
}
