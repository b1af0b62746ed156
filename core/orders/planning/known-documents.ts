import type { JobOrder } from '../../messages/job-order.ts'
import type { Assignment, Plan } from '../../messages/plan.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { StoreReader } from '../../store/store.ts'

interface Document {
  readonly id: string
  readonly revision?: number | undefined
}

export interface Revision {
  readonly id: string
  readonly revision: number
}

/** Documents of one kind as they were last read. Nobody outside gets to change them. */
class KnownDocuments<D extends Document> {
  #byId = new Map<string, D>()

  /** Those that are at these revisions, the rest read anew, in their order; all others are forgotten. `read` may leave out what is no more. */
  async at(revisions: readonly Revision[], read: (ids: readonly string[]) => Promise<readonly D[]>): Promise<D[]> {
    const found = new Map<string, D>()
    const changed: string[] = []
    for (const { id, revision } of revisions) {
      const known = this.#byId.get(id)
      if (known?.revision === revision) found.set(id, known)
      else changed.push(id)
    }
    for (const document of await inParts(changed, read)) found.set(document.id, document)
    this.#byId = found
    return revisions.flatMap(({ id }) => found.get(id) ?? [])
  }

  /** It was written meanwhile, as this. */
  keep(document: D): void {
    if (this.#byId.has(document.id)) this.#byId.set(document.id, document)
  }
}

/**
 * What plans of a store are made from, as it was last read: of thousands of open job orders a few change from plan to plan, and reading the others again would cost
 * more than the plan. What is known is checked against the store's revisions each time, so that nothing is believed that has changed.
 */
export class KnownFacts {
  readonly jobs = new KnownDocuments<JobOrder>()
  readonly orders = new KnownDocuments<WorkOrder>()
  #plan: Plan | undefined

  /** The plan in force, a copy that is the caller's own. */
  async planInForce(reader: StoreReader): Promise<Plan | undefined> {
    const plan = await this.#latest(reader)
    return plan === undefined ? undefined : copyOfPlan(plan)
  }

  /** Where the plan in force has a job order. */
  async assignmentOf(reader: StoreReader, jobOrder: string): Promise<Assignment | undefined> {
    return (await this.#latest(reader))?.assignments.find((assignment) => assignment.jobOrder === jobOrder)
  }

  /** This plan was published and made these of the job orders; nobody else has them. */
  published(plan: Plan, jobs: readonly JobOrder[]): void {
    this.#plan = plan
    for (const job of jobs) this.jobs.keep(job)
  }

  async #latest(reader: StoreReader): Promise<Plan | undefined> {
    const latest = await reader.db.selectFrom('plan').select(['id', 'revision']).orderBy('version', 'desc').limit(1).executeTakeFirst()
    if (latest === undefined) return undefined
    if (String(this.#plan?.version) !== latest.id || this.#plan?.revision !== latest.revision) this.#plan = await reader.get('plan', latest.id)
    return this.#plan
  }
}

const KNOWN = new WeakMap<StoreReader, KnownFacts>()

/** What is known of a store, one for all that plan from it. */
export function knownFactsOf(reader: StoreReader): KnownFacts {
  const known = KNOWN.get(reader) ?? new KnownFacts()
  KNOWN.set(reader, known)
  return known
}

/** A few hundred at a time: so nobody has to wait for all of them to be read. */
export async function inParts<T>(ids: readonly string[], read: (ids: readonly string[]) => Promise<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for (let from = 0; from < ids.length; from += READ_AT_ONCE) all.push(...(await read(ids.slice(from, from + READ_AT_ONCE))))
  return all
}

const READ_AT_ONCE = 400

/** A plan goes out to flows, which may do with it what they like. */
export function copyOfPlan(plan: Plan): Plan {
  const { assignments, changes, problems, ...rest } = plan
  return {
    ...plan,
    ...copyOfJson(rest),
    assignments: assignments.map((assignment) => ({ ...assignment })),
    changes: changes.map((change) => ({ ...change, from: change.from && { ...change.from }, to: change.to && { ...change.to } })),
    problems: problems.map((problem) => ({ ...problem })),
  }
}

/** Of plain data; many times faster than a structured clone of something small. */
export function copyOfJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOfJson) as T
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const key in value) copy[key] = copyOfJson(value[key])
  return copy as T
}
