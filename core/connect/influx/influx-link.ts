import { Agent, type RequestOptions } from 'node:http'
import { Agent as EncryptedAgent } from 'node:https'
import { InfluxDB, type IResponse } from 'influx'
import { TaktError } from '../../base/error.ts'
import { SharedLink } from '../shared-link.ts'
import { exchange } from './exchange.ts'
import { outcomeOf, problemOfAnswer, reasonOf, type WriteOutcome } from './write-answer.ts'

export interface InfluxSettings {
  /** `http://host:8086`, also several of one cluster: the next is asked when one does not answer. A path is kept (VictoriaMetrics, proxies). */
  readonly urls: readonly URL[]
  readonly database: string
  /** Empty: the database's own default. */
  readonly retentionPolicy: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** InfluxDB 2: sent as `Authorization: Token …`, instead of user and password. */
  readonly token?: string | undefined
  /** Options of `tls.connect`. */
  readonly tls?: Readonly<Record<string, unknown>> | undefined
  readonly timeoutMs: number
  /** Make the database where the server has none (InfluxDB 1). */
  readonly createDatabase: boolean
  /** For errors: the node. */
  readonly where: string
  /** How often the server is asked whether it is there, ms. */
  readonly pingEveryMs?: number
}

const PING_EVERY_MS = 5000
const SOCKETS = 4

/**
 * One InfluxDB server, or one that speaks like version 1, shared by several nodes. Queries and administration go through the `influx` library; writes are
 * sent as they are, since the library takes no prepared lines, and keeps to itself why a server failed.
 */
export class InfluxLink extends SharedLink {
  readonly #settings: InfluxSettings
  readonly #agent: Agent
  #library: InfluxDB | undefined
  #current = 0
  #ping: NodeJS.Timeout | undefined
  #isOpen = false

  constructor(settings: InfluxSettings) {
    super()
    this.#settings = settings
    const options = { keepAlive: true, maxSockets: SOCKETS }
    this.#agent = settings.urls.some((url) => url.protocol === 'https:') ? new EncryptedAgent({ ...options, ...settings.tls }) : new Agent(options)
  }

  get database(): string {
    return this.#settings.database
  }

  get retentionPolicy(): string {
    return this.#settings.retentionPolicy
  }

