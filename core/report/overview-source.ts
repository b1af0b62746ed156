import type { Clock } from '../base/clock.ts'
import { CountWindow } from '../kpi/counts.ts'
import { kpiOf, type Measurement, measure } from '../kpi/kpis.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Kpi } from '../messages/kpi.ts'
import type { Lot } from '../messages/lot.ts'
import type { Plan } from '../messages/plan.ts'
import type { QualityResult } from '../messages/quality-result.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import { returning } from '../orders/maintenance/service.ts'
import { loadOutlook, type PlanOutlook } from '../orders/planning/outlook.ts'
import type { Plant } from '../plant/plant.ts'
import type { Store, StoreReader } from '../store/store.ts'
import { anomalyText, eventText, TOLD_TYPES } from './event-text.ts'
import { numberText } from './format.ts'
import { materialName, productOf, unitName } from './names.ts'
import type { Overview, OverviewAlarm, OverviewAnomaly, OverviewDisruption, OverviewEvent, OverviewKpi, OverviewQuality } from './overview.ts'
import { orderRows } from './overview-orders.ts'
import { overviewPlan } from './overview-plan.ts'
import { OverviewScores } from './overview-scores.ts'
import { orderSignatures } from './overview-signatures.ts'
import { unitRows } from './overview-units.ts'
import { limitsText } from './quality-sections.ts'
import { type ShiftSpan, shiftSpan } from './shift-span.ts'

const MOST = { openOrders: 200, finishedOrders: 12, disruptions: 20, anomalies: 50, clearedAlarms: 12, results: 20, events: 60 } as const
/** Of a ledger that it has not followed yet, it reads the end only. */
const FIRST_EVENTS = 400
/** The scheduler's outlook follows a new plan within seconds. */
const OUTLOOK_STANDS_REAL_MS = 30_000

/**
 * Makes snapshots of the plant. Cheap enough for every second: what only grows (counts of the shift, events) is remembered and read on from there.
 */
export class OverviewSource {
  readonly #store: Store
  readonly #plant: () => Plant
  readonly #clock: Clock
  #shift: { readonly plant: Plant; readonly minute: number; readonly span: ShiftSpan } | undefined
  #counts: CountWindow | undefined
  #told: OverviewEvent[] = []
  readonly #scores: OverviewScores
  #read: number | undefined

  constructor(store: Store, plant: () => Plant, clock: Clock) {
    this.#store = store
    this.#plant = plant
    this.#clock = clock
    this.#scores = new OverviewScores(store, () => clock.rate)
  }

