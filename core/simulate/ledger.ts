import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { CommandRow, LedgerRow, RepairRow, StopRow } from './happenings.ts'

const DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024

/**
 * The plant's own book of what was really made: JSON lines, only ever appended. The saved state names its length, so rows that a killed process wrote
 * after its last save are cut off when it continues: it will live that time again. When full it becomes `<file>.old` and a new one begins.
 */
export class SimulationLedger {
  readonly #path: string
  readonly #limitBytes: number
  #file: number
  #bytes: number

  constructor(path: string, savedBytes = 0, limitBytes = DEFAULT_LIMIT_BYTES) {
    this.#path = path
    this.#limitBytes = limitBytes
    mkdirSync(dirname(path), { recursive: true })
    // killed after the change of files and before the save that tells of it
    const old = `${path}.old`
    if (savedBytes > sizeOf(path) && savedBytes <= sizeOf(old)) renameSync(old, path)
    this.#file = openSync(path, 'a')
    if (fstatSync(this.#file).size > savedBytes) ftruncateSync(this.#file, savedBytes)
    this.#bytes = fstatSync(this.#file).size
  }

  /** Length to save with the state. */
  get bytes(): number {
    return this.#bytes
  }

  append(rows: readonly LedgerRow[]): void {
    if (rows.length === 0) return
    if (this.#bytes > this.#limitBytes) this.#change()
    const text = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    for (let written = 0; written < text.length; ) written += writeSync(this.#file, text, written)
    this.#bytes += text.length
  }

  close(): void {
    closeSync(this.#file)
  }

  #change(): void {
    closeSync(this.#file)
    renameSync(this.#path, `${this.#path}.old`)
    this.#file = openSync(this.#path, 'a')
    this.#bytes = 0
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0
}

/** Every row of a ledger file, oldest first. */
export function readLedger(path: string): LedgerRow[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerRow)
}

/** Parts by what their machine said of them. `bad` of the good ones are out of specification; only the gauge can tell. */
export interface PartTotals {
  good: number
  scrap: number
  bad: number
}

export interface LedgerTotals {
  readonly byJob: Record<string, PartTotals>
  readonly byLot: Record<string, PartTotals>
  readonly byUnit: Record<string, PartTotals>
  readonly parts: number
  readonly badSerials: ReadonlyArray<{ readonly lot: string; readonly job: string; readonly serial: string; readonly unit: string; readonly time: number }>
  readonly stops: readonly StopRow[]
  readonly repairs: readonly RepairRow[]
  readonly commands: readonly CommandRow[]
  readonly orders: number
}

/** Sums over a ledger. */
export function totalsOf(rows: readonly LedgerRow[]): LedgerTotals {
  const parts = rows.filter((row) => row.kind === 'part')
  const sum = (key: 'job' | 'lot' | 'unit'): Record<string, PartTotals> => {
    const totals: Record<string, PartTotals> = {}
    for (const part of parts) {
      const total = (totals[part[key]] ??= { good: 0, scrap: 0, bad: 0 })
      total[part.result]++
      if (part.bad) total.bad++
    }
    return totals
  }
  return {
    byJob: sum('job'),
    byLot: sum('lot'),
    byUnit: sum('unit'),
    parts: parts.length,
    badSerials: parts.filter((part) => part.bad).map(({ lot, job, serial, unit, time }) => ({ lot, job, serial, unit, time })),
    stops: rows.filter((row) => row.kind === 'stop'),
    repairs: rows.filter((row): row is RepairRow => row.kind === 'repair-started' || row.kind === 'repair-ended'),
    commands: rows.filter((row) => row.kind === 'command'),
    orders: rows.filter((row) => row.kind === 'order').length,
  }
}
