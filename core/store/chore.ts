import { type TaktError, toTaktError } from '../base/error.ts'

export interface ChoreOptions {
  /** Names it in errors. */
  readonly where: string
  /** Real ms from one run to the next. */
  readonly everyMs: number
  /** When it was done last, epoch ms of real time, also by an earlier process; undefined: never. */
  readonly last: () => number | undefined
  readonly run: () => Promise<void>
  readonly failed: (error: TaktError) => void
  /** Real time, epoch ms. */
  readonly now: () => number
  /** Real ms after the start before it is done first, so that a start is not held up. Default 60,000. */
  readonly firstMs?: number
  /** Real ms until it is tried again when it failed; never more than `everyMs`. Default 600,000. */
  readonly retryMs?: number
}

/** A timer cannot wait longer than 24 days, and a clock may be set meanwhile: the time is looked at again. */
const LOOK_MS = 3_600_000

/** Something that a store does for itself now and then. One run at a time; its timer keeps no process alive. */
export class Chore {
  readonly #options: ChoreOptions
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: ChoreOptions) {
    this.#options = options
    this.#wait(Math.max(options.firstMs ?? 60_000, this.#due() ?? 0))
  }

  /** Does it now; a call while it runs waits for that run. Never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** No further run begins; one under way is not waited for. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    const { run, failed, everyMs, retryMs = 600_000, where } = this.#options
    clearTimeout(this.#timer)
    try {
      await run()
      this.#wait(everyMs)
    } catch (thrown) {
      if (!this.#closed) failed(toTaktError(thrown, where))
      this.#wait(Math.min(everyMs, retryMs))
    }
  }

  /** Ms until it is due by the last time that is known; a last time in the future is that of a clock that was set back. */
  #due(): number | undefined {
    const { last, everyMs, now } = this.#options
    const at = last()
    return at === undefined || at > now() ? undefined : at + everyMs - now()
  }

  #wait(ms: number): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const look = (): void => (ms > LOOK_MS ? this.#wait(Math.min(ms - LOOK_MS, this.#due() ?? Number.POSITIVE_INFINITY)) : void this.run())
    this.#timer = setTimeout(look, Math.min(ms, LOOK_MS)).unref()
  }
}
