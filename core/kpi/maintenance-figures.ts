import { TaktError } from '../base/error.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Kpi } from '../messages/kpi.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreReader } from '../store/store.ts'
import { ratio } from './formulas.ts'
import { measure, type UnitSpan, unitsOf } from './kpis.ts'

/** A time in which a unit was down by failure; `to` null: it is not back yet. `order`: the repair of it, where there was one. */
export interface Failure {
  readonly from: number
  readonly to: number | null
  readonly order: string | null
  /** How long the unit had worked since it was last restored (by a repair of any kind, or by coming back from a failure), ms. */
  readonly livedMs: number
}

/** A repair that was done: it has ended in the span. */
export interface Repair {
  readonly order: string
  readonly kind: 'planned' | 'unplanned'
  readonly from: number
  readonly to: number
  /** Whether the unit passed its trial after it; null: there was none, or it is not decided. */
  readonly helped: boolean | null
}

/** What maintenance of one unit came to in a span. Times in ms. */
export interface UnitMaintenance {
  readonly equipment: string
  /** ISO 22400 AUPT: time in which it worked. */
  readonly operatingMs: number
  readonly failures: readonly Failure[]
  readonly repairs: readonly Repair[]
  /** First and last rows of `machine_state`. */
  readonly states: readonly number[]
}

/**
 * Maintenance figures of a unit, or of all units below a line, area or site, between two times (epoch ms), from unit states and maintenance orders. `lineage.orders` names for each figure
 * the orders behind it. What a recorded log says of units without states counts too. Throws TAKT_EQUIPMENT_UNKNOWN.
 */
export async function maintenanceFigures(reader: StoreReader, plant: Plant, scope: string, from: number, to: number): Promise<Kpi> {
  const units = unitsOf(plant, scope)
  if (units.length === 0) throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `there is no unit at or below '${scope}'`, where: 'maintenance figures' })
  return figuresOf(scope, await measureMaintenance(reader, plant, units, from, to), from, to)
}

/** The figures of measured units together; null where nothing was counted to divide by. Ratios are shares. */
export function figuresOf(scope: string, units: readonly UnitMaintenance[], from: number, to: number): Kpi {
  const failures = units.flatMap((unit) => unit.failures)
  const repairs = units.flatMap((unit) => unit.repairs)
  const restored = failures.flatMap((failure) => (failure.to === null ? [] : [{ ...failure, to: failure.to }]))
  const of = (kind: Repair['kind']): Repair[] => repairs.filter((repair) => repair.kind === kind)
  const tried = repairs.filter(({ helped }) => helped !== null)
  const operatingMs = total(units, ({ operatingMs: ms }) => ms)
  const downMs = total(failures, (failure) => (failure.to ?? to) - failure.from)
  const [CMT, PMT] = [total(of('unplanned'), lengthOf), total(of('planned'), lengthOf)]
  const helped = tried.filter((repair) => repair.helped === true)
  const idsOf = (list: readonly { readonly order: string | null }[]): string[] => [...new Set(list.flatMap(({ order }) => order ?? []))]
  return {
    kind: 'kpi',
    scope,
    from,
    to,
    values: {
      MTBF: ratio(operatingMs, failures.length),
      MTTF: ratio(
        total(failures, ({ livedMs }) => livedMs),
        failures.length,
      ),
      MTTR: ratio(total(restored, lengthOf), restored.length),
      repairTime: ratio(CMT, of('unplanned').length),
      availability: ratio(operatingMs, operatingMs + downMs),
      correctiveMaintenance: ratio(CMT, CMT + PMT),
      plannedRepairs: ratio(of('planned').length, repairs.length),
      firstTimeFix: ratio(helped.length, tried.length),
    },
    elements: { operatingMs, downMs, CMT, PMT, failures: failures.length, repairs: repairs.length, plannedRepairs: of('planned').length },
    lineage: {
      states: spanOf(units.flatMap(({ states }) => states)),
      counts: [],
      orders: {
        MTBF: idsOf(failures),
        MTTF: idsOf(failures),
        MTTR: idsOf(restored),
        repairTime: idsOf(of('unplanned')),
        availability: idsOf(failures),
        correctiveMaintenance: idsOf(repairs),
        plannedRepairs: idsOf(repairs),
        firstTimeFix: idsOf(tried),
      },
    },
  }
}

/** Failures and repairs of units in a span. A failure counts where it began, a repair where it ended. */
export async function measureMaintenance(reader: StoreReader, plant: Plant, units: readonly string[], from: number, to: number): Promise<UnitMaintenance[]> {
  const { units: measured, spans } = await measure(reader, plant, units, from, to, { inspection: false })
  const repairs = await repairsOf(reader, units)
  const found: UnitMaintenance[] = []
  for (const { equipment, time, lineage } of measured) {
    const own = repairs.filter((repair) => repair.equipment === equipment)
    const stays = spans.filter((span) => span.equipment === equipment)
    const failures = [...failuresIn(stays, from, to), ...failuresOfLog(own, stays, from, to)].sort((a, b) => a.from - b.from)
    const unseen = stays.length === 0
    const lived: Failure[] = []
    for (const failure of failures) {
      const order = own.find((repair) => repair.kind === 'unplanned' && repair.from < (failure.to ?? to) && repair.to > failure.from)?.order ?? null
      const restored = await restoredBefore(reader, equipment, own, lived, failure.from)
      const livedMs = unseen ? await loggedWork(reader, equipment, restored, failure.from) : await workedMs(reader, plant, equipment, restored, failure.from)
      lived.push({ ...failure, order, livedMs })
    }
    found.push({
      equipment,
      operatingMs: unseen ? await loggedWork(reader, equipment, from, to) : time.AUPT,
      failures: lived,
      repairs: own.filter((repair) => repair.to >= from && repair.to < to),
      states: lineage.states,
    })
  }
  return found
}

