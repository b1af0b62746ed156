import { STATUS_CODES } from 'node:http'
import { TaktError } from '../base/error.ts'
import { readPath } from '../base/json.ts'
import type { Answer } from './settle-message.ts'

/** Nobody's message is wrong: the ERP lets us in no more, or has no time. */
const AWAY = new Set([401, 403, 405, 407, 408, 425, 429])

/**
 * What an answer of HTTP means. Any 2xx is a receipt, and 409: the ERP has the message already. Other 4xx refuse it. 401, 403, 405, 407, 408, 425, 429, redirections and
 * 5xx throw TAKT_ERP_AWAY; only 500 throws TAKT_ERP_FAILED, because another message may well be taken. `numberAt`: path of the ERP's own number in its answer.
 */
export function answerOfHttp(status: number, body: unknown, numberAt: string, where: string): Answer {
  const answer = `${status} ${STATUS_CODES[status] ?? ''}`.trim()
  const said = saidIn(body)
  if ((status >= 200 && status < 300) || status === 409) {
    const number = numberIn(body, numberAt)
    return { kind: 'received', status: status === 409 ? '409 known already' : answer, ...(number === undefined ? {} : { number }) }
  }
  const detail = { what: `the ERP answers ${answer}${said === '' ? '' : `: ${said}`}`, where }
  if (status === 500) throw new TaktError('TAKT_ERP_FAILED', detail)
  if (status < 400 || status > 500 || AWAY.has(status)) throw new TaktError('TAKT_ERP_AWAY', detail)
  return { kind: 'refused', status: answer, what: said }
}

/** The ERP's own number in what it answers: at the path, else `number`, `documentNumber` or `id`. Undefined where there is none. */
export function numberIn(answer: unknown, path: string): string | undefined {
  const value = typeof answer === 'string' ? parsed(answer) : answer
  for (const at of path === '' ? ['number', 'documentNumber', 'id'] : [path]) {
    const found = readPath(value, at)
    if ((typeof found === 'string' && found !== '') || typeof found === 'number') return String(found).slice(0, 200)
  }
  return undefined
}

function saidIn(body: unknown): string {
  const text = typeof body === 'string' ? body : body === undefined || body === null ? '' : JSON.stringify(body)
  return text.replace(/\s+/g, ' ').trim().slice(0, 300)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
