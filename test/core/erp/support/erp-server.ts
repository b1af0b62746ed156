import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Taken {
  readonly id: string
  readonly body: string
  readonly url: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

/** What it answers to one message; undefined: nothing, ever. */
export type Reply = { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> } | undefined

/** An ERP on this machine, over real HTTP: can be away, slow and wrong, and keeps what it was told. */
export class ErpServer {
  readonly taken: Taken[] = []
  reply: (taken: Taken) => Reply | Promise<Reply> = () => ({ status: 201 })
  #server = createServer((request, response) => void this.#take(request, response))
  #port = 0
  readonly #waiters = new Set<() => void>()

  get url(): string {
    return `http://127.0.0.1:${this.#port}/orders`
  }

  /** Again after `close` it is at the same address. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    this.#server = createServer((request, response) => void this.#take(request, response))
  }

  /** Resolves when so many messages have come; what is fulfilled already resolves at once. */
  async until(enough: (taken: readonly Taken[]) => boolean): Promise<void> {
    while (!enough(this.taken)) await new Promise<void>((resolve) => this.#waiters.add(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { headers, url = '', method = '' } = request
    const taken = { id: String(headers['idempotency-key']), body: Buffer.concat(chunks).toString('utf8'), url, method, headers }
    this.taken.push(taken)
    const reply = await this.reply(taken)
    if (reply !== undefined) response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(reply.body ?? '')
    for (const waiter of this.#waiters) waiter()
    this.#waiters.clear()
  }
}
