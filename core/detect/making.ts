import type { JobOrder } from '../messages/job-order.ts'
import type { Sample } from '../messages/sample.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { RunningUnits } from './running-units.ts'

/** What separate baselines are kept by: nothing, the product, its operation (recipe step), the state of the machine. */
export const CONTEXTS = ['none', 'product', 'operation', 'state'] as const
export type ContextBy = (typeof CONTEXTS)[number]

type Order = Pick<JobOrder, 'kind' | 'id' | 'workOrder' | 'operation'> | Pick<WorkOrder, 'kind' | 'id' | 'product'>
type Ask = (jobOrder: string) => Promise<readonly Order[]>

/** Orders remembered, those heard of last. */
const ORDERS = 2000

interface SavedMaking {
  readonly jobs: ReadonlyArray<readonly [string, { readonly workOrder: string; readonly operation: string }]>
  readonly products: ReadonlyArray<readonly [string, string]>
}

/**
 * What a unit is making when a value comes: said by the sample itself; or found by the job order that the sample or the machine names, in job orders and work
 * orders that were heard of. A job order never heard of is asked for once; until the answer is there nobody knows, and its values are not judged.
 */
export class Making {
  readonly by: ContextBy
  readonly #running: RunningUnits
  readonly #ask: Ask | undefined
  readonly #jobs = new Map<string, { readonly workOrder: string; readonly operation: string }>()
  readonly #products = new Map<string, string>()
  #changes = 0
  /** job orders asked for; true: the answer is awaited */
  readonly #asked = new Map<string, boolean>()

  /** `ask`: finds a job order and its work order; absent: nobody can be asked. */
  constructor(by: ContextBy, running: RunningUnits, ask?: Ask) {
    this.by = by
    this.#running = running
    this.#ask = ask
  }

  told(order: Order): void {
    this.#changes++
    if (order.kind === 'job-order') remember(this.#jobs, order.id, { workOrder: order.workOrder, operation: order.operation })
    else if (order.product !== undefined) remember(this.#products, order.id, order.product)
  }

  /** The key of the baseline for a sample: empty where nothing is known, null while it is being asked for. */
  of({ equipment, context }: Pick<Sample, 'equipment' | 'context'>): string | null {
    if (this.by === 'none') return ''
    if (this.by === 'state') return this.#running.stateOf(equipment) ?? ''
    if (this.by === 'product' && context?.product !== undefined) return context.product
    const id = context?.jobOrder ?? this.#running.jobOrderOf(equipment)
    const job = id === null ? undefined : this.#jobs.get(id)
    const product = context?.product ?? (job === undefined ? undefined : this.#products.get(job.workOrder))
    const isKnown = this.by === 'product' ? product !== undefined : job !== undefined && product !== undefined
    if (!isKnown && id !== null && this.#ask !== undefined && this.#isAwaited(id, this.#ask)) return null
    if (this.by === 'product') return product ?? ''
    return job === undefined ? (product ?? '') : `${product ?? ''}/${job.operation}`
  }

  /** How often an order was heard of. */
  get changes(): number {
    return this.#changes
  }

  get state(): SavedMaking {
    return { jobs: [...this.#jobs], products: [...this.#products] }
  }

  restore(state: unknown): void {
    const { jobs, products } = (state ?? {}) as Partial<SavedMaking>
    if (!Array.isArray(jobs) || !Array.isArray(products)) return
    for (const [id, job] of jobs) this.#jobs.set(id, job)
    for (const [id, product] of products) this.#products.set(id, product)
  }

  #isAwaited(id: string, ask: Ask): boolean {
    const awaited = this.#asked.get(id)
    if (awaited !== undefined) return awaited
    remember(this.#asked, id, true)
    const answered = (orders: readonly Order[]): void => {
      for (const order of orders) this.told(order)
      remember(this.#asked, id, false)
    }
    ask(id).then(answered, () => answered([]))
    return true
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > ORDERS) for (const oldest of map.keys()) return void map.delete(oldest)
}
