import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import type { Quarantined } from '../../core/messages/quarantined.ts'
import type { Store } from '../../core/store/store.ts'
import { nameOf } from './define-node.ts'

const BURST = 50
const PER_SECOND = 5
const EXCERPT_CHARACTERS = 2000

export interface BadInputSetting {
  readonly store: Pick<Store, 'quarantine'> | undefined
  /** Plant time, epoch ms. */
  readonly now: () => number
  /** Real time, ms; only for the rate limit. */
  readonly tick?: () => number
}

/**
 * What a node does with messages that it cannot use: each is counted; each goes to `catch` and to the quarantine, until they come in floods.
 * Of a flood some are kept and the rest is told in sum, so that a broken sender fills neither the log nor the disk.
 */
export class BadInput {
  readonly #node: Node
  readonly #setting: BadInputSetting
  readonly #tick: () => number
  #count = 0
  #allowance = BURST
  #refilled: number
  #untold = 0
  #last: TaktError | undefined

  constructor(node: Node, setting: BadInputSetting) {
    this.#node = node
    this.#setting = setting
    this.#tick = setting.tick ?? (() => performance.now())
    this.#refilled = this.#tick()
  }

  /** How many since the node started. */
  get count(): number {
    return this.#count
  }

  report(problem: TaktError, message: { readonly topic?: string | undefined; readonly payload: unknown }): void {
    this.#count++
    if (!this.#allowed()) {
      this.#untold++
      this.#last = problem
      return
    }
    this.#tellRest()
    const record = this.#record(problem, message.payload)
    this.#node.error(problem, { topic: message.topic, payload: record } as never)
    this.#keep(record)
  }

  /** For a node with an input, which throws the problem and so reaches `catch` with the message itself. */
  quarantine(problem: TaktError, payload: unknown): void {
    this.#count++
    if (this.#allowed()) this.#keep(this.#record(problem, payload))
  }

  #keep(record: Quarantined): void {
    this.#setting.store?.quarantine(record).catch((thrown: unknown) => this.#node.warn(`${nameOf(this.#node)}: not quarantined: ${String(thrown)}`))
  }

  #allowed(): boolean {
    const now = this.#tick()
    this.#allowance = Math.min(BURST, this.#allowance + ((now - this.#refilled) / 1000) * PER_SECOND)
    this.#refilled = now
    if (this.#allowance < 1) return false
    this.#allowance--
    return true
  }

  #tellRest(): void {
    if (this.#untold === 0) return
    this.#node.warn(`${nameOf(this.#node)}: ${this.#untold} more messages could not be used, the last one because of ${this.#last?.code}: ${this.#last?.what}`)
    this.#untold = 0
  }

  #record(problem: TaktError, payload: unknown): Quarantined {
    const text = Buffer.isBuffer(payload) ? payload.toString('utf8', 0, EXCERPT_CHARACTERS) : textOf(payload)
    return {
      kind: 'quarantined',
      code: problem.code,
      what: problem.what,
      where: problem.where,
      do: problem.remedy,
      received: this.#setting.now(),
      bytes: Buffer.isBuffer(payload) ? payload.length : Buffer.byteLength(text),
      // a NUL would cut the text in the database
      excerpt: text.replaceAll('\0', '\uFFFD').slice(0, EXCERPT_CHARACTERS),
    }
  }
}

function textOf(payload: unknown): string {
  if (typeof payload === 'string') return payload
  try {
    return JSON.stringify(payload) ?? String(payload)
  } catch {
    return String(payload)
  }
}
