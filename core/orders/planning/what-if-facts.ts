import type { Disruption } from '../../messages/disruption.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { Plan } from '../../messages/plan.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import { maintenanceDurationMs } from '../maintenance.ts'
import type { PlanningFacts } from './read-facts.ts'
import type { FoundChange } from './what-if-change.ts'

/** The facts as they would be if a plan were in force: job orders that have not begun stand where it puts them. */
export function afterPlan(facts: PlanningFacts, plan: Plan): PlanningFacts {
  const places = new Map(plan.assignments.map((assignment) => [assignment.jobOrder, assignment]))
  const jobs = facts.jobs.map((job): JobOrder => {
    const place = places.get(job.id)
    if (place === undefined || place.frozen || job.pinned) return job
    return { ...job, equipment: place.equipment, plannedStart: place.start, plannedEnd: place.end }
  })
  return { ...facts, jobs, plan }
}

/** The facts as they would be with the changes; the facts themselves stay as they are. */
export function withChanges(facts: PlanningFacts, changes: readonly FoundChange[], plant: Plant, id: string): PlanningFacts {
  return changes.reduce((present, change, index) => withChange(present, change, plant, `${id}-${index + 1}`), facts)
}

function withChange(facts: PlanningFacts, change: FoundChange, plant: Plant, id: string): PlanningFacts {
  switch (change.kind) {
    case 'unit-down':
      return {
        ...facts,
        disruptions: [...facts.disruptions, blockOf(change, id, facts.now)],
        jobs: facts.jobs.map((job) => (isTakenBack(job, change, facts.now) ? { ...job, state: 'NotAllowedToStart' as const } : job)),
      }
    case 'rush':
      return withOrder(facts, change.order, (order) => ({ ...order, priority: change.priority, due: change.due ?? order.due }))
    case 'due':
      return withOrder(facts, change.order, (order) => ({ ...order, due: change.due }))
    case 'repair': {
      const { job } = change
      if (job === undefined) return withNewRepair(facts, change, plant, id)
      const pinned: JobOrder = { ...job, state: 'NotAllowedToStart', plannedStart: change.start, pinned: true }
      return { ...facts, jobs: [...facts.jobs.filter((other) => other.id !== job.id), pinned] }
    }
  }
}

/**
 * A job order that a unit was told to do, and has not loaded, is taken back from a unit that is to take no work from now on. What is pinned there is a person's, and
 * a repair may be the very reason for the block.
 */
export function isTakenBack(job: JobOrder, { equipment, from }: { readonly equipment: string; readonly from: number }, now: number): boolean {
  return (
    job.equipment === equipment && job.state === 'AllowedToStart' && job.substate !== 'Loaded' && job.maintenance === undefined && !job.pinned && from <= now
  )
}

function blockOf({ equipment, from, to }: Extract<FoundChange, { kind: 'unit-down' }>, id: string, now: number): Disruption {
  return {
    kind: 'disruption',
    id,
    equipment,
    cause: { person: 'what-if' },
    action: 'block',
    deadline: null,
    unavailable: { from, to },
    autonomy: 'auto',
    status: 'acted',
    why: 'what if it took no work',
    time: now,
  }
}

function withOrder(facts: PlanningFacts, { id }: WorkOrder, change: (order: WorkOrder) => WorkOrder): PlanningFacts {
  const order = facts.workOrders.get(id)
  return order === undefined ? facts : { ...facts, workOrders: new Map(facts.workOrders).set(id, change(order)) }
}

/** A repair that nobody has ordered yet, as it would be ordered. */
function withNewRepair(facts: PlanningFacts, { equipment, start }: Extract<FoundChange, { kind: 'repair' }>, plant: Plant, id: string): PlanningFacts {
  const quantity = { value: 1, unit: 'repair' }
  const job: JobOrder = {
    kind: 'job-order',
    id: `jo-${id}`,
    workOrder: id,
    operation: 'maintenance',
    sequence: 0,
    after: [],
    state: 'NotAllowedToStart',
    substate: 'Ready',
    equipment,
    alternatives: [{ equipment, setupMs: 0, perPieceMs: maintenanceDurationMs(plant, equipment, 'planned') }],
    quantity,
    good: 0,
    scrap: 0,
    lot: null,
    plannedStart: start,
    plannedEnd: null,
    actualStart: null,
    actualEnd: null,
    planVersion: null,
    pinned: true,
    deadline: null,
    maintenance: 'planned',
  }
  const order: WorkOrder = {
    kind: 'work-order',
    id,
    type: 'maintenance',
    workMaster: null,
    quantity,
    release: facts.now,
    due: null,
    priority: 5,
    weight: 1,
    state: 'Released',
    progress: { good: 0, scrap: 0 },
    lots: [],
    jobOrders: [job.id],
    equipment,
    created: facts.now,
  }
  return { ...facts, jobs: [...facts.jobs, job], workOrders: new Map(facts.workOrders).set(id, order) }
}
