import type { JobOrder } from '../../messages/job-order.ts'
import type { UnitState } from '../follow-machine.ts'
import { isOpen, isOver, isUnderWay } from '../job-order-states.ts'

/** All that decides what a unit does next. */
export interface UnitView {
  readonly now: number
  /** What the unit itself has said since Takt started; undefined before it has. */
  readonly unit: UnitState | undefined
  /** Job orders that are planned on it or run on it, and are not over. */
  readonly jobs: readonly JobOrder[]
  /** The job order that the unit names, whatever its state; undefined when it names none or one that is not known. */
  readonly named: JobOrder | undefined
  /** Job orders told to this unit that another unit names already. */
  readonly elsewhere: ReadonlySet<string>
  /** Job orders whose predecessors still run and hand on transfer lots: earlier than planned they would run out of parts. */
  readonly overlapping?: ReadonlySet<string>
  /** Does the calendar have the unit open now? */
  readonly open: boolean
  /** How much before its planned start a job order may begin when its unit is free. */
  readonly toleranceMs: number
  /** A repaired unit that is not back to full work: so many parts it may get at a time, 0: none. */
  readonly atMost?: number
}

export type NextStep =
  /** look again at `until`, or when something changes */
  | { readonly do: 'wait'; readonly until?: number }
  /** allow it and tell the unit */
  | { readonly do: 'start'; readonly job: JobOrder }
  /** allowed already: the unit is to be told, or told again */
  | { readonly do: 'tell'; readonly job: JobOrder }
  /** the unit names what it was told */
  | { readonly do: 'acknowledged'; readonly job: JobOrder }
  /** the unit failed before it took what it was told */
  | { readonly do: 'revoke'; readonly job: JobOrder; readonly why: string }
  /** the unit may have only the first parts of what is next */
  | { readonly do: 'cut'; readonly job: JobOrder; readonly parts: number }
  /** the unit works on what has ended */
  | { readonly do: 'stop'; readonly job: JobOrder }

const FREE: ReadonlySet<string> = new Set(['Idle', 'Complete', 'Stopped'])
const FAILED: ReadonlySet<string> = new Set(['Aborting', 'Aborted', 'Clearing'])
const BUSY: ReadonlySet<string> = new Set(['Starting', 'Execute'])

/** What to do at a unit now. Pure: the same view gives the same step. */
export function nextStep(view: UnitView): NextStep {
  const { unit, named, now } = view
  if (unit === undefined || unit.state === 'NoSignal') return { do: 'wait' }
  const producing = unit.mode === null || unit.mode === 'Produce'
  if (named !== undefined && isOver(named) && BUSY.has(unit.state) && producing) return { do: 'stop', job: named }

  const told = inPlanOrder(view.jobs.filter((job) => job.state === 'AllowedToStart'))
  const taken = told.find((job) => job.id === unit.jobOrder)
  if (taken !== undefined) return { do: 'acknowledged', job: taken }
  const underWay = view.jobs.some(isUnderWay)
  const failed = FAILED.has(unit.state)
  if (failed) {
    const lost = told.find((job) => job.maintenance === undefined)
    if (lost !== undefined && !view.elsewhere.has(lost.id)) return { do: 'revoke', job: lost, why: `${unit.equipment} failed before it took it` }
  }
  // the present job order must have ended in the store, so that no part of it is booked on the next
  const free = producing && FREE.has(unit.state) && !underWay
  const repairable = unit.state === 'Aborted' && producing && !underWay

  const checked = view.atMost === undefined || view.atMost > 0
  const next = told.find((job) => !view.elsewhere.has(job.id) && (job.maintenance === undefined ? free && checked : free || repairable))
  if (next !== undefined) return { do: 'tell', job: next }
  if (told.length > 0) return { do: 'wait' }
  if (repairable) {
    const repair = view.jobs.find((job) => job.maintenance !== undefined && isReady(job))
    if (repair === undefined) return { do: 'wait' }
    // a person has put it off
    if (repair.pinned && repair.plannedStart !== null && repair.plannedStart > now) return { do: 'wait', until: repair.plannedStart }
    // its spare has not come
    if (waitsForMaterial(repair, now)) return { do: 'wait', until: repair.materialAt ?? now }
    return { do: 'start', job: repair }
  }
  if (!free) return { do: 'wait' }
  // what an idle unit names is loaded, although its permission was taken back meanwhile: it can do nothing else
  const loaded = unit.state === 'Idle' && named !== undefined && isOpen(named) ? named : undefined
  if (!checked) return nextOfPlan({ ...view, jobs: view.jobs.filter((job) => job.maintenance !== undefined) })
  return loaded === undefined ? inPortions(nextOfPlan(view), view) : nextOfPlan({ ...view, jobs: view.jobs.filter((job) => job.id === loaded.id) })
}

