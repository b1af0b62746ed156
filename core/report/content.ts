import type { LedgerHead } from '../store/store.ts'

/**
 * A report before it has a form: typed values in sections. The HTML, the CSV and the JSON are three renderings of this one content,
 * so they cannot disagree. Times are epoch ms, durations ms, percents shares of 1; null is "not known" and never drawn as 0.
 */
export interface ReportContent {
  readonly type: 'work-order' | 'shift'
  readonly subject: string
  readonly title: string
  readonly subtitle: string
  readonly status: Badge | null
  readonly plant: string
  readonly timeZone: string
  readonly from: number | null
  readonly to: number | null
  /** Plant time at which it was made. */
  readonly made: number
  readonly by: string
  /** The state of the ledger that it speaks of. */
  readonly ledger: LedgerHead
  readonly sections: readonly Section[]
  /** Id of the table that a CSV holds unless another is asked for. */
  readonly mainTable: string
}

export type Tone = 'good' | 'warning' | 'bad' | 'info' | 'neutral'
export interface Badge {
  readonly text: string
  readonly tone: Tone
}

/** `moment` is a time to the second; `id` and `text` are both strings, ids are set in a fixed-width face. */
export type CellType = 'text' | 'id' | 'number' | 'percent' | 'time' | 'moment' | 'duration' | 'state'
export type Cell = string | number | null

export interface Fact {
  readonly key: string
  readonly label: string
  readonly type: CellType
  readonly value: Cell
  readonly unit?: string | undefined
  /** A short line below the value. */
  readonly note?: string | undefined
  readonly tone?: Tone | undefined
}

export interface Column {
  readonly key: string
  readonly label: string
  readonly type: CellType
  readonly unit?: string | undefined
  /** In CSV and JSON only: what programs need and a page has no room for. */
  readonly dataOnly?: boolean | undefined
}

export type Row = Readonly<Record<string, Cell>>

interface Headed {
  readonly id: string
  readonly title: string
  readonly note?: string | undefined
}

/** Single values: large ones in a row of tiles, or a list of label and value. */
export interface FactsSection extends Headed {
  readonly kind: 'facts'
  readonly display: 'tiles' | 'list'
  readonly facts: readonly Fact[]
}

export interface TableSection extends Headed {
  readonly kind: 'table'
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  readonly totals?: Row | undefined
  /** What stands there instead of a table without rows. */
  readonly empty: string
}

/** Bars on a common axis of time. */
export interface TimelineSection extends Headed {
  readonly kind: 'timeline'
  readonly from: number
  readonly to: number
  readonly rows: readonly { readonly label: string; readonly spans: readonly TimelineSpan[] }[]
}
export interface TimelineSpan {
  readonly from: number
  readonly to: number
  /** What it is, for colour and legend. */
  readonly series: Series
  readonly text: string
}

/** How a whole divides, one bar a row, in ms. */
export interface SharesSection extends Headed {
  readonly kind: 'shares'
  readonly rows: readonly { readonly label: string; readonly parts: readonly { readonly series: Series; readonly ms: number }[] }[]
}

export type Section = FactsSection | TableSection | TimelineSection | SharesSection

/** What the colours of bars mean. */
export const SERIES = {
  planned: 'Planned',
  actual: 'Actual',
  APT: 'Producing',
  AUST: 'Set-up',
  ADOT: 'Idle',
  ADET: 'Down',
  PDOT: 'Planned downtime',
  unseen: 'No signal',
} as const
export type Series = keyof typeof SERIES

/** Adds up a column, for totals that cannot differ from what stands above them. */
export function total(rows: readonly Row[], key: string): number {
  return rows.reduce((sum, row) => sum + (typeof row[key] === 'number' ? row[key] : 0), 0)
}
