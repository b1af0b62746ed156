import type { ErrorCode } from '../../core/base/error-codes.ts'
import type { ImportSummary } from '../../core/orders/import/import-orders.ts'
import type { Message } from '../shared/define-node.ts'

const REFUSALS: Readonly<Partial<Record<ErrorCode, number>>> = {
  TAKT_PERSON_NOT_SIGNED_IN: 401,
  TAKT_PERSON_NOT_ALLOWED: 403,
  TAKT_ORDER_UNKNOWN: 404,
  TAKT_JOB_ORDER_UNKNOWN: 404,
  TAKT_ORDER_EXISTS_DIFFERENT: 409,
  TAKT_ORDER_STATE: 409,
  TAKT_ORDER_IN_PROGRESS: 409,
  TAKT_JOB_ORDER_TRANSITION: 409,
  TAKT_MESSAGE_TOO_LARGE: 413,
  TAKT_STORE_DISK_BUDGET: 507,
}

/** What an http response node answers for a refusal; 503 for trouble of the store's, after which the sender may try again. */
export function statusOfRefusal(code: ErrorCode): number {
  return REFUSALS[code] ?? (code.startsWith('TAKT_STORE_') || code === 'TAKT_INTERNAL' ? 503 : 422)
}

export function statusOfImport({ created, existing }: ImportSummary): number {
  return created > 0 ? 201 : existing > 0 ? 200 : 422
}

/** The message with the status for an http response node, where it came from an http in node. */
export function withStatus(message: Message, statusCode: number): Message {
  return message.res === undefined ? message : { ...message, statusCode }
}

/** The message for a second answer: HTTP has only one. */
export function withoutHttp({ req: _req, res: _res, ...message }: Message): Message {
  return message
}
