import { TaktError } from '../base/error.ts'
import { kpiOf, type Measured, unitsOf } from '../kpi/kpis.ts'
import { measureMaintenance } from '../kpi/maintenance-figures.ts'
import type { Kpi } from '../messages/kpi.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import { readHead } from '../store/ledger.ts'
import type { StoreReader } from '../store/store.ts'
import { type ReportContent, type Row, type Section, type SharesSection, type TableSection, total } from './content.ts'
import { detectionFacts, detectionSection } from './detection-section.ts'
import { actionText, anomalyText } from './event-text.ts'
import { upkeepSection } from './maintenance-sections.ts'
import { expectedEnd, lateness, operationName, productOf } from './names.ts'
import { findingsSection, inspectionSection } from './quality-sections.ts'
import { type ShiftFacts, shiftFacts, stopsOf } from './shift-facts.ts'
import { type ShiftSpan, type SpanName, shiftSpan } from './shift-span.ts'
import { signaturesSection } from './signatures-section.ts'
import type { Made } from './work-order-report.ts'

export interface ShiftRequest extends Made {
  /** A unit, or a line, area, site with all units below it. */
  readonly scope: string
  /** Which shift, unless `from` and `to` are given. */
  readonly span: SpanName
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** What a line did in a shift, and why it did not do more. Throws TAKT_REPORT_SUBJECT_UNKNOWN. */
export async function shiftReport(store: StoreReader, plant: Plant, request: ShiftRequest): Promise<ReportContent> {
  const { scope, now, by } = request
  const units = unitsOf(plant, scope)
  if (units.length === 0)
    throw new TaktError('TAKT_REPORT_SUBJECT_UNKNOWN', { what: `the plant model has no unit at or below '${scope}'`, where: `report on ${scope}` })
  const span = spanOf(plant, units, request)
  const ledger = await readHead(store.db)
  const facts = await shiftFacts(store, plant, units, span.from, span.to)
  const upkeep = await measureMaintenance(store, plant, units, span.from, span.to)
  const detection = await detectionFacts(store, units, span.from, span.to, now)
  const line = kpiOf(scope, facts.measurement.units, span.from, span.to)
  return {
    type: 'shift',
    subject: scope,
    title: span.shift === null ? 'Shift report' : `Shift report: ${span.shift} shift`,
    subtitle: `${scope === plant.model.plant ? (plant.model.name ?? plant.nameOf(scope)) : plant.nameOf(scope)}, ${units.length} unit${units.length === 1 ? '' : 's'}`,
    status: span.running ? { text: 'running', tone: 'info' } : null,
    plant: plant.model.name ?? plant.model.plant,
    timeZone: plant.timeZone,
    from: span.from,
    to: span.to,
    made: now,
    by,
    ledger,
    mainTable: 'units',
    sections: [
      summary(line, facts, now),
      unitSection(facts, line, plant),
      timeSection(facts.measurement.units, plant),
      productionSection(facts, plant),
      orderSection(facts, plant, now),
      stopSection(facts, plant),
      upkeepSection(upkeep, plant, span.from, span.to),
      anomalySection(facts, plant),
      detectionSection(detection),
      disruptionSection(facts, plant),
      inspectionSection(facts.results, ({ equipment }) => (equipment === null ? '?' : plant.nameOf(equipment)), 'Unit'),
      findingsSection(facts.results, plant),
      holdSection(facts, plant),
      { ...signaturesSection(facts.signatures), empty: 'Nobody has signed what it reports.' },
    ],
  }
}

function spanOf(plant: Plant, units: readonly string[], { from, to, span, now }: ShiftRequest): ShiftSpan {
  if (from === undefined) return shiftSpan(plant, units, span, now)
  const until = Math.min(to ?? now, now)
  if (until <= from)
    throw new TaktError('TAKT_REPORT_REQUEST_INVALID', { what: 'the span ends before it begins, or lies in the future', where: 'shift report' })
  return { shift: null, from, to: until, running: false }
}

function summary({ values, elements }: Kpi, facts: ShiftFacts, now: number): Section {
  const late = lateOrders(facts, now).length
  const finished = [...facts.orders.values()].filter((order) => isFinishedIn(order, facts)).length
  const value = (name: string): number | null => values[name] ?? null
  return {
    kind: 'facts',
    id: 'summary',
    title: 'Result',
    display: 'tiles',
    facts: [
      { key: 'OEE', label: 'OEE', type: 'percent', value: value('OEE') },
      { key: 'availability', label: 'Availability', type: 'percent', value: value('availability') },
      { key: 'effectiveness', label: 'Effectiveness', type: 'percent', value: value('effectiveness') },
      { key: 'qualityRatio', label: 'Quality ratio', type: 'percent', value: value('qualityRatio') },
      { key: 'good', label: 'Good, all operations', type: 'number', value: elements.GQ ?? 0 },
      { key: 'scrap', label: 'Scrap', type: 'number', value: elements.SQ ?? 0, tone: (elements.SQ ?? 0) > 0 ? 'bad' : undefined },
      { key: 'finished', label: 'Orders finished', type: 'number', value: finished },
      { key: 'late', label: 'Orders late', type: 'number', value: late, tone: late > 0 ? 'bad' : 'good' },
    ],
  }
}

const RATIOS = [
  ['OEE', 'OEE', false],
  ['availability', 'Availability', false],
  ['effectiveness', 'Effectiveness', false],
  ['qualityRatio', 'Quality', false],
  ['utilization', 'Utilization', false],
  ['allocation', 'Allocation', true],
  ['technical', 'Technical', true],
  ['setup', 'Set-up', false],
  ['NEE', 'NEE', true],
  ['scrap', 'Scrap ratio', true],
  ['rework', 'Rework ratio', true],
  ['FPY', 'First pass', false],
  ['correctiveMaintenance', 'Corrective maintenance', true],
] as const
const TIMES = ['PBT', 'APT', 'AUST', 'ADET', 'ADOT', 'PDOT', 'unseen'] as const

function unitSection({ measurement, from, to }: ShiftFacts, line: Kpi, plant: Plant): TableSection {
  const row = ({ values, elements }: Kpi): Row => ({
    ...Object.fromEntries(RATIOS.map(([key]) => [key === 'scrap' ? 'scrapRatio' : key, values[key] ?? null])),
    ...Object.fromEntries(TIMES.map((key) => [key, elements[key] ?? 0])),
    MTBF: values.MTBF ?? null,
    MTTR: values.MTTR ?? null,
    throughput: values.throughput ?? null,
    failures: elements.failures ?? 0,
    good: elements.GQ ?? 0,
    scrap: elements.SQ ?? 0,
  })
  return {
    kind: 'table',
    id: 'units',
    title: 'Key figures by unit (ISO 22400-2)',
    columns: [
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'equipment', label: 'Equipment', type: 'id', dataOnly: true },
      ...RATIOS.map(([key, label, dataOnly]) => ({ key: key === 'scrap' ? 'scrapRatio' : key, label, type: 'percent' as const, dataOnly })),
      { key: 'failures', label: 'Failures', type: 'number' },
      { key: 'good', label: 'Good', type: 'number' },
      { key: 'scrap', label: 'Scrap', type: 'number' },
      { key: 'throughput', label: 'Parts per hour', type: 'number', dataOnly: true },
      { key: 'MTBF', label: 'MTBF', type: 'duration', dataOnly: true },
      { key: 'MTTR', label: 'MTTR', type: 'duration', dataOnly: true },
      ...TIMES.map((key) => ({ key, label: key, type: 'duration' as const, dataOnly: true })),
    ],
    rows: measurement.units.map((unit) => ({ unit: plant.nameOf(unit.equipment), equipment: unit.equipment, ...row(kpiOf(unit.equipment, [unit], from, to)) })),
    ...(measurement.units.length > 1 ? { totals: { unit: 'Together', ...row(line) } } : {}),
    empty: 'There are no units.',
  }
}

