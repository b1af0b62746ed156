import { hash } from 'node:crypto'
import type { ConnectionOptions } from 'node:tls'
import { TaktError } from '../base/error.ts'

export interface PostgresLogin {
  /** `postgres://host:5432/database?sslmode=verify-full`; a Unix socket as `postgres:///database?host=/run/postgresql&user=takt`. What it leaves out comes from PGHOST, PGUSER, PGPASSWORD, … */
  readonly url: string
  /** Goes before a user in the URL. */
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** CA, certificate, key: present, the connection is encrypted. */
  readonly tls?: ConnectionOptions | undefined
}

/** Where a database is and who asks; as the `pg` client wants it. */
export interface PostgresTarget {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly ssl: ConnectionOptions | undefined
  /** settings of the session, `-c search_path=takt` */
  readonly options: string | undefined
  /** `host:5432/database`, without user and password: for people, and to tell two databases apart */
  readonly name: string
}

const TLS_MODES: Readonly<Record<string, boolean>> = { disable: false, require: true, 'verify-ca': true, 'verify-full': true }

/** Throws TAKT_CONFIG_INVALID. Where TLS is asked for, the server's certificate is always checked unless `tls` says otherwise. */
export function postgresTarget({ url: text, user, password, tls }: PostgresLogin, where: string): PostgresTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol))
    throw invalid('the address of the database is not like postgres://host:5432/database', where)
  const mode = url.searchParams.get('sslmode')
  if (mode !== null && !Object.hasOwn(TLS_MODES, mode))
    throw invalid(`sslmode '${mode}' is none of ${Object.keys(TLS_MODES).join(', ')}; an encrypted connection is always checked`, where)
  if (mode === 'disable' && tls !== undefined) throw invalid('the address says sslmode=disable, and there are TLS settings', where)
  const host = url.searchParams.get('host') ?? (url.hostname === '' ? undefined : decoded(url.hostname.replace(/^\[|\]$/g, ''), where))
  const port = Number(url.port || url.searchParams.get('port') || 0) || undefined
  const database = decoded(url.pathname.slice(1), where) || undefined
  const encrypted = tls !== undefined || (mode !== null && TLS_MODES[mode] === true)
  return {
    host,
    port,
    database,
    user: user || decoded(url.username, where) || url.searchParams.get('user') || undefined,
    password: password || decoded(url.password, where) || undefined,
    ssl: encrypted ? (tls ?? {}) : undefined,
    options: url.searchParams.get('options') ?? undefined,
    name: nameOf(host, port, database, url.searchParams.get('options')),
  }
}

/** Name of the file that holds the anchor of this database's ledger: another for each, with nothing in it that a file system could mind. */
export function anchorName(target: PostgresTarget): string {
  return `postgres-${target.name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60)}-${hash('sha256', target.name).slice(0, 8)}.anchor`
}

/** True for the address of a server rather than the path of a file. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text)
}

function nameOf(
  host = process.env.PGHOST ?? 'localhost',
  port = Number(process.env.PGPORT ?? 5432),
  database = process.env.PGDATABASE ?? '',
  options: string | null,
): string {
  return `${host}:${port}/${database}${options === null ? '' : ` ${options}`}`
}

function decoded(part: string, where: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid('the address of the database has a % that stands for nothing; write %25 for a percent sign', where)
  }
}

function invalid(what: string, where: string): TaktError {
  return new TaktError('TAKT_CONFIG_INVALID', { what, where })
}
