import { TaktError } from '../base/error.ts'
import { sum } from '../base/quantity.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder } from './change-job-order.ts'
import { assertNotBegun, assertReason, orderNamed, rewrite } from './change-work-order.ts'

/**
 * Joins orders for the same thing into the first of them: their quantities add up, the earliest due time and the highest priority count. The others are Canceled and
 * say into which they went, so that their ERP numbers still lead to what is made. Only while nothing of any of them has begun. The same again changes nothing.
 * Throws TAKT_ORDER_UNKNOWN, TAKT_ORDER_REASON, TAKT_ORDER_MERGE, TAKT_ORDER_STATE, TAKT_ORDER_IN_PROGRESS.
 */
export async function mergeWorkOrders(tx: StoreTransaction, ids: readonly string[], because: Because): Promise<WorkOrder[]> {
  const [first, ...rest] = new Set(ids)
  const where = `work order ${first ?? '(none)'}`
  assertReason(because, where)
  if (first === undefined || rest.length === 0) throw new TaktError('TAKT_ORDER_MERGE', { what: 'two orders or more are needed', where })
  let into = await orderNamed(tx, first)
  const merged: WorkOrder[] = []
  for (const id of rest) {
    const other = await orderNamed(tx, id)
    if (other.into === first) {
      merged.push(other)
      continue
    }
    await assertNotBegun(tx, into)
    const jobs = await assertNotBegun(tx, other)
    const difference = differenceOf(into, other)
    if (difference !== undefined) throw new TaktError('TAKT_ORDER_MERGE', { what: `${id} has another ${difference} than ${first}`, where })
    merged.push(await tx.save<'work-order'>({ ...other, state: 'Canceled', into: first }, { type: 'work-order.canceled', ...because }))
    for (const job of jobs) await changeJobOrder(tx, job, 'Cancel', because)
    into = await rewrite(tx, into, joined(into, other), because)
  }
  return [into, ...merged]
}

function differenceOf(a: WorkOrder, b: WorkOrder): string | undefined {
  const differs = (field: 'state' | 'workMaster' | 'product' | 'operations' | 'parameters'): boolean => JSON.stringify(a[field]) !== JSON.stringify(b[field])
  if (a.quantity.unit !== b.quantity.unit) return 'unit of measure'
  return differs('state')
    ? 'state'
    : differs('workMaster')
      ? 'work master'
      : differs('product')
        ? 'product'
        : differs('operations')
          ? 'routing'
          : differs('parameters')
            ? 'set of parameters'
            : undefined
}

function joined(into: WorkOrder, other: WorkOrder): Partial<WorkOrder> {
  const dues = [into.due, other.due].filter((due) => due !== null)
  const materials = [into.materialAt, other.materialAt].filter((at) => typeof at === 'number')
  const tolerances = [into.tolerance, other.tolerance]
  const tolerance = { under: sum(tolerances[0]?.under ?? 0, tolerances[1]?.under ?? 0), over: sum(tolerances[0]?.over ?? 0, tolerances[1]?.over ?? 0) }
  return {
    quantity: { ...into.quantity, value: sum(into.quantity.value, other.quantity.value) },
    due: dues.length === 0 ? null : Math.min(...dues),
    priority: Math.max(into.priority, other.priority),
    weight: Math.max(into.weight, other.weight),
    from: [...(into.from ?? []), { workOrder: other.id, quantity: other.quantity, by: 'merge' }],
    ...(materials.length === 0 ? {} : { materialAt: Math.max(...materials) }),
    ...(tolerances.some((one) => one !== undefined) ? { tolerance } : {}),
  }
}
