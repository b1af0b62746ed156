import type { Slab } from './slab.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Profiles of the day by the hour and by ten minutes, and of the week by the hour. */
const PROFILES = [
  { bins: 24, periodMs: DAY_MS },
  { bins: 144, periodMs: DAY_MS },
  { bins: 168, periodMs: 7 * DAY_MS },
] as const
const BINS = PROFILES.reduce((sum, { bins }) => sum + bins, 0)
/** Values that the slow mean, and a bin of a profile, look back on. */
const MEAN_MEMORY = 1000
const BIN_MEMORY = 60

const MEAN = 0
const SEEN = 1

/** Several cheap forecasts of one value; what counts is the distance to the best of them, so a signal without seasons loses nothing by the profiles. */
export class BestForecast {
  static readonly singles = 2 * BINS
  static readonly doubles = 2
  readonly #means: Float32Array
  readonly #counts: Float32Array
  readonly #slow: Float64Array

  constructor(slab: Slab) {
    this.#means = slab.singles(BINS)
    this.#counts = slab.singles(BINS)
    this.#slow = slab.doubles(2)
  }

  /** Distance of a value from the nearest forecast, in its own unit; then it is learned, unless it is not to be. `time`: epoch ms. */
  distance(time: number, value: number, learns: boolean): number {
    const slow = this.#slow
    const seen = (slow[SEEN] as number) + 1
    let best = seen === 1 ? 0 : Math.abs(value - (slow[MEAN] as number))
    let from = 0
    for (const { bins, periodMs } of PROFILES) {
      const phase = time / periodMs
      const bin = from + Math.min(bins - 1, Math.floor((phase - Math.floor(phase)) * bins))
      const count = this.#counts[bin] as number
      const distance = value - (this.#means[bin] as number)
      if (count > 0) best = Math.min(best, Math.abs(distance))
      from += bins
      if (!learns) continue
      this.#means[bin] = (this.#means[bin] as number) + distance / Math.min(count + 1, BIN_MEMORY)
      if (count < BIN_MEMORY) this.#counts[bin] = count + 1
    }
    if (!learns) return best
    slow[SEEN] = seen
    slow[MEAN] = (slow[MEAN] as number) + (value - (slow[MEAN] as number)) / Math.min(seen, MEAN_MEMORY)
    return best
  }
}
