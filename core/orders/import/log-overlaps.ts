import type { LogRecord } from './history.ts'
import type { Doubt } from './routing.ts'

/** Records that begin at a unit before the one that began there before them has ended: one unit does one thing at a time, so one of the two is wrong. */
export function overlapsOf(records: readonly LogRecord[]): Doubt[] {
  const doubts: Doubt[] = []
  const last = new Map<string, LogRecord>()
  for (const record of records.toSorted((a, b) => a.start - b.start || a.end - b.end || a.row - b.row)) {
    const before = last.get(record.equipment)
    last.set(record.equipment, record)
    if (before === undefined || before.end <= record.start) continue
    const what = `begins at ${record.equipment} while row ${before.row} still runs there, for ${Math.round((before.end - record.start) / 60_000)} min more`
    doubts.push({ code: 'TAKT_IMPORT_OVERLAP', row: record.row, order: record.order, what })
  }
  return doubts
}
