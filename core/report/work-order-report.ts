import type { JobOrder } from '../messages/job-order.ts'
import type { QualityResult } from '../messages/quality-result.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import { readHead } from '../store/ledger.ts'
import type { StoreReader } from '../store/store.ts'
import { type Badge, type Fact, type ReportContent, type Row, type Section, type TableSection, type TimelineSection, total } from './content.ts'
import { eventText, who } from './event-text.ts'
import { durationText } from './format.ts'
import { repairSections } from './maintenance-sections.ts'
import { expectedByDue, expectedEnd, lateness, operationName, productOf, unitName } from './names.ts'
import { procedureSection } from './procedure-section.ts'
import { findingsSection, inspectionSection } from './quality-sections.ts'
import { toneOf } from './render-html.ts'
import { signaturesSection } from './signatures-section.ts'
import { MOST_EVENTS, type WorkOrderFacts, workOrderFacts } from './work-order-facts.ts'

export interface Made {
  /** Plant time, epoch ms. */
  readonly now: number
  /** Who asked for it. */
  readonly by: string
}

/** The record of one work order: what was planned, made, measured, held, and by whom decided. Throws TAKT_REPORT_SUBJECT_UNKNOWN. */
export async function workOrderReport(store: StoreReader, plant: Plant, id: string, { now, by }: Made): Promise<ReportContent> {
  const ledger = await readHead(store.db)
  const facts = await workOrderFacts(store, id)
  const { order, jobs } = facts
  const product = productOf(order, plant)
  return {
    type: 'work-order',
    subject: id,
    title: `Work order ${id}`,
    subtitle:
      order.type === 'maintenance'
        ? `Maintenance of ${product}`
        : `${order.quantity.value} ${order.quantity.unit} ${product}${order.type === 'rework' ? ', rework' : ''}`,
    status: statusOf(order),
    plant: plant.model.name ?? plant.model.plant,
    timeZone: plant.timeZone,
    from: order.created,
    to: order.completed ?? now,
    made: now,
    by,
    ledger,
    mainTable: 'jobOrders',
    sections: [
      summary(facts),
      { kind: 'facts', id: 'order', title: 'Order', display: 'list', facts: orderFacts(facts) },
      ...repairSections(order),
      ...timeline(jobs, plant, order, now),
      jobSection(facts, plant),
      unitSection(facts, plant),
      procedureSection(facts, plant),
      inspectionSection(facts.results, (result) => operationOf(result, facts, plant), 'Operation'),
      findingsSection(facts.results, plant),
      lotSection(facts, plant),
      dispositionSection(facts),
      reworkSection(facts),
      maintenanceSection(facts, plant),
      signaturesSection(facts.signatures),
      eventSection(facts, plant),
    ],
  }
}

function statusOf({ state }: WorkOrder): Badge {
  return { text: state, tone: toneOf(state) }
}

function summary({ order, jobs, counts }: WorkOrderFacts): Section {
  const late = lateness(order, expectedByDue(order, jobs))
  const own = new Set(jobs.map(({ id }) => id))
  const made = counts.filter((row) => own.has(row.job_order))
  const parts = made.reduce((sum, row) => sum + row.good + row.scrap, 0)
  const { good, scrap } = order.progress
  const lateFact: Fact = {
    key: 'lateness',
    label: order.completed === undefined ? 'Expected' : 'Delivery',
    type: 'text',
    value: late === null ? null : late > 0 ? `${durationText(late)} late` : 'on time',
    tone: late === null ? undefined : late > 0 ? 'bad' : 'good',
  }
  return {
    kind: 'facts',
    id: 'summary',
    title: 'Result',
    display: 'tiles',
    facts: [
      { key: 'quantity', label: 'Ordered', type: 'number', value: order.quantity.value, unit: order.quantity.unit },
      { key: 'good', label: 'Good', type: 'number', value: good, tone: good >= order.quantity.value ? 'good' : undefined },
      { key: 'scrap', label: 'Scrap', type: 'number', value: scrap, note: 'of all operations', tone: scrap > 0 ? 'bad' : undefined },
      {
        key: 'qualityRatio',
        label: 'Quality ratio',
        type: 'percent',
        value: parts === 0 ? null : (parts - scrap) / parts,
        note: 'of all operations',
      },
      lateFact,
      { key: 'throughputTime', label: 'Throughput time', type: 'duration', value: throughputTime(order, jobs) },
    ],
  }
}

