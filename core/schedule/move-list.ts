import type { Random } from '../base/random.ts'

const MOST = 4096

/** The moves of an iteration, in flat arrays: an operation right behind `previous` (−1: first) on the unit of an alternative, and what that is estimated to cost. */
export class MoveList {
  readonly operation = new Int32Array(MOST)
  readonly alternative = new Int32Array(MOST)
  readonly previous = new Int32Array(MOST)
  readonly #estimate = new Float64Array(MOST)
  readonly #isTabu = new Uint8Array(MOST)
  size = 0
  /** The lowest estimate of a move that is not tabu: where only the best is wanted, what is certainly above it need not be estimated. */
  lowest = Number.POSITIVE_INFINITY

  clear(): void {
    this.size = 0
    this.lowest = Number.POSITIVE_INFINITY
  }

  offer(operation: number, alternative: number, previous: number, estimate: number, tabu: boolean): void {
    const at = this.size
    if (at >= MOST) return
    this.operation[at] = operation
    this.alternative[at] = alternative
    this.previous[at] = previous
    this.#estimate[at] = estimate
    this.#isTabu[at] = tabu ? 1 : 0
    this.size = at + 1
    if (!tabu && estimate < this.lowest) this.lowest = estimate
  }

  drop(at: number): void {
    const last = --this.size
    this.operation[at] = this.operation[last] as number
    this.alternative[at] = this.alternative[last] as number
    this.previous[at] = this.previous[last] as number
    this.#estimate[at] = this.#estimate[last] as number
    this.#isTabu[at] = this.#isTabu[last] as number
  }

  /** The move that looks best, of equals a random one; a tabu move only if it looks better than `aspiration`. −1 when all are tabu. */
  choose(random: Random, aspiration: number): number {
    const estimates = this.#estimate
    const isTabu = this.#isTabu
    let chosen = -1
    let lowest = Number.POSITIVE_INFINITY
    let equals = 0
    for (let at = 0, { size } = this; at < size; at++) {
      const estimate = estimates[at] as number
      if (estimate > lowest || (isTabu[at] === 1 && estimate >= aspiration)) continue
      if (estimate < lowest) {
        lowest = estimate
        equals = 0
      }
      if (random() * ++equals < 1) chosen = at
    }
    return chosen
  }
}
