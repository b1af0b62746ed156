import { type DetectorScore, scorecard } from '../detect/scorecard/scorecard.ts'
import type { StoreReader } from '../store/store.ts'
import type { Row, TableSection } from './content.ts'

const WEEK_MS = 7 * 86_400_000

/** Scores of a shift and of the seven days that end with it, as they are known at `now`. */
export interface DetectionFacts {
  readonly shift: readonly DetectorScore[]
  readonly week: readonly DetectorScore[]
}

export async function detectionFacts(store: StoreReader, equipment: readonly string[], from: number, to: number, now: number): Promise<DetectionFacts> {
  const shift = await scorecard(store, { from, to, equipment, now })
  return { shift, week: await scorecard(store, { from: to - WEEK_MS, to, equipment, now }) }
}

/** How long before failures each detector spoke, and what it cost in false alarms. What counts as what: docs/scorecard.md. */
export function detectionSection({ shift, week }: DetectionFacts): TableSection {
  const rows = [...shift.map((score) => row(score, 'shift')), ...week.map((score) => row(score, '7 days'))]
  return {
    kind: 'table',
    id: 'detection',
    title: 'Detection: lead time and false alarms',
    note:
      'Right: confirmed by a person, or the unit failed. False: refused by a person, or nothing came of it. Undecided: too early, or repaired first. ' +
      'Stops: failures, and failures averted by a repair after a confirmed alarm. Lead time: before a stop; before repair: of undecided alarms whose unit was repaired first.',
    columns: [
      { key: 'detector', label: 'Detector', type: 'text' },
      { key: 'span', label: 'Span', type: 'text' },
      { key: 'detectorId', label: 'Detector id', type: 'id', dataOnly: true },
      { key: 'method', label: 'Method', type: 'text', dataOnly: true },
      { key: 'since', label: 'Scored since', type: 'time', dataOnly: true },
      { key: 'alarms', label: 'Alarms', type: 'number' },
      { key: 'right', label: 'Right', type: 'number' },
      { key: 'false', label: 'False', type: 'number' },
      { key: 'undecided', label: 'Undecided', type: 'number' },
      { key: 'repaired', label: 'Repaired first', type: 'number' },
      { key: 'precision', label: 'Precision', type: 'percent' },
      { key: 'stops', label: 'Stops', type: 'number' },
      { key: 'foreseen', label: 'Foreseen', type: 'number' },
      { key: 'recall', label: 'Recall', type: 'percent' },
      { key: 'leadMedian', label: 'Lead time', type: 'duration' },
      { key: 'leadLeast', label: 'Least lead time', type: 'duration', dataOnly: true },
      { key: 'leadMost', label: 'Most lead time', type: 'duration', dataOnly: true },
      { key: 'beforeRepair', label: 'Before repair', type: 'duration' },
      { key: 'falsePerWeek', label: 'False a week', type: 'number' },
    ],
    rows: rows.sort((a, b) => String(a.detector).localeCompare(String(b.detector)) || String(a.detectorId).localeCompare(String(b.detectorId))),
    empty: 'No detector watched these units.',
  }
}

function row(score: DetectorScore, span: string): Row {
  const { detector, name, method, from, leadMs } = score
  return {
    detector: name,
    span,
    detectorId: detector,
    method,
    since: from,
    alarms: score.alarms,
    right: score.confirmed,
    false: score.refused,
    undecided: score.undecided,
    repaired: score.repaired,
    precision: score.precision,
    stops: score.stops,
    foreseen: score.foreseen,
    recall: score.recall,
    leadMedian: leadMs?.median ?? null,
    leadLeast: leadMs?.least ?? null,
    leadMost: leadMs?.most ?? null,
    beforeRepair: score.beforeRepairMs?.median ?? null,
    falsePerWeek: score.falsePerWeek === null ? null : Math.round(score.falsePerWeek * 10) / 10,
  }
}