  async snapshot(): Promise<Overview> {
    const store = this.#store
    const plant = this.#plant()
    const now = this.#clock.now()
    const units = plant.units.map(({ id }) => id)
    const shift = this.#shiftAt(plant, units, now)

    const [head, measurement, events, orders, plans, alarms, disruptions, results, heldLots, latestOutlook] = await Promise.all([
      store.head(),
      this.#measure(plant, units, shift),
      this.#events(plant),
      openAndFinished(store),
      store.list('plan', { orderBy: 'version', descending: true, limit: 2 }),
      latestAlarms(store, plant),
      latestDisruptions(store, plant),
      store.list('quality-result', { orderBy: 'time', descending: true, limit: MOST.results }),
      store.list('lot', { where: { disposition: 'held' } }),
      loadOutlook(store),
    ])
    const anomalies = standing(alarms)
    // after the events: one of them may be a person's word on an alarm
    const scorecard = await this.#scores.at(now)
    const jobs = await store.list('job-order', { where: { work_order: orders.map(({ id }) => id) } })
    const lots = await store.list('lot', { where: { id: orders.flatMap((order) => order.lots) } })
    const allJobs = new Map([...measurement.jobs.values(), ...jobs].map((job) => [job.id, job]))
    const heldSince = await holdTimes(store, heldLots)
    const known = { plant, now, orders: await withTouched(store, orders, allJobs), jobs: allJobs }

    const [plan, previous] = plans
    const signatures = await orderSignatures(store, orders)
    const rows = orderRows(known, orders, lots, standingOutlook(latestOutlook, plan, now, this.#clock.rate), signatures)
    const line = kpiOf(plant.model.plant, measurement.units, shift.from, shift.to)
    return {
      plant: plant.model.name ?? plant.nameOf(plant.model.plant),
      timeZone: plant.timeZone,
      now,
      rate: this.#clock.rate,
      ledger: { head: head.sequence, hash: head.hash },
      units: unitRows(known, measurement.spans, anomalies, plan, await returning(store)),
      orders: rows,
      totals: {
        open: rows.filter(({ state }) => isOpen(state)).length,
        running: rows.filter(({ state }) => state === 'Running').length,
        late: rows.filter(({ late, state }) => late && isOpen(state)).length,
        held: heldLots.length,
        finished: rows.filter(({ type, state, expectedEnd }) => type !== 'maintenance' && state === 'Completed' && (expectedEnd ?? 0) >= shift.from).length,
        good: line.elements.GQ ?? 0,
        scrap: line.elements.SQ ?? 0,
      },
      plan: plan === undefined ? null : overviewPlan(known, rows, plan, previous, shift.from),
      anomalies,
      alarms,
      scorecard,
      disruptions,
      kpis: {
        shift: shift.shift,
        from: shift.from,
        to: shift.to,
        line: kpiRow(line, plant.model.name ?? 'All units'),
        units: measurement.units.map((unit) => kpiRow(kpiOf(unit.equipment, [unit], shift.from, shift.to), plant.nameOf(unit.equipment))),
      },
      quality: { holds: holdRows(plant, heldLots, heldSince, known.orders), results: resultRows(plant, results) },
      events,
    }
  }

  /** Shifts begin and end on the minute, so a calendar need not be asked more often. */
  #shiftAt(plant: Plant, units: readonly string[], now: number): ShiftSpan {
    const minute = Math.floor(now / 60_000)
    if (this.#shift?.plant !== plant || this.#shift.minute !== minute) this.#shift = { plant, minute, span: shiftSpan(plant, units, 'current-shift', now) }
    return { ...this.#shift.span, to: now }
  }

  #measure(plant: Plant, units: readonly string[], shift: ShiftSpan): Promise<Measurement> {
    if (this.#counts?.from !== shift.from) this.#counts = shift.running ? new CountWindow(shift.from) : undefined
    const counts = this.#counts
    return measure(this.#store, plant, units, shift.from, shift.to, { inspection: false, ...(counts === undefined ? {} : { counts }) })
  }

  async #events(plant: Plant): Promise<readonly OverviewEvent[]> {
    const head = (await this.#store.head()).sequence
    const after = Math.max(this.#read ?? 0, head - FIRST_EVENTS)
    const fresh = head > (this.#read ?? -1) ? await this.#store.events(after, FIRST_EVENTS) : []
    for (const event of fresh) {
      if (event.sequence <= (this.#read ?? 0)) continue
      this.#read = event.sequence
      if (event.type === 'anomaly.confirmed' || event.type === 'anomaly.refused') this.#scores.outdated()
      const told = TOLD_TYPES.includes(event.type) ? eventText(event, plant) : undefined
      if (told !== undefined) this.#told.unshift({ sequence: event.sequence, time: event.time, type: event.type, actor: event.actor, ...told })
    }
    this.#told = this.#told.slice(0, MOST.events)
    return this.#told
  }
}

/** An outlook of the plan in force, or for a while of one shortly before: the next one is under way. */
function standingOutlook(outlook: PlanOutlook | undefined, plan: Plan | undefined, now: number, rate: number): PlanOutlook | undefined {
  if (outlook === undefined || plan === undefined) return undefined
  return outlook.plan === plan.version || Math.abs(now - outlook.now) < OUTLOOK_STANDS_REAL_MS * rate ? outlook : undefined
}

/** What the rows of a snapshot are made from. */
export interface Known {
  readonly plant: Plant
  readonly now: number
  readonly orders: ReadonlyMap<string, WorkOrder>
  readonly jobs: ReadonlyMap<string, JobOrder>
}

const OPEN_STATES = ['Planned', 'Released', 'Running', 'Held'] as const

export function isOpen(state: WorkOrder['state']): boolean {
  return (OPEN_STATES as readonly string[]).includes(state)
}

async function openAndFinished(store: StoreReader): Promise<WorkOrder[]> {
  const [open, finished] = await Promise.all([
    store.list('work-order', { where: { state: OPEN_STATES }, orderBy: 'due', limit: MOST.openOrders }),
    store.list('work-order', { where: { state: ['Completed', 'Closed'] }, orderBy: 'ledger', descending: true, limit: MOST.finishedOrders }),
  ])
  return [...open, ...finished]
}

/** The orders, and those of other jobs that units have run lately. */
async function withTouched(store: StoreReader, orders: readonly WorkOrder[], jobs: ReadonlyMap<string, JobOrder>): Promise<ReadonlyMap<string, WorkOrder>> {
  const known = new Map(orders.map((order) => [order.id, order]))
  const missing = [...new Set([...jobs.values()].map((job) => job.workOrder))].filter((id) => !known.has(id))
  for (const order of await store.list('work-order', { where: { id: missing.slice(-500) } })) known.set(order.id, order)
  return known
}

const SEVERITY_RANKS = { high: 0, medium: 1, low: 2 } as const

async function latestAlarms(store: StoreReader, plant: Plant): Promise<readonly OverviewAlarm[]> {
  const [stand, cleared] = await Promise.all([
    store.list('anomaly', { where: { state: ['raised', 'updated'] }, orderBy: 'since', descending: true, limit: MOST.anomalies }),
    store.list('anomaly', { where: { state: 'cleared' }, orderBy: 'since', descending: true, limit: MOST.clearedAlarms }),
  ])
  const rows = [...stand, ...cleared].map((anomaly) => {
    const { id, equipment, signals, severity, score, since, state, time, detectorName, verdict } = anomaly
    return {
      id,
      equipment,
      unit: plant.nameOf(equipment),
      signals,
      severity,
      score,
      since,
      text: anomalyText(anomaly),
      detector: detectorName ?? null,
      cleared: state === 'cleared' ? time : null,
      verdict: verdict === undefined ? null : { decision: verdict.decision, by: verdict.by },
    }
  })
  return rows.sort((a, b) => b.since - a.since)
}

/** Those that stand, worst first. */
function standing(alarms: readonly OverviewAlarm[]): readonly OverviewAnomaly[] {
  return alarms
    .filter(({ cleared }) => cleared === null)
    .map(({ detector: _detector, cleared: _cleared, verdict: _verdict, ...anomaly }) => anomaly)
    .sort((a, b) => SEVERITY_RANKS[a.severity] - SEVERITY_RANKS[b.severity] || b.since - a.since)
}

async function latestDisruptions(store: StoreReader, plant: Plant): Promise<readonly OverviewDisruption[]> {
  const [proposed, latest] = await Promise.all([
    store.list('disruption', { where: { status: 'proposed' }, orderBy: 'time', descending: true, limit: MOST.disruptions }),
    store.list('disruption', { orderBy: 'time', descending: true, limit: MOST.disruptions }),
  ])
  const rows = [...new Map([...proposed, ...latest].map((disruption) => [disruption.id, disruption])).values()].map((disruption) => {
    const { id, equipment, action, status, autonomy, why, deadline, maintenanceOrder, decidedBy, time } = disruption
    const awaiting = status === 'proposed' && autonomy === 'approve'
    return {
      id,
      equipment,
      unit: plant.nameOf(equipment),
      action,
      status,
      awaiting,
      autonomy,
      why,
      deadline,
      maintenanceOrder: maintenanceOrder ?? null,
      decidedBy: decidedBy ?? null,
      time,
    }
  })
  return rows.sort((a, b) => Number(b.awaiting) - Number(a.awaiting) || b.time - a.time).slice(0, MOST.disruptions)
}

function kpiRow({ scope, values, elements }: Kpi, name: string): OverviewKpi {
  const value = (key: string): number | null => values[key] ?? null
  return {
    scope,
    name,
    oee: value('OEE'),
    availability: value('availability'),
    effectiveness: value('effectiveness'),
    qualityRatio: value('qualityRatio'),
    utilization: value('utilization'),
    good: elements.GQ ?? 0,
    scrap: elements.SQ ?? 0,
    elements,
  }
}

async function holdTimes(store: StoreReader, held: readonly Lot[]): Promise<ReadonlyMap<string, number>> {
  const lots = held.map(({ id }) => id)
  if (lots.length === 0) return new Map()
  const rows = await store.db
    .selectFrom('ledger')
    .select(['subject', 'time'])
    .where('subject', 'in', lots)
    .where('type', '=', 'lot.held')
    .orderBy('sequence')
    .execute()
  return new Map(rows.map(({ subject, time }) => [subject, time]))
}

function holdRows(plant: Plant, held: readonly Lot[], since: ReadonlyMap<string, number>, orders: ReadonlyMap<string, WorkOrder>): OverviewQuality['holds'] {
  const reworks = [...orders.values()].filter(({ type, state }) => type === 'rework' && isOpen(state))
  return held.map((lot) => ({
    lot: lot.id,
    workOrder: lot.workOrder,
    product: productName(lot, orders, plant),
    reason: lot.reason ?? '',
    since: since.get(lot.id) ?? null,
    rework: reworks.find(({ of }) => of?.lot === lot.id)?.id ?? null,
  }))
}

function resultRows(plant: Plant, results: readonly QualityResult[]): OverviewQuality['results'] {
  return results.map((result) => ({
    id: result.id,
    lot: result.lot,
    jobOrder: result.jobOrder,
    unit: unitName(result.equipment, plant),
    characteristic: result.characteristic,
    value: `${result.values.map(numberText).join(', ')}${result.unit === undefined ? '' : ` ${result.unit}`}`,
    limits: limitsText(result),
    decision: result.decision,
    time: result.time,
  }))
}

function productName(lot: Lot, orders: ReadonlyMap<string, WorkOrder>, plant: Plant): string {
  const order = orders.get(lot.workOrder ?? '')
  return order === undefined ? materialName(lot.material, plant) : productOf(order, plant)
}
