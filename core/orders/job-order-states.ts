import { TaktError } from '../base/error.ts'
import type { JobOrderState, JobOrderSubstate } from '../messages/job-order.ts'

/** What people and systems ask of a job order (methods of OPC 10031-4, ISA95JobOrderReceiverObjectType). */
export const JOB_ORDER_COMMANDS = ['Store', 'StoreAndStart', 'Update', 'Start', 'RevokeStart', 'Pause', 'Resume', 'Stop', 'Abort', 'Cancel', 'Clear'] as const
export type JobOrderCommand = (typeof JOB_ORDER_COMMANDS)[number]

/**
 * What is seen rather than asked for: `Wait` and `Ready` follow from the orders before it, the rest is what the unit shows.
 * A command only allows the start; `Begin` is the machine's own.
 */
export const JOB_ORDER_REPORTS = ['Wait', 'Ready', 'Load', 'Begin', 'Hold', 'Suspend', 'Continue', 'Complete', 'Fail'] as const
export type JobOrderReport = (typeof JOB_ORDER_REPORTS)[number]
export type JobOrderAction = JobOrderCommand | JobOrderReport

export interface JobOrderStatus {
  readonly state: JobOrderState
  readonly substate: JobOrderSubstate | null
}

/** `substate` undefined keeps the one it has. */
interface Target {
  readonly state: JobOrderState
  readonly substate?: JobOrderSubstate | null
}

const waiting: Target = { state: 'NotAllowedToStart', substate: 'Waiting' }
const running: Target = { state: 'Running', substate: null }
const held: Target = { state: 'Interrupted', substate: 'Held' }
const suspended: Target = { state: 'Interrupted', substate: 'Suspended' }
const completed: Target = { state: 'Ended', substate: 'Completed' }
const aborted: Target = { state: 'Aborted', substate: null }
const inPreparation = (substate?: JobOrderSubstate): Partial<Record<JobOrderState, Target>> => ({
  NotAllowedToStart: substate === undefined ? { state: 'NotAllowedToStart' } : { state: 'NotAllowedToStart', substate },
  AllowedToStart: substate === undefined ? { state: 'AllowedToStart' } : { state: 'AllowedToStart', substate },
})

/** What each action makes of each state; what is not listed is refused. `Absent` is the state of a job order that does not exist yet. */
const TRANSITIONS: Readonly<Record<JobOrderAction, Partial<Record<JobOrderState | 'Absent', Target>>>> = {
  Store: { Absent: waiting },
  StoreAndStart: { Absent: { state: 'AllowedToStart', substate: 'Waiting' } },
  Update: inPreparation(),
  Start: { NotAllowedToStart: { state: 'AllowedToStart' } },
  RevokeStart: { AllowedToStart: { state: 'NotAllowedToStart' } },
  Pause: { Running: held },
  Resume: { Interrupted: running },
  Stop: { Running: completed, Interrupted: completed },
  Abort: { NotAllowedToStart: aborted, AllowedToStart: aborted, Running: aborted, Interrupted: aborted },
  // the standard takes a cancelled or cleared job order off the list; here the record stays
  Cancel: { NotAllowedToStart: aborted, AllowedToStart: aborted },
  Clear: { Ended: { state: 'Ended', substate: 'Closed' }, Aborted: aborted },

  Wait: inPreparation('Waiting'),
  Ready: inPreparation('Ready'),
  Load: inPreparation('Loaded'),
  Begin: { AllowedToStart: running },
  Hold: { Running: held, Interrupted: held },
  Suspend: { Running: suspended, Interrupted: suspended },
  Continue: { Interrupted: running },
  Complete: { Running: completed, Interrupted: completed },
  Fail: { AllowedToStart: aborted, Running: aborted, Interrupted: aborted },
}

/** What a job order becomes by an action; `from` is null when it does not exist yet. Throws TAKT_JOB_ORDER_TRANSITION where OPC 10031-4 has no such way. */
export function jobOrderTransition(from: JobOrderStatus | null, action: JobOrderAction, where: string): JobOrderStatus {
  const target = TRANSITIONS[action][from?.state ?? 'Absent']
  if (target === undefined) {
    const is = from === null ? 'does not exist yet' : `is ${describe(from)}`
    throw new TaktError('TAKT_JOB_ORDER_TRANSITION', { what: `'${action}' is refused: the job order ${is}`, where })
  }
  return { state: target.state, substate: target.substate === undefined ? (from?.substate ?? null) : target.substate }
}

export function isJobOrderCommand(value: unknown): value is JobOrderCommand {
  return (JOB_ORDER_COMMANDS as readonly unknown[]).includes(value)
}

/** Not begun and not given up: it may still be changed, moved or taken back. */
export function isOpen(job: JobOrderStatus): boolean {
  return job.state === 'NotAllowedToStart' || job.state === 'AllowedToStart'
}

/** On a unit, whether it makes parts at this moment or not. */
export function isUnderWay(job: JobOrderStatus): boolean {
  return job.state === 'Running' || job.state === 'Interrupted'
}

/** Nothing more will be made under it. */
export function isOver(job: JobOrderStatus): boolean {
  return job.state === 'Ended' || job.state === 'Aborted'
}

function describe({ state, substate }: JobOrderStatus): string {
  return substate === null ? state : `${state} (${substate})`
}
