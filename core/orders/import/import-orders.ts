import { toTaktError } from '../../base/error.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Store } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'
import { type CreatedWorkOrder, createWorkOrder } from '../create-work-order.ts'
import type { OrderRequest } from '../order-request.ts'
import { releaseWorkOrder } from '../release-work-order.ts'
import type { ReadOrders, RequestedOrder } from './read-orders.ts'
import type { Doubt } from './routing.ts'
import type { ImportProblem } from './rows.ts'

/** What became of a file of orders; nothing that was in it is left unsaid. */
export interface ImportSummary {
  readonly rows: number
  readonly created: number
  /** there already, and the same */
  readonly existing: number
  readonly refused: number
  readonly duplicates: number
  readonly problems: readonly ImportProblem[]
  readonly doubts: readonly Doubt[]
  readonly workOrders: readonly string[]
}

/** Transactions that wait together share a commit. */
const TOGETHER = 32

/** Creates the orders that were read, and releases them if asked to; each on its own, so that one that is refused takes no other with it. */
export async function importOrders(
  store: Store,
  plant: Plant,
  read: ReadOrders,
  release: boolean,
  because: Because,
): Promise<{ readonly summary: ImportSummary; readonly orders: readonly WorkOrder[] }> {
  const problems = [...read.problems]
  const orders: WorkOrder[] = []
  let created = 0
  for (let from = 0; from < read.orders.length; from += TOGETHER) {
    const group = read.orders.slice(from, from + TOGETHER)
    const results = await Promise.allSettled(group.map(({ request }) => take(store, plant, request, release, because)))
    results.forEach((result, index) => {
      const { row, request } = group[index] as RequestedOrder
      if (result.status === 'fulfilled') {
        orders.push(result.value.order)
        if (result.value.created) created++
        return
      }
      const { code, what } = toTaktError(result.reason, `row ${row}`)
      // a store that cannot be written refuses no order: the whole import is to be done again
      if (code.startsWith('TAKT_STORE_')) throw result.reason
      problems.push({ row, order: request.external?.id ?? request.id ?? null, code, what })
    })
  }
  const refused = new Set(problems.map(({ order, row }) => order ?? row)).size
  const { rows, duplicates, doubts } = read
  const workOrders = orders.map((order) => order.id)
  return { summary: { rows, created, existing: orders.length - created, refused, duplicates, problems, doubts, workOrders }, orders }
}

function take(store: Store, plant: Plant, request: OrderRequest, release: boolean, because: Because): Promise<CreatedWorkOrder> {
  return store.transaction(async (tx) => {
    const result = await createWorkOrder(tx, plant, request, because)
    if (!release || result.order.state !== 'Planned') return result
    return { ...result, order: await releaseWorkOrder(tx, plant, result.order.id, because) }
  })
}