  /** Writes lines with ms precision. Never throws: what happened is the outcome. A missing database is made, if the settings say so, and the write repeated. */
  async write(body: string): Promise<WriteOutcome> {
    const first = await this.#write(body)
    if (first.kind !== 'failed' || first.problem.code !== 'TAKT_INFLUX_DATABASE' || !this.#settings.createDatabase) return first
    if (!/database not found/i.test(first.problem.what)) return first
    try {
      await this.#bounded(this.#influx().createDatabase(this.database))
    } catch (cause) {
      return { kind: 'failed', problem: this.#problemOfLibrary(cause, 'TAKT_INFLUX_DATABASE') }
    }
    return this.#write(body)
  }

  /** Runs InfluxQL; times in the answer are epoch ms. Throws a TAKT_INFLUX_… error. */
  async query(statement: string): Promise<IResponse> {
    const { retentionPolicy } = this.#settings
    let answer: IResponse
    try {
      const options = { precision: 'ms' as const, ...(retentionPolicy === '' ? {} : { retentionPolicy }) }
      answer = await this.#bounded(this.#influx().queryRaw(statement, options) as Promise<IResponse>)
    } catch (cause) {
      throw this.#problemOfLibrary(cause, 'TAKT_INFLUX_FAILED')
    }
    const error = answer.results?.find((result) => result.error !== undefined)?.error
    if (error !== undefined) throw problemOfAnswer(200, error, this.#settings.where)
    return answer
  }

  protected async open(): Promise<void> {
    this.#isOpen = true
    this.changed('connecting')
    void this.#askAlive()
  }

  protected async shut(): Promise<void> {
    this.#isOpen = false
    clearTimeout(this.#ping)
    this.#agent.destroy()
    this.#library = undefined
  }

  async #write(body: string): Promise<WriteOutcome> {
    const { retentionPolicy, where } = this.#settings
    const query: Record<string, string> = { db: this.database, precision: 'ms', ...(retentionPolicy === '' ? {} : { rp: retentionPolicy }) }
    try {
      const answer = await this.#request('POST', 'write', query, body)
      const outcome = outcomeOf(answer, where)
      if (this.#isOpen && (answer.status < 500 || outcome.kind !== 'failed')) this.changed('connected')
      return outcome
    } catch (cause) {
      return { kind: 'failed', problem: this.#lost(cause as Error) }
    }
  }

  async #askAlive(): Promise<void> {
    clearTimeout(this.#ping)
    try {
      const { status, body } = await this.#request('GET', 'ping', {})
      if (!this.#isOpen) return
      if (status < 300) this.changed('connected')
      else this.changed('away', problemOfAnswer(status, reasonOf(body), this.#settings.where))
    } catch (cause) {
      this.#lost(cause as Error)
    }
    if (this.#isOpen) this.#ping = setTimeout(() => void this.#askAlive(), this.#settings.pingEveryMs ?? PING_EVERY_MS).unref()
  }

  #request(method: 'GET' | 'POST', path: string, query: Readonly<Record<string, string>>, body?: string): ReturnType<typeof exchange> {
    const base = this.#settings.urls[this.#current] as URL
    const url = new URL(`${base.pathname.replace(/\/$/, '')}/${path}`, base)
    url.search = new URLSearchParams(query).toString()
    const headers: Record<string, string | number> = { ...this.#authorization() }
    if (body !== undefined) {
      headers['content-type'] = 'text/plain; charset=utf-8'
      headers['content-length'] = Buffer.byteLength(body)
    }
    const options: RequestOptions & { agent: Agent } = { method, headers, agent: this.#agent }
    return exchange(url, options, body, this.#settings.timeoutMs)
  }

  #authorization(): Record<string, string> {
    const { token, username, password } = this.#settings
    if (token !== undefined) return { authorization: `Token ${token}` }
    if (username === undefined) return {}
    return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` }
  }

  #influx(): InfluxDB {
    const { urls, database, tls, timeoutMs } = this.#settings
    const headers = this.#authorization()
    this.#library ??= new InfluxDB({
      database,
      // left out, it would be root with the password root, over the header that says who we are
      username: null as unknown as string,
      // one asks the next server itself, when one does not answer; none is set aside, since the next question may go well
      pool: { requestTimeout: timeoutMs, maxRetries: urls.length - 1, backoff: NEVER_ASIDE },
      hosts: urls.map((url) => ({
        host: url.hostname,
        port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
        protocol: url.protocol === 'https:' ? ('https' as const) : ('http' as const),
        path: url.pathname.replace(/\/$/, ''),
        options: { headers, ...tls },
      })),
    })
    return this.#library
  }

  /** The library's own limit ends with the first byte of an answer. */
  async #bounded<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.#settings.timeoutMs} ms`)), this.#settings.timeoutMs)
    })
    return Promise.race([work, late]).finally(() => clearTimeout(timer))
  }

  #lost(cause: Error): TaktError {
    const { urls, where } = this.#settings
    const code = String((cause as { code?: unknown }).code ?? '')
    const what = `${urls[this.#current]?.host} does not answer: ${textOf(cause)}`
    const problem = new TaktError(isTlsCode(code) ? 'TAKT_INFLUX_TLS' : 'TAKT_INFLUX_AWAY', { what, where, cause })
    this.#current = (this.#current + 1) % urls.length
    if (this.#isOpen) this.changed('away', problem)
    return problem
  }

  #problemOfLibrary(cause: unknown, otherwise: 'TAKT_INFLUX_FAILED' | 'TAKT_INFLUX_DATABASE'): TaktError {
    const { where } = this.#settings
    const text = textOf(cause)
    const [, status, body] = /^A (\d{3}) .*? error occurred: ([\s\S]*)$/.exec(text) ?? []
    if (status !== undefined) {
      const reason = reasonOf(body ?? '')
      const problem = problemOfAnswer(Number(status), reason, where)
      return problem.code === 'TAKT_INFLUX_FAILED' ? new TaktError(otherwise, { what: problem.what, where, cause }) : problem
    }
    const code = (cause as { code?: unknown })?.code
    if (typeof code === 'string' && isTlsCode(code)) return new TaktError('TAKT_INFLUX_TLS', { what: text, where, cause })
    const isConnection = /does not answer|no answer|timed out|hang up|No host available/i.test(text) || typeof code === 'string'
    return new TaktError(isConnection ? 'TAKT_INFLUX_AWAY' : otherwise, { what: `the InfluxDB server could not be asked: ${text}`, where, cause })
  }
}

const NEVER_ASIDE = { getDelay: () => 0, next: () => NEVER_ASIDE, reset: () => NEVER_ASIDE }

const isTlsCode = (code: string): boolean => /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)

/** Node gives an AggregateError without a message where a name has several addresses. */
function textOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(textOf).join(', ')
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.message || String((thrown as { code?: unknown }).code ?? thrown.name)
}
