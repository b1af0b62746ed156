/** What it remembers: by signal its last value (null: none) and that value's time, the time of the last row (null: none), and times in a row older than it. */
export interface RowsState {
  readonly values: ReadonlyArray<number | null>
  readonly times: readonly number[]
  readonly row: number | null
  readonly late: number
}

export interface RowsOptions {
  readonly size: number
  /** A row at most this often, ms of source time; 0: whenever every signal has brought a new value, or one of them brings its second. */
  readonly everyMs: number
  /** A value is held no longer than so long, ms of source time. */
  readonly holdMs: number
}

/** Times older than the newest row, so many in a row, mean that a clock was set back; fewer are values that come late. */
const LATE_BEFORE_SET_BACK = 100

/**
 * Gathers single values of several signals, each at a rate of its own, into rows: a row has each signal's last value, NaN where that is older than it may be. A row is done when the value comes
 * that belongs to the next one, so values of one time are in one row whatever their order.
 */
export class GroupRows {
  readonly #options: RowsOptions
  readonly #values: Float64Array
  readonly #times: Float64Array
  readonly #row: Float64Array
  readonly #fresh: Uint8Array
  #rowTime: number
  #late: number

  constructor(options: RowsOptions, saved?: Partial<RowsState>) {
    const { size } = options
    const usable = saved?.values?.length === size && saved.times?.length === size
    this.#options = options
    this.#values = Float64Array.from({ length: size }, (_, i) => (usable ? (saved.values?.[i] ?? Number.NaN) : Number.NaN))
    this.#times = Float64Array.from({ length: size }, (_, i) => (usable ? (saved.times?.[i] ?? 0) : 0))
    this.#row = new Float64Array(size)
    this.#fresh = new Uint8Array(size)
    this.#rowTime = usable ? (saved.row ?? Number.NaN) : Number.NaN
    this.#late = usable ? (saved.late ?? 0) : 0
    for (let i = 0; i < size; i++) this.#fresh[i] = Number.isNaN(this.#values[i] as number) || (this.#times[i] as number) <= this.#rowTime ? 0 : 1
  }

  /** Source time of the row that `take` gave last; NaN before the first. */
  get time(): number {
    return this.#rowTime
  }

  /** Takes a value; the row that was done before it came, or nothing. Values that are no finite numbers, late or repeated are passed over. The same array each time. */
  take(signal: number, time: number, value: number): Float64Array | undefined {
    if (!Number.isFinite(value) || !Number.isFinite(time) || !this.#isNext(signal, time)) return undefined
    const done = !(time <= this.#rowTime) && this.#isDone(signal, time) ? this.#gather() : undefined
    this.#values[signal] = value
    this.#times[signal] = time
    // one that comes after its row is held for the next
    if (!(time <= this.#rowTime)) this.#fresh[signal] = 1
    return done
  }

  /** The unit does not run: what was gathered is of no use. */
  drop(): void {
    this.#values.fill(Number.NaN)
    this.#fresh.fill(0)
  }

  get state(): RowsState {
    return {
      values: Array.from(this.#values, (value) => (Number.isNaN(value) ? null : value)),
      times: [...this.#times],
      row: Number.isNaN(this.#rowTime) ? null : this.#rowTime,
      late: this.#late,
    }
  }

  #isNext(signal: number, time: number): boolean {
    if (time > (this.#times[signal] as number) || Number.isNaN(this.#values[signal] as number)) {
      this.#late = 0
      return true
    }
    if (time === this.#times[signal] || ++this.#late <= LATE_BEFORE_SET_BACK) return false
    this.drop()
    this.#times.fill(0)
    this.#rowTime = Number.NaN
    this.#late = 0
    return true
  }

  /** Whether the row is done now that a value of `time` comes, which is not in it. */
  #isDone(signal: number, time: number): boolean {
    const { everyMs } = this.#options
    let newest = Number.NEGATIVE_INFINITY
    let oldest = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.#fresh.length; i++) {
      if (this.#fresh[i] === 0) continue
      newest = Math.max(newest, this.#times[i] as number)
      oldest = Math.min(oldest, this.#times[i] as number)
    }
    if (newest === Number.NEGATIVE_INFINITY || time <= newest) return false
    if (everyMs > 0) return Math.floor(time / everyMs) > Math.floor(newest / everyMs)
    return this.#fresh[signal] === 1 || this.#fresh.every((fresh) => fresh === 1)
  }

  #gather(): Float64Array {
    let newest = Number.NEGATIVE_INFINITY
    for (let i = 0; i < this.#fresh.length; i++) if (this.#fresh[i] === 1) newest = Math.max(newest, this.#times[i] as number)
    for (let i = 0; i < this.#row.length; i++)
      this.#row[i] = newest - (this.#times[i] as number) <= this.#options.holdMs ? (this.#values[i] as number) : Number.NaN
    this.#rowTime = newest
    this.#fresh.fill(0)
    return this.#row
  }
}
