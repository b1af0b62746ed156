import { scorecard } from '../detect/scorecard/scorecard.ts'
import type { StoreReader } from '../store/store.ts'
import type { OverviewScorecard } from './overview.ts'

/** Plant time that the scorecard looks back on. */
const SPAN_MS = 7 * 86_400_000
/** So often it is made anew, ms of real time: it reads far back, and changes slowly. */
const EVERY_MS = 5000

/** The scorecard for snapshots: made anew every few seconds, and when somebody judged an alarm. */
export class OverviewScores {
  readonly #store: StoreReader
  readonly #rate: () => number
  #last: OverviewScorecard | undefined

  /** `rate`: plant milliseconds per real one. */
  constructor(store: StoreReader, rate: () => number) {
    this.#store = store
    this.#rate = rate
  }

  outdated(): void {
    this.#last = undefined
  }

  /** `now`: plant time. */
  async at(now: number): Promise<OverviewScorecard> {
    const last = this.#last
    if (last !== undefined && Math.abs(now - last.to) < EVERY_MS * this.#rate()) return last
    const span = { from: now - SPAN_MS, to: now }
    const scores = await scorecard(this.#store, span)
    const detectors = scores.map(({ detector: id, leadMs, ...score }) => ({ id, ...score, leadMs: leadMs?.median ?? null }))
    this.#last = { ...span, detectors }
    return this.#last
  }
}
