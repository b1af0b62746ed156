import { TaktError, toTaktError } from '../base/error.ts'
import { answerOfHttp, numberIn } from './http-answer.ts'
import type { Answer } from './settle-message.ts'

export interface Receipt {
  readonly id: string
  /** A TaktError says that the ERP is away, and that the message goes on waiting. */
  readonly answer: Answer | TaktError
}

/** Properties of a message that brings a receipt. */
export interface ReceiptMessage {
  readonly payload?: unknown
  /** as an http request node leaves it */
  readonly statusCode?: unknown
  /** as it stood in the message that was handed out */
  readonly erp?: unknown
}

/**
 * A receipt that a flow sends back: `{ id, status: 'received' | 'refused', number?, what? }`, or what an http request node makes of the message that was handed out.
 * Throws TAKT_MESSAGE_INVALID.
 */
export function readReceipt({ payload, statusCode, erp }: ReceiptMessage, numberAt: string, where: string): Receipt {
  const said = fieldsOf(payload)
  const id = fieldsOf(erp).id ?? said.id
  if (typeof id !== 'string' || id === '')
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'the receipt does not say of which message: it has no id', where })
  if (statusCode !== undefined) return { id, answer: httpAnswer(statusCode, payload, numberAt, where) }
  const { status = 'received', what } = said
  const text = typeof what === 'string' ? what : ''
  if (status === 'refused') return { id, answer: { kind: 'refused', status: 'refused', what: text } }
  if (status === 'away') return { id, answer: new TaktError('TAKT_ERP_AWAY', { ...(text === '' ? {} : { what: text }), where }) }
  if (status !== 'received')
    throw new TaktError('TAKT_MESSAGE_INVALID', {
      what: `the receipt's status is '${String(status).slice(0, 60)}' where received, refused or away is taken`,
      where,
    })
  const number = numberIn(said, numberAt === '' ? 'number' : numberAt)
  return { id, answer: { kind: 'received', status: text === '' ? 'received' : text, ...(number === undefined ? {} : { number }) } }
}

/** Not a number where there was no answer, `ECONNREFUSED`. */
function httpAnswer(status: unknown, body: unknown, numberAt: string, where: string): Answer | TaktError {
  if (typeof status !== 'number') return new TaktError('TAKT_ERP_AWAY', { what: `the ERP cannot be reached: ${String(status).slice(0, 100)}`, where })
  try {
    return answerOfHttp(status, body, numberAt, where)
  } catch (thrown) {
    return toTaktError(thrown, where)
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}
}
