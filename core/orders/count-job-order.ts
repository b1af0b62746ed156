import { kept } from '../base/quantity.ts'
import type { Count } from '../messages/count.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import type { Because } from './change-job-order.ts'
import { endWithoutParts, recordResponse } from './end-job-order.ts'
import { isOver, isUnderWay } from './job-order-states.ts'
import { settleWorkOrder } from './settle-work-order.ts'

/**
 * Gives a job order the quantities that the store has counted for it (`job_count`); never adds up messages. A count that comes after its end still counts:
 * the job response is written anew. Nothing changes when the job order stands right already, or is not known.
 */
export async function countJobOrder(tx: StoreTransaction, id: string, because: Because): Promise<JobOrder | undefined> {
  const job = await tx.get('job-order', id)
  if (job === undefined) return undefined
  const { good, scrap } = await countedFor(tx, id)
  if (good === job.good && scrap === job.scrap) return job
  const saved = await tx.save<'job-order'>({ ...job, good, scrap }, { type: 'job-order.progress', ...because })
  if (isOver(saved) && saved.actualStart !== null) await recordResponse(tx, saved, because)
  await settleWorkOrder(tx, saved.workOrder, because)
  if (isUnderWay(saved) && saved.after.length > 0) await endWithoutParts(tx, saved.workOrder, tx.now, because)
  // settling may have changed it again
  return tx.get('job-order', id)
}

export interface Counted {
  readonly good: number
  readonly scrap: number
  /** source time of the first part, epoch ms; null when there is none */
  readonly first: number | null
  readonly last: number | null
}

/** What all units together made for a job order. */
export async function countedFor(tx: StoreTransaction, jobOrder: string): Promise<Counted> {
  const rows = await tx.db.selectFrom('job_count').select(['good', 'scrap', 'first', 'last']).where('job_order', '=', jobOrder).execute()
  const counted = { good: 0, scrap: 0, first: null as number | null, last: null as number | null }
  for (const row of rows) {
    counted.good = kept(counted.good + row.good)
    counted.scrap = kept(counted.scrap + row.scrap)
    counted.first = Math.min(row.first, counted.first ?? row.first)
    counted.last = Math.max(row.last, counted.last ?? row.last)
  }
  return counted
}

/** Keeps a count that no store has recorded yet (a document without `ledger`). Its totals are set, not added, so that the same document twice is one. */
export async function recordCount(tx: StoreTransaction, count: Count, because: Because): Promise<void> {
  if (count.jobOrder === null) return
  const { equipment, jobOrder, total, time } = count
  const known = await tx.db.selectFrom('job_count').selectAll().where('equipment', '=', equipment).where('job_order', '=', jobOrder).executeTakeFirst()
  if (known !== undefined && known.good >= total.good && known.scrap >= total.scrap) return
  const { sequence } = await tx.record({ type: 'count.recorded', subject: equipment, before: null, after: count, ...because })
  const good = Math.max(total.good, known?.good ?? 0)
  const scrap = Math.max(total.scrap, known?.scrap ?? 0)
  const row = { good, scrap, last: Math.max(time, known?.last ?? 0), ledger: sequence }
  if (known === undefined)
    await tx.db
      .insertInto('job_count')
      .values({ equipment, job_order: jobOrder, first: time, ...row })
      .execute()
  else await tx.db.updateTable('job_count').set(row).where('equipment', '=', equipment).where('job_order', '=', jobOrder).execute()
}
