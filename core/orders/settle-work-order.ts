import { kept } from '../base/quantity.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Lot } from '../messages/lot.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder } from './change-job-order.ts'
import { isOpen, isOver, isUnderWay } from './job-order-states.ts'

/**
 * Brings a work order and its job orders to where the facts in the store put them: quantities flow from operation to operation, job orders become ready
 * or wait again, the work order runs, progresses, completes. Doing it again changes nothing, so every change of a job order, lot or order ends by calling it.
 */
export async function settleWorkOrder(tx: StoreTransaction, id: string, because: Because): Promise<WorkOrder | undefined> {
  const order = await tx.get('work-order', id)
  if (order === undefined || order.state === 'Planned' || order.state === 'Closed' || order.state === 'Canceled') return order
  const jobs = await jobOrdersOf(tx, id)
  const lots = await lotsOf(tx, jobs)
  for (const [index, job] of jobs.entries()) {
    if (isOpen(job)) jobs[index] = await settleJobOrder(tx, order, job, jobs, lots, because)
  }
  const settled = await saveProgress(tx, order, jobs, because)
  if (settled.state === 'Completed' && order.state !== 'Completed') await countLots(tx, settled, jobs, because)
  return settled
}

/** The job orders of a work order, operations in their order, continuations after what they continue. */
export async function jobOrdersOf(tx: StoreTransaction, workOrder: string): Promise<JobOrder[]> {
  const jobs = await tx.list('job-order', { where: { work_order: workOrder } })
  return jobs.sort((a, b) => a.sequence - b.sequence || a.id.length - b.id.length || (a.id < b.id ? -1 : 1))
}

async function settleJobOrder(
  tx: StoreTransaction,
  order: WorkOrder,
  job: JobOrder,
  jobs: readonly JobOrder[],
  lots: ReadonlyMap<string, Lot>,
  { actor }: Because,
): Promise<JobOrder> {
  const lot = job.lot === null ? undefined : lots.get(job.lot)
  const before = jobs.filter((other) => job.after.includes(other.id))
  const unblocked = before.every((other) => isOver(other) || hasHandedOn(other, job, jobs))
  if (job.substate !== 'Loaded' && lot?.disposition === 'scrapped') return changeJobOrder(tx, job, 'Cancel', { actor, why: `lot ${lot.id} was scrapped` })
  let settled = job
  if (unblocked && job.state === 'NotAllowedToStart') {
    const free = kept(inputOf(order, before, jobs) - claimedElsewhere(job, jobs))
    const left = job.cutFrom === undefined ? free : Math.min(free, job.quantity.value)
    if (left <= 0) return changeJobOrder(tx, job, 'Cancel', { actor, why: 'no good part is left to work on' })
    if (left !== job.quantity.value) {
      const quantity = { ...job.quantity, value: left }
      const came = before.every(isOver) ? 'came' : 'are to come'
      settled = await changeJobOrder(tx, settled, 'Update', { actor, why: `${left} good parts ${came} from the operation before` }, { quantity })
    }
  }
  const mayRun = unblocked && lot?.disposition !== 'held' && (order.state === 'Released' || order.state === 'Running')
  if (mayRun && settled.substate === 'Waiting') {
    const why = before.every(isOver) ? 'everything before it has ended' : 'the first transfer lot was made before it'
    return changeJobOrder(tx, settled, 'Ready', { actor, why })
  }
  if (mayRun || settled.substate !== 'Ready') return settled
  const why =
    lot?.disposition === 'held' ? `lot ${lot.id} is held` : unblocked ? `work order ${order.id} is ${order.state}` : 'an operation before it is open again'
  if (settled.state === 'AllowedToStart') settled = await changeJobOrder(tx, settled, 'RevokeStart', { actor, why })
  return changeJobOrder(tx, settled, 'Wait', { actor, why })
}