function throughputTime({ completed }: WorkOrder, jobs: readonly JobOrder[]): number | null {
  const starts = jobs.map(({ actualStart }) => actualStart).filter((time) => time !== null)
  return completed === undefined || starts.length === 0 ? null : completed - Math.min(...starts)
}

function orderFacts({ order, jobs, lots }: WorkOrderFacts): Fact[] {
  const facts: Fact[] = [
    { key: 'state', label: 'State', type: 'state', value: order.state },
    { key: 'workMaster', label: 'Work master', type: 'id', value: order.workMaster },
    { key: 'created', label: 'Created', type: 'time', value: order.created },
    { key: 'release', label: 'Release', type: 'time', value: order.release },
    { key: 'due', label: 'Due', type: 'time', value: order.due },
    { key: 'expectedEnd', label: order.completed === undefined ? 'Expected end' : 'Completed', type: 'time', value: expectedEnd(order, jobs) },
    { key: 'priority', label: 'Priority', type: 'number', value: order.priority },
    { key: 'lot', label: 'Lot', type: 'id', value: order.lots.join(', ') },
    { key: 'disposition', label: 'Disposition', type: 'state', value: lots.find(({ id }) => id === order.lots[0])?.disposition ?? null },
  ]
  if (order.external !== undefined) facts.push({ key: 'external', label: `Number in ${order.external.system}`, type: 'id', value: order.external.id })
  if (order.cause !== undefined) facts.push({ key: 'cause', label: 'Cause', type: 'text', value: order.cause })
  if (order.of !== undefined) facts.push({ key: 'reworkOf', label: 'Rework of', type: 'id', value: `${order.of.jobOrder}, lot ${order.of.lot}` })
  return facts
}

/** Planned times as thin bars over the actual ones. */
function timeline(jobs: readonly JobOrder[], plant: Plant, order: WorkOrder, now: number): TimelineSection[] {
  const rows = jobs.map((job) => ({
    label: `${operationName(order, job, plant)}${job.equipment === null ? '' : ` · ${plant.nameOf(job.equipment)}`}`,
    spans: [
      ...(job.plannedStart === null || job.plannedEnd === null
        ? []
        : [{ from: job.plannedStart, to: job.plannedEnd, series: 'planned' as const, text: `planned, ${durationText(job.plannedEnd - job.plannedStart)}` }]),
      ...(job.actualStart === null
        ? []
        : [
            {
              from: job.actualStart,
              to: job.actualEnd ?? now,
              series: 'actual' as const,
              text: `actual, ${durationText((job.actualEnd ?? now) - job.actualStart)}`,
            },
          ]),
    ],
  }))
  const spans = rows.flatMap((row) => row.spans)
  if (spans.length === 0) return []
  return [
    {
      kind: 'timeline',
      id: 'timeline',
      title: 'Planned and actual times',
      from: Math.min(...spans.map(({ from }) => from)),
      to: Math.max(...spans.map(({ to }) => to)),
      rows,
    },
  ]
}

function jobSection({ order, jobs }: WorkOrderFacts, plant: Plant): TableSection {
  const rows = jobs.map(
    (job): Row => ({
      operation: operationName(order, job, plant),
      jobOrder: job.id,
      operationId: job.operation,
      equipment: job.equipment,
      unit: unitName(job.equipment, plant),
      state: job.substate === 'Completed' || job.substate === 'Closed' ? job.substate : job.state,
      plannedStart: job.plannedStart,
      actualStart: job.actualStart,
      plannedEnd: job.plannedEnd,
      actualEnd: job.actualEnd,
      quantity: job.quantity.value,
      good: job.good,
      scrap: job.scrap,
    }),
  )
  return {
    kind: 'table',
    id: 'jobOrders',
    title: 'Job orders',
    columns: [
      { key: 'operation', label: 'Operation', type: 'text' },
      { key: 'jobOrder', label: 'Job order', type: 'id', dataOnly: true },
      { key: 'operationId', label: 'Operation id', type: 'id', dataOnly: true },
      { key: 'equipment', label: 'Equipment', type: 'id', dataOnly: true },
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'state', label: 'State', type: 'state' },
      { key: 'plannedStart', label: 'Planned start', type: 'time' },
      { key: 'actualStart', label: 'Start', type: 'time' },
      { key: 'plannedEnd', label: 'Planned end', type: 'time' },
      { key: 'actualEnd', label: 'End', type: 'time' },
      { key: 'quantity', label: 'Quantity', type: 'number' },
      { key: 'good', label: 'Good', type: 'number' },
      { key: 'scrap', label: 'Scrap', type: 'number' },
    ],
    rows,
    // good parts of several operations are the same parts: only scrap adds up
    totals: { operation: 'Total', scrap: total(rows, 'scrap') },
    empty: 'The order has not been released.',
  }
}

