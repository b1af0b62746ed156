import { TaktError } from '../../base/error.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { type Because, changeJobOrder } from '../change-job-order.ts'
import { openDisruption } from '../disruption/disruptions.ts'
import { requestMaintenance } from '../maintenance.ts'
import { type FoundChange, findChange } from './what-if-change.ts'
import { isTakenBack } from './what-if-facts.ts'
import type { AskedChange } from './what-if-request.ts'

export interface Adoption {
  readonly id: string
  readonly asked: readonly AskedChange[]
  /** What the changes were about when they were tried. */
  readonly found: readonly FoundChange[]
  /** Who wants it, a hint; the ledger has it in the reason. */
  readonly by: string
  readonly why: string | undefined
}

/**
 * Makes the changes of a what-if real, all or none: a block of the unit, priority and due time of the order, the pin of the repair. The plan is the caller's to make anew.
 * Throws TAKT_WHAT_IF_STALE when the plant has changed since so that one of them no longer applies.
 */
export async function adoptChanges(tx: StoreTransaction, plant: Plant, { id, asked, found, by, why }: Adoption, actor: string): Promise<void> {
  const where = `what-if ${id}`
  const because: Because = { actor, why: `${id} adopted by ${by}${why === undefined ? '' : `: ${why}`}`.slice(0, 1000) }
  // all are checked before the first is made, so that one does not pass for a change that another has brought
  const present: FoundChange[] = []
  for (const [index, change] of asked.entries()) present.push(await stillApplies(tx, plant, change, found[index], where))
  for (const [index, change] of present.entries()) await make(tx, plant, change, `dis-${id}-${index + 1}`, by, because)
}

async function stillApplies(tx: StoreTransaction, plant: Plant, asked: AskedChange, then: FoundChange | undefined, where: string): Promise<FoundChange> {
  let now: FoundChange
  try {
    now = await findChange(tx, plant, asked, tx.now, where)
  } catch (thrown) {
    if (!(thrown instanceof TaktError)) throw thrown
    throw new TaktError('TAKT_WHAT_IF_STALE', { what: thrown.what, where, cause: thrown })
  }
  const changed = then === undefined ? 'it was never tried' : differenceOf(then, now)
  if (changed !== undefined) throw new TaktError('TAKT_WHAT_IF_STALE', { what: changed, where })
  return now
}

/** What people or other nodes have changed of the same thing since it was tried. */
function differenceOf(then: FoundChange, now: FoundChange): string | undefined {
  if (then.kind === 'repair' && now.kind === 'repair') {
    if (then.job?.id !== now.job?.id)
      return then.job === undefined ? `${now.job?.id} was ordered meanwhile` : `${then.job.id} is no longer the repair of the unit`
    if (now.job?.pinned === true && (then.job?.pinned !== true || then.job.plannedStart !== now.job.plannedStart)) return `${now.job.id} was pinned meanwhile`
  }
  if ((then.kind === 'rush' || then.kind === 'due') && then.kind === now.kind) {
    const [was, is] = [then.order, now.order]
    if (was.due !== is.due) return `the due time of ${is.id} was changed meanwhile`
    if (was.priority !== is.priority) return `the priority of ${is.id} was changed meanwhile`
  }
  return undefined
}

async function make(tx: StoreTransaction, plant: Plant, change: FoundChange, disruption: string, by: string, because: Because): Promise<void> {
  switch (change.kind) {
    case 'unit-down':
      return block(tx, plant, change, disruption, by, because)
    case 'rush':
      return saveOrder(tx, change.order.id, { priority: change.priority, ...(change.due === undefined ? {} : { due: change.due }) }, because)
    case 'due':
      return saveOrder(tx, change.order.id, { due: change.due }, because)
    case 'repair':
      return pinRepair(tx, plant, change, because)
  }
}

async function block(
  tx: StoreTransaction,
  plant: Plant,
  change: Extract<FoundChange, { kind: 'unit-down' }>,
  id: string,
  by: string,
  because: Because,
): Promise<void> {
  const { equipment, from, to } = change
  const draft = { id, equipment, cause: { person: by }, action: 'block' as const, deadline: null, unavailable: { from, to }, why: because.why ?? id }
  await openDisruption(tx, plant, draft, 'auto', because.actor)
  for (const job of await tx.list('job-order', { where: { equipment, state: 'AllowedToStart' } })) {
    // without a planned time nobody tells the unit again before the new plan is there
    if (isTakenBack(job, change, tx.now)) await changeJobOrder(tx, job, 'RevokeStart', because, { plannedStart: null, plannedEnd: null })
  }
}

async function saveOrder(tx: StoreTransaction, id: string, terms: Partial<Pick<WorkOrder, 'priority' | 'due'>>, because: Because): Promise<void> {
  // read again: another change of the same what-if may have touched it
  const order = await tx.get('work-order', id)
  if (order !== undefined) await tx.save<'work-order'>({ ...order, ...terms }, { type: 'work-order.updated', ...because })
}

async function pinRepair(
  tx: StoreTransaction,
  plant: Plant,
  { equipment, job, start }: Extract<FoundChange, { kind: 'repair' }>,
  because: Because,
): Promise<void> {
  const { actor, why = '' } = because
  let repair = job ?? (await requestMaintenance(tx, plant, { equipment, kind: 'planned', deadline: null, cause: why, actor })).jobOrder
  if (repair.state === 'AllowedToStart') repair = await changeJobOrder(tx, repair, 'RevokeStart', because)
  await tx.save<'job-order'>({ ...repair, equipment, plannedStart: start, plannedEnd: null, pinned: true }, { type: 'job-order.moved', ...because })
}
