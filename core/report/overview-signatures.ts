import type { WorkOrder } from '../messages/work-order.ts'
import { type SignatureCheck, signaturesAbout } from '../sign/check-signature.ts'
import type { StoreReader } from '../store/store.ts'
import type { OverviewSignature } from './overview.ts'

/** Signatures of the orders that are shown, of their lots, job orders and procedures, by order, first given first. */
export async function orderSignatures(store: StoreReader, orders: readonly WorkOrder[]): Promise<ReadonlyMap<string, readonly OverviewSignature[]>> {
  const owner = new Map<string, string>()
  for (const { id, lots, jobOrders } of orders) {
    owner.set(`work-order ${id}`, id)
    for (const lot of lots) owner.set(`lot ${lot}`, id)
    for (const job of jobOrders) for (const kind of ['job-order', 'procedure-run']) owner.set(`${kind} ${job}`, id)
  }
  const jobs = orders.flatMap(({ jobOrders }) => jobOrders)
  const checks = await signaturesAbout(store, {
    'work-order': orders.map(({ id }) => id),
    lot: orders.flatMap(({ lots }) => lots),
    'job-order': jobs,
    'procedure-run': jobs,
  })
  const byOrder = new Map<string, OverviewSignature[]>()
  for (const check of checks) {
    const order = owner.get(recordOf(check))
    if (order === undefined) continue
    const given = byOrder.get(order) ?? []
    given.push(shownSignature(check))
    byOrder.set(order, given)
  }
  return byOrder
}

function recordOf({ signature: { record } }: SignatureCheck): string {
  return `${record.kind} ${record.id}`
}

/** As it is shown beside a record. */
export function shownSignature(check: SignatureCheck): OverviewSignature {
  const { meaning, name, at } = check.signature
  return { record: recordOf(check), meaning, name, at, state: check.state }
}
