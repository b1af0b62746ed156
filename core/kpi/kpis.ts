import type { Selectable } from 'kysely'
import type { JobOrder } from '../messages/job-order.ts'
import type { Kpi } from '../messages/kpi.ts'
import type { TimeElement } from '../messages/machine-state.ts'
import type { Plant } from '../plant/plant.ts'
import type { Tables } from '../store/schema.ts'
import type { StoreReader } from '../store/store.ts'
import { assertCounted, CountWindow, type Made } from './counts.ts'
import { kpiValues, type Quantities } from './formulas.ts'
import { type StateSpan, sumOf, type TimeModel, timeModel } from './time-model.ts'

/** Time and quantities of one unit in a span, from which every KPI of it and of its line follows. */
export interface Measured {
  readonly equipment: string
  readonly time: TimeModel
  readonly quantities: Quantities
  /** First and last rows of `machine_state`, first and last count events of the ledger; empty where there are none. */
  readonly lineage: Kpi['lineage']
}

/** The records of a span, and what they come to unit by unit. */
export interface Measurement {
  readonly units: readonly Measured[]
  readonly spans: readonly UnitSpan[]
  readonly made: readonly Made[]
  /** Every job order that the spans and counts name. */
  readonly jobs: ReadonlyMap<string, JobOrder>
}

export interface UnitSpan extends StateSpan {
  readonly id: number
  readonly equipment: string
  readonly mode: string | null
  readonly reason: string | null
}

/**
 * ISO 22400-2 KPIs of a unit, or of a line, area or site (all units below it), between two times (epoch ms). `to` should not lie in the
 * future: the present state of a unit is taken to last until then. `lineage` names the records it was made of. Throws TAKT_LEDGER_ARCHIVED.
 */
export async function kpis(store: StoreReader, plant: Plant, scope: string, from: number, to: number): Promise<Kpi> {
  await assertCounted(store, from)
  const { units } = await measure(store, plant, unitsOf(plant, scope), from, to)
  return kpiOf(scope, units, from, to)
}

/** Ids of the units that a scope means: itself, or every unit below it. */
export function unitsOf(plant: Plant, scope: string): readonly string[] {
  return plant.units.map(({ id }) => id).filter((id) => id === scope || id.startsWith(`${scope}/`))
}

/** The KPIs of measured units together. */
export function kpiOf(scope: string, measured: readonly Measured[], from: number, to: number): Kpi {
  const time = sumOf(measured.map((unit) => unit.time))
  const made = sumOfQuantities(measured.map((unit) => unit.quantities))
  return {
    kind: 'kpi',
    scope,
    from,
    to,
    values: kpiValues(time, made),
    elements: { ...time, ...made, PQ: made.GQ + made.SQ },
    lineage: {
      states: span(measured.flatMap((unit) => unit.lineage.states)),
      counts: span(measured.flatMap((unit) => unit.lineage.counts)),
    },
  }
}

export interface MeasureOptions {
  /** Counts gathered by an earlier call with the same `from`. */
  readonly counts?: CountWindow
  /** Read quality results too (RQ, IP, GP); a dashboard that asks every second can do without. */
  readonly inspection?: boolean
}