/** On a unit on trial the first parts of a job order begin, and no more. */
function inPortions(step: NextStep, { atMost, jobs }: UnitView): NextStep {
  if (step.do !== 'start' || atMost === undefined || step.job.maintenance !== undefined) return step
  const piece = jobs.find((job) => job.cutFrom === step.job.id && isReady(job))
  if (piece !== undefined) return { do: 'start', job: piece }
  return step.job.quantity.value <= atMost ? step : { do: 'cut', job: step.job, parts: atMost }
}

/** The next job order of a free unit, and whether its time has come. */
function nextOfPlan({ now, jobs, toleranceMs, open, overlapping }: UnitView): NextStep {
  const all = jobs.filter(isReady)
  // what is not there cannot be worked on, whatever the plan still says
  const ready = all.filter((job) => !waitsForMaterial(job, now))
  if (ready.length === 0 && all.length > 0) return { do: 'wait', until: Math.min(...all.map((job) => job.materialAt ?? now)) }
  const repair = ready.find((job) => job.maintenance !== undefined)
  const [next] = inPlanOrder(ready.filter((job) => job.plannedStart !== null))
  if (repair !== undefined && repair.plannedStart === null) {
    const deadline = repair.deadline ?? Number.POSITIVE_INFINITY
    if (deadline <= now) return { do: 'start', job: repair }
    // nobody has planned it yet: nothing may begin that would still run when the repair must
    if (next !== undefined && now + estimateMs(next) > deadline) return { do: 'wait', until: deadline }
  }
  const start = next?.plannedStart
  if (next === undefined || start === null || start === undefined) return { do: 'wait' }
  if (start <= now) return { do: 'start', job: next }
  if (overlapping?.has(next.id) === true) return { do: 'wait', until: start }
  if (start - toleranceMs > now) return { do: 'wait', until: start - toleranceMs }
  // the plan knows when the unit is open; an early start must ask
  return open ? { do: 'start', job: next } : { do: 'wait', until: start }
}

function waitsForMaterial({ materialAt }: JobOrder, now: number): boolean {
  return materialAt !== undefined && materialAt !== null && materialAt > now
}

function isReady(job: JobOrder): boolean {
  return job.state === 'NotAllowedToStart' && job.substate === 'Ready'
}

/** By planned start, repairs first among equals; what has none comes last. */
function inPlanOrder(jobs: readonly JobOrder[]): readonly JobOrder[] {
  const start = (job: JobOrder): number => job.plannedStart ?? Number.POSITIVE_INFINITY
  const rank = (job: JobOrder): number => (job.maintenance === undefined ? 1 : 0)
  return jobs.toSorted((a, b) => Math.sign(start(a) - start(b) || 0) || rank(a) - rank(b))
}

function estimateMs(job: JobOrder): number {
  const { setupMs, perPieceMs } = job.alternatives.find(({ equipment }) => equipment === job.equipment) ?? { setupMs: 0, perPieceMs: 0 }
  return setupMs + perPieceMs * job.quantity.value
}
