import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import { assertText } from '../orders/order-text.ts'

export const DISPOSITION_REQUESTS = ['hold', 'release', 'scrap'] as const
export interface DispositionRequest {
  readonly disposition: (typeof DISPOSITION_REQUESTS)[number]
  readonly lot: string
  readonly why: string
  /** Why it is released although steps of its procedure are open; undefined: it is not. */
  readonly concession?: string
  /** The person who decides. */
  readonly by: string
}

/** A person's decision on a lot from a message: `{ lot, why }`, and who in `by`. Without a reason it is none. Throws TAKT_MESSAGE_INVALID. */
export function dispositionRequest(
  disposition: DispositionRequest['disposition'] | undefined,
  payload: unknown,
  by: unknown,
  where: string,
): DispositionRequest {
  assertSafe(payload, where)
  const { lot, why, concession } = (typeof payload === 'object' && payload !== null ? payload : {}) as Readonly<Record<string, unknown>>
  if (disposition === undefined || typeof lot !== 'string' || lot === '' || lot.length > 200)
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'it does not name a lot: { lot, why }', where })
  if (typeof why !== 'string' || why.trim() === '')
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `to ${disposition} lot ${lot} a reason is needed: { lot, why }`, where })
  assertText([lot, why, concession], where)
  if (concession !== undefined && (disposition !== 'release' || typeof concession !== 'string' || concession.trim() === ''))
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'a concession is the reason, a text, why a lot is released although steps are open', where })
  const person = typeof by === 'string' && by.trim() !== '' ? by.trim().slice(0, 200) : 'a person'
  // the prefix is for nodes: a name from a message must not pass for one
  const conceded = concession === undefined ? {} : { concession: concession.slice(0, 1000) }
  return { disposition, lot, why: why.slice(0, 1000), ...conceded, by: person.startsWith('node:') ? `'${person}'` : person }
}
