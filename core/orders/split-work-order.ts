import { TaktError } from '../base/error.ts'
import { kept, rest, same, suffices } from '../base/quantity.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreTransaction } from '../store/store.ts'
import type { Because } from './change-job-order.ts'
import { assertNotBegun, assertReason, orderNamed, rewrite } from './change-work-order.ts'
import { releaseWorkOrder } from './release-work-order.ts'

export interface Split {
  /** so much goes into the new order, in the order's own unit */
  readonly quantity: number
  /** id of the new order; the same split with the same id again finds what it made */
  readonly as?: string
}

/**
 * Takes a part of an order into an order of its own, in the same state and with the same terms; both together make what the one was to make. Only while nothing of it
 * has begun: the parts of an order under way are in one lot on its units. The ERP's number stays with the first.
 * Throws TAKT_ORDER_UNKNOWN, TAKT_ORDER_REASON, TAKT_ORDER_QUANTITY, TAKT_ORDER_STATE, TAKT_ORDER_IN_PROGRESS, TAKT_ORDER_EXISTS_DIFFERENT.
 */
export async function splitWorkOrder(tx: StoreTransaction, plant: Plant, id: string, split: Split, because: Because): Promise<readonly [WorkOrder, WorkOrder]> {
  const where = `work order ${id}`
  assertReason(because, where)
  const order = await orderNamed(tx, id)
  const { quantity: part } = split
  const known = split.as === undefined ? undefined : await tx.get('work-order', split.as)
  if (known !== undefined) {
    const from = known.from?.[0]
    if (from?.by === 'split' && from.workOrder === id && same(from.quantity.value, part)) return [order, known]
    throw new TaktError('TAKT_ORDER_EXISTS_DIFFERENT', { what: `${known.id} is there already, and is no such part of ${id}`, where })
  }
  await assertNotBegun(tx, order)
  const { value: whole, unit } = order.quantity
  const left = rest(whole, part)
  if (!(part > 0) || !Number.isFinite(part) || !suffices(whole, part) || left === 0)
    throw new TaktError('TAKT_ORDER_QUANTITY', {
      what: `${part} ${unit} cannot be taken from ${whole} ${unit} so that both orders have something to make`,
      where,
    })
  if (unit === 'pcs' && Number.isInteger(whole) && !Number.isInteger(part))
    throw new TaktError('TAKT_ORDER_QUANTITY', { what: `${part} is no number of pieces`, where })

  const [mine, its] = shares(order, left / whole)
  const child = split.as ?? (await freeId(tx, id))
  const { external: _, asked: __, revision: ___, ledger: ____, from: _____, ...terms } = order
  const quantity = { value: part, unit }
  const from = [{ workOrder: id, quantity, by: 'split' as const }]
  const planned = { ...terms, ...its, id: child, quantity, from, state: 'Planned' as const, lots: [], jobOrders: [], created: tx.now }
  const made = await tx.save<'work-order'>(planned, { type: 'work-order.created', ...because })
  const parent = await rewrite(tx, order, { quantity: { value: left, unit }, ...mine }, because)
  return [parent, order.state === 'Planned' ? made : await releaseWorkOrder(tx, plant, child, because)]
}

/** A tolerance is shared as the quantity is. */
function shares({ tolerance }: WorkOrder, share: number): readonly [Pick<WorkOrder, 'tolerance'>, Pick<WorkOrder, 'tolerance'>] {
  if (tolerance === undefined) return [{}, {}]
  const mine = { under: kept(tolerance.under * share), over: kept(tolerance.over * share) }
  return [{ tolerance: mine }, { tolerance: { under: rest(tolerance.under, mine.under), over: rest(tolerance.over, mine.over) } }]
}

async function freeId(tx: StoreTransaction, id: string): Promise<string> {
  for (let next = 1; ; next++) if ((await tx.get('work-order', `${id}-s${next}`)) === undefined) return `${id}-s${next}`
}
