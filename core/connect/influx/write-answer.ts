import { TaktError } from '../../base/error.ts'
import type { Answer } from './exchange.ts'

/**
 * What became of a batch. `written`: all of it. `rejected`: the server refused some or all rows for what they are; the others are written.
 * `tooLarge`: send it in parts. `failed`: nothing is known to be written, and it may go better later; the rows must be kept.
 */
export type WriteOutcome =
  | { readonly kind: 'written' }
  | { readonly kind: 'rejected'; readonly reason: string /** how many, where the server says so */; readonly rows: number | undefined }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'failed'; readonly problem: TaktError }

/** The server's reason: `error` of InfluxDB 1, `message` of InfluxDB 2, or the text itself. */
function reasonOf(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { error?: unknown; message?: unknown }
    if (typeof message === 'string') return message
    if (typeof error === 'string') return error
  } catch {
    // VictoriaMetrics and proxies answer in plain text
  }
  return body.trim().slice(0, 500)
}

/** What a 400 says when it is about the rows and not about the request: InfluxDB 1 and 2 share this code, VictoriaMetrics takes what it can. */
const ABOUT_ROWS = /partial write|unable to parse|field type conflict|beyond retention|max-series-per-database|max-values-per-tag|line protocol/i

export function outcomeOf(answer: Answer, where: string): WriteOutcome {
  const { status, body } = answer
  if (status >= 200 && status < 300) return { kind: 'written' }
  if (status === 413) return { kind: 'tooLarge' }
  const reason = reasonOf(body)
  if ((status === 400 || status === 422) && ABOUT_ROWS.test(reason)) {
    const dropped = / dropped=(\d+)/.exec(reason)?.[1]
    // rows that cannot be read are not counted: the number is then that of the others
    const isCounted = dropped !== undefined && dropped !== '0' && !reason.includes('unable to parse')
    return { kind: 'rejected', reason: reason.slice(0, 500), rows: isCounted ? Number(dropped) : undefined }
  }
  return { kind: 'failed', problem: problemOfAnswer(status, reason, where) }
}

/** A coded error for any answer that is no success. */
export function problemOfAnswer(status: number, reason: string, where: string): TaktError {
  const what = `the server answered ${status}${reason === '' ? '' : `: ${reason}`}`
  if (status === 401 || status === 403) return new TaktError('TAKT_INFLUX_REFUSED', { what, where })
  if (isAboutDatabase(status, reason)) return new TaktError('TAKT_INFLUX_DATABASE', { what, where })
  return new TaktError('TAKT_INFLUX_FAILED', { what, where })
}

function isAboutDatabase(status: number, reason: string): boolean {
  return status === 404 || /database not found|retention policy not found|no dbrp mapping|unable to find DBRP/i.test(reason)
}

export { reasonOf }
