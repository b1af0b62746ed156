import { scorecard } from '../detect/scorecard/scorecard.ts'
import type { StoreReader } from '../store/store.ts'
import type { OverviewScorecard } from './overview.ts'

/** Plant time that the scorecard looks back on. */
const SPAN_MS = 7 * 86_400_000
/** So often it is made anew, ms of real time: it reads far back, and changes slowly. */
const EVERY_MS = 10_000
/** One older than this is not given any more: nobody has asked for long. */
const OLDEST_MS = 60_000

/** The scorecard for snapshots: made anew every few seconds without a snapshot waiting for it, and at once when somebody has judged an alarm. */
export class OverviewScores {
  readonly #store: StoreReader
  readonly #rate: () => number
  #last: OverviewScorecard | undefined
  #making: Promise<OverviewScorecard> | undefined

  /** `rate`: plant milliseconds per real one. */
  constructor(store: StoreReader, rate: () => number) {
    this.#store = store
    this.#rate = rate
  }

  /** The next one is made before it is given. */
  outdated(): void {
    this.#last = undefined
    this.#making = undefined
  }

  /** `now`: plant time. */
  async at(now: number): Promise<OverviewScorecard> {
    const last = this.#last
    const ageMs = last === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - last.to) / this.#rate()
    if (last !== undefined && ageMs < EVERY_MS) return last
    const making = (this.#making ??= this.#make(now))
    if (last === undefined || ageMs >= OLDEST_MS) return making
    // the store's own queries of the snapshot tell what is wrong with it
    making.catch(() => {})
    return last
  }

  #make(now: number): Promise<OverviewScorecard> {
    const making: Promise<OverviewScorecard> = this.#read(now).then((made) => {
      if (this.#making === making) this.#last = made
      return made
    })
    const done = (): void => {
      if (this.#making === making) this.#making = undefined
    }
    making.then(done, done)
    return making
  }

  async #read(now: number): Promise<OverviewScorecard> {
    const span = { from: now - SPAN_MS, to: now }
    const scores = await scorecard(this.#store, span)
    return {
      ...span,
      detectors: scores.map(({ detector: id, leadMs, beforeRepairMs, ...score }) => ({
        id,
        ...score,
        leadMs: leadMs?.median ?? null,
        beforeRepairMs: beforeRepairMs?.median ?? null,
      })),
    }
  }
}
