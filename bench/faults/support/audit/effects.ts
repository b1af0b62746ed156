import type { Findings } from './findings.ts'
import type { LedgerLine, Source } from './source.ts'

/** Ledger events of the harness's own traffic: the subject is the key of the command that was done. */
export const DONE = 'fault-harness.done'
/** Written in a transaction that was then given up: must never be seen. */
export const UNDONE = 'fault-harness.undone'
/** Written by the leader only: `{ token }`; the subject is what it leads. */
export const LED = 'fault-harness.led'

/** What an outbox's receiver got: row number → bodies, as often as they came. */
export type Received = ReadonlyMap<number, readonly string[]>

/** Every command that was told done is there, once, with its key and what it sent out. */
export class EffectCheck {
  readonly #findings: Findings
  readonly #times = new Map<string, number>()
  /** what is led → the highest number of a leader */
  readonly #tokens = new Map<string, number>()
  #led = 0

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Commands that were done. */
  get done(): number {
    return this.#times.size
  }

  /** Works of leaders. */
  get led(): number {
    return this.#led
  }

  row({ sequence, type, subject, after }: LedgerLine): void {
    if (type === DONE) this.#times.set(subject, (this.#times.get(subject) ?? 0) + 1)
    else if (type === UNDONE) this.#findings.wrong(`row ${sequence} is of a transaction that was given up`)
    else if (type === LED || type === 'store.leader') this.#lead(sequence, type, subject, (JSON.parse(after ?? '{}') as { token: number }).token)
  }

  /** Numbers of leaders rise, and nobody works under an earlier one. */
  #lead(sequence: number, type: string, subject: string, token: number): void {
    const highest = this.#tokens.get(subject) ?? 0
    if (type === LED) this.#led++
    if (type === LED && token < highest) this.#findings.wrong(`row ${sequence} is of leader no. ${token}, after no. ${highest}`)
    if (type !== LED && token <= highest) this.#findings.wrong(`row ${sequence}: the lead of ${subject} has number ${token} again`)
    this.#tokens.set(subject, Math.max(token, highest))
  }

  /** `told`: keys that the senders were told are done. `received`: what came out of the outbox, once it is drained. */
  async end(source: Source, told: Iterable<string>, received: Received | undefined): Promise<void> {
    for (const [key, times] of this.#times) if (times > 1) this.#findings.twice(`${key} was done ${times} times`, times - 1)
    for (const key of told) if (!this.#times.has(key)) this.#findings.missing(`${key}, which was told done`)
    const keys = new Set((await source.rows("SELECT key FROM effect WHERE key LIKE 'fault/%'")).map(({ key }) => String(key)))
    for (const key of this.#times.keys()) if (!keys.has(key)) this.#findings.wrong(`${key} was done without its key`)
    for (const key of keys) if (!this.#times.has(key)) this.#findings.wrong(`${key} is taken and nothing was done`)
    if (received !== undefined) await this.#sentOut(source, received)
  }

  /** At least once each; a row's number tells its receiver what it has had. */
  async #sentOut(source: Source, received: Received): Promise<void> {
    const waiting = await source.rows('SELECT id, body FROM outbox')
    for (const { body } of waiting) this.#findings.missing(`${String(body)} is still in the outbox`)
    const bodies = new Map<string, number>()
    for (const [id, came] of received) {
      const different = new Set(came)
      if (different.size > 1) this.#findings.wrong(`row ${id} of the outbox said different things: ${[...different].join(', ')}`)
      for (const body of different) bodies.set(body, (bodies.get(body) ?? 0) + 1)
    }
    for (const key of this.#times.keys()) {
      const times = bodies.get(key) ?? 0
      if (times === 0 && !waiting.some(({ body }) => body === key)) this.#findings.missing(`what ${key} sent out`)
      if (times > 1) this.#findings.twice(`${key} was sent out under ${times} numbers`, times - 1)
    }
    for (const body of bodies.keys()) if (!this.#times.has(body)) this.#findings.wrong(`${body} was sent out and not done`)
  }
}
