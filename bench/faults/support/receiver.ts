import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Somebody outside who gets what the outbox sends, and writes down each message by its number. Outlives those who send. */
export class Receiver {
  readonly received = new Map<number, string[]>()
  readonly #server: Server
  /** Called before a message is acknowledged to the instance that brings it. */
  before: ((id: number, by: string) => void) | undefined

  private constructor() {
    this.#server = createServer((request, response) => {
      let text = ''
      request.on('data', (data) => (text += data))
      request.on('end', () => {
        const { id, body, by } = JSON.parse(text) as { id: number; body: string; by: string }
        const came = this.received.get(id) ?? []
        this.received.set(id, came)
        came.push(body)
        this.before?.(id, by)
        response.end()
      })
    })
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver()
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', () => resolve()))
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
