import { TaktError } from '../../core/base/error.ts'
import type { Autonomy } from '../../core/messages/common.ts'

export interface Answer {
  readonly id: string
  readonly decision: 'accept' | 'refuse'
  /** as the message says; a hint, not an identity */
  readonly by: string
  readonly why: string | undefined
}

/** `{ topic: 'accept', payload: 'dis-7' }`, or `{ topic: 'answer', payload: { disruption: 'dis-7', decision: 'accept', by, why } }`. Throws TAKT_MESSAGE_INVALID. */
export function readAnswer(topic: string, payload: unknown, where: string): Answer {
  const own: Record<string, unknown> = typeof payload === 'object' && payload !== null ? { ...payload } : { id: payload }
  const decision = topic === 'answer' ? own.decision : topic
  if (decision !== 'accept' && decision !== 'refuse')
    throw new TaktError('TAKT_MESSAGE_INVALID', {
      what: `neither a document, nor an answer (accept or refuse), nor an autonomy, nor who is away or back, nor late material: topic '${topic}'`,
      where,
    })
  const id = own.disruption ?? own.id
  if (typeof id !== 'string' || id === '' || id.length > 200) throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'the answer names no disruption', where })
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 200) : undefined)
  return { id, decision, by: text(own.by) ?? 'a person', why: text(own.why) }
}

export function readAutonomy(value: unknown, where: string, code: 'TAKT_MESSAGE_INVALID' | 'TAKT_CONFIG_INVALID' = 'TAKT_MESSAGE_INVALID'): Autonomy {
  if (value === 'shadow' || value === 'approve' || value === 'auto') return value
  throw new TaktError(code, { what: `autonomy is '${String(value)}' where shadow, approve or auto is taken`, where })
}
