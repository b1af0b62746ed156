import { TaktError } from '../../base/error.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { Plan } from '../../messages/plan.ts'
import type { Store, StoreTransaction } from '../../store/store.ts'
import { latestPlan } from './read-facts.ts'
import type { DraftPlan, JobOrderUpdate } from './to-plan.ts'

/**
 * Publishes a plan in one transaction: the plan document, and the planned unit and times in the job orders that it changes. Nothing is written when a plan was
 * published, or one of those job orders has become another since the facts were read: then it rejects with TAKT_PLAN_STALE and the caller plans again.
 */
export function publishPlan(store: Store, draft: DraftPlan, actor: string): Promise<Plan> {
  return store.transaction(async (tx) => {
    const latest = await latestPlan(tx)
    if ((latest?.version ?? null) !== draft.plan.previous) throw stale(`plan ${latest?.version ?? 'none'} is in force, not ${draft.plan.previous ?? 'none'}`)
    const stored = draft.updates.length === 0 ? [] : await tx.list('job-order', { where: { id: draft.updates.map(({ job }) => job.id) } })
    const present = new Map(stored.map((job) => [job.id, job]))
    const updates = draft.updates.flatMap((update) => onPresent(update, present.get(update.job.id)))
    const why = whyOf(draft.plan)
    const plan = await tx.save<'plan'>(draft.plan, { type: 'plan.published', actor, why })
    const texts = new Map(plan.changes.map((change) => [change.jobOrder, change.text]))
    for (let from = 0; from < updates.length; from += SAVED_AT_ONCE) {
      const some = updates.slice(from, from + SAVED_AT_ONCE)
      await Promise.all(some.map((update) => saveJobOrder(tx, update, plan.version, actor, texts.get(update.job.id))))
      // thousands of job orders take a while to write: others have their turn between
      if (updates.length > SAVED_AT_ONCE) await new Promise((resolve) => setImmediate(resolve))
    }
    return plan
  })
}

const SAVED_AT_ONCE = 50

/** The update of a job order as it stands now; nothing when it has begun meanwhile where the plan has it. Throws TAKT_PLAN_STALE when the plan no longer fits it. */
function onPresent(update: JobOrderUpdate, present: JobOrder | undefined): JobOrderUpdate[] {
  const { job, equipment } = update
  if (present?.revision === job.revision) return [update]
  if (present !== undefined && present.state === 'NotAllowedToStart' && present.quantity.value === job.quantity.value && present.pinned === job.pinned)
    return [{ ...update, job: present }]
  if (present !== undefined && present.state !== 'NotAllowedToStart' && present.equipment === equipment) return []
  throw stale(`job order ${job.id} was changed meanwhile`)
}

async function saveJobOrder(tx: StoreTransaction, update: JobOrderUpdate, version: number, actor: string, why: string | undefined): Promise<void> {
  const { job, equipment, plannedStart, plannedEnd } = update
  const first = job.plannedStart === null || job.equipment === null
  await tx.save<'job-order'>(
    { ...job, equipment, plannedStart, plannedEnd, planVersion: version },
    { type: first ? 'job-order.planned' : 'job-order.moved', actor, why },
  )
}

function whyOf({ trigger, changes, objective }: Plan): string {
  const asked = trigger.id === undefined ? trigger.type : `${trigger.type} of ${trigger.id}`
  return `after ${asked}: ${changes.length} job orders planned anew, ${objective.moved} of them moved`
}

function stale(what: string): TaktError {
  return new TaktError('TAKT_PLAN_STALE', { what, where: 'plan' })
}
