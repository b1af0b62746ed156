import { Baseline } from './baseline.ts'
import { PENDING_MOST, Pending } from './pending.ts'
import type { SavedGroup } from './state.ts'
import { Subspace } from './subspace.ts'
import { TailLimit } from './tail-limit.ts'

/** What the statistics look at: the level inside the subspace (T²) and outside of it (Q), of the moving average; and the energy of single rows, inside and outside. */
export const GROUP_SOURCES = ['level', 'relation', 'spread', 'noise'] as const
export type GroupSource = (typeof GROUP_SOURCES)[number]

/**
 * What the group's detector says of the row it was given last. `deviation` is 0 as expected, 1 at the limit, more beyond; null while it cannot judge. By signal, in the order of the
 * row: what was `expected`, and the `contributions` to the deviation, which add up to its square. The same object each time: read it before the next update.
 */
export interface GroupScore {
  readonly deviation: number | null
  readonly source: GroupSource | null
  readonly expected: Readonly<Float64Array>
  readonly contributions: Readonly<Float64Array>
}

export interface GroupOptions {
  /** Signals, 2 to 60. */
  readonly size: number
  /** 1: as it is. More lets more pass. */
  readonly caution: number
}

export const GROUP_SIZE_MOST = 60

/** Rows after which it begins to judge, with much caution: few rows show the level of slow signals badly. */
const WARMUP = 20
/** Rows that make the caution half of what it was. */
const CAUTION_ROWS = 5
/** Weight of the newest row in the moving averages. */
const SLOW = 0.1
const ENERGY = 0.1
/** A value further off than this many standard deviations counts as if it were there: one wrong value is not a change of level. */
const FAR = 8
/** One signal adds no more than this to the energy of a row. */
const ENERGY_MOST = 60
/** A statistic over many signals moves little around what is usual: stretched, so that what is usual is as far below 1 as with a detector of one signal. */
const STRETCH = 1.5
/** Below this the alarm is over, and it learns again. */
const OVER_BELOW = 0.78
/** From here on rows are doubted and teach less. */
const DOUBT = 0.78
/** An excursion that was over after so many rows was the tail of what is normal, and teaches the limits; never learning beyond them would leave them too narrow for ever. */
const EXCURSION_MOST = 30
/** It teaches as this share of its rows would at its peak. */
const EXCURSION_SHARE = 0.25
/** A signal whose residual is so many times its variance takes part in an alarm. */
const GUILTY = 4
/** So many standard deviations off its mean, on average, a signal takes part too. */
const SHIFTED = 0.75
/** Rows wait to be learned for this share of the rows learned, as long as PENDING_MOST at most. */
const PENDING_SHARE = 1 / 8
/** The subspace is computed again after this share more rows, and at least every so many. */
const SUBSPACE_GROWTH = 1.5
const SUBSPACE_EVERY = 2000
/** A row that lacks more than this share of its signals is not judged. */
const LACKS_MOST = 0.5
/** Missing values are fitted and put in so many times. */
const IMPUTED = 3
/** An alarm that stands so many times longer than all that was learned, while less than this was learned, says that too little was learned: it begins anew. */
const YOUNG = 300
const TOO_LONG = 8

/** Judges signals together, row by row. O(size²) memory; does not learn while it is out, nor while it is told that an alarm stands. */
export class GroupDetector {
  readonly #options: GroupOptions
  readonly #score: { deviation: number | null; source: GroupSource | null; expected: Float64Array; contributions: Float64Array }
  #baseline: Baseline
  #subspace: Subspace | null
  #nextSubspace: number
  #limits: TailLimit[]
  #alarmed: number
  readonly #pending: Pending
  /** highest statistics since the alarm began */
  readonly #peaks: Float64Array

  readonly #slow: Float64Array
  readonly #inside: Float64Array
  readonly #outside: Float64Array
  // of the last row only
  readonly #row: Float64Array
  readonly #slowRow: Float64Array
  readonly #fitted: Float64Array
  readonly #slowFitted: Float64Array
  readonly #rowInside: Float64Array
  readonly #rowOutside: Float64Array
  readonly #levels: Float64Array
  readonly #relations: Float64Array
  readonly #innocence: Float64Array
  readonly #doubt: Float64Array
  readonly #statistics = new Float64Array(GROUP_SOURCES.length)

  /** `saved`: what `state` gave; of another number of signals it is of no use. */
  constructor(options: GroupOptions, saved?: unknown) {
    const { size } = options
    this.#options = options
    const state = isSaved(saved, size) ? saved : undefined
    const vector = (values?: readonly number[]): Float64Array => (values === undefined ? new Float64Array(size) : Float64Array.from(values))
    this.#baseline = new Baseline(size, state)
    this.#subspace = state?.subspace ? new Subspace(size, state.subspace) : null
    this.#nextSubspace = state?.nextSubspace ?? WARMUP
    this.#limits = GROUP_SOURCES.map((_, i) => new TailLimit(1, state?.limits[i]))
    this.#alarmed = state?.alarmed ?? 0
    this.#pending = new Pending(2 * size + GROUP_SOURCES.length + 1, state?.pending)
    this.#peaks = Float64Array.from(GROUP_SOURCES, (_, i) => state?.peaks[i] ?? 0)
    this.#slow = vector(state?.slow)
    this.#inside = vector(state?.inside)
    this.#outside = vector(state?.outside)
    this.#row = vector()
    this.#slowRow = vector()
    this.#fitted = vector()
    this.#slowFitted = vector()
    this.#rowInside = vector()
    this.#rowOutside = vector()
    this.#levels = vector()
    this.#relations = vector()
    this.#innocence = vector()
    this.#doubt = vector()
    this.#score = { deviation: null, source: null, expected: vector().fill(Number.NaN), contributions: vector() }
  }

