import { TaktError } from '../../core/base/error.ts'
import type { Message } from '../shared/define-node.ts'

/** What a message asks for. `ids` undefined: all that were refused. */
export type Asked =
  | { readonly do: 'receipt' }
  | { readonly do: 'again'; readonly ids: readonly string[] | undefined; readonly why: string | undefined }
  | { readonly do: 'set-aside'; readonly id: string; readonly why: string | undefined }

const IDS_AT_MOST = 10_000

/** By the last part of the topic; what an http request node made of a message that was handed out is a receipt. Throws TAKT_MESSAGE_INVALID. */
export function readAsked({ topic, payload, statusCode, erp }: Message, where: string): Asked {
  const last = typeof topic === 'string' ? topic.slice(topic.lastIndexOf('/') + 1) : ''
  const wrong = (what: string): TaktError => new TaktError('TAKT_MESSAGE_INVALID', { what, where })
  if (last === 'receipt' || (statusCode !== undefined && erp !== undefined)) return { do: 'receipt' }
  const fields = typeof payload === 'object' && payload !== null && !Array.isArray(payload) ? (payload as Readonly<Record<string, unknown>>) : {}
  const why = typeof fields.why === 'string' && fields.why !== '' ? fields.why.slice(0, 1000) : undefined
  const named = fields.ids ?? fields.id ?? (Array.isArray(payload) || typeof payload === 'string' ? payload : undefined)
  const ids: readonly unknown[] = Array.isArray(named) ? named : [named]
  const known = ids.filter((id): id is string => typeof id === 'string' && id !== '')
  const areIds = known.length === ids.length && ids.length <= IDS_AT_MOST
  if (last === 'again') {
    if (named === 'all') return { do: 'again', ids: undefined, why }
    if (!areIds) throw wrong("'again' needs the id of a message, a list of ids, or 'all'")
    return { do: 'again', ids: known, why }
  }
  if (last !== 'set-aside') throw wrong(`topic '${last.slice(0, 60)}' is none of receipt, again, set-aside`)
  const [id] = known
  if (!areIds || ids.length !== 1 || id === undefined) throw wrong("'set-aside' needs the id of one message")
  return { do: 'set-aside', id, why }
}