/** Parts that reach an operation: the good ones of the operations before it, and those that they still make, by the one that gives least. */
function inputOf(order: WorkOrder, before: readonly JobOrder[], jobs: readonly JobOrder[]): number {
  if (before.length === 0) return order.quantity.value
  const toCome = ({ quantity, good, scrap }: JobOrder): number => Math.max(0, quantity.value - good - scrap)
  const operations = new Set(before.map(({ operation }) => operation))
  return Math.min(
    ...[...operations].map((operation) =>
      before.reduce((sum, job) => sum + (job.operation === operation && !isOver(job) ? toCome(job) : 0), goodOf(operation, jobs)),
    ),
  )
}

/** Parts that are not left for a job order: worked on by others of its operation, or cut from it for a unit on trial. */
function claimedElsewhere(job: JobOrder, jobs: readonly JobOrder[]): number {
  const cut = jobs.filter((other) => other.cutFrom !== undefined && other.id !== job.id && other.operation === job.operation && !isOver(other))
  return cut.reduce((sum, { quantity, good, scrap }) => sum + quantity.value - good - scrap, processedElsewhere(job, jobs))
}

/** One that runs and hands on transfer lots: has it made a whole one, by its count, that those who follow have not worked on yet? */
function hasHandedOn(before: JobOrder, follower: JobOrder, jobs: readonly JobOrder[]): boolean {
  if (before.transferLot === undefined || !isUnderWay(before)) return false
  const lot = Math.min(before.transferLot, before.quantity.value)
  return Math.floor(goodOf(before.operation, jobs) / lot) * lot > processedElsewhere(follower, jobs)
}

export function goodOf(operation: string, jobs: readonly JobOrder[]): number {
  return kept(jobs.reduce((sum, job) => sum + (job.operation === operation ? job.good : 0), 0))
}

/** Parts that other job orders of the same operation have worked on: those that a failed unit left behind. */
export function processedElsewhere(job: JobOrder, jobs: readonly JobOrder[]): number {
  return jobs.reduce((sum, other) => sum + (other.operation === job.operation && other.id !== job.id ? other.good + other.scrap : 0), 0)
}

async function saveProgress(tx: StoreTransaction, order: WorkOrder, jobs: readonly JobOrder[], { actor, why }: Because): Promise<WorkOrder> {
  const last = jobs.filter((job) => !jobs.some((other) => other.after.includes(job.id) && other.operation !== job.operation))
  const good = last.length === 0 ? 0 : Math.min(...last.map((job) => goodOf(job.operation, jobs)))
  const scrap = kept(jobs.reduce((sum, job) => sum + job.scrap, 0))
  const state = stateOf(order, jobs)
  if (state === order.state && good === order.progress.good && scrap === order.progress.scrap) return order
  const done = state === 'Completed' && order.completed === undefined ? { completed: tx.now } : {}
  const type = state === order.state ? 'work-order.progress' : `work-order.${state.toLowerCase()}`
  return tx.save<'work-order'>({ ...order, ...done, state, progress: { good, scrap } }, { type, actor, why })
}

function stateOf(order: WorkOrder, jobs: readonly JobOrder[]): WorkOrder['state'] {
  if (order.state !== 'Released' && order.state !== 'Running') return order.state
  if (jobs.length > 0 && jobs.every(isOver)) return jobs.some((job) => job.actualStart !== null) ? 'Completed' : 'Canceled'
  return jobs.some((job) => job.actualStart !== null) ? 'Running' : order.state
}

async function lotsOf(tx: StoreTransaction, jobs: readonly JobOrder[]): Promise<ReadonlyMap<string, Lot>> {
  const lots = new Map<string, Lot>()
  for (const id of new Set(jobs.map((job) => job.lot))) {
    const lot = id === null ? undefined : await tx.get('lot', id)
    if (lot !== undefined) lots.set(lot.id, lot)
  }
  return lots
}

/** What the finished order's lot holds, and where it was finished. */
async function countLots(tx: StoreTransaction, order: WorkOrder, jobs: readonly JobOrder[], { actor }: Because): Promise<void> {
  for (const lot of (await lotsOf(tx, jobs)).values()) {
    const location = jobs.at(-1)?.equipment ?? lot.location
    const quantity = { ...lot.quantity, value: order.progress.good }
    await tx.save<'lot'>({ ...lot, quantity, location }, { type: 'lot.counted', actor, why: `work order ${order.id} is complete` })
  }
}
