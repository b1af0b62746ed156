import type { Findings } from './findings.ts'
import type { LedgerLine, Source } from './source.ts'

interface Amounts {
  readonly good: number
  readonly scrap: number
}
interface WorkOrder extends Record<string, unknown> {
  readonly id: string
  readonly type: string
  readonly state: string
  readonly quantity: { readonly value: number }
  readonly progress: Amounts
  readonly from?: ReadonlyArray<{ readonly workOrder: string; readonly quantity: { readonly value: number }; readonly by: string }>
  readonly into?: string
}
interface JobOrder extends Amounts {
  readonly id: string
  readonly workOrder: string
  readonly operation: string
  readonly after: readonly string[]
  readonly state: string
  readonly actualStart: number | null
  readonly actualEnd: number | null
}

/** Quantities through counts, operations, splits and merges. */
export class QuantityCheck {
  readonly #findings: Findings
  /** `unit job order` → the last total that the ledger tells */
  readonly #totals = new Map<string, Amounts>()
  /** what was asked for at first, of orders that were not split off */
  readonly #asked = new Map<string, number>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  row({ sequence, type, after }: LedgerLine): void {
    if (type === 'count.recorded') this.#count(sequence, JSON.parse(after ?? '{}'))
    else if (type === 'work-order.created') {
      const { id, quantity, from } = JSON.parse(after ?? '{}') as WorkOrder
      if (from === undefined) this.#asked.set(id, quantity.value)
    }
  }

  #count(sequence: number, count: { equipment: string; jobOrder: string | null; total: Amounts }): void {
    const key = `${count.equipment} ${count.jobOrder ?? ''}`
    const before = this.#totals.get(key)
    // what was booked without a job order may be booked on one later
    if (count.jobOrder !== null && before !== undefined && count.total.good + count.total.scrap < before.good + before.scrap)
      this.#findings.wrong(`row ${sequence}: ${key} counts backwards`)
    this.#totals.set(key, count.total)
  }

  async end(source: Source): Promise<void> {
    const orders = (await documents(source, 'work_order')) as unknown as WorkOrder[]
    const jobs = (await documents(source, 'job_order')) as unknown as JobOrder[]
    const made = await this.#counted(source)
    for (const job of jobs) {
      const { good = 0, scrap = 0 } = made.get(job.id) ?? {}
      if (!same(job.good, good) || !same(job.scrap, scrap)) this.#findings.wrong(`${job.id} says ${job.good}+${job.scrap}, counted are ${good}+${scrap}`)
    }
    const byOrder = Map.groupBy(jobs, ({ workOrder }) => workOrder)
    for (const order of orders) this.#checkProgress(order, byOrder.get(order.id) ?? [])
    this.#checkTotals(orders)
    await this.#checkResponses(source, jobs)
    await this.#checkStates(source)
  }

  async #counted(source: Source): Promise<ReadonlyMap<string, Amounts>> {
    const made = new Map<string, { good: number; scrap: number }>()
    for (const row of await source.rows('SELECT equipment, job_order, good, scrap FROM job_count')) {
      const key = `${row.equipment} ${row.job_order}`
      const told = this.#totals.get(key)
      const [good, scrap] = [Number(row.good), Number(row.scrap)]
      this.#totals.delete(key)
      if (told === undefined || !same(told.good, good) || !same(told.scrap, scrap)) this.#findings.wrong(`the count of ${key} is not what the ledger told last`)
      const sum = made.get(String(row.job_order)) ?? { good: 0, scrap: 0 }
      made.set(String(row.job_order), { good: sum.good + good, scrap: sum.scrap + scrap })
    }
    for (const key of this.#totals.keys()) this.#findings.missing(`the count of ${key}, which the ledger tells`)
    return made
  }

  /** An order has made what its last operations have all made; scrapped is what any of them scrapped. */
  #checkProgress({ id, state, progress }: WorkOrder, jobs: readonly JobOrder[]): void {
    if (state === 'Canceled' || jobs.length === 0) return
    const goodOf = (operation: string): number => jobs.reduce((sum, job) => sum + (job.operation === operation ? job.good : 0), 0)
    const followed = new Set(
      jobs.flatMap((job) => job.after.flatMap((before) => jobs.find((other) => other.id === before && other.operation !== job.operation)?.operation ?? [])),
    )
    const last = [...new Set(jobs.map(({ operation }) => operation))].filter((operation) => !followed.has(operation))
    const good = Math.min(...last.map(goodOf))
    const scrap = jobs.reduce((sum, job) => sum + job.scrap, 0)
    if (!same(progress.good, good) || !same(progress.scrap, scrap))
      this.#findings.wrong(`${id} says ${progress.good}+${progress.scrap}, its job orders ${good}+${scrap}`)
    if (state === 'Completed' || state === 'Closed')
      for (const job of jobs) if (job.state !== 'Ended' && job.state !== 'Aborted') this.#findings.wrong(`${id} is ${state} and ${job.id} is ${job.state}`)
  }

  /** Splitting and merging move quantities between orders; all together they stay what was asked for. */
  #checkTotals(orders: readonly WorkOrder[]): void {
    const production = orders.filter(({ type }) => type === 'production')
    const asked = production.reduce((sum, { id }) => sum + (this.#asked.get(id) ?? 0), 0)
    const stands = production.reduce((sum, { into, quantity }) => sum + (into === undefined ? quantity.value : 0), 0)
    if (!same(asked, stands)) this.#findings.wrong(`${asked} were asked for, and the orders are for ${stands}`)
    const byId = new Map(production.map((order) => [order.id, order]))
    for (const order of production) {
      for (const { workOrder, by } of order.from ?? []) {
        const other = byId.get(workOrder)
        if (other === undefined) this.#findings.missing(`${workOrder}, which ${order.id} comes from`)
        else if (by === 'merge' && (other.into !== order.id || other.state !== 'Canceled'))
          this.#findings.wrong(`${workOrder} went into ${order.id} and does not say so`)
      }
      if (order.into !== undefined && byId.get(order.into)?.from?.some(({ workOrder }) => workOrder === order.id) !== true)
        this.#findings.wrong(`${order.id} says that it went into ${order.into}, which does not know of it`)
    }
  }

  /** A job order that is over and had begun has one job response with what it made, and it did not end before it began. */
  async #checkResponses(source: Source, jobs: readonly JobOrder[]): Promise<void> {
    const responses = Map.groupBy(await documents(source, 'job_response'), ({ jobOrder }) => String(jobOrder))
    for (const { id, state, good, scrap, actualStart, actualEnd } of jobs) {
      const own = responses.get(id) ?? []
      responses.delete(id)
      if (own.length > 1) this.#findings.twice(`the job response of ${id}`, own.length - 1)
      const over = state === 'Ended' || state === 'Aborted'
      if (over && actualStart !== null && own.length === 0) this.#findings.missing(`the job response of ${id}`)
      for (const response of own) {
        if (over && (!same(Number(response.good), good) || !same(Number(response.scrap), scrap)))
          this.#findings.wrong(`the job response of ${id} says something else`)
        if (Number(response.end) < Number(response.start)) this.#findings.wrong(`the job response of ${id} ends before it begins`)
      }
      if (actualStart !== null && actualEnd !== null && actualEnd < actualStart) this.#findings.wrong(`${id} ends before it begins`)
    }
    for (const id of responses.keys()) this.#findings.wrong(`a job response of ${id}, which is not there`)
  }

  /** A unit is in one state at a time. */
  async #checkStates(source: Source): Promise<void> {
    const open = new Set<string>()
    for (const { equipment, since, until } of await source.rows('SELECT equipment, since, until FROM machine_state ORDER BY id')) {
      if (until !== null && Number(until) < Number(since)) this.#findings.wrong(`a state of ${String(equipment)} ends before it begins`)
      if (until !== null) continue
      if (open.has(String(equipment))) this.#findings.wrong(`${String(equipment)} is in two states`)
      open.add(String(equipment))
    }
  }
}

async function documents(source: Source, table: string): Promise<ReadonlyArray<Record<string, unknown>>> {
  return (await source.rows(`SELECT document FROM ${table} ORDER BY id`)).map(({ document }) => JSON.parse(String(document)) as Record<string, unknown>)
}

function same(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-6
}
