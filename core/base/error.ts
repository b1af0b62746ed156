import { ERROR_CODES, type ErrorCode } from './error-codes.ts'

export interface TaktErrorDetail {
  /** The sentence for this case, instead of the table's general one. */
  readonly what?: string
  /** Where it happened: a node, a topic, a path in a document, a row of a file. */
  readonly where: string
  readonly cause?: unknown
  /** Values a program may want, e.g. every error of a plant file. */
  readonly details?: unknown
}

/** An error with a code from the table: says what is wrong, where, and what to do. */
export class TaktError extends Error {
  readonly code: ErrorCode
  readonly what: string
  readonly where: string
  readonly remedy: string
  readonly details: unknown

  constructor(code: ErrorCode, detail: TaktErrorDetail) {
    const entry = ERROR_CODES[code]
    const what = detail.what ?? entry.what
    super(`${code}: ${what} (${detail.where}). To do: ${entry.remedy}.`, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'TaktError'
    this.code = code
    this.what = what
    this.where = detail.where
    this.remedy = entry.remedy
    this.details = detail.details
  }
}

/** Any thrown value as a coded error; what is already coded passes unchanged. */
export function toTaktError(thrown: unknown, where: string): TaktError {
  if (thrown instanceof TaktError) return thrown
  const what = thrown instanceof Error ? thrown.message : String(thrown)
  return new TaktError('TAKT_INTERNAL', { what, where, cause: thrown })
}
