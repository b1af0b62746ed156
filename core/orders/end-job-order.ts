import { isDeepStrictEqual } from 'node:util'
import { rest, suffices, sum } from '../base/quantity.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { JobResponse } from '../messages/job-response.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder, storeJobOrder } from './change-job-order.ts'
import { continuationIdOf, jobResponseIdOf } from './ids.ts'
import { actualsOf } from './job-actuals.ts'
import type { JobOrderAction } from './job-order-states.ts'
import { isOpen, isOver, isUnderWay } from './job-order-states.ts'
import { beginReturn } from './maintenance/service.ts'
import { useSpares } from './maintenance/spares.ts'
import { reportMissing } from './procedure-gate.ts'
import { goodOf, jobOrdersOf, processedElsewhere, settleWorkOrder } from './settle-work-order.ts'

/**
 * Ends a job order (`Complete` or `Stop` by the unit or a person, `Abort`, `Cancel`), keeps what happened as a job response and settles its work order.
 * `end` is when it ended, epoch ms.
 */
export async function endJobOrder(
  tx: StoreTransaction,
  job: JobOrder,
  action: Extract<JobOrderAction, 'Complete' | 'Stop' | 'Abort' | 'Cancel' | 'Fail'>,
  end: number,
  because: Because,
): Promise<JobOrder> {
  const ended = await changeJobOrder(tx, job, action, because, { actualEnd: job.actualStart === null ? null : Math.max(end, job.actualStart) })
  if (action === 'Complete' || action === 'Stop') await reportMissing(tx, ended, 'end', because)
  const materials = ended.maintenance === undefined ? [] : await useSpares(tx, ended, because)
  if (ended.actualStart !== null) await recordResponse(tx, ended, because, materials.length === 0 ? {} : { materials: [...materials] })
  await settleWorkOrder(tx, job.workOrder, because)
  await endWithoutParts(tx, job.workOrder, end, because)
  if (ended.maintenance !== undefined && ended.state === 'Ended') await beginReturn(tx, ended.workOrder, because)
  return ended
}

/**
 * Ends job orders that began on the first transfer lot and have worked on all the parts that came: when what was before them is over, or has stopped and will go on
 * only later; then another one is made for the rest, so that no unit stands and waits for it. Changes nothing where nothing is handed on in transfer lots.
 */
export async function endWithoutParts(tx: StoreTransaction, workOrder: string, end: number, { actor }: Because): Promise<void> {
  const jobs = await jobOrdersOf(tx, workOrder)
  if (!jobs.some((job) => job.transferLot !== undefined)) return
  for (const job of jobs) {
    if (!isUnderWay(job) || job.good + job.scrap >= job.quantity.value) continue
    const latest = job.after.flatMap((id) => latestOf(id, jobs) ?? [])
    const before = jobs.filter((other) => latest.some(({ id }) => id === other.id || id === other.cutFrom))
    if (!before.some((other) => other.transferLot !== undefined) || before.some(isUnderWay)) continue
    const came = Math.min(...before.map(({ operation }) => goodOf(operation, jobs))) - processedElsewhere(job, jobs)
    if (job.good + job.scrap < came) continue
    const waits = before.find((other) => !isOver(other))
    const why = waits === undefined ? `all ${came} parts that came were worked on` : `no part is left until ${waits.id} has made more`
    if (waits !== undefined) await continueJobOrder(tx, { ...job, after: before.map(({ id }) => id) }, job.quantity.value - job.good - job.scrap, { actor })
    await endJobOrder(tx, job, 'Stop', end, { actor, why })
    // what ended may have ended others
    return endWithoutParts(tx, workOrder, end, { actor })
  }
}

/** A job order, or what continues it. */
function latestOf(id: string, jobs: readonly JobOrder[]): JobOrder | undefined {
  const next = jobs.find((job) => job.continues === id)
  return next === undefined ? jobs.find((job) => job.id === id) : latestOf(next.id, jobs)
}

/**
 * A unit fell out of work under a job order: the job order is aborted with what it has made, and another one is made for the rest, which any unit that can do
 * the operation may take. Called again it finds both done.
 */
