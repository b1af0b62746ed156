import type { Plant } from '../plant/plant.ts'
import type { Row, TableSection } from './content.ts'
import { who } from './event-text.ts'
import type { WorkOrderFacts } from './work-order-facts.ts'

/** Each step that was done, by whom and with what, and the one that is open: the batch's way through its procedures. */
export function procedureSection({ runs, signatures }: WorkOrderFacts, plant: Plant): TableSection {
  const names = new Map(signatures.map(({ signature }) => [signature.id, signature.name]))
  const rows = runs.flatMap(({ id, procedure, operation, equipment, done, step, since, refused }): Row[] => {
    const place = { job: id, operation, unit: plant.nameOf(equipment), equipment, procedure }
    const past = done.map(({ value, signature, ...entry }) => ({
      ...place,
      step: entry.step,
      type: entry.type,
      value: value ?? (signature === undefined ? null : (names.get(signature) ?? signature)),
      valueUnit: entry.unit ?? null,
      lower: entry.lower ?? null,
      upper: entry.upper ?? null,
      source: entry.source ?? null,
      by: who(entry.by),
      actor: entry.by,
      time: entry.time,
      state: 'done',
      signature: signature ?? null,
    }))
    if (step === null) return past
    return [...past, { ...place, step, time: since, state: refused > 0 ? `open, ${refused} × outside its limits` : 'open' }]
  })
  return {
    kind: 'table',
    id: 'procedures',
    title: 'Steps of procedures',
    columns: [
      { key: 'job', label: 'Job order', type: 'id' },
      { key: 'operation', label: 'Operation', type: 'id', dataOnly: true },
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'equipment', label: 'Equipment', type: 'id', dataOnly: true },
      { key: 'procedure', label: 'Procedure', type: 'id' },
      { key: 'step', label: 'Step', type: 'id' },
      { key: 'type', label: 'Type', type: 'text' },
      { key: 'value', label: 'Value', type: 'text' },
      { key: 'valueUnit', label: 'In', type: 'text' },
      { key: 'lower', label: 'Lower', type: 'number' },
      { key: 'upper', label: 'Upper', type: 'number' },
      { key: 'source', label: 'Source', type: 'id', dataOnly: true },
      { key: 'by', label: 'By', type: 'text' },
      { key: 'actor', label: 'Actor', type: 'id', dataOnly: true },
      { key: 'time', label: 'Time', type: 'moment' },
      { key: 'state', label: 'State', type: 'state' },
      { key: 'signature', label: 'Signature', type: 'id', dataOnly: true },
    ],
    rows,
    empty: 'It has no procedure.',
  }
}