type Down = Pick<Failure, 'from' | 'to'>

/** Stays in ADET one after another are one failure, as the time model counts them; the repair of it belongs to it. */
function failuresIn(spans: readonly UnitSpan[], from: number, to: number): Down[] {
  const failures: Array<{ from: number; to: number | null }> = []
  let current: { from: number; to: number | null } | undefined
  for (const span of spans) {
    const element = span.maintenance === 'unplanned' ? 'ADET' : span.element
    if (element !== 'ADET') current = undefined
    else if (current !== undefined) current.to = span.until
    else {
      current = { from: span.since, to: span.until }
      if (span.since >= from && span.since < to) failures.push(current)
    }
  }
  return failures.map((failure) => ({ from: failure.from, to: failure.to !== null && failure.to <= to ? failure.to : null }))
}

/** Repairs of failures of which no state tells: what a log recorded. */
function failuresOfLog(repairs: readonly UnitRepair[], spans: readonly UnitSpan[], from: number, to: number): Down[] {
  const unseen = repairs.filter((repair) => repair.kind === 'unplanned' && repair.from >= from && repair.from < to)
  return unseen
    .filter((repair) => !spans.some((span) => span.since < repair.to && (span.until ?? to) > repair.from))
    .map((repair) => ({ from: repair.from, to: repair.to <= to ? repair.to : null }))
}

interface UnitRepair extends Repair {
  readonly equipment: string
}

async function repairsOf(reader: StoreReader, units: readonly string[]): Promise<UnitRepair[]> {
  const orders = new Map<string, WorkOrder>()
  const jobs: JobOrder[] = []
  for (const some of inParts(units))
    for (const order of await reader.list('work-order', { where: { type: 'maintenance', equipment: some } })) orders.set(order.id, order)
  for (const some of inParts([...orders.keys()])) jobs.push(...(await reader.list('job-order', { where: { work_order: some } })))
  return jobs
    .flatMap((job): UnitRepair[] => {
      const { equipment, service } = orders.get(job.workOrder) ?? {}
      if (equipment === undefined || job.state !== 'Ended' || job.actualStart === null || job.actualEnd === null) return []
      const helped =
        service?.trial === undefined ? null : service.state === 'full' ? true : service.trial.from !== undefined && hasFailed(service) ? false : null
      return [{ equipment, order: job.workOrder, kind: job.maintenance ?? 'unplanned', from: job.actualStart, to: job.actualEnd, helped }]
    })
    .sort((a, b) => a.from - b.from)
}

/** Failed, and perhaps repaired again since: what was replaced before its trial was over had not helped either. */
function hasFailed({ state }: NonNullable<WorkOrder['service']>): boolean {
  return state === 'failed' || state === 'replaced'
}

/** When the unit was last restored before a time: the end of a repair or of a failure; 0 where nothing is known. */
async function restoredBefore(
  reader: StoreReader,
  equipment: string,
  repairs: readonly UnitRepair[],
  failures: readonly Failure[],
  at: number,
): Promise<number> {
  const ends = [...repairs.map((repair) => repair.to), ...failures.flatMap((failure) => failure.to ?? [])].filter((end) => end <= at)
  const last = await reader.db
    .selectFrom('machine_state')
    .select('until')
    .where('equipment', '=', equipment)
    .where('element', '=', 'ADET')
    .where('until', '<=', at)
    .where('since', '<', at)
    .orderBy('since', 'desc')
    .limit(1)
    .executeTakeFirst()
  return Math.max(0, ...ends, last?.until ?? 0)
}

async function workedMs(reader: StoreReader, plant: Plant, equipment: string, from: number, to: number): Promise<number> {
  const [unit] = (await measure(reader, plant, [equipment], Math.max(from, await firstSeen(reader, equipment, to)), to, { inspection: false })).units
  return unit?.time.AUPT ?? 0
}

async function firstSeen(reader: StoreReader, equipment: string, to: number): Promise<number> {
  const row = await reader.db.selectFrom('machine_state').select('since').where('equipment', '=', equipment).orderBy('since').limit(1).executeTakeFirst()
  return row?.since ?? to
}

/** How long job orders ran on a unit of which no state tells, by their responses. */
async function loggedWork(reader: StoreReader, equipment: string, from: number, to: number): Promise<number> {
  const rows = await reader.db.selectFrom('job_response').select('document').where('equipment', '=', equipment).where('end', '>', from).execute()
  const responses = rows.map(({ document }) => JSON.parse(document) as { start: number | null; end: number | null; jobOrder: string; runMs?: number | null })
  const jobs = new Map<string, JobOrder>()
  for (const some of inParts(responses.map(({ jobOrder }) => jobOrder)))
    for (const job of await reader.list('job-order', { where: { id: some } })) jobs.set(job.id, job)
  return total(responses, ({ start, end, jobOrder }) =>
    start === null || end === null || jobs.get(jobOrder)?.maintenance !== undefined ? 0 : Math.max(0, Math.min(end, to) - Math.max(start, from)),
  )
}

const AT_ONCE = 500

function inParts(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, index) => ids.slice(index * AT_ONCE, (index + 1) * AT_ONCE))
}

function lengthOf({ from, to }: { readonly from: number; readonly to: number }): number {
  return to - from
}

function total<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((sum, item) => sum + of(item), 0)
}

function spanOf(numbers: readonly number[]): number[] {
  return numbers.length === 0 ? [] : [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))]
}