function timeSection(units: readonly Measured[], plant: Plant): SharesSection {
  return {
    kind: 'shares',
    id: 'times',
    title: 'How the time was spent',
    rows: units
      .map(({ equipment, time }) => ({
        label: plant.nameOf(equipment),
        parts: (['APT', 'AUST', 'ADOT', 'ADET', 'PDOT', 'unseen'] as const).map((series) => ({ series, ms: time[series] })),
      }))
      .filter(({ parts }) => parts.some(({ ms }) => ms > 0)),
  }
}

function productionSection({ measurement, orders }: ShiftFacts, plant: Plant): TableSection {
  const groups = new Map<string, Row>()
  for (const { jobOrder, good, scrap } of measurement.made) {
    if (good === 0 && scrap === 0) continue
    const job = measurement.jobs.get(jobOrder ?? '')
    const order = orders.get(job?.workOrder ?? '')
    const place = {
      product: order === undefined ? '(without an order)' : productOf(order, plant),
      type: order?.type ?? null,
      operation: job === undefined ? null : operationName(order, job, plant),
    }
    const key = JSON.stringify(place)
    const known = groups.get(key)
    groups.set(key, {
      ...place,
      good: Number(known?.good ?? 0) + good,
      scrap: Number(known?.scrap ?? 0) + scrap,
      parts: Number(known?.parts ?? 0) + good + scrap,
    })
  }
  const rows = [...groups.values()].sort((a, b) => sortKey(a).localeCompare(sortKey(b)))
  return {
    kind: 'table',
    id: 'production',
    title: 'Production by product and operation',
    columns: [
      { key: 'product', label: 'Product', type: 'text' },
      { key: 'type', label: 'Type', type: 'text' },
      { key: 'operation', label: 'Operation', type: 'text' },
      { key: 'good', label: 'Good', type: 'number' },
      { key: 'scrap', label: 'Scrap', type: 'number' },
      { key: 'parts', label: 'Parts', type: 'number' },
    ],
    rows,
    totals: { product: 'Total', good: total(rows, 'good'), scrap: total(rows, 'scrap'), parts: total(rows, 'parts') },
    empty: 'Nothing was made.',
  }
}

