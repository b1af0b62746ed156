import { TaktError } from '../base/error.ts'
import { suffices, sum } from '../base/quantity.ts'
import type { Count } from '../messages/count.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { MachineState } from '../messages/machine-state.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder } from './change-job-order.ts'
import { countedFor, countJobOrder, recordCount } from './count-job-order.ts'
import { endJobOrder, failJobOrder } from './end-job-order.ts'
import { isOpen, isUnderWay } from './job-order-states.ts'
import { reportMissing } from './procedure-gate.ts'
import { settleWorkOrder } from './settle-work-order.ts'

/** What of a machine-state document matters to its job order. */
export type UnitState = Pick<MachineState, 'equipment' | 'state' | 'mode' | 'jobOrder' | 'since'>

type Phase = 'loaded' | 'busy' | 'held' | 'suspended' | 'complete' | 'stopped' | 'failed' | 'unknown'

const PHASES: Readonly<Record<MachineState['state'], Phase>> = {
  Idle: 'loaded',
  Starting: 'busy',
  Execute: 'busy',
  Unholding: 'busy',
  Unsuspending: 'busy',
  Completing: 'busy',
  Holding: 'held',
  Held: 'held',
  Suspending: 'suspended',
  Suspended: 'suspended',
  Complete: 'complete',
  Stopped: 'stopped',
  Aborted: 'failed',
  // on the way to a state that says more; parts may still be counted
  Resetting: 'unknown',
  Stopping: 'unknown',
  Aborting: 'unknown',
  Clearing: 'unknown',
  Deactivating: 'unknown',
  Deactivated: 'unknown',
  NoSignal: 'unknown',
}

/**
 * What a unit shows becomes the state of its job order: Running, Interrupted, Ended with a job response, Aborted with a job order for the rest. The same state
 * again changes nothing, and a state that was missed is made up for, because all is decided by what stands in the store.
 * Gives the error to tell people when the unit names a job order that is not known: it works on something that Takt knows nothing of.
 */
export async function followMachine(tx: StoreTransaction, unit: UnitState, because: Because): Promise<TaktError | undefined> {
  const { equipment, jobOrder } = unit
  if (jobOrder === null || unit.state === 'NoSignal') return undefined
  await endLeftBehind(tx, unit, because)
  const job = await countJobOrder(tx, jobOrder, because)
  if (job === undefined)
    return new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `the unit names the job order '${jobOrder}', which is not known`, where: equipment })
  if (isOpen(job) || isUnderWay(job)) await (job.maintenance === undefined ? followProduction : followMaintenance)(tx, job, unit, because)
  return undefined
}

/** The present state of every unit as the store has it: what was recorded before a crash and not followed yet is followed now. */
export async function reconcile(tx: StoreTransaction, because: Because): Promise<void> {
  const rows = await tx.db.selectFrom('machine_state').selectAll().where('until', 'is', null).execute()
  for (const { equipment, since, state, mode, job_order: jobOrder } of rows) {
    await followMachine(tx, { equipment, since, jobOrder, state: state as MachineState['state'], mode: mode as MachineState['mode'] }, because)
  }
  for (const job of await tx.list('job-order', { where: { state: ['Running', 'Interrupted'] } })) await countJobOrder(tx, job.id, because)
}

/** A count document: recorded if that has not been done, then the job order stands at what has been counted. */
export async function followCount(tx: StoreTransaction, count: Count, because: Because): Promise<void> {
  if (count.jobOrder === null) return
  if (count.ledger === undefined) await recordCount(tx, count, because)
  await countJobOrder(tx, count.jobOrder, because)
}

/**
 * A unit has shown for long that it is through with a job order that never seemed to begin: it began and ended unseen.
 * Only for a caller that has waited: the same picture for a moment is a unit that has just been given the job order.
 */
export async function endUnseen(tx: StoreTransaction, jobOrder: string, unit: UnitState, because: Because): Promise<void> {
  const job = await countJobOrder(tx, jobOrder, because)
  if (job === undefined || !isOpen(job)) return
  const begun = await begin(tx, job, unit, because)
  const done = unit.state === 'Complete' || job.maintenance !== undefined
  await (done ? endJobOrder(tx, begun, 'Complete', unit.since, because) : failJobOrder(tx, begun, unit.since, because))
}