/** Reads what happened at units in a span: five queries, however many units. */
export async function measure(
  store: StoreReader,
  plant: Plant,
  units: readonly string[],
  from: number,
  to: number,
  { counts = new CountWindow(from), inspection = true }: MeasureOptions = {},
): Promise<Measurement> {
  const wanted = new Set(units)
  const rows = await stateRows(store, units, from, to)
  const counted = (await counts.upTo(store, to)).filter(({ equipment }) => wanted.has(equipment))
  const named = new Set([...rows.map((row) => row.job_order), ...counted.map(({ jobOrder }) => jobOrder)].filter((id) => id !== null))
  const jobs = new Map((await jobOrders(store, [...named])).map((job) => [job.id, job]))
  // a unit that counts its repair has made no part
  const made = counted.filter(({ jobOrder }) => jobs.get(jobOrder ?? '')?.maintenance === undefined)
  const inspected = inspection ? await inspections(store, from, to) : new Map<string, Inspection>()

  const spans = rows.map((row) => ({
    id: row.id,
    equipment: row.equipment,
    state: row.state,
    mode: row.mode,
    reason: row.reason,
    element: row.element as TimeElement | null,
    jobOrder: row.job_order,
    since: row.since,
    until: row.until,
    maintenance: row.mode === 'Maintenance' ? (jobs.get(row.job_order ?? '')?.maintenance ?? 'planned') : null,
  }))
  const measured = units.map((equipment) => {
    const own = spans.filter((row) => row.equipment === equipment)
    const parts = made.filter((row) => row.equipment === equipment)
    const sum = (key: 'good' | 'scrap'): number => parts.reduce((total, row) => total + row[key], 0)
    const { RQ, IP, GP } = inspected.get(equipment) ?? NOT_INSPECTED
    return {
      equipment,
      time: timeModel(own, plant.openWindows(equipment, from, to), from, to),
      quantities: { GQ: sum('good'), SQ: sum('scrap'), RQ, IP, GP, plannedRunMs: parts.reduce((total, row) => total + plannedRunMs(row, jobs), 0) },
      lineage: { states: span(own.map(({ id }) => id)), counts: span(parts.flatMap(({ lineage }) => lineage)) },
    }
  })
  return { units: measured, spans, made, jobs }
}

/** PRU · PQ: what the parts of a job should have taken on this unit. */
function plannedRunMs({ equipment, jobOrder, good, scrap }: Made, jobs: ReadonlyMap<string, JobOrder>): number {
  const alternatives = jobs.get(jobOrder ?? '')?.alternatives ?? []
  return (good + scrap) * (alternatives.find((alternative) => alternative.equipment === equipment)?.perPieceMs ?? 0)
}

type StateRow = Selectable<Tables['machine_state']>

async function stateRows(store: StoreReader, units: readonly string[], from: number, to: number): Promise<StateRow[]> {
  const all = store.db.selectFrom('machine_state').selectAll().where('equipment', 'in', units)
  // in two, because `or` would keep the database from its index on `until`, and a long past would be read
  const past = await all.where('until', '>', from).where('since', '<', to).execute()
  const present = await all.where('until', 'is', null).where('since', '<', to).execute()
  return [...past, ...present].sort(byTime)
}

function byTime(a: StateRow, b: StateRow): number {
  return a.since - b.since || a.id - b.id
}

const MOST_IDS = 500

async function jobOrders(store: StoreReader, ids: readonly string[]): Promise<JobOrder[]> {
  const jobs: JobOrder[] = []
  for (let at = 0; at < ids.length; at += MOST_IDS) jobs.push(...(await store.list('job-order', { where: { id: ids.slice(at, at + MOST_IDS) } })))
  return jobs
}

type Inspection = Pick<Quantities, 'RQ' | 'IP' | 'GP'>
const NOT_INSPECTED: Inspection = { RQ: 0, IP: 0, GP: 0 }

/** Parts inspected, those good, and those set aside for rework, by the unit that made them. */
async function inspections(store: StoreReader, from: number, to: number): Promise<Map<string, Inspection>> {
  const rows = await store.db.selectFrom('quality_result').select('document').where('time', '>=', from).where('time', '<', to).execute()
  const byUnit = new Map<string, Inspection>()
  for (const { document } of rows) {
    const { equipment, decision, values } = JSON.parse(document) as { equipment: string | null; decision: string; values: number[] }
    if (equipment === null) continue
    const { RQ, IP, GP } = byUnit.get(equipment) ?? NOT_INSPECTED
    byUnit.set(equipment, {
      IP: IP + values.length,
      GP: GP + (decision === 'pass' ? values.length : 0),
      RQ: RQ + (decision === 'hold' ? values.length : 0),
    })
  }
  return byUnit
}

function sumOfQuantities(list: readonly Quantities[]): Quantities {
  const sum = { GQ: 0, SQ: 0, RQ: 0, IP: 0, GP: 0, plannedRunMs: 0 }
  for (const quantities of list) for (const key of Object.keys(sum) as (keyof Quantities)[]) sum[key] += quantities[key]
  return sum
}

/** First and last of some numbers. */
function span(numbers: readonly number[]): number[] {
  return numbers.length === 0 ? [] : [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))]
}
