import type { JobOrder } from '../../messages/job-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Life } from '../../schedule/lookahead/lifetime.ts'
import type { StoreReader } from '../../store/store.ts'

/** What is known of a unit's past. Lists keep the newest; logarithms of ratios and of ms. */
export interface UnitPast {
  readonly lives: readonly Life[]
  /** Down times of failures, from the failure until it was in order again. */
  readonly repairLogs: readonly number[]
  /** Actual over planned time of its job orders, without stops. */
  readonly ratioLogs: readonly number[]
  /** Worked since it was last repaired or maintained. */
  readonly ageMs: number
  /** When it last came back from a repair or from maintenance; −∞ when never. */
  readonly renewedAt: number
  readonly operatingMs: number
}

interface StateRow {
  readonly id: number
  readonly equipment: string
  readonly element: string | null
  readonly mode: string | null
  readonly job_order: string | null
  readonly since: number
  readonly until: number | null
}

const LOOK_BACK_MS = 180 * 86_400_000
/** Rows read at once: no more than some milliseconds of Node-RED's thread. */
const PAGE = 500
const MOST = { lives: 200, repairs: 100, ratios: 200, jobs: 5000 } as const
/** A ratio or a repair beyond says that the clock or the count was wrong, not how the plant is. */
const LARGEST_RATIO = 10
const LONGEST_REPAIR_MS = 14 * 86_400_000
/** A unit shows set-ups of its own when they take this share of its time; else they are hidden in its production. */
const SETUP_SHARE = 0.02

/** The past of the plant's units, read from the store once and from there on by what is new. Bounded, however long the past. */
export class OutlookHistory {
  readonly #units = new Map<string, UnitRecord>()
  /** Actual over planned time of maintenance jobs, of all units. */
  readonly maintenanceLogs: number[] = []
  /** Working ms by job order, until the job order is read. */
  readonly #worked = new Map<string, Worked>()
  #states: { readonly until: number; readonly id: number } | undefined
  #jobs: { readonly end: number; readonly id: string } | undefined

  /** What a unit was like until now; nothing when it was never seen. */
  past(unit: string, now: number): UnitPast | undefined {
    return this.#units.get(unit)?.until(now)
  }

  async read(reader: StoreReader, plant: Plant, now: number): Promise<void> {
    await this.#readStates(reader, now)
    await this.#readJobs(reader, plant, now)
    const present = await reader.db
      .selectFrom('machine_state')
      .select(['id', 'equipment', 'element', 'mode', 'job_order', 'since', 'until'])
      .where('until', 'is', null)
      .execute()
    for (const row of present) this.#unit(row.equipment).present = row
  }

  async #readStates(reader: StoreReader, now: number): Promise<void> {
    for (;;) {
      const { until, id } = this.#states ?? { until: now - LOOK_BACK_MS, id: 0 }
      const rows = await reader.db
        .selectFrom('machine_state')
        .select(['id', 'equipment', 'element', 'mode', 'job_order', 'since', 'until'])
        .where('until', '>=', until)
        .where((is) => is.or([is('until', '>', until), is('id', '>', id)]))
        .orderBy('until')
        .orderBy('id')
        .limit(PAGE)
        .execute()
      for (const row of rows) this.#fold(row)
      const last = rows.at(-1)
      if (last !== undefined) this.#states = { until: last.until ?? until, id: last.id }
      if (rows.length < PAGE) return
    }
  }

  async #readJobs(reader: StoreReader, plant: Plant, now: number): Promise<void> {
    for (;;) {
      const { end, id } = this.#jobs ?? { end: now - LOOK_BACK_MS, id: '' }
      const rows = await reader.db
        .selectFrom('job_order')
        .select(['id', 'actual_end', 'document'])
        .where('state', '=', 'Ended')
        .where('actual_end', '>=', end)
        .where((is) => is.or([is('actual_end', '>', end), is('id', '>', id)]))
        .orderBy('actual_end')
        .orderBy('id')
        .limit(PAGE)
        .execute()
      for (const { document } of rows) this.#foldJob(JSON.parse(document) as JobOrder, plant)
      const last = rows.at(-1)
      if (last !== undefined) this.#jobs = { end: last.actual_end ?? end, id: last.id }
      if (rows.length < PAGE) return
    }
  }

  #unit(id: string): UnitRecord {
    const known = this.#units.get(id) ?? new UnitRecord()
    this.#units.set(id, known)
    return known
  }

  #fold(row: StateRow): void {
    if (row.until === null || !(row.until > row.since)) return
    this.#unit(row.equipment).fold(row, row.until)
    if (row.job_order === null || !works(row)) return
    const worked = this.#worked.get(row.job_order) ?? { productionMs: 0, setupMs: 0 }
    worked[row.element === 'AUST' ? 'setupMs' : 'productionMs'] += row.until - row.since
    this.#worked.set(row.job_order, worked)
    const [oldest] = this.#worked.keys()
    if (this.#worked.size > MOST.jobs && oldest !== undefined) this.#worked.delete(oldest)
  }

  #foldJob(job: JobOrder, plant: Plant): void {
    const worked = this.#worked.get(job.id)
    this.#worked.delete(job.id)
    const { equipment, actualStart, actualEnd, substate } = job
    if (equipment === null || actualStart === null || actualEnd === null || substate !== 'Completed') return
    const alternative = job.alternatives.find((one) => one.equipment === equipment)
    if (alternative === undefined) return
    if (job.maintenance !== undefined) {
      const planned = alternative.setupMs + alternative.perPieceMs * job.quantity.value
      return keep(this.maintenanceLogs, (actualEnd - actualStart) / planned, MOST.ratios)
    }
    const unit = this.#unit(equipment)
    const made = job.good + job.scrap
    if (worked !== undefined && unit.showsSetups) return keep(unit.ratioLogs, worked.productionMs / (alternative.perPieceMs * made), MOST.ratios)
    // set-up and production in one: against the planned time, of which calendars are no part
    if (job.plannedStart === null || job.plannedEnd === null || made < job.quantity.value) return
    const actual = worked === undefined ? openMs(plant, equipment, actualStart, actualEnd) : worked.productionMs + worked.setupMs
    keep(unit.ratioLogs, actual / openMs(plant, equipment, job.plannedStart, job.plannedEnd), MOST.ratios)
  }
}

