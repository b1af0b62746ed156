import type { Lot } from '../messages/lot.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import { setLotDisposition } from '../orders/lots.ts'
import { type OpenStep, openSteps, reworkOrders } from '../orders/open-steps.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../store/store.ts'

export interface FinishedLots {
  readonly released: readonly Lot[]
  /** Lots of finished orders that wait for a characteristic to be measured, or for steps of a procedure. */
  readonly waiting: number
  /** Those of them that wait for steps, and which. */
  readonly open: ReadonlyArray<{ readonly lot: Lot; readonly steps: readonly OpenStep[] }>
}

/**
 * Releases the lots that are made and found good: the order has ended, nothing holds them, every characteristic that their operations specify was measured
 * and passed, and no step of a procedure is open. Decided by what stands in the store alone; doing it again changes nothing.
 */
export async function releaseFinishedLots(tx: StoreTransaction, plant: Plant, actor: string): Promise<FinishedLots> {
  const released: Lot[] = []
  const open: Array<FinishedLots['open'][number]> = []
  let waiting = 0
  const finished = await finishedLots(tx)
  const reworks = finished.length === 0 ? [] : await reworkOrders(tx)
  for (const { lot, order } of finished) {
    const steps = await openSteps(tx, lot.id, reworks)
    if (steps.length > 0) {
      open.push({ lot, steps })
      waiting++
    } else if (await isProved(tx, plant, lot, order)) {
      const why = `made by ${order.id}, and all that was to be measured passed`
      released.push(await setLotDisposition(tx, lot.id, 'released', { actor, why }))
    } else {
      waiting++
    }
  }
  return { released, waiting, open }
}

async function finishedLots(reader: StoreReader): Promise<ReadonlyArray<{ lot: Lot; order: WorkOrder }>> {
  const rows = await reader.db
    .selectFrom('lot')
    .innerJoin('work_order', 'work_order.id', 'lot.work_order')
    .where('lot.disposition', '=', 'in-process')
    .where('work_order.state', 'in', ['Completed', 'Closed'])
    .select(['lot.document as lot', 'work_order.document as order'])
    .orderBy('lot.id')
    .execute()
  return rows.map(({ lot, order }) => ({ lot: JSON.parse(lot), order: JSON.parse(order) }))
}

async function isProved(reader: StoreReader, plant: Plant, lot: Lot, order: WorkOrder): Promise<boolean> {
  const operations = order.workMaster === null ? [] : (plant.workMaster(order.workMaster)?.operations ?? [])
  const jobs = await reader.list('job-order', { where: { work_order: order.id, lot: lot.id } })
  const ran = new Set(jobs.filter(({ good }) => good > 0).map(({ operation }) => operation))
  const asked = operations.filter(({ id }) => ran.has(id)).flatMap(({ characteristics }) => (characteristics ?? []).map(({ id }) => id))
  if (asked.length === 0) return true
  const results = await reader.list('quality-result', { where: { lot: lot.id, decision: 'pass' } })
  const passed = new Set(results.map(({ characteristic }) => characteristic))
  return asked.every((characteristic) => passed.has(characteristic))
}
