import { type Agent, type IncomingMessage, request as plain, type RequestOptions } from 'node:http'
import { request as encrypted } from 'node:https'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** An answer longer than this is cut: an error's reason stands at its beginning. */
const LONGEST_ANSWER = 64 * 1024

/** One HTTP request, whole or not at all within `timeoutMs`: also a server that answers half and then falls silent ends in an error. */
export function exchange(url: URL, options: RequestOptions & { readonly agent: Agent }, body: string | undefined, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? encrypted : plain
    const request = send(url, options, (response: IncomingMessage) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        if (text.length < LONGEST_ANSWER) text += part
      })
      response.on('error', fail)
      response.on('aborted', () => fail(new Error('the connection was cut in the middle of an answer')))
      response.on('end', () => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, body: text })
      })
    })
    const fail = (error: Error): void => {
      clearTimeout(timer)
      reject(error)
      request.destroy()
    }
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    request.on('error', fail)
    request.end(body)
  })
}
