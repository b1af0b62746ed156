import { TaktError } from '../base/error.ts'
import type { RoutedOperation, WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, storeJobOrder } from './change-job-order.ts'
import { jobOrderIdOf, lotIdOf } from './ids.ts'
import { openLot } from './lots.ts'
import { inOrder } from './order-request.ts'
import { settleWorkOrder } from './settle-work-order.ts'

/**
 * Releases a planned order: a lot, and a job order for each operation of its work master or of its own routing. An order that is released already stays as it is.
 * Throws TAKT_ORDER_UNKNOWN, TAKT_ORDER_STATE, TAKT_WORK_MASTER_UNKNOWN, TAKT_ORDER_ROUTING.
 */
export async function releaseWorkOrder(tx: StoreTransaction, plant: Plant, id: string, because: Because): Promise<WorkOrder> {
  const where = `work order ${id}`
  const order = await tx.get('work-order', id)
  if (order === undefined) throw new TaktError('TAKT_ORDER_UNKNOWN', { what: `there is no work order '${id}'`, where })
  if (order.state === 'Released' || order.state === 'Running') return order
  if (order.state !== 'Planned') throw new TaktError('TAKT_ORDER_STATE', { what: `it is ${order.state} and cannot be released`, where })
  const { operations, product } = routingOf(order, plant, where)
  const lot = lotIdOf(id)
  const jobIds = new Map(operations.map((operation) => [operation.id, jobOrderIdOf(id, operation.id)]))
  const released = await tx.save<'work-order'>(
    { ...order, state: 'Released', lots: [lot], jobOrders: [...jobIds.values()] },
    { type: 'work-order.released', ...because },
  )
  await openLot(tx, { id: lot, material: product, workOrder: id, unit: order.quantity.unit }, because)
  for (const [sequence, { id: operation, after, alternatives, setupFamily, transferLot, procedure }] of operations.entries()) {
    const family = setupFamily === undefined ? {} : { setupFamily }
    const transfer = transferLot === undefined ? {} : { transferLot }
    const material = order.materialAt === undefined || after.length > 0 ? {} : { materialAt: order.materialAt }
    await storeJobOrder(
      tx,
      {
        id: jobOrderIdOf(id, operation),
        workOrder: id,
        operation,
        sequence,
        after: after.map((before) => jobIds.get(before) ?? jobOrderIdOf(id, before)),
        alternatives,
        quantity: order.quantity,
        lot,
        ...family,
        ...transfer,
        ...material,
        ...(procedure === undefined ? {} : { procedure }),
      },
      because,
    )
  }
  return (await settleWorkOrder(tx, id, because)) ?? released
}

function routingOf(order: WorkOrder, plant: Plant, where: string): { readonly operations: readonly RoutedOperation[]; readonly product: string } {
  if (order.operations !== undefined) return { operations: order.operations, product: order.product ?? order.id }
  const master = order.workMaster === null ? undefined : plant.workMaster(order.workMaster)
  if (master === undefined)
    throw new TaktError('TAKT_WORK_MASTER_UNKNOWN', { what: `the plant model has no work master '${order.workMaster ?? '(none)'}'`, where })
  const operations = master.operations.map((operation): RoutedOperation => {
    const alternatives = plant.unitsFor(operation).map((unit) => ({ ...unit }))
    if (alternatives.length === 0) throw new TaktError('TAKT_ORDER_ROUTING', { what: `no unit can do operation '${operation.id}' of ${master.id}`, where })
    const family = operation.setupFamily === undefined ? {} : { setupFamily: operation.setupFamily }
    const transfer = operation.transferLot === undefined ? {} : { transferLot: operation.transferLot }
    const procedure = operation.procedure === undefined ? {} : { procedure: operation.procedure }
    return { id: operation.id, after: [...(operation.after ?? [])], alternatives, ...family, ...transfer, ...procedure }
  })
  return { operations: inOrder(operations, where), product: master.produces }
}
