import { TaktError } from '../base/error.ts'
import { type IdSource, uniqueId } from '../base/id.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreTransaction } from '../store/store.ts'
import type { Because } from './change-job-order.ts'
import { slug } from './ids.ts'
import { type OrderRequest, type OrderTerms, orderTerms } from './order-request.ts'

export interface CreatedWorkOrder {
  readonly order: WorkOrder
  /** false when the same order was there already */
  readonly created: boolean
}

/**
 * Creates a production order, Planned. The same request again (by external id, or by id) finds what it made before; the same id with another body is refused with
 * TAKT_ORDER_EXISTS_DIFFERENT. Throws also what `orderTerms` does.
 */
export async function createWorkOrder(
  tx: StoreTransaction,
  plant: Plant,
  request: OrderRequest,
  because: Because,
  newId: IdSource = uniqueId,
): Promise<CreatedWorkOrder> {
  const where = `order ${request.id ?? request.external?.id ?? '(without id)'}`
  const terms = orderTerms(request, plant, where)
  const found = await find(tx, terms)
  if (found !== undefined) {
    const difference = differenceOf(found, terms, request)
    if (difference !== undefined) throw new TaktError('TAKT_ORDER_EXISTS_DIFFERENT', { what: `${found.id} is there already, with ${difference}`, where })
    return { order: found, created: false }
  }
  const { id = await freeId(tx, terms, newId), release = tx.now, ...rest } = terms
  const order = await tx.save<'work-order'>(
    {
      kind: 'work-order',
      type: 'production',
      ...rest,
      id,
      release,
      state: 'Planned',
      progress: { good: 0, scrap: 0 },
      lots: [],
      jobOrders: [],
      created: tx.now,
    },
    { type: 'work-order.created', ...because },
  )
  return { order, created: true }
}

async function find(tx: StoreTransaction, { id, external }: OrderTerms): Promise<WorkOrder | undefined> {
  if (external !== undefined) {
    const [byExternal] = await tx.list('work-order', { where: { external_system: external.system, external_id: external.id } })
    if (byExternal !== undefined) return byExternal
  }
  return id === undefined ? undefined : tx.get('work-order', id)
}

/** What of the stored order is not what the request says; `undefined` when it is the same order. */
function differenceOf(order: WorkOrder, terms: OrderTerms, request: OrderRequest): string | undefined {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
  // a request without a version means the newest, which may have been another when the order was made
  const version = (reference: string | null): string | null => (request.workMaster?.includes('@') ? reference : (reference?.replace(/@\d+$/, '') ?? null))
  if (terms.id !== undefined && order.id !== terms.id) return `the id ${order.id}`
  if (!same(order.external ?? null, terms.external ?? null)) return `the external id ${order.external?.id ?? '(none)'}`
  if (version(order.workMaster) !== version(terms.workMaster)) return `the work master ${order.workMaster ?? '(none)'}`
  if (!same(order.product, terms.product)) return `the product ${order.product ?? '(none)'}`
  // what people changed since is not what the asker says differently
  const { quantity, due, priority, weight } = order.asked ?? order
  if (!same(quantity, terms.quantity)) return `the quantity ${quantity.value} ${quantity.unit}`
  if (!same(order.tolerance, terms.tolerance) && order.asked === undefined) return 'another tolerance'
  if (!same(order.operations, terms.operations)) return 'other operations'
  if (!same(order.parameters, terms.parameters)) return 'other parameters'
  if (due !== terms.due) return `the due time ${due === null ? '(none)' : new Date(due).toISOString()}`
  if (terms.release !== undefined && order.release !== terms.release) return `the release time ${new Date(order.release).toISOString()}`
  if (priority !== terms.priority || weight !== terms.weight) return `priority ${priority} and weight ${weight}`
  return undefined
}

/** `wo-4711` for the ERP's 4711; with a number behind it when two external ids differ only in what an id cannot hold. */
async function freeId(tx: StoreTransaction, { external }: OrderTerms, newId: IdSource): Promise<string> {
  if (external === undefined) return newId('wo')
  const base = `wo-${slug(external.id)}`
  let id = base
  for (let next = 2; (await tx.get('work-order', id)) !== undefined; next++) id = `${base}-${next}`
  return id
}
