import type { OpcuaSubscription, SubscriptionState } from './opcua-subscription.ts'

/** What outlives the process: enough to take a subscription over, and to know what was lost where that fails. */
export interface KeptState {
  /** Which server, items and parameters: another set cannot take the subscription over. */
  readonly made: string
  readonly subscription: SubscriptionState
  /** The last message that was dealt with. */
  readonly sequenceNumber: number
  /** Source time of the last value of each signal, epoch ms; by topic. */
  readonly times: Readonly<Record<string, number>>
}

/** Where a sampler's state is kept. `load` answers what `save` was given last, or `undefined`. */
export interface SamplerMemory {
  load(): Promise<unknown>
  save(state: KeptState): Promise<void>
}

export interface CheckpointSetting {
  readonly memory: SamplerMemory | undefined
  /** At most this often, ms. */
  readonly everyMs: number
  readonly made: string
  times(): Readonly<Record<string, number>>
  /** It could not be saved: nothing is lost, the server keeps what is not acknowledged. */
  failed(thrown: unknown): void
}

/**
 * How far a subscription has come. A message is acknowledged only when all before it are dealt with and that is saved: so what the server still has,
 * and what it has lost, is known exactly after any end of this process.
 */
export class Checkpoint {
  readonly #setting: CheckpointSetting
  /** Messages under way, in their order; true when dealt with. */
  readonly #underWay = new Map<number, boolean>()
  #settled: number[] = []
  #sequenceNumber = 0
  #subscription: OpcuaSubscription | undefined
  #saving: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #savedAt = Number.NEGATIVE_INFINITY

  constructor(setting: CheckpointSetting) {
    this.#setting = setting
  }

  /** Messages that are not dealt with yet. */
  get underWay(): number {
    return this.#underWay.size
  }

  get sequenceNumber(): number {
    return this.#sequenceNumber
  }

  begin(subscription: OpcuaSubscription, sequenceNumber: number): void {
    this.#underWay.clear()
    this.#settled = []
    this.#subscription = subscription
    this.#sequenceNumber = sequenceNumber
    this.#savedAt = Number.NEGATIVE_INFINITY
    this.#plan()
  }

  took(sequenceNumber: number): void {
    this.#underWay.set(sequenceNumber, false)
  }

  dealtWith(sequenceNumber: number): void {
    if (!this.#underWay.has(sequenceNumber)) return
    this.#underWay.set(sequenceNumber, true)
    for (const [number, done] of this.#underWay) {
      if (!done) break
      this.#underWay.delete(number)
      this.#settled.push(number)
      this.#sequenceNumber = number
    }
    if (this.#settled.length === 0) return
    if (this.#setting.memory !== undefined) return this.#plan()
    for (const number of this.#settled.splice(0)) this.#subscription?.acknowledge(number)
  }

  /** Saves at once. Before anything of a new subscription is told, so that no process can be killed that told of values and left nothing to go on from. */
  async keep(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#saving
    await this.#save()
  }

  /** Saves what is not saved yet, and stops. */
  async end(): Promise<void> {
    await this.keep()
    this.#subscription = undefined
  }

  #plan(): void {
    if (this.#setting.memory === undefined || this.#saving !== undefined || this.#timer !== undefined) return
    const after = Math.max(0, this.#savedAt + this.#setting.everyMs - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#save()
    }, after).unref()
  }

  #save(): Promise<void> {
    const { memory, made, times, failed } = this.#setting
    const subscription = this.#subscription
    if (memory === undefined || subscription === undefined) return Promise.resolve()
    const settled = this.#settled.splice(0)
    this.#savedAt = performance.now()
    this.#saving = memory
      .save({ made, subscription: subscription.state, sequenceNumber: this.#sequenceNumber, times: times() })
      .then(
        () => {
          if (this.#subscription === subscription) for (const number of settled) subscription.acknowledge(number)
        },
        (thrown: unknown) => {
          this.#settled.unshift(...settled)
          failed(thrown)
        },
      )
      .finally(() => {
        this.#saving = undefined
        if (this.#settled.length > 0 && this.#subscription === subscription) this.#plan()
      })
    return this.#saving
  }
}

/** A state that was loaded, where it is one. */
export function keptState(loaded: unknown): KeptState | undefined {
  if (typeof loaded !== 'object' || loaded === null) return undefined
  const { made, subscription, sequenceNumber, times } = loaded as Partial<KeptState>
  const whole =
    typeof made === 'string' &&
    typeof subscription?.id === 'number' &&
    subscription.publishingMs > 0 &&
    subscription.keepAliveCount > 0 &&
    typeof sequenceNumber === 'number' &&
    typeof times === 'object' &&
    times !== null
  return whole ? (loaded as KeptState) : undefined
}