function sortKey({ product, operation, type }: Row): string {
  return `${product} ${type} ${operation}`
}

interface LateOrder {
  readonly order: WorkOrder
  readonly end: number | null
  readonly lateMs: number
}

/** Orders that will be, are, or in the span were finished later than due. */
function lateOrders({ orders, jobsOf, from, to }: ShiftFacts, now: number): readonly LateOrder[] {
  const late: LateOrder[] = []
  for (const order of orders.values()) {
    if (order.type === 'maintenance' || order.state === 'Canceled' || order.due === null) continue
    const finished = order.completed !== undefined
    if (finished && !isFinishedIn(order, { from, to })) continue
    const end = expectedEnd(order, jobsOf.get(order.id) ?? [])
    const lateMs = Math.max(lateness(order, end) ?? 0, finished ? 0 : now - order.due)
    if (lateMs > 0) late.push({ order, end, lateMs })
  }
  return late.sort((a, b) => b.lateMs - a.lateMs)
}

function isFinishedIn({ completed, type }: WorkOrder, { from, to }: Pick<ShiftFacts, 'from' | 'to'>): boolean {
  return type !== 'maintenance' && completed !== undefined && completed >= from && completed <= to
}

function orderSection(facts: ShiftFacts, plant: Plant, now: number): TableSection {
  return {
    kind: 'table',
    id: 'lateOrders',
    title: 'Late orders',
    columns: [
      { key: 'order', label: 'Order', type: 'id' },
      { key: 'product', label: 'Product', type: 'text' },
      { key: 'quantity', label: 'Quantity', type: 'number' },
      { key: 'good', label: 'Good', type: 'number' },
      { key: 'state', label: 'State', type: 'state' },
      { key: 'due', label: 'Due', type: 'time' },
      { key: 'end', label: 'Finished or expected', type: 'time' },
      { key: 'late', label: 'Late by', type: 'duration' },
    ],
    rows: lateOrders(facts, now).map(({ order, end, lateMs }) => ({
      order: order.id,
      product: productOf(order, plant),
      quantity: order.quantity.value,
      good: order.progress.good,
      state: order.state,
      due: order.due,
      end,
      late: lateMs,
    })),
    empty: 'No order is late.',
  }
}

function stopSection(facts: ShiftFacts, plant: Plant): TableSection {
  const rows = stopsOf(facts).map(({ equipment, from, to, open, spans }): Row => {
    const states = [...new Set(spans.map(({ state, mode }) => (mode === 'Maintenance' ? 'Maintenance' : state)))]
    return {
      unit: plant.nameOf(equipment),
      equipment,
      from,
      to: open ? null : to,
      duration: to - from,
      type: spans.some(({ element, maintenance }) => element === 'ADET' || maintenance === 'unplanned') ? 'unplanned' : 'planned',
      states: states.join(', '),
      reason: reasonOf(spans, facts, plant),
    }
  })
  return {
    kind: 'table',
    id: 'stops',
    title: 'Downtime',
    columns: [
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'equipment', label: 'Equipment', type: 'id', dataOnly: true },
      { key: 'from', label: 'From', type: 'time' },
      { key: 'to', label: 'To', type: 'time' },
      { key: 'duration', label: 'Duration', type: 'duration' },
      { key: 'type', label: 'Type', type: 'text' },
      { key: 'states', label: 'States', type: 'text' },
      { key: 'reason', label: 'Reason', type: 'text' },
    ],
    rows,
    totals: { unit: 'Total', duration: total(rows, 'duration') },
    empty: 'No unit was down.',
  }
}

