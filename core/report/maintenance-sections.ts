import { figuresOf, type UnitMaintenance } from '../kpi/maintenance-figures.ts'
import type { MaintenanceEvidence } from '../messages/maintenance.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { Fact, Row, Section, TableSection } from './content.ts'
import { durationText } from './format.ts'

/** What maintenance of each unit came to in a span, with the repairs behind it; units that neither failed nor were repaired are left out. */
export function upkeepSection(units: readonly UnitMaintenance[], plant: Plant, from: number, to: number): TableSection {
  const touched = units.filter(({ failures, repairs }) => failures.length + repairs.length > 0)
  return {
    kind: 'table',
    id: 'maintenance',
    title: 'Maintenance',
    note: 'MTBF and MTTF in time of work, MTTR from the failure until the unit was back. Where nothing failed there is nothing to divide by.',
    columns: [
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'equipment', label: 'Equipment', type: 'id', dataOnly: true },
      { key: 'failures', label: 'Failures', type: 'number' },
      { key: 'repairs', label: 'Repairs', type: 'number' },
      { key: 'MTBF', label: 'MTBF', type: 'duration' },
      { key: 'MTTF', label: 'MTTF', type: 'duration' },
      { key: 'MTTR', label: 'MTTR', type: 'duration' },
      { key: 'availability', label: 'Availability', type: 'percent' },
      { key: 'correctiveMaintenance', label: 'Corrective', type: 'percent' },
      { key: 'firstTimeFix', label: 'Helped', type: 'percent' },
      { key: 'orders', label: 'Orders', type: 'id', dataOnly: true },
    ],
    rows: touched.map((unit) => rowOf(plant.nameOf(unit.equipment), unit.equipment, [unit], from, to)),
    ...(touched.length > 1 ? { totals: rowOf('Total', null, units, from, to) } : {}),
    empty: 'No unit failed, and none was repaired.',
  }
}

function rowOf(unit: string, equipment: string | null, units: readonly UnitMaintenance[], from: number, to: number): Row {
  const { values, elements, lineage } = figuresOf(unit, units, from, to)
  const value = (name: string): number | null => values[name] ?? null
  const orders = [...new Set(Object.values(lineage.orders ?? {}).flat())]
  return {
    ...{ unit, equipment, failures: elements.failures ?? 0, repairs: elements.repairs ?? 0 },
    ...{ MTBF: value('MTBF'), MTTF: value('MTTF'), MTTR: value('MTTR'), availability: value('availability') },
    ...{ correctiveMaintenance: value('correctiveMaintenance'), firstTimeFix: value('firstTimeFix'), orders: orders.join(' ') },
  }
}

/** What spoke for a repair, and what came of it; nothing for other orders. */
export function repairSections(order: WorkOrder): Section[] {
  if (order.type !== 'maintenance') return []
  const facts = repairFacts(order)
  return [
    ...(facts.length === 0 ? [] : [{ kind: 'facts' as const, id: 'repair', title: 'Repair and return to service', display: 'list' as const, facts }]),
    {
      kind: 'table',
      id: 'evidence',
      title: 'What spoke for it',
      columns: [
        { key: 'time', label: 'Time', type: 'time' },
        { key: 'source', label: 'Source', type: 'text' },
        { key: 'id', label: 'Id', type: 'id' },
        { key: 'method', label: 'Method', type: 'text' },
        { key: 'score', label: 'Score', type: 'number' },
        { key: 'severity', label: 'Severity', type: 'state' },
        { key: 'seen', label: 'Seen', type: 'number' },
        { key: 'expected', label: 'Expected', type: 'text' },
        { key: 'remaining', label: 'Remaining life', type: 'text' },
        { key: 'why', label: 'Why', type: 'text' },
        { key: 'disruption', label: 'Disruption', type: 'id', dataOnly: true },
      ],
      rows: (order.evidence ?? []).map(evidenceRow),
      empty: 'Nothing is kept: it was asked for without.',
    },
  ]
}

function evidenceRow({ time, source, id, method, score, severity, value, expected, lower, upper, remainingMs, why, disruption }: MaintenanceEvidence): Row {
  const band = lower === undefined && upper === undefined ? (expected ?? null) : `${lower ?? ''}–${upper ?? ''}`
  const life =
    remainingMs === undefined ? null : `${durationText(remainingMs.median)} (${durationText(remainingMs.lower)} to ${durationText(remainingMs.upper)})`
  return {
    ...{ time, source, id, method: method ?? null, score: score ?? null, severity: severity ?? null, seen: value ?? null },
    ...{ expected: band === null ? null : String(band), remaining: life, why, disruption: disruption ?? null },
  }
}

function repairFacts({ spares = [], found, service, follows }: WorkOrder): Fact[] {
  const text = (key: string, label: string, value: string): Fact => ({ key, label, type: 'text', value })
  const facts: Fact[] = []
  if (follows !== undefined) facts.push({ key: 'follows', label: 'After a repair that did not help', type: 'id', value: follows })
  for (const [index, { material, quantity, state, lots }] of spares.entries()) {
    const from = lots.length === 0 ? '' : `, lots ${lots.map(({ lot }) => lot).join(', ')}`
    facts.push(text(`spare-${index + 1}`, 'Spare', `${quantity.value} ${quantity.unit} ${material}: ${state}${from}`))
  }
  if (found !== undefined) {
    const { cause, code, done, by, time } = found
    facts.push(text('found', 'Found', `${cause}${code === undefined ? '' : ` (${code})`}`), text('done', 'Done', done), text('foundBy', 'Said by', by))
    facts.push({ key: 'foundAt', label: 'Said at', type: 'time', value: time })
  }
  if (service === undefined) return facts
  const { state, since, why, check, trial } = service
  facts.push({ key: 'service', label: 'Return to service', type: 'state', value: state }, { key: 'serviceSince', label: 'Since', type: 'time', value: since })
  if (why !== undefined) facts.push(text('serviceWhy', 'Because', why))
  if (check?.confirmed !== undefined) facts.push(text('confirmedBy', 'Return confirmed by', check.confirmed.by))
  if (trial?.from !== undefined)
    facts.push(text('trial', 'Trial', `${trial.good} good, ${trial.bad} scrap of ${trial.parts} asked for: ${trial.jobOrders.join(', ')}`))
  return facts
}
