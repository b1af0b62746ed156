import type { ModeName, StateName } from './packml.ts'

/**
 * What a step of the simulation gives: publications for the wires, and rows for the plant's own ledger of what was really made.
 * Times are plant time, epoch ms. `unit` is the equipment id.
 */
export interface Step {
  readonly publications: Publication[]
  readonly rows: LedgerRow[]
}

/** Everything a unit says about itself at once. `changed` is false for a heartbeat. */
export interface StatusPublication {
  readonly kind: 'status'
  readonly unit: string
  readonly time: number
  readonly state: StateName
  readonly mode: ModeName
  /** the job order it has or had; empty before the first and after a reset */
  readonly job: string
  /** lifetime totals, never rolled over here */
  readonly good: number
  readonly scrap: number
  readonly changed: boolean
  /** of the present job order */
  readonly made?: { readonly good: number; readonly scrap: number }
}

export interface ConditionPublication {
  readonly kind: 'condition'
  readonly unit: string
  readonly time: number
  readonly signal: string
  readonly value: number
}

/** One characteristic measured on one part. */
export interface GaugePublication {
  readonly kind: 'gauge'
  readonly unit: string
  readonly time: number
  readonly characteristic: string
  readonly value: number
  readonly job: string
  readonly lot: string
  readonly serial: string
  readonly product: string
}

export type Publication = StatusPublication | ConditionPublication | GaugePublication

/** A part as it left the machine. `scrap`: the machine saw that it is bad. `bad`: counted as good, but out of specification: only the gauge can tell. */
export interface PartRow {
  readonly kind: 'part'
  readonly time: number
  readonly unit: string
  readonly job: string
  readonly lot: string
  readonly product: string
  readonly operation: string
  readonly serial: string
  readonly result: 'good' | 'scrap'
  readonly bad: boolean
  readonly measured: Readonly<Record<string, number>>
}

export interface JobRow {
  readonly kind: 'job-started' | 'job-ended'
  readonly time: number
  readonly unit: string
  readonly job: string
  readonly lot: string
  readonly good: number
  readonly scrap: number
}

export interface StopRow {
  readonly kind: 'stop'
  readonly time: number
  readonly unit: string
  readonly cause: 'failure' | 'stop' | 'abort'
  readonly job: string
  readonly wear: number
}

export interface RepairRow {
  readonly kind: 'repair-started' | 'repair-ended'
  readonly time: number
  readonly unit: string
  readonly job: string
  /** after a failure: takes longer */
  readonly unplanned: boolean
  readonly durationMs: number
}

export interface CommandRow {
  readonly kind: 'command'
  readonly time: number
  readonly unit: string
  readonly command: string
  readonly name: string
  readonly status: string
  readonly reason: string | null
}

/** What a person did to the simulation itself. */
export interface InterventionRow {
  readonly kind: 'intervention'
  readonly time: number
  readonly unit: string
  readonly what: 'break' | 'spoil' | 'reset'
  readonly value: number
}

export interface OrderRow {
  readonly kind: 'order'
  readonly time: number
  readonly order: SimulatedOrder
}

export type LedgerRow = PartRow | JobRow | StopRow | RepairRow | CommandRow | InterventionRow | OrderRow

/** A customer order as an ERP system would send it. `due` is ISO 8601 UTC, `product` a work master's id. */
export interface SimulatedOrder {
  readonly id: string
  readonly product: string
  readonly quantity: number
  readonly due: string
  readonly priority: number
}
