import { rest } from '../../base/quantity.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { type Because, changeJobOrder, storeJobOrder } from '../change-job-order.ts'
import { isOpen } from '../job-order-states.ts'
import { jobOrdersOf } from '../settle-work-order.ts'

/**
 * The first parts of a job order as a job order of their own, pinned to the unit that may have no more of them; the rest stays with the one that it was, for any unit.
 * Both make the same lot. `job` is ready and has not begun.
 */
export async function cutJobOrder(tx: StoreTransaction, job: JobOrder, parts: number, because: Because): Promise<JobOrder> {
  const jobs = await jobOrdersOf(tx, job.workOrder)
  const pieces = jobs.filter(({ cutFrom }) => cutFrom === job.id).length
  const id = `${job.id}-trial-${pieces + 1}`
  const { workOrder, operation, sequence, after, alternatives, lot, equipment, setupFamily, transferLot, materialAt, procedure } = job
  const stored = await storeJobOrder(
    tx,
    {
      ...{ id, workOrder, operation, sequence, after, alternatives, lot, equipment, cutFrom: job.id },
      quantity: { ...job.quantity, value: parts },
      ...(setupFamily === undefined ? {} : { setupFamily }),
      ...(transferLot === undefined ? {} : { transferLot }),
      ...(materialAt === undefined ? {} : { materialAt }),
      ...(procedure === undefined ? {} : { procedure }),
    },
    because,
  )
  const { plannedStart, planVersion } = job
  const plannedEnd = plannedStart === null ? null : plannedStart + lengthOf(stored)
  const piece = await changeJobOrder(tx, stored, 'Ready', because, { plannedStart, plannedEnd, planVersion, pinned: true })
  await changeJobOrder(tx, job, 'Update', because, { quantity: { ...job.quantity, value: rest(job.quantity.value, parts) } })
  for (const other of jobs) {
    if (isOpen(other) && other.after.includes(job.id)) await changeJobOrder(tx, other, 'Update', because, { after: [...other.after, id] })
  }
  const order = await tx.get('work-order', workOrder)
  if (order !== undefined) await tx.save<'work-order'>({ ...order, jobOrders: [...order.jobOrders, id] }, { type: 'work-order.progress', ...because })
  return piece
}

/** Pieces that wait for a unit which is on trial no longer may go to any other. */
export async function freePieces(tx: StoreTransaction, equipment: string, because: Because): Promise<void> {
  for (const job of await tx.list('job-order', { where: { equipment, state: 'NotAllowedToStart' } })) {
    if (job.cutFrom !== undefined && job.pinned) await tx.save<'job-order'>({ ...job, pinned: false }, { type: 'job-order.moved', ...because })
  }
}

function lengthOf({ alternatives, equipment, quantity }: JobOrder): number {
  const { setupMs, perPieceMs } = alternatives.find((one) => one.equipment === equipment) ?? { setupMs: 0, perPieceMs: 0 }
  return setupMs + perPieceMs * quantity.value
}