/** The machines' own counts: where each part was made. */
function unitSection({ jobs, counts }: WorkOrderFacts, plant: Plant): TableSection {
  const byId = new Map(jobs.map((job) => [job.id, job]))
  const rows = counts
    .filter((row) => byId.has(row.job_order))
    .map(
      (row): Row => ({
        unit: plant.nameOf(row.equipment),
        equipment: row.equipment,
        operation: byId.get(row.job_order)?.operation ?? null,
        jobOrder: row.job_order,
        good: row.good,
        scrap: row.scrap,
        parts: row.good + row.scrap,
        first: row.first,
        last: row.last,
        ledger: row.ledger,
      }),
    )
  return {
    kind: 'table',
    id: 'quantities',
    title: 'Quantities by unit, as counted by the machines',
    columns: [
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'equipment', label: 'Equipment', type: 'id', dataOnly: true },
      { key: 'operation', label: 'Operation', type: 'text' },
      { key: 'jobOrder', label: 'Job order', type: 'id' },
      { key: 'good', label: 'Good', type: 'number' },
      { key: 'scrap', label: 'Scrap', type: 'number' },
      { key: 'parts', label: 'Parts', type: 'number' },
      { key: 'first', label: 'First part', type: 'time' },
      { key: 'last', label: 'Last part', type: 'time' },
      { key: 'ledger', label: 'Ledger', type: 'number', dataOnly: true },
    ],
    rows,
    totals: { unit: 'Total', good: total(rows, 'good'), scrap: total(rows, 'scrap'), parts: total(rows, 'parts') },
    empty: 'No part has been counted.',
  }
}

function operationOf(result: QualityResult, { jobs, reworkJobs, order }: WorkOrderFacts, plant: Plant): string {
  const own = jobs.find(({ id }) => id === result.jobOrder)
  if (own !== undefined) return operationName(order, own, plant)
  const rework = reworkJobs.find(({ id }) => id === result.jobOrder)
  return rework === undefined ? '?' : `${operationName(order, rework, plant)} (rework)`
}

function lotSection({ lots, reworks, jobs, reworkJobs }: WorkOrderFacts, plant: Plant): TableSection {
  const all = [...jobs, ...reworkJobs]
  return {
    kind: 'table',
    id: 'lots',
    title: 'Lots',
    columns: [
      { key: 'lot', label: 'Lot', type: 'id' },
      { key: 'material', label: 'Material', type: 'text' },
      { key: 'from', label: 'From lot', type: 'id' },
      { key: 'units', label: 'Worked on by', type: 'text' },
      { key: 'good', label: 'Good', type: 'number' },
      { key: 'disposition', label: 'Disposition', type: 'state' },
      { key: 'reason', label: 'Reason', type: 'text' },
    ],
    rows: lots.map((lot) => {
      const own = all.filter((job) => job.lot === lot.id)
      const units = new Set(own.filter(({ actualStart }) => actualStart !== null).map(({ equipment }) => unitName(equipment, plant)))
      const last = own.reduce((highest, { sequence }) => Math.max(highest, sequence), 0)
      return {
        lot: lot.id,
        material: lot.material,
        from: reworks.find((rework) => rework.lots.includes(lot.id))?.of?.lot ?? null,
        units: [...units].join(', '),
        good: own.reduce((sum, job) => sum + (job.sequence === last ? job.good : 0), 0),
        disposition: lot.disposition,
        reason: lot.reason ?? null,
      }
    }),
    empty: 'The order has no lot yet.',
  }
}

