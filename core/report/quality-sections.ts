import type { QualityResult } from '../messages/quality-result.ts'
import type { Plant } from '../plant/plant.ts'
import type { Row, TableSection } from './content.ts'
import { numberText } from './format.ts'

/** Measurements summed up by operation (or unit) and characteristic. `place` says where one belongs. */
export function inspectionSection(results: readonly QualityResult[], place: (result: QualityResult) => string, placeLabel: string): TableSection {
  const groups = new Map<string, QualityResult[]>()
  for (const result of results) {
    const key = JSON.stringify([place(result), result.characteristic, result.specification.lower, result.specification.upper])
    groups.set(key, [...(groups.get(key) ?? []), result])
  }
  const rows = [...groups.values()].map((group): Row => {
    const [first] = group
    const values = group.flatMap((result) => result.values)
    const measured = (decision: QualityResult['decision']): number =>
      group.reduce((sum, result) => sum + (result.decision === decision ? result.values.length : 0), 0)
    return {
      place: first === undefined ? null : place(first),
      characteristic: first?.characteristic ?? null,
      limits: first === undefined ? null : limitsText(first),
      inspected: values.length,
      passed: measured('pass'),
      held: measured('hold'),
      rejected: measured('reject'),
      lowest: values.reduce((a, b) => Math.min(a, b)),
      mean: Number((values.reduce((a, b) => a + b, 0) / values.length).toPrecision(6)),
      highest: values.reduce((a, b) => Math.max(a, b)),
    }
  })
  const sum = (key: string): number => rows.reduce((total, row) => total + Number(row[key]), 0)
  return {
    kind: 'table',
    id: 'inspections',
    title: 'Inspection',
    columns: [
      { key: 'place', label: placeLabel, type: 'text' },
      { key: 'characteristic', label: 'Characteristic', type: 'text' },
      { key: 'limits', label: 'Limits', type: 'text' },
      { key: 'inspected', label: 'Inspected', type: 'number' },
      { key: 'passed', label: 'Passed', type: 'number' },
      { key: 'held', label: 'Held', type: 'number' },
      { key: 'rejected', label: 'Rejected', type: 'number' },
      { key: 'lowest', label: 'Lowest', type: 'number' },
      { key: 'mean', label: 'Mean', type: 'number' },
      { key: 'highest', label: 'Highest', type: 'number' },
    ],
    rows: rows.sort((a, b) => compare(a.place, b.place) || compare(a.characteristic, b.characteristic)),
    ...(rows.length > 1
      ? { totals: { place: 'Total', inspected: sum('inspected'), passed: sum('passed'), held: sum('held'), rejected: sum('rejected') } }
      : {}),
    empty: 'Nothing was measured.',
  }
}

const MOST_FINDINGS = 200

/** Every part that was held or rejected, with the reason. */
export function findingsSection(results: readonly QualityResult[], plant: Plant): TableSection {
  const bad = results.filter(({ decision }) => decision !== 'pass')
  return {
    kind: 'table',
    id: 'findings',
    title: 'Parts held and rejected',
    ...(bad.length > MOST_FINDINGS ? { note: `The first ${MOST_FINDINGS} of ${bad.length}.` } : {}),
    columns: [
      { key: 'time', label: 'Measured', type: 'moment' },
      { key: 'lot', label: 'Lot', type: 'id' },
      { key: 'serial', label: 'Serial', type: 'id' },
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'characteristic', label: 'Characteristic', type: 'text' },
      { key: 'decision', label: 'Decision', type: 'state' },
      { key: 'reason', label: 'Reason', type: 'text' },
      { key: 'result', label: 'Result', type: 'id', dataOnly: true },
    ],
    rows: bad.slice(0, MOST_FINDINGS).map((result) => ({
      time: result.time,
      lot: result.lot,
      serial: result.serial ?? null,
      unit: result.equipment === null ? null : plant.nameOf(result.equipment),
      characteristic: result.characteristic,
      decision: result.decision,
      reason: result.reasons.join('; '),
      result: result.id,
    })),
    empty: 'No part was held or rejected.',
  }
}

/** `39.95–40.05 mm`, `≤ 1.6 µm` */
export function limitsText({ specification: { lower, upper }, unit }: Pick<QualityResult, 'specification' | 'unit'>): string {
  const suffix = unit === undefined ? '' : ` ${unit}`
  if (lower !== null && upper !== null) return `${numberText(lower)}–${numberText(upper)}${suffix}`
  if (upper !== null) return `≤ ${numberText(upper)}${suffix}`
  return lower === null ? 'none' : `≥ ${numberText(lower)}${suffix}`
}

function compare(a: unknown, b: unknown): number {
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0
}
