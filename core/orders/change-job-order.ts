import type { JobOrder } from '../messages/job-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import { type JobOrderAction, jobOrderTransition } from './job-order-states.ts'

export interface Because {
  readonly actor: string
  readonly why?: string | undefined
}

/** What the ledger calls each action. */
const EVENTS = {
  Store: 'created',
  StoreAndStart: 'created',
  Update: 'progress',
  Start: 'allowed',
  RevokeStart: 'revoked',
  Pause: 'interrupted',
  Resume: 'running',
  Stop: 'completed',
  Abort: 'aborted',
  Cancel: 'aborted',
  Clear: 'closed',
  Wait: 'revoked',
  Ready: 'ready',
  Load: 'loaded',
  Begin: 'running',
  Hold: 'interrupted',
  Suspend: 'interrupted',
  Continue: 'running',
  Complete: 'completed',
  Fail: 'aborted',
} as const satisfies Record<JobOrderAction, string>

/** What may change together with a state: everything but the identity and the state itself. */
export type JobOrderChange = Partial<Omit<JobOrder, 'kind' | 'id' | 'workOrder' | 'operation' | 'state' | 'substate' | 'revision' | 'ledger'>>

/** Takes a job order through one legal transition and writes it. Throws TAKT_JOB_ORDER_TRANSITION, and then nothing has changed. */
export function changeJobOrder(tx: StoreTransaction, job: JobOrder, action: JobOrderAction, because: Because, change: JobOrderChange = {}): Promise<JobOrder> {
  const status = jobOrderTransition(job, action, `job order ${job.id}`)
  return tx.save<'job-order'>({ ...job, ...change, ...status }, { type: `job-order.${EVENTS[action]}`, ...because })
}

/** What a job order is created with; the rest starts empty. */
export type NewJobOrder = Pick<JobOrder, 'id' | 'workOrder' | 'operation' | 'sequence' | 'after' | 'alternatives' | 'quantity' | 'lot'> &
  Partial<Pick<JobOrder, 'setupFamily' | 'deadline' | 'maintenance' | 'continues' | 'equipment' | 'transferLot' | 'materialAt' | 'procedure' | 'cutFrom'>>

/** Writes a new job order: NotAllowedToStart, Waiting. */
export function storeJobOrder(tx: StoreTransaction, order: NewJobOrder, because: Because): Promise<JobOrder> {
  const status = jobOrderTransition(null, 'Store', `job order ${order.id}`)
  return tx.save<'job-order'>(
    {
      kind: 'job-order',
      equipment: null,
      good: 0,
      scrap: 0,
      plannedStart: null,
      plannedEnd: null,
      actualStart: null,
      actualEnd: null,
      planVersion: null,
      pinned: false,
      ...order,
      ...status,
    },
    { type: `job-order.${EVENTS.Store}`, ...because },
  )
}