export async function failJobOrder(tx: StoreTransaction, job: JobOrder, end: number, because: Because): Promise<JobOrder> {
  const left = rest(job.quantity.value, sum(job.good, job.scrap))
  // so little may be missing that nobody sets a unit up for it
  const under = (await tx.get('work-order', job.workOrder))?.tolerance?.under ?? 0
  const enough = under > 0 && suffices(job.good + under, job.quantity.value)
  if (left > 0 && !enough && job.maintenance === undefined) await continueJobOrder(tx, job, left, because)
  return endJobOrder(tx, job, 'Fail', end, because)
}

async function continueJobOrder(tx: StoreTransaction, job: JobOrder, rest: number, { actor }: Because): Promise<void> {
  const id = continuationIdOf(job.id)
  if ((await tx.get('job-order', id)) !== undefined) return
  const because: Because = { actor, why: `${rest} of ${job.quantity.value} parts are left of ${job.id}` }
  const { workOrder, operation, sequence, after, alternatives, lot } = job
  const family = job.setupFamily === undefined ? {} : { setupFamily: job.setupFamily }
  const transfer = job.transferLot === undefined ? {} : { transferLot: job.transferLot }
  const procedure = job.procedure === undefined ? {} : { procedure: job.procedure }
  const cut = job.cutFrom === undefined ? {} : { cutFrom: job.cutFrom }
  const quantity = { ...job.quantity, value: rest }
  await storeJobOrder(
    tx,
    { id, workOrder, operation, sequence, after, alternatives, lot, quantity, continues: job.id, ...family, ...transfer, ...procedure, ...cut },
    because,
  )
  for (const other of await jobOrdersOf(tx, workOrder)) {
    if (!isOpen(other) || !other.after.includes(job.id)) continue
    await changeJobOrder(tx, other, 'Update', because, { after: other.after.map((before) => (before === job.id ? id : before)) })
  }
  const order = await tx.get('work-order', workOrder)
  if (order !== undefined) await tx.save<'work-order'>({ ...order, jobOrders: [...order.jobOrders, id] }, { type: 'work-order.progress', ...because })
}

/** What happened under a job order; written anew when counts come late. `more` is what somebody beside the unit knows of it. */
export async function recordResponse(
  tx: StoreTransaction,
  job: JobOrder,
  { actor, why }: Because,
  more: Partial<Pick<JobResponse, 'people' | 'data' | 'segments' | 'materials'>> = {},
): Promise<JobResponse> {
  const id = jobResponseIdOf(job.id)
  const known = await tx.get('job-response', id)
  const actuals = await actualsOf(tx, job, { ...known, ...more })
  const { id: jobOrder, workOrder, equipment, actualStart: start, actualEnd: end, good, scrap } = job
  const segments = more.segments ?? known?.segments
  return tx.save<'job-response'>(
    {
      kind: 'job-response',
      id,
      jobOrder,
      workOrder,
      equipment,
      start,
      end,
      good,
      scrap,
      ...actuals,
      data: more.data ?? known?.data ?? [],
      state: job.state === 'Aborted' ? 'Aborted' : job.substate === 'Closed' ? 'Closed' : 'Completed',
      ...(segments === undefined ? {} : { segments }),
      ...(known?.revision === undefined ? {} : { revision: known.revision }),
    },
    { type: 'job-response.recorded', actor, why },
  )
}

/** Brings the response of a job order that is over up to what the store knows by now: steps, material and people that were written down after its end. */
export async function refreshResponse(tx: StoreTransaction, jobOrder: string, because: Because): Promise<JobResponse | undefined> {
  const known = await tx.get('job-response', jobResponseIdOf(jobOrder))
  const job = known === undefined ? undefined : await tx.get('job-order', jobOrder)
  if (known === undefined || job === undefined) return known
  const { setupMs, runMs, materials, people, personnel } = known
  const isSame = isDeepStrictEqual(await actualsOf(tx, job, known), { setupMs, runMs, materials, people, personnel })
  return isSame ? known : recordResponse(tx, job, because)
}