interface Worked {
  productionMs: number
  setupMs: number
}

class UnitRecord {
  readonly lives: Life[] = []
  readonly repairLogs: number[] = []
  readonly ratioLogs: number[] = []
  present: StateRow | undefined
  #ageMs = 0
  #renewedAt = Number.NEGATIVE_INFINITY
  #downSince: number | undefined
  /** Neither failed nor under repair any more since then, without having worked yet. */
  #upSince: number | undefined
  #maintaining = false
  #productionMs = 0
  #setupMs = 0

  get showsSetups(): boolean {
    return this.#setupMs > SETUP_SHARE * (this.#setupMs + this.#productionMs)
  }

  until(now: number): UnitPast {
    const { lives, repairLogs, ratioLogs, present } = this
    // the present state is no row of the past yet: what it means is folded into a copy
    const worksNow = present !== undefined && works(present)
    const isOut = present !== undefined && (present.element === 'ADET' || present.mode === 'Maintenance')
    const ageMs = isOut ? 0 : this.#ageMs + (worksNow ? Math.max(0, now - present.since) : 0)
    const cut = isOut && this.#ageMs > 0 ? [{ operatingMs: this.#ageMs, failed: present.mode !== 'Maintenance' }] : []
    const operatingMs = this.#productionMs + this.#setupMs + (worksNow ? Math.max(0, now - present.since) : 0)
    return { lives: [...lives, ...cut], repairLogs, ratioLogs, ageMs, renewedAt: this.#renewedAt, operatingMs }
  }

  fold(row: StateRow, until: number): void {
    if (works(row)) {
      if (this.#downSince !== undefined)
        keep(this.repairLogs, Math.min(LONGEST_REPAIR_MS, (this.#upSince ?? row.since) - this.#downSince), MOST.repairs, Number.POSITIVE_INFINITY)
      if (this.#downSince !== undefined || this.#maintaining) this.#renewedAt = this.#upSince ?? row.since
      this.#downSince = this.#upSince = undefined
      this.#maintaining = false
      this.#ageMs += until - row.since
      if (row.element === 'AUST') this.#setupMs += until - row.since
      else this.#productionMs += until - row.since
      return
    }
    const isOut = row.element === 'ADET' || row.mode === 'Maintenance'
    if (!isOut) {
      // nothing heard of it says neither that it is in order again nor that it is not
      if (row.element !== null && (this.#downSince !== undefined || this.#maintaining)) this.#upSince ??= row.since
      return
    }
    this.#upSince = undefined
    if (this.#downSince !== undefined || this.#maintaining) return
    const failed = row.mode !== 'Maintenance'
    if (failed) this.#downSince = row.since
    else this.#maintaining = true
    // one that is maintained before it ever worked was not seen to live
    if (this.#ageMs > 0) this.lives.push({ operatingMs: this.#ageMs, failed })
    if (this.lives.length > MOST.lives) this.lives.shift()
    this.#ageMs = 0
  }
}

function works({ element, mode }: StateRow): boolean {
  return mode !== 'Maintenance' && (element === 'APT' || element === 'AUST')
}

function keep(logs: number[], value: number, most: number, largest: number = LARGEST_RATIO): void {
  if (!(value > 0 && value <= largest && value >= 1 / largest)) return
  logs.push(Math.log(value))
  if (logs.length > most) logs.shift()
}

function openMs(plant: Plant, unit: string, from: number, to: number): number {
  if (plant.calendarOf(unit) === undefined || !(to > from) || to - from > LOOK_BACK_MS) return to - from
  return plant.openWindows(unit, from, to).reduce((sum, window) => sum + Math.max(0, Math.min(to, window.to) - Math.max(from, window.from)), 0)
}
