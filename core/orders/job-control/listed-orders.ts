import type { ListedJob } from '../../connect/job-control/job-desk.ts'
import type { JobOrderRecord, JobResponseRecord } from '../../connect/job-control/job-record.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { LedgerEvent, StoreReader } from '../../store/store.ts'
import { responseOf } from './order-response.ts'
import { stateOfOrder } from './order-state.ts'
import { systemOf } from './receivers.ts'

const CHUNK = 200

interface Entry {
  order: WorkOrder
  readonly jobs: Map<string, JobOrder>
  job: ListedJob
}

/** What became of the list by an event. */
export interface ListChange {
  readonly receiver: string
  readonly job: ListedJob
  readonly listed: boolean
  /** it came, or its state is another */
  readonly moved: boolean
}

/** The job orders on a receiver's list, in memory: loaded once, then kept up by the events of the store. In the order in which they came. */
export class ListedOrders {
  readonly #entries = new Map<string, Map<string, Entry>>()
  readonly #byOrder = new Map<string, Entry>()

  /** Reads what is on the lists of these receivers. Events that come meanwhile may be applied: what is newer stays. */
  async load(reader: StoreReader, receivers: readonly string[]): Promise<void> {
    for (const receiver of receivers) {
      const orders = await reader.list('work-order', { where: { external_system: systemOf(receiver) } })
      const listed = orders.filter(({ jobControl }) => jobControl?.listed === true).sort((a, b) => a.created - b.created || (a.ledger ?? 0) - (b.ledger ?? 0))
      for (let from = 0; from < listed.length; from += CHUNK) {
        const chunk = listed.slice(from, from + CHUNK)
        for (const order of chunk) this.#takeOrder(order)
        for (const job of await reader.list('job-order', { where: { work_order: chunk.map(({ id }) => id) } })) this.#takeJob(job)
      }
    }
  }

  /** Events of orders that are on no list give `undefined`. */
  apply({ after }: Pick<LedgerEvent, 'after'>): ListChange | undefined {
    const document = after as WorkOrder | JobOrder | null
    if (document?.kind === 'work-order') return document.jobControl === undefined ? undefined : this.#takeOrder(document)
    return document?.kind === 'job-order' ? this.#takeJob(document) : undefined
  }

  list(receiver: string): readonly ListedJob[] {
    return [...(this.#entries.get(receiver)?.values() ?? [])].map(({ job }) => job)
  }

  size(receiver: string): number {
    return this.#entries.get(receiver)?.size ?? 0
  }

  has(receiver: string, jobOrder: string): boolean {
    return this.#entries.get(receiver)?.has(jobOrder) ?? false
  }

  response(receiver: string, jobOrder: string): JobResponseRecord | undefined {
    const entry = this.#entries.get(receiver)?.get(jobOrder)
    return entry === undefined ? undefined : responseOf(entry.order, [...entry.jobs.values()])
  }

  #takeOrder(order: WorkOrder): ListChange | undefined {
    const { jobControl, external } = order
    if (jobControl === undefined || external === undefined) return undefined
    const { receiver, listed } = jobControl
    const known = this.#byOrder.get(order.id)
    if (known !== undefined && (known.order.revision ?? 0) >= (order.revision ?? 0)) return undefined
    if (!listed) {
      this.#byOrder.delete(order.id)
      this.#entries.get(receiver)?.delete(external.id)
      return known === undefined ? undefined : { receiver, job: known.job, listed, moved: false }
    }
    const entry = known ?? { order, jobs: new Map(), job: listedJob(order, []) }
    if (known === undefined) {
      this.#byOrder.set(order.id, entry)
      const list = this.#entries.get(receiver) ?? new Map<string, Entry>()
      this.#entries.set(receiver, list.set(external.id, entry))
    }
    entry.order = order
    return this.#settle(entry, known === undefined)
  }

  #takeJob(job: JobOrder): ListChange | undefined {
    const entry = this.#byOrder.get(job.workOrder)
    if (entry === undefined || (entry.jobs.get(job.id)?.revision ?? 0) >= (job.revision ?? 1)) return undefined
    entry.jobs.set(job.id, job)
    return this.#settle(entry, false)
  }

  #settle(entry: Entry, came: boolean): ListChange | undefined {
    const before = entry.job
    const job = listedJob(entry.order, [...entry.jobs.values()])
    const moved = came || job.state !== before.state || job.substate !== before.substate
    if (!moved && job.record === before.record) return undefined
    entry.job = job
    return { receiver: entry.order.jobControl?.receiver ?? '', job, listed: true, moved }
  }
}

function listedJob(order: WorkOrder, jobs: readonly JobOrder[]): ListedJob {
  return { record: (order.jobControl?.terms ?? { id: order.external?.id ?? order.id }) as JobOrderRecord, ...stateOfOrder(order, jobs) }
}
