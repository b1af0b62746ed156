import { TaktError } from '../base/error.ts'
import type { Disposition, Lot } from '../messages/lot.ts'
import type { StoreTransaction } from '../store/store.ts'
import type { Because } from './change-job-order.ts'
import { settleWorkOrder } from './settle-work-order.ts'

const EVENTS = { 'in-process': 'lot.released', held: 'lot.held', released: 'lot.released', scrapped: 'lot.scrapped' } as const satisfies Record<
  Disposition,
  string
>

/**
 * Changes the disposition of a lot, and what follows from it: job orders of a held lot that have not begun lose their permission to start and wait;
 * of a released one they are ready again; of a scrapped one they are given up. The same disposition again changes nothing.
 * Throws TAKT_LOT_UNKNOWN, and TAKT_LOT_SCRAPPED for a lot that was scrapped before.
 */
export async function setLotDisposition(tx: StoreTransaction, id: string, disposition: Disposition, because: Because): Promise<Lot> {
  const lot = await tx.get('lot', id)
  if (lot === undefined) throw new TaktError('TAKT_LOT_UNKNOWN', { what: `there is no lot '${id}'`, where: `lot ${id}` })
  if (lot.disposition === disposition) return lot
  if (lot.disposition === 'scrapped') throw new TaktError('TAKT_LOT_SCRAPPED', { what: `it cannot become '${disposition}'`, where: `lot ${id}` })
  const { reason: _, ...rest } = lot
  const reason = because.why === undefined || disposition === 'released' || disposition === 'in-process' ? {} : { reason: because.why.slice(0, 1000) }
  const saved = await tx.save<'lot'>({ ...rest, ...reason, disposition }, { type: EVENTS[disposition], ...because })
  const jobs = await tx.list('job-order', { where: { lot: id } })
  for (const workOrder of new Set(jobs.map((job) => job.workOrder))) await settleWorkOrder(tx, workOrder, because)
  return saved
}

/** The lot of an order, made when the order is released. Finds it when it is there. */
export async function openLot(
  tx: StoreTransaction,
  lot: Pick<Lot, 'id' | 'material' | 'workOrder'> & { readonly unit: string },
  because: Because,
): Promise<Lot> {
  const { unit, ...identity } = lot
  const found = await tx.get('lot', lot.id)
  if (found !== undefined) return found
  return tx.save<'lot'>(
    { kind: 'lot', ...identity, quantity: { value: 0, unit }, disposition: 'in-process', location: null },
    { type: 'lot.created', ...because },
  )
}
