import { TaktError, toTaktError } from '../../base/error.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import { isDiskAt } from '../../store/disk-budget.ts'
import type { Store, StoreTransaction } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'
import { type CreatedWorkOrder, createWorkOrder } from '../create-work-order.ts'
import { shown } from '../order-text.ts'
import { releaseWorkOrder } from '../release-work-order.ts'
import { bookHistory } from './book-history.ts'
import type { OrderHistory } from './history.ts'
import { addRecord, type LogTotals, NO_TOTALS } from './log-totals.ts'
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
  /** of a log: what its rows add up to, and what was booked now; the rest was there already or is among the problems */
  readonly totals?: LogTotals
  readonly booked?: LogTotals
}

/** Takes the key of one order of a message that may come again; false when the order was taken before. */
export type TakeOnce = (tx: StoreTransaction, part: string) => Promise<boolean>

/** Transactions that wait together share a commit. */
const TOGETHER = 32

/** Creates the orders that were read, and releases them if asked to; each on its own, so that one that is refused takes no other with it. */
export async function importOrders(
  store: Store,
  plant: Plant,
  read: ReadOrders,
  release: boolean,
  because: Because,
  once?: TakeOnce,
): Promise<{ readonly summary: ImportSummary; readonly orders: readonly WorkOrder[] }> {
  const problems = [...read.problems]
  const orders: WorkOrder[] = []
  let created = 0
  let booked = NO_TOTALS
  for (let from = 0; from < read.orders.length; from += TOGETHER) {
    const group = read.orders.slice(from, from + TOGETHER)
    const results = await Promise.allSettled(group.map((asked) => take(store, plant, asked, release, because, once && ((tx) => once(tx, String(asked.row))))))
    results.forEach((result, index) => {
      const { row, request, history } = group[index] as RequestedOrder
      if (result.status === 'fulfilled') {
        if (result.value === undefined) return
        orders.push(result.value.order)
        if (!result.value.created) return
        created++
        if (history !== undefined) booked = addHistory(booked, history, result.value.order)
        return
      }
      const { code, what } = toTaktError(result.reason, `row ${row}`)
      // a store that cannot be written refuses no order: the whole import is to be done again
      if (code.startsWith('TAKT_STORE_') && code !== 'TAKT_STORE_DISK_BUDGET') throw result.reason
      problems.push({ row, order: request.external?.id ?? request.id ?? null, code, what: shown(what) })
    })
  }
  const refused = new Set(problems.map(({ order, row }) => order ?? row)).size
  const { rows, duplicates, doubts } = read
  const workOrders = orders.map((order) => order.id)
  const log = read.totals === undefined ? {} : { totals: read.totals, booked }
  // a message that comes again books nothing, this neither
  if (read.totals !== undefined && orders.length > 0) await recordLog(store, workOrders, doubts, log, because)
  return { summary: { rows, created, existing: orders.length - created, refused, duplicates, problems, doubts, workOrders, ...log }, orders }
}

/** That a log was read, what it added up to and how much of it is doubted, by code: the doubts themselves go to who sent it. */
async function recordLog(store: Store, workOrders: readonly string[], doubts: readonly Doubt[], log: object, because: Because): Promise<void> {
  const doubted: Record<string, number> = {}
  for (const { code } of doubts) doubted[code] = (doubted[code] ?? 0) + 1
  await store.transaction((tx) =>
    tx.record({ type: 'import.booked', subject: workOrders[0] ?? 'none', after: { orders: workOrders.length, ...log, doubted }, ...because }),
  )
}

function addHistory(totals: LogTotals, { operations, rework }: OrderHistory, order: WorkOrder): LogTotals {
  const records = [...operations, ...rework].flatMap((operation) => operation.records)
  const sum = records.reduce(addRecord, totals)
  return { ...sum, ordered: sum.ordered + order.quantity.value }
}

/** Undefined for an order that this message made before. */
function take(
  store: Store,
  plant: Plant,
  { request, history }: RequestedOrder,
  release: boolean,
  because: Because,
  once: ((tx: StoreTransaction) => Promise<boolean>) | undefined,
): Promise<CreatedWorkOrder | undefined> {
  return store.transaction(async (tx) => {
    if (once !== undefined && !(await once(tx))) return undefined
    const result = await createWorkOrder(tx, plant, request, because)
    // the last of the disk belongs to what runs already
    if (result.created && isDiskAt(store, 'refuse')) throw new TaktError('TAKT_STORE_DISK_BUDGET', { where: `order ${result.order.id}` })
    if (!(release || history !== undefined) || result.order.state !== 'Planned') return result
    const order = await releaseWorkOrder(tx, plant, result.order.id, because)
    return { ...result, order: history === undefined ? order : await bookHistory(tx, order, history, because) }
  })
}
