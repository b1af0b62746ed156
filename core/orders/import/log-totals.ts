import type { LogRecord } from './history.ts'

/** What a log adds up to. Parts are those of every operation together, times ms. */
export interface LogTotals {
  readonly run: number
  readonly setup: number
  readonly breakdown: number
  readonly rework: number
  readonly good: number
  readonly scrap: number
  readonly review: number
  readonly runMs: number
  readonly setupMs: number
  readonly breakdownMs: number
  /** the quantities of the orders themselves */
  readonly ordered: number
}

export const NO_TOTALS: LogTotals = {
  run: 0,
  setup: 0,
  breakdown: 0,
  rework: 0,
  good: 0,
  scrap: 0,
  review: 0,
  runMs: 0,
  setupMs: 0,
  breakdownMs: 0,
  ordered: 0,
}

export function addRecord(totals: LogTotals, record: LogRecord): LogTotals {
  const { activity, start, end, good, scrap, review, rework } = record
  const time = `${activity}Ms` as const
  return {
    ...totals,
    [activity]: totals[activity] + 1,
    [time]: totals[time] + end - start,
    rework: totals.rework + (rework ? 1 : 0),
    good: totals.good + good,
    scrap: totals.scrap + scrap,
    review: totals.review + review,
  }
}