async function followProduction(tx: StoreTransaction, job: JobOrder, unit: UnitState, because: Because): Promise<void> {
  const seen: Because = { actor: because.actor, why: `${unit.equipment} is ${unit.state}` }
  const phase = PHASES[unit.state]
  // job order and state need not change in one moment: an end that shows before a beginning is believed only when parts were made before it
  const begun = !isOpen(job) || ((await countedFor(tx, job.id)).first ?? Number.POSITIVE_INFINITY) <= unit.since
  switch (phase) {
    case 'loaded':
      if (job.state === 'AllowedToStart' && job.substate !== 'Loaded') await changeJobOrder(tx, job, 'Load', seen, { equipment: unit.equipment })
      // some units go on from Complete or Stopped to Idle by themselves, faster than they are read
      else if (isUnderWay(job) && job.good + job.scrap > 0) await leave(tx, job, unit, seen)
      return
    case 'busy':
      await run(tx, job, unit, seen)
      return
    case 'held':
    case 'suspended': {
      const interrupted = await run(tx, job, unit, seen)
      if (interrupted.substate !== (phase === 'held' ? 'Held' : 'Suspended')) await changeJobOrder(tx, interrupted, phase === 'held' ? 'Hold' : 'Suspend', seen)
      return
    }
    case 'complete':
      if (begun) await endJobOrder(tx, await begin(tx, job, unit, seen), 'Complete', unit.since, seen)
      return
    case 'stopped':
    case 'failed':
      // a unit takes no job order while it has failed, so one that it names then was under way; when it is stopped it may just have been given it
      if (begun || phase === 'failed') await failJobOrder(tx, await begin(tx, job, unit, seen), unit.since, seen)
      return
    case 'unknown':
      return
  }
}

async function followMaintenance(tx: StoreTransaction, job: JobOrder, unit: UnitState, because: Because): Promise<void> {
  const seen: Because = { actor: because.actor, why: `${unit.equipment} is ${unit.state}${unit.mode === null ? '' : ` in mode ${unit.mode}`}` }
  const phase = PHASES[unit.state]
  const resting = phase === 'complete' || phase === 'loaded' || phase === 'stopped'
  const inRepair = unit.mode === null ? !resting && phase !== 'failed' && phase !== 'unknown' : unit.mode === 'Maintenance'
  if (inRepair) await begin(tx, job, unit, seen)
  else if (resting && isUnderWay(job)) await endJobOrder(tx, job, 'Complete', unit.since, seen)
}

/** Running, by whatever legal way leads there. A unit that runs what was not allowed is a fact, and is recorded as one. */
async function run(tx: StoreTransaction, job: JobOrder, unit: UnitState, seen: Because): Promise<JobOrder> {
  if (job.state === 'Interrupted' && PHASES[unit.state] === 'busy') return changeJobOrder(tx, job, 'Continue', seen)
  return begin(tx, job, unit, seen)
}

async function begin(tx: StoreTransaction, job: JobOrder, unit: UnitState, seen: Because): Promise<JobOrder> {
  if (!isOpen(job)) return job
  const { actor } = seen
  const allowed =
    job.state === 'AllowedToStart' ? job : await changeJobOrder(tx, job, 'Start', { actor, why: `${unit.equipment} runs it without having been allowed to` })
  await reportMissing(tx, { ...allowed, equipment: unit.equipment }, 'start', seen)
  const first = (await countedFor(tx, job.id)).first
  const actualStart = first === null ? unit.since : Math.min(first, unit.since)
  const running = await changeJobOrder(tx, allowed, 'Begin', seen, { actualStart, equipment: unit.equipment })
  await settleWorkOrder(tx, running.workOrder, { actor })
  return running
}

/** Job orders that stand as under way on a unit which is busy with another one: their end was not seen. */
async function endLeftBehind(tx: StoreTransaction, unit: UnitState, { actor }: Because): Promise<void> {
  const underWay = await tx.list('job-order', { where: { equipment: unit.equipment, state: ['Running', 'Interrupted'] } })
  for (const left of underWay) {
    if (left.id === unit.jobOrder || (left.actualStart ?? 0) > unit.since) continue
    const why = `${unit.equipment} has gone on to ${unit.jobOrder}`
    await leave(tx, (await countJobOrder(tx, left.id, { actor, why })) ?? left, unit, { actor, why })
  }
}

/** The unit is through with a job order and did not say how: by what was counted. */
async function leave(tx: StoreTransaction, job: JobOrder, unit: UnitState, seen: Because): Promise<void> {
  const done = job.maintenance !== undefined || suffices(sum(job.good, job.scrap), job.quantity.value)
  await (done ? endJobOrder(tx, job, 'Complete', unit.since, seen) : failJobOrder(tx, job, unit.since, seen))
}
