/** How long a group learns before it may raise: rows that were learned from, and running time in which they came. */
export interface LearnFor {
  readonly rows: number
  /** ms of source time in which rows came; 0: rows alone count */
  readonly ms: number
}

export interface RipeningState {
  readonly rows: number
  readonly ms: number
  readonly stood: number
  readonly level: number
  readonly mark: number
}

/** So many rows a signal, and no fewer than these, until it is known how signals vary with each other: fewer do not show how slowly levels wander. */
const ROWS_A_SIGNAL = 15
const ROWS_LEAST = 300
/** A baseline of so many learning times is no longer young: an alarm on it is believed for as long as it stands. */
const RIPE_AFTER = 10
/** An alarm on a younger one stands no longer than what was learned, and at least so many learning times … */
const STANDS_LEAST = 3
/** … if the deviation, averaged over so many rows, is within this share of what it was one learning time ago. */
const LEVEL_ROWS = 50
const STABLE = 0.25

/** Rows that make a sensible baseline of so many signals. */
export function learnRowsOf(signals: number): number {
  return Math.max(ROWS_LEAST, ROWS_A_SIGNAL * signals)
}

/** A learning time by the clock needs some rows all the same. */
export function learnMsOf(signals: number, ms: number): LearnFor {
  return { rows: Math.max(60, 3 * signals), ms }
}

/**
 * The age of a group's baseline, and what follows from it. While it learns nothing may be raised. When it is young, an alarm is as likely a sign that too little was learned as of a fault: it
 * does not stand for ever. When it is ripe only a person, or a repair, ends an alarm that stays.
 */
export class Ripening {
  readonly #learnFor: LearnFor
  #rows: number
  #ms: number
  #stood: number
  #level: number
  #mark: number

  constructor(learnFor: LearnFor, saved?: RipeningState) {
    this.#learnFor = learnFor
    this.#rows = saved?.rows ?? 0
    this.#ms = saved?.ms ?? 0
    this.#stood = saved?.stood ?? 0
    this.#level = saved?.level ?? 0
    this.#mark = saved?.mark ?? 0
  }

  get learning(): boolean {
    return this.#rows < this.#learnFor.rows || this.#ms < this.#learnFor.ms
  }

  /** A row was learned from, so long after the one before. */
  learned(elapsedMs: number): void {
    this.#rows++
    this.#ms += Math.max(0, elapsedMs)
    this.#stood = 0
  }

  /** A row under a standing alarm; true when the alarm has stood for so long, without becoming worse or better, that a young baseline is to be learned anew. */
  stood(deviation: number): boolean {
    this.#level = this.#stood === 0 ? deviation : this.#level + (deviation - this.#level) / LEVEL_ROWS
    if (this.#stood === 0) this.#mark = deviation
    this.#stood++
    const { rows } = this.#learnFor
    if (this.#stood % Math.max(rows, LEVEL_ROWS) !== 0) return false
    const isStable = Math.abs(this.#level - this.#mark) <= STABLE * this.#mark
    this.#mark = this.#level
    return isStable && this.isLong && this.#rows < RIPE_AFTER * rows
  }

  /** The alarm that stands has done so for longer than all that was learned, or than a ripe baseline takes: a person should look. */
  get isLong(): boolean {
    const { rows } = this.#learnFor
    return this.#stood >= Math.max(STANDS_LEAST * rows, Math.min(this.#rows, RIPE_AFTER * rows))
  }

  /** Rows under the alarm that stands. */
  get standing(): number {
    return this.#stood
  }

  /** `120/300`, or with a learning time `1.5/4 h`, whichever is further from its end; empty once it has learned enough. */
  get progress(): string {
    if (!this.learning) return ''
    const { rows, ms } = this.#learnFor
    if (ms > 0 && this.#ms / ms < this.#rows / Math.max(1, rows))
      return ms < 2 * HOUR_MS ? inUnits(this.#ms, ms, MINUTE_MS, 'min') : inUnits(this.#ms, ms, HOUR_MS, 'h')
    return `${this.#rows}/${rows}`
  }

  /** Begins anew. */
  forget(): void {
    this.#rows = 0
    this.#ms = 0
    this.#stood = 0
  }

  get state(): RipeningState {
    return { rows: this.#rows, ms: this.#ms, stood: this.#stood, level: this.#level, mark: this.#mark }
  }
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

function inUnits(done: number, whole: number, unitMs: number, unit: string): string {
  const round = (value: number): number => Math.round((10 * value) / unitMs) / 10
  return `${round(done)}/${round(whole)} ${unit}`
}
