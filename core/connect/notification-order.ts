/** The part of an OPC UA NotificationMessage that says where it belongs. */
export interface Numbered {
  readonly sequenceNumber: number
}

export interface NotificationOrderSetting<M extends Numbered> {
  take(message: M): void
  /** The message once more, from those that the server keeps until they are acknowledged; `undefined` when it no longer has it. */
  repeat(sequenceNumber: number): Promise<M | undefined>
  /** So many messages before this one will never come. */
  lost(count: number, before: M): void
  /** How long a gap may fill by itself, ms: a client asks for repetitions after a loss, and new messages may overtake them. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 500
const LAST = 0xffffffff

/** Puts notifications of one subscription in their order. Their numbers are consecutive, from 1 (OPC 10000-4, 5.14.1): a gap is a message missing. */
export class NotificationOrder<M extends Numbered> {
  readonly #setting: NotificationOrderSetting<M>
  readonly #held = new Map<number, M>()
  #next: number | undefined
  #gap: NodeJS.Timeout | undefined
  #era = 0

  constructor(setting: NotificationOrderSetting<M>) {
    this.#setting = setting
  }

  /** The number of the last message that was taken, or given up; 0 before the first. */
  get last(): number {
    return this.#next === undefined ? 0 : preceding(this.#next)
  }

  receive(message: M): void {
    const { sequenceNumber } = message
    this.#next ??= sequenceNumber
    if (sequenceNumber === this.#next) {
      this.#take(message)
      return this.#release()
    }
    if (isBehind(sequenceNumber, this.#next)) return
    this.#held.set(sequenceNumber, message)
    this.#await()
  }

  /** Another subscription: its first message is any, or `expected` where it is known what must come next. */
  restart(expected?: number): void {
    clearTimeout(this.#gap)
    this.#gap = undefined
    this.#held.clear()
    this.#next = expected
    this.#era++
  }

  #await(): void {
    this.#gap ??= setTimeout(() => void this.#fill(), this.#setting.patienceMs ?? PATIENCE_MS).unref()
  }

  #take(message: M): void {
    this.#next = following(message.sequenceNumber)
    this.#setting.take(message)
  }

  #release(): void {
    for (let held = this.#heldNext(); held !== undefined; held = this.#heldNext()) {
      this.#held.delete(held.sequenceNumber)
      this.#take(held)
    }
    if (this.#held.size > 0) return
    clearTimeout(this.#gap)
    this.#gap = undefined
  }

  #heldNext(): M | undefined {
    return this.#next === undefined ? undefined : this.#held.get(this.#next)
  }

  /** Asks for each message before the held ones: a server drops the oldest first, so a later one may still be there. */
  async #fill(): Promise<void> {
    const era = this.#era
    let lost = 0
    while (this.#next !== undefined && this.#held.size > 0 && !this.#held.has(this.#next)) {
      const wanted: number = this.#next
      const message = await this.#setting.repeat(wanted)
      if (era !== this.#era) return
      // it came by itself meanwhile
      if (wanted !== this.#next) continue
      if (message !== undefined) this.#take(message)
      else {
        this.#next = following(wanted)
        lost++
      }
    }
    const next = this.#heldNext()
    if (lost > 0 && next !== undefined) this.#setting.lost(lost, next)
    this.#gap = undefined
    this.#release()
    if (this.#held.size > 0) this.#await()
  }
}

/** Half of the numbers lie behind: those came already. */
function isBehind(sequenceNumber: number, next: number): boolean {
  return (sequenceNumber - next + LAST) % LAST > LAST / 2
}

function preceding(sequenceNumber: number): number {
  return sequenceNumber === 1 ? LAST : sequenceNumber - 1
}

function following(sequenceNumber: number): number {
  return (sequenceNumber % LAST) + 1
}