/** What the machine gave as reason, by the plant's list of reasons where it is a code; else why the maintenance order was made. */
function reasonOf(spans: ReturnType<typeof stopsOf>[number]['spans'], { measurement, orders }: ShiftFacts, plant: Plant): string | null {
  const given = spans.find(({ reason }) => reason !== null)?.reason
  if (given != null) return plant.model.reasons?.find(({ code }) => code === given)?.text ?? given
  for (const { jobOrder } of spans) {
    const order = orders.get(measurement.jobs.get(jobOrder ?? '')?.workOrder ?? '')
    if (order?.type === 'maintenance' && order.cause !== undefined) return order.cause
  }
  return null
}

function anomalySection({ anomalies }: ShiftFacts, plant: Plant): TableSection {
  return {
    kind: 'table',
    id: 'anomalies',
    title: 'Anomalies, and how long before repair or failure they were seen',
    columns: [
      { key: 'since', label: 'Since', type: 'time' },
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'what', label: 'What', type: 'text' },
      { key: 'severity', label: 'Severity', type: 'state' },
      { key: 'cleared', label: 'Cleared', type: 'time' },
      { key: 'beforeRepair', label: 'Before repair', type: 'duration' },
      { key: 'beforeFailure', label: 'Before failure', type: 'duration' },
      { key: 'verdict', label: 'Verdict', type: 'state' },
      { key: 'verdictBy', label: 'Said by', type: 'text', dataOnly: true },
      { key: 'detector', label: 'Detector', type: 'text', dataOnly: true },
      { key: 'anomaly', label: 'Anomaly', type: 'id', dataOnly: true },
    ],
    rows: anomalies.map(({ anomaly, repaired, failed }) => ({
      since: anomaly.since,
      unit: plant.nameOf(anomaly.equipment),
      what: anomalyText(anomaly),
      severity: anomaly.severity,
      cleared: anomaly.state === 'cleared' ? anomaly.time : null,
      beforeRepair: repaired === null ? null : repaired - anomaly.since,
      beforeFailure: failed === null ? null : failed - anomaly.since,
      verdict: anomaly.verdict?.decision ?? null,
      verdictBy: anomaly.verdict?.by ?? null,
      detector: anomaly.detectorName ?? null,
      anomaly: anomaly.id,
    })),
    empty: 'Nothing unusual was seen.',
  }
}

function disruptionSection({ disruptions }: ShiftFacts, plant: Plant): TableSection {
  return {
    kind: 'table',
    id: 'disruptions',
    title: 'Disruptions, and what was done',
    columns: [
      { key: 'time', label: 'Time', type: 'time' },
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'action', label: 'Action', type: 'text' },
      { key: 'status', label: 'Status', type: 'state' },
      { key: 'by', label: 'Decided by', type: 'text' },
      { key: 'order', label: 'Maintenance', type: 'id' },
      { key: 'why', label: 'Why', type: 'text' },
      { key: 'disruption', label: 'Disruption', type: 'id', dataOnly: true },
    ],
    rows: disruptions.map((disruption) => ({
      time: disruption.time,
      unit: plant.nameOf(disruption.equipment),
      action: actionText(disruption, plant.timeZone),
      status: disruption.status,
      by: disruption.decidedBy ?? (disruption.autonomy === 'auto' ? 'Takt' : null),
      order: disruption.maintenanceOrder ?? null,
      why: disruption.why,
      disruption: disruption.id,
    })),
    empty: 'Nothing disturbed the plan.',
  }
}

function holdSection({ held, orders }: ShiftFacts, plant: Plant): TableSection {
  return {
    kind: 'table',
    id: 'held',
    title: 'Lots held now',
    columns: [
      { key: 'lot', label: 'Lot', type: 'id' },
      { key: 'product', label: 'Product', type: 'text' },
      { key: 'order', label: 'Order', type: 'id' },
      { key: 'reason', label: 'Reason', type: 'text' },
    ],
    rows: held.map((lot) => {
      const order = orders.get(lot.workOrder ?? '')
      return { lot: lot.id, product: order === undefined ? lot.material : productOf(order, plant), order: lot.workOrder, reason: lot.reason ?? null }
    }),
    empty: 'No lot is held.',
  }
}