function dispositionSection({ events }: WorkOrderFacts): TableSection {
  const words: Readonly<Record<string, string>> = { 'lot.held': 'held', 'lot.released': 'released', 'lot.scrapped': 'scrapped' }
  return {
    kind: 'table',
    id: 'holds',
    title: 'Holds and releases',
    columns: [
      { key: 'time', label: 'Time', type: 'moment' },
      { key: 'lot', label: 'Lot', type: 'id' },
      { key: 'what', label: 'What', type: 'state' },
      { key: 'by', label: 'By', type: 'text' },
      { key: 'actor', label: 'Actor', type: 'id', dataOnly: true },
      { key: 'why', label: 'Why', type: 'text' },
    ],
    rows: events
      .filter(({ type }) => Object.hasOwn(words, type))
      .map(({ time, subject, type, actor, why }) => ({ time, lot: subject, what: words[type] ?? null, by: who(actor), why, actor })),
    empty: 'No lot was held.',
  }
}

function reworkSection({ reworks }: WorkOrderFacts): TableSection {
  return {
    kind: 'table',
    id: 'rework',
    title: 'Rework',
    columns: [
      { key: 'order', label: 'Rework order', type: 'id' },
      { key: 'of', label: 'Of job order', type: 'id' },
      { key: 'lot', label: 'Of lot', type: 'id' },
      { key: 'state', label: 'State', type: 'state' },
      { key: 'quantity', label: 'Quantity', type: 'number' },
      { key: 'good', label: 'Good', type: 'number' },
      { key: 'scrap', label: 'Scrap', type: 'number' },
    ],
    rows: reworks.map(({ id, of, state, quantity, progress }) => ({
      order: id,
      of: of?.jobOrder ?? null,
      lot: of?.lot ?? null,
      state,
      quantity: quantity.value,
      good: progress.good,
      scrap: progress.scrap,
    })),
    empty: 'Nothing was made again.',
  }
}

function maintenanceSection({ maintenance }: WorkOrderFacts, plant: Plant): TableSection {
  return {
    kind: 'table',
    id: 'maintenance',
    title: 'Maintenance of its units meanwhile',
    columns: [
      { key: 'unit', label: 'Unit', type: 'text' },
      { key: 'order', label: 'Order', type: 'id' },
      { key: 'type', label: 'Type', type: 'text' },
      { key: 'start', label: 'Start', type: 'time' },
      { key: 'end', label: 'End', type: 'time' },
      { key: 'cause', label: 'Cause', type: 'text' },
    ],
    rows: maintenance.map(({ order, job }) => ({
      unit: unitName(job.equipment, plant),
      order: order.id,
      type: job.maintenance ?? null,
      start: job.actualStart,
      end: job.actualEnd,
      cause: order.cause ?? null,
    })),
    empty: 'None of its units was repaired while it ran.',
  }
}

function eventSection({ events, order, archivedUpTo }: WorkOrderFacts, plant: Plant): TableSection {
  const rows = events.flatMap((event): Row[] => {
    const told = eventText(event, plant)
    return told === undefined
      ? []
      : [{ time: event.time, text: told.text, by: who(event.actor), actor: event.actor, why: event.why, type: event.type, sequence: event.sequence }]
  })
  const notes = [
    ...(events.length === MOST_EVENTS ? [`The first ${MOST_EVENTS} events.`] : []),
    ...(archivedUpTo !== null && order.created <= archivedUpTo
      ? [`Of the time up to ${new Date(archivedUpTo).toISOString()} only the last events are here; all are in the archive.`]
      : []),
  ]
  return {
    kind: 'table',
    id: 'events',
    title: 'What happened',
    ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
    columns: [
      { key: 'time', label: 'Time', type: 'moment' },
      { key: 'text', label: 'Event', type: 'text' },
      { key: 'by', label: 'By', type: 'text' },
      { key: 'actor', label: 'Actor', type: 'id', dataOnly: true },
      { key: 'why', label: 'Why', type: 'text', dataOnly: true },
      { key: 'type', label: 'Type', type: 'id', dataOnly: true },
      { key: 'sequence', label: 'Ledger', type: 'number' },
    ],
    rows,
    empty: 'Nothing has happened yet.',
  }
}
