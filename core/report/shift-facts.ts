import { assertCounted } from '../kpi/counts.ts'
import { type Measurement, measure, type UnitSpan } from '../kpi/kpis.ts'
import type { Anomaly } from '../messages/anomaly.ts'
import type { Disruption } from '../messages/disruption.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Lot } from '../messages/lot.ts'
import type { QualityResult } from '../messages/quality-result.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import { type SignatureCheck, signaturesAbout } from '../sign/check-signature.ts'
import type { StoreReader } from '../store/store.ts'

/** Everything that happened at some units in a span. */
export interface ShiftFacts {
  readonly units: readonly string[]
  readonly from: number
  readonly to: number
  readonly measurement: Measurement
  /** Every work order that was worked on, is open, or was finished in the span. */
  readonly orders: ReadonlyMap<string, WorkOrder>
  /** Job orders of the open and finished ones among them, by work order. */
  readonly jobsOf: ReadonlyMap<string, readonly JobOrder[]>
  readonly anomalies: readonly AnomalyFate[]
  readonly disruptions: readonly Disruption[]
  readonly results: readonly QualityResult[]
  readonly held: readonly Lot[]
  /** Of all that is above: orders, their jobs, procedures and lots, measurements, disruptions, anomalies. */
  readonly signatures: readonly SignatureCheck[]
}

/** An anomaly, and what came after it: the repair and the failure, where there were any. */
export interface AnomalyFate {
  readonly anomaly: Anomaly
  readonly repaired: number | null
  readonly failed: number | null
}

const OPEN_STATES = ['Released', 'Running', 'Held'] as const

export async function shiftFacts(store: StoreReader, plant: Plant, units: readonly string[], from: number, to: number): Promise<ShiftFacts> {
  const wanted = new Set(units)
  await assertCounted(store, from)
  const measurement = await measure(store, plant, units, from, to)
  const orders = await workOrders(store, measurement, from, to)
  const jobs = await store.list('job-order', { where: { work_order: [...orders.keys()] } })
  const between = { from, to }
  const anomalies = (await store.list('anomaly', { where: { equipment: units }, orderBy: 'since' })).filter((anomaly) => overlaps(anomaly, between))
  const disruptions = await store.list('disruption', { where: { equipment: units }, orderBy: 'time' })
  const inSpan = disruptions.filter(({ time }) => time >= from && time < to)
  const results = (await resultsBetween(store, from, to)).filter(({ equipment }) => equipment === null || wanted.has(equipment))
  const held = await store.list('lot', { where: { disposition: 'held' } })
  const jobIds = jobs.map(({ id }) => id)
  return {
    units,
    from,
    to,
    measurement,
    orders,
    jobsOf: Map.groupBy(jobs, (job) => job.workOrder),
    anomalies: await Promise.all(anomalies.map((anomaly) => fateOf(store, anomaly))),
    disruptions: inSpan,
    results,
    held,
    signatures: await signaturesAbout(store, {
      'work-order': [...orders.keys()],
      'job-order': jobIds,
      'procedure-run': jobIds,
      lot: [...new Set([...orders.values()].flatMap(({ lots }) => lots).concat(held.map(({ id }) => id)))],
      'quality-result': results.map(({ id }) => id),
      disruption: inSpan.map(({ id }) => id),
      anomaly: anomalies.map(({ id }) => id),
    }),
  }
}

function overlaps({ since, time, state }: Anomaly, span: { readonly from: number; readonly to: number }): boolean {
  return since < span.to && (state !== 'cleared' || time >= span.from)
}

async function workOrders(store: StoreReader, { jobs }: Measurement, from: number, to: number): Promise<Map<string, WorkOrder>> {
  const touched = [...new Set([...jobs.values()].map((job) => job.workOrder))]
  const orders = [
    ...(await store.list('work-order', { where: { state: OPEN_STATES }, orderBy: 'due' })),
    ...(await store.list('work-order', { where: { id: touched } })),
    ...(await finishedOrders(store, from, to)),
  ]
  return new Map(orders.map((order) => [order.id, order]))
}

/** Found through the job orders that ended in the span: an order is finished with its last one. */
async function finishedOrders(store: StoreReader, from: number, to: number): Promise<WorkOrder[]> {
  const ended = await store.db.selectFrom('job_response').select('work_order').distinct().where('end', '>=', from).where('end', '<=', to).execute()
  const orders = await store.list('work-order', { where: { id: ended.map((row) => row.work_order) } })
  return orders.filter(({ completed }) => completed !== undefined && completed >= from)
}

/** The unit's first repair and first failure after an anomaly began; a failure after the repair has nothing to do with it. */
async function fateOf(store: StoreReader, anomaly: Anomaly): Promise<AnomalyFate> {
  const { equipment, since } = anomaly
  const after = store.db.selectFrom('machine_state').select('since').where('equipment', '=', equipment).where('since', '>=', since).orderBy('since').limit(1)
  const repaired = (await after.where('mode', '=', 'Maintenance').executeTakeFirst())?.since ?? null
  const failed = (await after.where('element', '=', 'ADET').executeTakeFirst())?.since ?? null
  return { anomaly, repaired, failed: failed !== null && repaired !== null && failed > repaired ? null : failed }
}

async function resultsBetween(store: StoreReader, from: number, to: number): Promise<QualityResult[]> {
  const rows = await store.db.selectFrom('quality_result').select('document').where('time', '>=', from).where('time', '<', to).orderBy('time').execute()
  return rows.map(({ document }) => JSON.parse(document) as QualityResult)
}

/** A time in which a unit was down or under maintenance, whatever states it went through. */
export interface Stop {
  readonly equipment: string
  readonly from: number
  readonly to: number
  /** It lasts on. */
  readonly open: boolean
  readonly spans: readonly UnitSpan[]
}

/** Stops of the units in the span, longest first; stays in ADET, PDOT or maintenance one after another are one stop. */
export function stopsOf({ measurement, units, from, to }: Pick<ShiftFacts, 'measurement' | 'units' | 'from' | 'to'>): readonly Stop[] {
  const stops: Stop[] = []
  for (const equipment of units) {
    let current: UnitSpan[] = []
    const end = (): void => {
      const [first] = current
      const last = current.at(-1)
      if (first !== undefined && last !== undefined) {
        stops.push({
          equipment,
          from: Math.max(from, first.since),
          to: Math.min(to, last.until ?? to),
          open: last.until === null || last.until > to,
          spans: current,
        })
      }
      current = []
    }
    for (const span of measurement.spans.filter((row) => row.equipment === equipment)) {
      if (span.element === 'ADET' || span.element === 'PDOT') current.push(span)
      else end()
    }
    end()
  }
  return stops.sort((a, b) => b.to - b.from - (a.to - a.from))
}
