import type { WorkOrder } from '../../messages/work-order.ts'
import type { StoreReader } from '../../store/store.ts'
import { LONGEST_REASON } from './held-unit.ts'

/** Why orders are held, by order, as it was said when they were; those without a reason are not in it. */
export async function holdReasons(reader: StoreReader, orders: readonly WorkOrder[]): Promise<ReadonlyMap<string, string>> {
  const held = orders.filter(({ state }) => state === 'Held').map(({ id }) => id)
  if (held.length === 0) return new Map()
  const rows = await reader.db
    .selectFrom('ledger')
    .select(['subject', 'why'])
    .where('subject', 'in', held)
    .where('type', '=', 'work-order.held')
    .orderBy('sequence')
    .execute()
  return new Map(rows.flatMap(({ subject, why }) => (why === null ? [] : [[subject, why.slice(0, LONGEST_REASON)] as const])))
}
