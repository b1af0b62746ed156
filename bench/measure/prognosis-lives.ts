import { Prognoser } from '../../core/detect/prognosis/prognoser.ts'
import type { Life } from './prognosis-families.ts'

/** What was foretold at one share of a life. */
export interface Told {
  /** share of its life consumed, 0 to 1 */
  readonly consumed: number
  /** rows left in truth */
  readonly left: number
  readonly estimate: { readonly median: number; readonly lower: number; readonly upper: number } | undefined
}

const MINUTE_MS = 60_000
const START = Date.UTC(2026, 0, 1)

/** Prognoses over one life, row by row, as shipped; told at each of `shares` of the life, or after each row. */
export function foretold({ values, threshold, failure }: Life, shares?: readonly number[]): Told[] {
  const prognoser = new Prognoser({ threshold })
  const rows = shares?.map((share) => Math.floor(share * failure))
  const told: Told[] = []
  for (const [row, value] of values.entries()) {
    prognoser.update(START + row * MINUTE_MS, value)
    if (rows !== undefined && !rows.includes(row)) continue
    told.push({ consumed: row / failure, left: failure - row, estimate: prognoser.estimate()?.rows })
  }
  return told
}

export interface Quality {
  readonly prognoses: number
  /** share of rows with a prognosis */
  readonly share: number
  /** share of the prognoses whose interval holds the truth; early: the truth was later than its upper end; late: sooner than its lower end */
  readonly coverage: number
  readonly tooSoon: number
  readonly tooLate: number
  /** median of |foretold - left| / left */
  readonly error: number
  /** median of the interval's width / left */
  readonly width: number
}

export function qualityOf(told: readonly Told[]): Quality {
  const made = told.flatMap(({ left, estimate }) => (estimate === undefined ? [] : [{ left, ...estimate }]))
  const among = (test: (one: (typeof made)[number]) => boolean): number => made.filter(test).length / made.length
  return {
    prognoses: made.length,
    share: made.length / told.length,
    coverage: among(({ left, lower, upper }) => lower <= left && left <= upper),
    tooSoon: among(({ left, upper }) => left > upper),
    tooLate: among(({ left, lower }) => left < lower),
    error: middle(made.map(({ left, median }) => Math.abs(median - left) / left)),
    width: middle(made.map(({ left, lower, upper }) => (upper - lower) / left)),
  }
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
