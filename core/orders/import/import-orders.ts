import { toTaktError } from '../../base/error.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Store } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'
import { createWorkOrder } from '../create-work-order.ts'
import { releaseWorkOrder } from '../release-work-order.ts'
import type { ReadOrders } from './read-orders.ts'
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
  for (const { row, request } of read.orders) {
    try {
      const made = await store.transaction(async (tx) => {
        const result = await createWorkOrder(tx, plant, request, because)
        if (!release || result.order.state !== 'Planned') return result
        return { ...result, order: await releaseWorkOrder(tx, plant, result.order.id, because) }
      })
      orders.push(made.order)
      if (made.created) created++
    } catch (thrown) {
      const { code, what } = toTaktError(thrown, `row ${row}`)
      // a store that cannot be written refuses no order: the whole import is to be done again
      if (code.startsWith('TAKT_STORE_')) throw thrown
      problems.push({ row, order: request.external?.id ?? request.id ?? null, code, what })
    }
  }
  const refused = new Set(problems.map(({ order, row }) => order ?? row)).size
  const { rows, duplicates, doubts } = read
  const workOrders = orders.map((order) => order.id)
  return { summary: { rows, created, existing: orders.length - created, refused, duplicates, problems, doubts, workOrders }, orders }
}
