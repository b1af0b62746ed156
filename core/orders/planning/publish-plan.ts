import { TaktError } from '../../base/error.ts'
import { turn } from '../../base/in-slices.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { Plan } from '../../messages/plan.ts'
import type { Store, StoreTransaction } from '../../store/store.ts'
import { copyOfJson, copyOfPlan, inParts, knownFactsOf } from './known-documents.ts'
import type { DraftPlan, JobOrderUpdate } from './to-plan.ts'

/**
 * Publishes a plan in one transaction: the plan document, and the planned unit and times in the job orders that it changes. Nothing is written when a plan was
 * published, or one of those job orders has become another since the facts were read: then it rejects with TAKT_PLAN_STALE and the caller plans again.
 * `guard` may refuse in the same transaction.
 */
export async function publishPlan(store: Store, draft: DraftPlan, actor: string, guard?: (tx: StoreTransaction) => Promise<void>): Promise<Plan> {
  const { plan, known, jobs } = await store.transaction(async (tx) => {
    await guard?.(tx)
    const latest = await tx.db.selectFrom('plan').select('version').orderBy('version', 'desc').limit(1).executeTakeFirst()
    if ((latest?.version ?? null) !== draft.plan.previous) throw stale(`plan ${latest?.version ?? 'none'} is in force, not ${draft.plan.previous ?? 'none'}`)
    const updates = await presentOf(tx, draft.updates)
    const why = whyOf(draft.plan)
    const saved = await tx.save<'plan'>(draft.plan, { type: 'plan.published', actor, why })
    const texts = new Map(saved.changes.map((change) => [change.jobOrder, change.text]))
    // before anybody hears of it
    const own = copyOfPlan(saved)
    const written: JobOrder[] = []
    for (let from = 0; from < updates.length; from += SAVED_AT_ONCE) {
      const some = updates.slice(from, from + SAVED_AT_ONCE)
      written.push(...(await Promise.all(some.map((update) => saveJobOrder(tx, update, saved.version, actor, texts.get(update.job.id))))))
      // thousands of job orders take a while to write: others have their turn between
      if (updates.length > SAVED_AT_ONCE) await turn()
    }
    return { plan: saved, known: own, jobs: written }
  })
  knownFactsOf(store).published(known, jobs)
  return plan
}

/** Updates of the job orders as they stand now; read are only those that have changed since the facts were. */
async function presentOf(tx: StoreTransaction, updates: readonly JobOrderUpdate[]): Promise<JobOrderUpdate[]> {
  const wanted = updates.map(({ job }) => job.id)
  const rows = await inParts(wanted, (some) => tx.db.selectFrom('job_order').select(['id', 'revision']).where('id', 'in', some).execute())
  const revisions = new Map(rows.map(({ id, revision }) => [id, revision]))
  const others = updates.flatMap(({ job }) => (revisions.get(job.id) === job.revision ? [] : [job.id]))
  const changed = new Map((await inParts(others, (id) => tx.list('job-order', { where: { id } }))).map((job) => [job.id, job]))
  return updates.flatMap((update) => (revisions.get(update.job.id) === update.job.revision ? [update] : onPresent(update, changed.get(update.job.id))))
}

const SAVED_AT_ONCE = 16

/** The update of a job order as it stands now; nothing when it has begun meanwhile where the plan has it. Throws TAKT_PLAN_STALE when the plan no longer fits it. */
function onPresent(update: JobOrderUpdate, present: JobOrder | undefined): JobOrderUpdate[] {
  const { job, equipment } = update
  if (present !== undefined && present.state === 'NotAllowedToStart' && present.quantity.value === job.quantity.value && present.pinned === job.pinned)
    return [{ ...update, job: present }]
  if (present !== undefined && present.state !== 'NotAllowedToStart' && present.equipment === equipment) return []
  throw stale(`job order ${job.id} was changed meanwhile`)
}

/** The job order as it is from now on. What is saved is a copy, because listeners get it, and nobody may change what is planned from. */
async function saveJobOrder(tx: StoreTransaction, update: JobOrderUpdate, version: number, actor: string, why: string | undefined): Promise<JobOrder> {
  const { job, equipment, plannedStart, plannedEnd } = update
  const first = job.plannedStart === null || job.equipment === null
  const planned = { ...job, equipment, plannedStart, plannedEnd, planVersion: version }
  const type = first ? 'job-order.planned' : 'job-order.moved'
  const { revision = 0, ledger = 0 } = await tx.save<'job-order'>(copyOfJson(planned), { type, actor, why })
  return { ...planned, revision, ledger }
}

function whyOf({ trigger, changes, objective }: Plan): string {
  const asked = trigger.id === undefined ? trigger.type : `${trigger.type} of ${trigger.id}`
  return `after ${asked}: ${changes.length} job orders planned anew, ${objective.moved} of them moved`
}

function stale(what: string): TaktError {
  return new TaktError('TAKT_PLAN_STALE', { what, where: 'plan' })
}
