import http from 'node:http'
import https from 'node:https'
import { TaktError } from '../base/error.ts'
import type { ErpMessage } from '../messages/erp-message.ts'
import { answerOfHttp } from './http-answer.ts'
import type { Answer } from './settle-message.ts'

export interface HttpTarget {
  /** `http(s)://…`; `{id}`, `{order}` and `{job}` stand for the message's id and what it tells of. */
  readonly url: string
  readonly method: 'POST' | 'PUT'
  readonly timeoutMs: number
  /** value of the Authorization header; undefined: none */
  readonly authorization: string | undefined
  /** options of node:tls, as a tls-config gives them */
  readonly tls: Readonly<Record<string, unknown>> | undefined
  /** Path of the ERP's own number in its answer, `$.d.number`; empty: number, documentNumber or id at its top. */
  readonly numberAt: string
  readonly where: string
}

const ANSWER_BYTES = 65_536
const CONNECTIONS = 8
/** Hands messages to an ERP over HTTP, each with its id as idempotency key. One that cannot be reached, or does not answer in time, throws TAKT_ERP_AWAY. */
export class HttpPost {
  readonly #target: HttpTarget
  readonly #agent: http.Agent

  /** Throws TAKT_CONFIG_INVALID for a URL that is none. */
  constructor(target: HttpTarget) {
    const url = checkUrl(target.url, target.where)
    this.#target = target
    const options = { keepAlive: true, maxSockets: CONNECTIONS }
    this.#agent = url.protocol === 'https:' ? new https.Agent({ ...options, ...target.tls }) : new http.Agent(options)
  }

  async deliver(message: ErpMessage, body: string): Promise<Answer> {
    const { status, text } = await this.#request(message, body)
    return answerOfHttp(status, text, this.#target.numberAt, this.#target.where)
  }

  close(): void {
    this.#agent.destroy()
  }

  #request(message: ErpMessage, body: string): Promise<{ readonly status: number; readonly text: string }> {
    const { method, timeoutMs, authorization, where } = this.#target
    const url = new URL(fillUrl(this.#target.url, message))
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      accept: 'application/json',
      'idempotency-key': message.id,
      ...(authorization === undefined ? {} : { authorization }),
    }
    return new Promise((resolve, reject) => {
      const away = (thrown: unknown): void => {
        const late = signal.aborted
        const reason = thrown instanceof Error ? thrown.message : String(thrown)
        const what = late ? `the ERP has not answered within ${timeoutMs / 1000} s` : `the ERP cannot be reached: ${reason}`
        reject(new TaktError('TAKT_ERP_AWAY', { what, where, cause: thrown }))
      }
      const signal = AbortSignal.timeout(timeoutMs)
      const request = (url.protocol === 'https:' ? https : http).request(url, { method, headers, agent: this.#agent, signal }, (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          // the rest of a long answer is read and dropped, so that the connection can be used again
          if (bytes < ANSWER_BYTES) chunks.push(chunk)
          bytes += chunk.length
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }))
        response.on('error', away)
      })
      request.on('error', away)
      request.end(body)
    })
  }
}

/** Throws TAKT_CONFIG_INVALID. */
function checkUrl(text: string, where: string): URL {
  const wrong = (what: string): TaktError => new TaktError('TAKT_CONFIG_INVALID', { what, where })
  const unknown = /\{(?!(?:id|order|job)\})[^}]*\}?/.exec(text)
  if (unknown !== null) throw wrong(`the URL asks for '${unknown[0]}' where {id}, {order} and {job} are known`)
  const plain = text.replace(/\{\w+\}/g, 'x')
  const url = URL.canParse(plain) ? new URL(plain) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) throw wrong(`'${text.slice(0, 200)}' is no http or https URL`)
  if (url.username !== '' || url.password !== '')
    throw wrong('the URL has a user or a password in it: they belong into the fields below, which are kept encrypted')
  return url
}

function fillUrl(url: string, { id, of, workOrder }: ErpMessage): string {
  const values: Readonly<Record<string, string>> = { id, order: workOrder, job: of.id }
  return url.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(values[name] ?? ''))
}
