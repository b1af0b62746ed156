import { TaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'

/** What goes wrong with a connection, by the operating system. */
const SYSTEM: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'TAKT_STORE_AWAY',
  EAI_AGAIN: 'TAKT_STORE_AWAY',
  ECONNREFUSED: 'TAKT_STORE_AWAY',
  ECONNRESET: 'TAKT_STORE_AWAY',
  EHOSTUNREACH: 'TAKT_STORE_AWAY',
  ENETUNREACH: 'TAKT_STORE_AWAY',
  ENOENT: 'TAKT_STORE_AWAY',
  EPIPE: 'TAKT_STORE_AWAY',
  ETIMEDOUT: 'TAKT_STORE_AWAY',
}

/** By SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html); the whole code goes before its class. */
const STATES: Readonly<Record<string, ErrorCode>> = {
  '08': 'TAKT_STORE_AWAY',
  '22': 'TAKT_STORE_VALUE',
  '25006': 'TAKT_STORE_READ_ONLY',
  // the server ended a session that stood still inside a transaction, or stood for too long
  '25P03': 'TAKT_STORE_AWAY',
  '25P04': 'TAKT_STORE_AWAY',
  '28': 'TAKT_STORE_REFUSED',
  '3D': 'TAKT_STORE_REFUSED',
  '40': 'TAKT_STORE_BUSY',
  '42501': 'TAKT_STORE_UNWRITABLE',
  '53': 'TAKT_STORE_AWAY',
  '53100': 'TAKT_STORE_FULL',
  '53200': 'TAKT_STORE_IO',
  '55P03': 'TAKT_STORE_BUSY',
  '57': 'TAKT_STORE_AWAY',
  '57014': 'TAKT_STORE_BUSY',
  '57P05': 'TAKT_STORE_AWAY',
  '58': 'TAKT_STORE_IO',
  XX001: 'TAKT_STORE_CORRUPT',
  XX002: 'TAKT_STORE_CORRUPT',
}

/** What the server or the way to it said, as a coded error. */
export function postgresError(thrown: unknown, where: string): TaktError {
  if (thrown instanceof TaktError) return thrown
  const { code, message } = thrown as { code?: unknown; message?: unknown }
  const what = textOf(thrown, message)
  const coded = (known: ErrorCode): TaktError => new TaktError(known, { what, where, cause: thrown })
  if (what.includes('the ledger is append-only')) return coded('TAKT_LEDGER_APPEND_ONLY')
  if (typeof code !== 'string') return coded(isTls(what) ? 'TAKT_STORE_REFUSED' : 'TAKT_STORE_AWAY')
  if (Object.hasOwn(SYSTEM, code)) return coded(SYSTEM[code] as ErrorCode)
  if (/^[0-9A-Z]{5}$/.test(code)) return coded(STATES[code] ?? STATES[code.slice(0, 2)] ?? 'TAKT_STORE_QUERY')
  // Node's codes of a certificate that is not believed: DEPTH_ZERO_SELF_SIGNED_CERT, ERR_TLS_CERT_ALTNAME_INVALID, …
  return coded(isTls(code) || isTls(what) ? 'TAKT_STORE_REFUSED' : 'TAKT_STORE_AWAY')
}

/** The connection is gone, or was never there: what was sent last may or may not have arrived. */
export function isAway(error: unknown): boolean {
  return error instanceof TaktError && error.code === 'TAKT_STORE_AWAY'
}

function isTls(text: string): boolean {
  return /cert|tls|ssl|self.signed|issuer|password must be|SASL|scram/i.test(text)
}

/** Several addresses of one host fail with several errors and no message of their own. */
function textOf(thrown: unknown, message: unknown): string {
  const errors = (thrown as { errors?: unknown }).errors
  if (typeof message === 'string' && message !== '') return message
  if (Array.isArray(errors) && errors.length > 0) return errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ')
  return String(thrown)
}
