import type { Cancel, Clock } from '../../base/clock.ts'

/** Things to be done a little later, each once however often it is wished for. */
export class EdgeTimers<What extends string> {
  readonly #timer: Pick<Clock, 'after'>
  readonly #pending = new Map<What, Cancel>()

  constructor(timer: Pick<Clock, 'after'>) {
    this.#timer = timer
  }

  has(what: What): boolean {
    return this.#pending.has(what)
  }

  /** `delayMs` after the first of several wishes. */
  soon(what: What, delayMs: number, act: () => void): void {
    if (this.#pending.has(what)) return
    const cancel = this.#timer.after(delayMs, () => {
      this.#pending.delete(what)
      act()
    })
    this.#pending.set(what, cancel)
  }

  cancel(what: What): void {
    this.#pending.get(what)?.()
    this.#pending.delete(what)
  }

  cancelAll(): void {
    for (const what of [...this.#pending.keys()]) this.cancel(what)
  }
}