  /**
   * `row`: a value by signal, NaN where there is none. `standing`: an alarm on the group stands, so the row is not learned. `learning`: nothing is raised yet, so that every row is learned,
   * also one that looks wrong to the little that is known; a fault in that time would be learned too.
   */
  update(row: ArrayLike<number>, standing: boolean, learning = false): GroupScore {
    const score = this.#score
    score.deviation = null
    score.source = null
    score.contributions.fill(0)
    score.expected.fill(Number.NaN)
    const { size } = this.#options
    let present = 0
    for (let i = 0; i < size; i++) if (Number.isFinite(row[i])) present++
    if (present === 0 || size - present > LACKS_MOST * size) return score
    if (this.#subspace === null) {
      this.#follow(row)
      this.#learn(row, this.#slow, 1)
      return score
    }
    this.#judge(row, this.#subspace)
    if (learning) {
      this.#alarmed = 0
      this.#learnLater(row, 1)
      return score
    }
    const deviation = score.deviation ?? 0
    const before = this.#alarmed
    this.#alarmed = deviation >= 1 || (this.#alarmed > 0 && deviation >= OVER_BELOW) ? this.#alarmed + 1 : 0
    if (before > 0 && this.#alarmed === 0) this.#learnExcursion(before)
    for (let s = 0; s < this.#peaks.length; s++) this.#peaks[s] = this.#alarmed > 0 ? Math.max(this.#peaks[s] as number, this.#statistics[s] as number) : 0
    if (this.#alarmed > TOO_LONG * this.#baseline.rows && this.#baseline.rows < YOUNG) {
      this.forget()
      return score
    }
    if (this.#alarmed > 0 || standing) {
      this.#pending.clear()
      this.#followInnocent(row)
    } else this.#learnLater(row, 1 / (1 + (deviation / DOUBT) ** 5))
    return score
  }

  /** Begins anew: nothing learned counts any more. */
  forget(): void {
    this.#baseline = new Baseline(this.#options.size)
    this.#subspace = null
    this.#nextSubspace = WARMUP
    this.#limits = GROUP_SOURCES.map(() => new TailLimit(1))
    this.#alarmed = 0
    this.#pending.clear()
    this.#peaks.fill(0)
    this.#slow.fill(0)
    this.#inside.fill(0)
    this.#outside.fill(0)
  }

  /** Rows learned. */
  get rows(): number {
    return this.#baseline.rows
  }

  get state(): SavedGroup {
    return {
      format: 1,
      size: this.#options.size,
      ...this.#baseline.state,
      slow: [...this.#slow],
      inside: [...this.#inside],
      outside: [...this.#outside],
      subspace: this.#subspace?.state ?? null,
      nextSubspace: this.#nextSubspace,
      limits: this.#limits.map((limit) => limit.state),
      alarmed: this.#alarmed,
      peaks: [...this.#peaks],
      pending: this.#pending.state,
    }
  }

  /** The moving average of the distances to the mean; a signal without a value goes towards what was expected. */
  #follow(row: ArrayLike<number>): void {
    const { mean, rows } = this.#baseline
    for (let i = 0; i < this.#options.size; i++) {
      const distance = Number.isFinite(row[i]) && rows > 0 ? (row[i] as number) - (mean[i] as number) : 0
      this.#slow[i] = (this.#slow[i] as number) + SLOW * (distance - (this.#slow[i] as number))
    }
  }

  #judge(values: ArrayLike<number>, subspace: Subspace): void {
    const { size } = this.#options
    const { sigma } = subspace
    const { mean } = this.#baseline
    const row = this.#row
    let missing = 0
    this.#doubt.fill(0)
    for (let i = 0; i < size; i++) {
      const value = values[i] as number
      if (Number.isFinite(value)) row[i] = Math.max(-FAR, Math.min(FAR, (value - (mean[i] as number)) / (sigma[i] as number)))
      else {
        row[i] = 0
        subspace.addDoubt(i, this.#doubt)
        missing++
      }
    }
    for (let round = 0; missing > 0 && round < IMPUTED; round++) {
      subspace.fit(row, this.#fitted)
      for (let i = 0; i < size; i++) if (!Number.isFinite(values[i])) row[i] = this.#fitted[i] as number
    }
    for (let i = 0; i < size; i++) {
      this.#slow[i] = (this.#slow[i] as number) + SLOW * ((row[i] as number) * (sigma[i] as number) - (this.#slow[i] as number))
      this.#slowRow[i] = (this.#slow[i] as number) / (sigma[i] as number)
    }
    subspace.contributions(row, false, this.#doubt, this.#fitted, this.#rowInside, this.#rowOutside)
    subspace.contributions(this.#slowRow, true, this.#doubt, this.#slowFitted, this.#levels, this.#relations)
    for (let i = 0; i < size; i++) {
      this.#inside[i] = (this.#inside[i] as number) + ENERGY * (Math.min(ENERGY_MOST, this.#rowInside[i] as number) - (this.#inside[i] as number))
      this.#outside[i] = (this.#outside[i] as number) + ENERGY * (Math.min(ENERGY_MOST, this.#rowOutside[i] as number) - (this.#outside[i] as number))
    }
    this.#decide()
    for (let i = 0; i < size; i++) this.#score.expected[i] = (mean[i] as number) + (sigma[i] as number) * this.#expectedOf(i)
  }

  /** Where the level is wrong inside the subspace, the others moved with it and tell nothing: what is expected is the mean. Else what the directions make of the row. */
  #expectedOf(i: number): number {
    return this.#score.source === 'level' && (this.#score.deviation ?? 0) >= 1 ? 0 : (this.#fitted[i] as number)
  }

  #decide(): void {
    const { size, caution } = this.#options
    const all = [this.#levels, this.#relations, this.#inside, this.#outside] as const
    const components = this.#subspace?.components ?? 1
    const careful = caution * (1 + CAUTION_ROWS / this.#baseline.rows)
    let worst = 0
    let source = 0
    for (let s = 0; s < all.length; s++) {
      const parts = all[s] as Float64Array
      let sum = 0
      for (let i = 0; i < size; i++) sum += parts[i] as number
      const statistic = Math.max(sum / (s % 2 === 0 ? components : size), 1e-12)
      this.#statistics[s] = statistic
      const ratio = statistic / (this.#limits[s]?.limit ?? 1)
      if (ratio <= worst) continue
      worst = ratio
      source = s
    }
    const score = this.#score
    score.deviation = (Math.sqrt(worst) / careful) ** STRETCH
    score.source = GROUP_SOURCES[source] ?? 'level'
    const parts = all[source] as Float64Array
    let sum = 0
    for (let i = 0; i < size; i++) sum += parts[i] as number
    const scale = sum > 0 ? (score.deviation * score.deviation) / sum : 0
    for (let i = 0; i < size; i++) score.contributions[i] = (parts[i] as number) * scale
  }

  /**
   * While only relations are out, the levels of signals that take no part in it go on being followed: the alarm of one signal is not to leave the slow warming of another for a new fault
   * when it ends.
   */
  #followInnocent(row: ArrayLike<number>): void {
    const { size } = this.#options
    const related = (this.#statistics[0] as number) <= (this.#limits[0]?.limit ?? 0)
    for (let i = 0; i < size; i++) {
      const shifted = ((this.#slowRow[i] as number) / SHIFTED) ** 2
      const guilt = related ? Math.min((this.#relations[i] as number) / GUILTY, shifted) : shifted
      this.#innocence[i] = 1 / (1 + guilt ** 4)
    }
    this.#baseline.followMean(row, this.#innocence)
  }

  #learnExcursion(rows: number): void {
    if (rows > EXCURSION_MOST) return
    for (let round = 0; round < rows * EXCURSION_SHARE; round++) {
      for (let s = 0; s < this.#limits.length; s++) this.#limits[s]?.learn(this.#peaks[s] as number, 1)
    }
  }

  #learnLater(row: ArrayLike<number>, trust: number): void {
    const { size } = this.#options
    const lag = Math.min(PENDING_MOST - 1, Math.floor(this.#baseline.rows * PENDING_SHARE))
    const entry = this.#pending.push()
    for (let i = 0; i < size; i++) {
      entry[i] = row[i] as number
      entry[size + i] = this.#slow[i] as number
    }
    entry.set(this.#statistics, 2 * size)
    entry[2 * size + GROUP_SOURCES.length] = trust
    while (this.#pending.count > lag) {
      const learned = this.#pending.shift()
      const trusted = learned[2 * size + GROUP_SOURCES.length] as number
      for (let s = 0; s < this.#limits.length; s++) this.#limits[s]?.learn(learned[2 * size + s] as number, trusted)
      this.#learn(learned, learned.subarray(size, 2 * size), trusted)
    }
  }

  #learn(row: ArrayLike<number>, slow: Float64Array, trust: number): void {
    this.#baseline.learn(row, slow, trust)
    const { rows } = this.#baseline
    if (rows < this.#nextSubspace) return
    this.#subspace = Subspace.of(this.#baseline)
    this.#nextSubspace = Math.min(Math.ceil(rows * SUBSPACE_GROWTH), rows + SUBSPACE_EVERY)
  }
}

function isSaved(saved: unknown, size: number): saved is SavedGroup {
  return typeof saved === 'object' && saved !== null && (saved as SavedGroup).format === 1 && (saved as SavedGroup).size === size
}
