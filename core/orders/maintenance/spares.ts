import { kept, rest, suffices } from '../../base/quantity.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { MaterialActual } from '../../messages/job-response.ts'
import type { Spare } from '../../messages/maintenance.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'
import { isOpen } from '../job-order-states.ts'
import { setMaterialTime } from '../material-time.ts'

const OPEN_STATES = ['Planned', 'Released', 'Running', 'Held'] as const
/** Until a spare that is not there has come, where the plant model does not say. */
const LEAD_TIME_MS = 24 * 3_600_000
const LOTS_AT_MOST = 1000

/**
 * The spares that a repair of this unit takes, from released lots that no other repair has put aside, oldest first; undefined: none are asked for. One that is not all there is missing: what
 * there is of it is put aside.
 */
export async function findSpares(reader: StoreReader, plant: Plant, equipment: string, own?: string): Promise<Spare[] | undefined> {
  const needs = plant.equipment(equipment)?.maintenance?.spare
  if (needs === undefined) return undefined
  const aside = await putAside(reader, own)
  const spares: Spare[] = []
  for (const { material, quantity } of needs) {
    const unit = plant.model.materials?.find(({ id }) => id === material)?.unit ?? 'pcs'
    const lots: Spare['lots'] = []
    let left = quantity
    for (const { lot, free } of await stockOf(reader, material, unit)) {
      if (left === 0) break
      const take = Math.min(left, rest(free, aside.get(lot) ?? 0))
      if (take <= 0) continue
      lots.push({ lot, quantity: { value: take, unit } })
      left = rest(left, take)
    }
    spares.push({ material, quantity: { value: quantity, unit }, state: left === 0 ? 'reserved' : 'missing', lots })
  }
  return spares
}

/** When the last of what is missing has come, epoch ms; null: nothing is missing. */
export function sparesAt(spares: readonly Spare[], plant: Plant, equipment: string, now: number): number | null {
  const needs = plant.equipment(equipment)?.maintenance?.spare ?? []
  const times = spares.flatMap(({ material, state }) =>
    state === 'missing' ? [now + (needs.find((need) => need.material === material)?.leadTimeMs ?? LEAD_TIME_MS)] : [],
  )
  return times.length === 0 ? null : Math.max(...times)
}

/** `2 pcs of bearing-7204, 1 of them there`, for each that is missing. */
export function missingText(spares: readonly Spare[]): string {
  const missing = spares.filter(({ state }) => state === 'missing')
  return missing.map(({ material, quantity, lots }) => `${quantity.value} ${quantity.unit} of ${material}, ${sumOf(lots)} there`).join('; ')
}

/** Looks again for what is missing: when all of it is there the repair waits no longer. Changes nothing once the repair has begun. */
export async function lookForSpares(tx: StoreTransaction, plant: Plant, workOrder: string, because: Because): Promise<WorkOrder | undefined> {
  const order = await tx.get('work-order', workOrder)
  if (order?.equipment === undefined || order.spares?.some(({ state }) => state === 'missing') !== true) return order
  const [job] = await tx.list('job-order', { where: { work_order: order.id } })
  if (job === undefined || !isOpen(job)) return order
  const spares = await findSpares(tx, plant, order.equipment, order.id)
  if (spares === undefined || spares.every((spare, index) => sumOf(spare.lots) === sumOf(order.spares?.[index]?.lots ?? []))) return order
  const isThere = spares.every(({ state }) => state === 'reserved')
  const why = isThere ? 'all spares are there' : `missing: ${missingText(spares)}`
  const saved = await tx.save<'work-order'>({ ...order, spares }, { type: isThere ? 'work-order.spares' : 'work-order.spare-missing', ...because, why })
  if (isThere) await setMaterialTime(tx, { jobOrder: job.id, at: null }, { ...because, why })
  return saved
}

/** What a repair that has ended took, for its job response, from which the trace books it out of stock. What is not there by then is not booked: nobody knows where it came from. */
export async function useSpares(tx: StoreTransaction, job: JobOrder, because: Because): Promise<readonly MaterialActual[]> {
  const order = await tx.get('work-order', job.workOrder)
  if (order?.spares === undefined || job.state !== 'Ended') return []
  if (order.spares.some(({ state }) => state === 'reserved')) {
    const spares = order.spares.map((spare) => (spare.state === 'reserved' ? { ...spare, state: 'used' as const } : spare))
    await tx.save<'work-order'>({ ...order, spares }, { type: 'work-order.spares', actor: because.actor, why: 'used in the repair' })
  }
  return order.spares.flatMap(({ material, lots, state }) =>
    state === 'missing' ? [] : lots.map((taken) => ({ ...taken, material, use: 'consumed' as const })),
  )
}

/** What other open repairs have put aside, by lot. */
async function putAside(reader: StoreReader, own: string | undefined): Promise<ReadonlyMap<string, number>> {
  const aside = new Map<string, number>()
  for (const { id, spares = [] } of await reader.list('work-order', { where: { type: 'maintenance', state: OPEN_STATES } })) {
    if (id === own) continue
    for (const { lots, state } of spares)
      for (const { lot, quantity } of lots) if (state !== 'used') aside.set(lot, kept((aside.get(lot) ?? 0) + quantity.value))
  }
  return aside
}

/** Released lots of a material that are not packed away, the oldest first. */
async function stockOf(reader: StoreReader, material: string, unit: string): Promise<ReadonlyArray<{ readonly lot: string; readonly free: number }>> {
  const rows = await reader.db
    .selectFrom('lot_stock')
    .innerJoin('lot', 'lot.id', 'lot_stock.lot')
    .select(['lot_stock.lot as lot', 'lot_stock.on_hand as onHand', 'lot_stock.packed as packed'])
    .where('lot_stock.material', '=', material)
    .where('lot_stock.unit', '=', unit)
    .where('lot.disposition', '=', 'released')
    .where('lot_stock.on_hand', '>', 0)
    .orderBy('lot_stock.node')
    .limit(LOTS_AT_MOST)
    .execute()
  return rows.flatMap(({ lot, onHand, packed }) => (suffices(packed, onHand) ? [] : [{ lot, free: rest(onHand, packed) }]))
}

function sumOf(lots: Spare['lots']): number {
  return kept(lots.reduce((sum, { quantity }) => sum + quantity.value, 0))
}
