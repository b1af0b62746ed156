/**
 * Level, slope and bend of a signal now, by recursive weighted least squares: parabolas and straight lines through the newest values with several memories, under weights
 * exp(-age/memory). Sums are kept relative to the present, so that they lose no digits however long the signal runs.
 */
export interface TrendState {
  /** by power 0 to 4 of the age, then the memories */
  readonly s: readonly number[]
  /** value by power 0 to 2 of the age, then the memories */
  readonly y: readonly number[]
}

/** Memories in values: the mean age of what a fit rests on. */
export const MEMORIES: readonly number[] = Array.from({ length: 16 }, (_, index) => Math.round(6 * 1.6 ** index))

const S = 5
const Y = 3

export class TrendFits {
  readonly #s: number[]
  readonly #y: number[]
  #level = 0
  #slope = 0
  #bend = 0

  constructor(state?: TrendState) {
    this.#s = Array.from({ length: S * MEMORIES.length }, (_, index) => state?.s[index] ?? 0)
    this.#y = Array.from({ length: Y * MEMORIES.length }, (_, index) => state?.y[index] ?? 0)
  }

  /** A value `rows` usual spacings after the one before. Ages count backwards: the value now has age 0. */
  update(rows: number, value: number): void {
    const s = this.#s
    const y = this.#y
    const d = rows
    for (let k = 0; k < MEMORIES.length; k++) {
      const keep = 1 - 1 / (MEMORIES[k] as number)
      const i = S * k
      const j = Y * k
      const s0 = s[i] as number
      const s1 = s[i + 1] as number
      const s2 = s[i + 2] as number
      const s3 = s[i + 3] as number
      const s4 = s[i + 4] as number
      s[i] = keep * s0 + 1
      s[i + 1] = keep * (s1 + d * s0)
      s[i + 2] = keep * (s2 + d * (2 * s1 + d * s0))
      s[i + 3] = keep * (s3 + d * (3 * s2 + d * (3 * s1 + d * s0)))
      s[i + 4] = keep * (s4 + d * (4 * s3 + d * (6 * s2 + d * (4 * s1 + d * s0))))
      const y0 = y[j] as number
      const y1 = y[j + 1] as number
      y[j] = keep * y0 + value
      y[j + 2] = keep * ((y[j + 2] as number) + d * (2 * y1 + d * y0))
      y[j + 1] = keep * (y1 + d * y0)
    }
  }

  /** The straight line of a memory. */
  line(k: number): void {
    const [i, j] = [S * k, Y * k]
    const s0 = this.#s[i] as number
    const s1 = this.#s[i + 1] as number
    const y0 = this.#y[j] as number
    const spread = s0 * (this.#s[i + 2] as number) - s1 * s1
    this.#slope = spread > 0 ? -(s0 * (this.#y[j + 1] as number) - s1 * y0) / spread : 0
    this.#level = s0 > 0 ? (y0 + this.#slope * s1) / s0 : 0
    this.#bend = 0
  }

  /** The parabola of a memory. */
  parabola(k: number): void {
    const [i, j] = [S * k, Y * k]
    const s0 = this.#s[i] as number
    const s1 = this.#s[i + 1] as number
    const s2 = this.#s[i + 2] as number
    const s3 = this.#s[i + 3] as number
    const s4 = this.#s[i + 4] as number
    const y0 = this.#y[j] as number
    const y1 = this.#y[j + 1] as number
    const y2 = this.#y[j + 2] as number
    const a = s2 * s4 - s3 * s3
    const b = s2 * s3 - s1 * s4
    const c = s1 * s3 - s2 * s2
    const determinant = s0 * a + s1 * b + s2 * c
    if (determinant <= 1e-12 * s0 * s2 * s4) return this.line(k)
    this.#level = (a * y0 + b * y1 + c * y2) / determinant
    this.#slope = -(b * y0 + (s0 * s4 - s2 * s2) * y1 + (s1 * s2 - s0 * s3) * y2) / determinant
    this.#bend = (2 * (c * y0 + (s1 * s2 - s0 * s3) * y1 + (s0 * s2 - s1 * s1) * y2)) / determinant
  }

  mean(k: number): number {
    const s0 = this.#s[S * k] as number
    return s0 > 0 ? (this.#y[Y * k] as number) / s0 : 0
  }

  /** Of the fit made last: the level now, its rise a value, and how much that rise grows a value. */
  get level(): number {
    return this.#level
  }

  get slope(): number {
    return this.#slope
  }

  get bend(): number {
    return this.#bend
  }

  get state(): TrendState {
    return { s: [...this.#s], y: [...this.#y] }
  }
}
