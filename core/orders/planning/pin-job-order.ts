import { TaktError } from '../../base/error.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { Store } from '../../store/store.ts'

export interface Pin {
  readonly jobOrder: string
  /** Unit to keep it on; the planned one when left out. */
  readonly equipment?: string
  /** Not before, and if possible exactly then, epoch ms; the planned start when left out. */
  readonly start?: number
}

/** `{ jobOrder, equipment?, start? }`, or the id alone. Throws TAKT_MESSAGE_INVALID. */
export function readPin(payload: unknown, where: string): Pin {
  const { jobOrder, equipment, start } = (typeof payload === 'string' ? { jobOrder: payload } : (payload ?? {})) as Record<string, unknown>
  const valid = typeof jobOrder === 'string' && (equipment === undefined || typeof equipment === 'string') && (start === undefined || typeof start === 'number')
  if (!valid) throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'a pin is {jobOrder, equipment?, start?}: ids, and epoch ms', where })
  return { jobOrder, ...(equipment === undefined ? {} : { equipment }), ...(start === undefined ? {} : { start }) }
}

/** A person decides where and when a job order runs; plans keep to it until it is unpinned. Throws TAKT_JOB_ORDER_UNKNOWN and TAKT_PLAN_PIN. */
export function pinJobOrder(store: Store, { jobOrder, equipment, start }: Pin, actor: string): Promise<JobOrder> {
  return change(store, jobOrder, actor, (job) => {
    const unit = equipment ?? job.equipment
    if (unit === null) throw refused(job, 'it has no planned unit yet, so name one')
    if (!job.alternatives.some((alternative) => alternative.equipment === unit)) throw refused(job, `${unit} cannot do ${job.operation}`)
    if (job.state === 'AllowedToStart' && unit !== job.equipment) throw refused(job, `${job.equipment} has been told to run it; revoke that first`)
    if (start !== undefined && !Number.isFinite(start)) throw refused(job, 'its start is not a time')
    return { equipment: unit, plannedStart: start ?? job.plannedStart, pinned: true }
  })
}

export function unpinJobOrder(store: Store, jobOrder: string, actor: string): Promise<JobOrder> {
  return change(store, jobOrder, actor, () => ({ pinned: false }))
}

function change(store: Store, id: string, actor: string, decide: (job: JobOrder) => Partial<JobOrder>): Promise<JobOrder> {
  return store.transaction(async (tx) => {
    const job = await tx.get('job-order', id)
    if (job === undefined) throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `there is no job order '${id}'`, where: 'pin' })
    if (job.state !== 'NotAllowedToStart' && job.state !== 'AllowedToStart') throw refused(job, `it is ${job.state}`)
    const decided = decide(job)
    const text = decided.pinned === true ? `pinned to ${decided.equipment}` : 'unpinned'
    return tx.save<'job-order'>({ ...job, ...decided }, { type: 'job-order.moved', actor, why: text })
  })
}

function refused(job: JobOrder, what: string): TaktError {
  return new TaktError('TAKT_PLAN_PIN', { what, where: `job order ${job.id}` })
}
