import { TaktError } from '../base/error.ts'
import type { ErpMessage } from '../messages/erp-message.ts'
import type { Answer } from './settle-message.ts'

export interface HandOutParts {
  /** Real ms that a flow has for its receipt. */
  readonly timeoutMs: number
  readonly where: string
  /** Gives the message to whoever brings it to the ERP. */
  send(message: ErpMessage, body: string): void
}

interface Waiting {
  resolve(answer: Answer): void
  reject(problem: TaktError): void
}

/** Hands messages to a flow, and waits for the receipt that comes back from it. A flow that says nothing counts as an ERP that is away. */
export class HandOut {
  readonly #parts: HandOutParts
  readonly #waiting = new Map<string, Waiting>()

  constructor(parts: HandOutParts) {
    this.#parts = parts
  }

  async deliver(message: ErpMessage, body: string): Promise<Answer> {
    const { timeoutMs, where, send } = this.#parts
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const late = new TaktError('TAKT_ERP_AWAY', { what: `no receipt of ${message.id} came within ${timeoutMs / 1000} s`, where })
    const timer = setTimeout(() => reject(late), timeoutMs)
    this.#waiting.set(message.id, { resolve, reject })
    try {
      send(message, body)
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(message.id)
    }
  }

  /** The flow's answer, or its trouble with the ERP. False where nothing waits for it: it came late, or to another instance. */
  answered(id: string, answer: Answer | TaktError): boolean {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return false
    if (answer instanceof TaktError) waiting.reject(answer)
    else waiting.resolve(answer)
    return true
  }

  close(): void {
    const gone = new TaktError('TAKT_ERP_AWAY', { what: 'the node was stopped before the receipt came', where: this.#parts.where })
    for (const { reject } of this.#waiting.values()) reject(gone)
  }
}
