import { TaktError } from '../base/error.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { MaintenanceEvidence } from '../messages/maintenance.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../store/store.ts'
import { type Because, changeJobOrder, storeJobOrder } from './change-job-order.ts'
import { jobOrderIdOf, slug } from './ids.ts'
import { isOpen } from './job-order-states.ts'
import { addEvidence, withEvidence } from './maintenance/evidence.ts'
import { serviceTerms } from './maintenance/service.ts'
import { findSpares, missingText, sparesAt } from './maintenance/spares.ts'
import { settleWorkOrder } from './settle-work-order.ts'

export type MaintenanceKind = 'planned' | 'unplanned'

export interface MaintenanceRequest {
  /** id of the unit */
  readonly equipment: string
  readonly kind: MaintenanceKind
  /** the repair must have begun by then, epoch ms; null when it is not pressing */
  readonly deadline: number | null
  /** for people, one sentence */
  readonly cause: string
  /** what speaks for it */
  readonly evidence?: readonly MaintenanceEvidence[]
  /** the maintenance order that did not help */
  readonly follows?: string | undefined
  readonly actor: string
}

export interface Maintenance {
  readonly workOrder: WorkOrder
  readonly jobOrder: JobOrder
  /** false when the unit had an open maintenance order already */
  readonly created: boolean
}

const OPERATION = 'maintenance'
/** When the plant model has no durations for the unit. */
const DEFAULT_DURATION_MS = { planned: 3_600_000, unplanned: 4 * 3_600_000 } as const
const OPEN_STATES = ['Planned', 'Released', 'Running', 'Held'] as const

/**
 * The one open maintenance order of a unit: found, or made and released. However many alarms ask for it, there is one. A planned one becomes unplanned
 * when the unit has failed meanwhile, and an earlier deadline replaces a later one, as long as the repair has not begun.
 * Throws TAKT_EQUIPMENT_UNKNOWN.
 */
export async function requestMaintenance(tx: StoreTransaction, plant: Plant, request: MaintenanceRequest): Promise<Maintenance> {
  const { equipment, kind, deadline, cause, actor, evidence = [], follows } = request
  if (plant.equipment(equipment) === undefined)
    throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `there is no unit '${equipment}'`, where: `maintenance of ${equipment}` })
  const open = await openMaintenance(tx, equipment)
  if (open !== undefined) {
    const workOrder = await addEvidence(tx, open.workOrder, evidence, { actor, why: cause })
    return { workOrder, jobOrder: await tighten(tx, plant, open.jobOrder, request), created: false }
  }

  const earlier = await tx.list('work-order', { where: { type: 'maintenance', equipment } })
  const id = `mo-${slug(equipment.slice(equipment.lastIndexOf('/') + 1))}-${earlier.length + 1}`
  // two units of the same short name in different lines keep their orders apart
  const free = (await tx.get('work-order', id)) === undefined ? id : `mo-${slug(equipment)}-${earlier.length + 1}`
  const because: Because = { actor, why: cause }
  const jobId = jobOrderIdOf(free, OPERATION)
  const quantity = { value: 1, unit: 'repair' }
  const service = serviceTerms(plant, equipment, tx.now)
  const spares = await findSpares(tx, plant, equipment)
  const materialAt = sparesAt(spares ?? [], plant, equipment, tx.now)
  await tx.save<'work-order'>(
    {
      kind: 'work-order',
      id: free,
      type: 'maintenance',
      workMaster: null,
      quantity,
      release: tx.now,
      due: deadline,
      priority: kind === 'unplanned' ? 10 : 5,
      weight: 1,
      state: 'Released',
      progress: { good: 0, scrap: 0 },
      lots: [],
      jobOrders: [jobId],
      equipment,
      cause: cause.slice(0, 500),
      ...(evidence.length === 0 ? {} : { evidence: [...withEvidence([], evidence)] }),
      ...(follows === undefined ? {} : { follows }),
      ...(spares === undefined ? {} : { spares }),
      ...(service === undefined ? {} : { service }),
      created: tx.now,
    },
    { type: 'work-order.created', ...because },
  )
  await storeJobOrder(
    tx,
    {
      id: jobId,
      workOrder: free,
      operation: OPERATION,
      sequence: 0,
      after: [],
      alternatives: [{ equipment, setupMs: 0, perPieceMs: maintenanceDurationMs(plant, equipment, kind) }],
      equipment,
      quantity,
      lot: null,
      deadline,
      maintenance: kind,
      ...(materialAt === null ? {} : { materialAt }),
      ...(service?.check?.procedure === undefined ? {} : { procedure: service.check.procedure }),
    },
    because,
  )
  if (spares !== undefined && materialAt !== null) {
    const made = await tx.get('work-order', free)
    if (made !== undefined) await tx.save<'work-order'>(made, { type: 'work-order.spare-missing', actor, why: `missing: ${missingText(spares)}` })
  }
  const workOrder = await settleWorkOrder(tx, free, because)
  const jobOrder = await tx.get('job-order', jobId)
  if (workOrder === undefined || jobOrder === undefined) throw new TaktError('TAKT_INTERNAL', { where: `maintenance order ${free}` })
  return { workOrder, jobOrder, created: true }
}

/** The maintenance order of a unit that is not over, with its job order. */
export async function openMaintenance(reader: StoreReader, equipment: string): Promise<Omit<Maintenance, 'created'> | undefined> {
  const [workOrder] = await reader.list('work-order', { where: { type: 'maintenance', equipment, state: OPEN_STATES } })
  if (workOrder === undefined) return undefined
  const [jobOrder] = await reader.list('job-order', { where: { work_order: workOrder.id } })
  return jobOrder === undefined ? undefined : { workOrder, jobOrder }
}

/** When the last repair of a unit ended, epoch ms; 0 when it had none. */
export async function lastRepairEnd(reader: StoreReader, equipment: string): Promise<number> {
  const [job] = await reader.list('job-order', {
    where: { equipment, operation: 'maintenance', state: 'Ended' },
    orderBy: 'actual_end',
    descending: true,
    limit: 1,
  })
  return job?.actualEnd ?? 0
}

/** How long a repair takes, by the plant model. */
export function maintenanceDurationMs(plant: Plant, equipment: string, kind: MaintenanceKind): number {
  return plant.equipment(equipment)?.maintenance?.[kind].durationMs ?? DEFAULT_DURATION_MS[kind]
}

/** A repair that had become urgent is planned again: what made it urgent has gone, what it was planned for has not. Nothing changes once it was allowed to begin. */
export async function relaxMaintenance(tx: StoreTransaction, plant: Plant, workOrder: string, deadline: number | null, because: Because): Promise<void> {
  const [job] = await tx.list('job-order', { where: { work_order: workOrder } })
  if (job?.state !== 'NotAllowedToStart' || job.equipment === null) return
  const alternatives = [{ equipment: job.equipment, setupMs: 0, perPieceMs: maintenanceDurationMs(plant, job.equipment, 'planned') }]
  await changeJobOrder(tx, job, 'Update', because, { maintenance: 'planned', alternatives, deadline })
}

async function tighten(tx: StoreTransaction, plant: Plant, job: JobOrder, request: MaintenanceRequest): Promise<JobOrder> {
  if (!isOpen(job)) return job
  const failed = request.kind === 'unplanned' && job.maintenance !== 'unplanned'
  const sooner = request.deadline !== null && (job.deadline ?? Number.POSITIVE_INFINITY) > request.deadline
  if (!failed && !sooner) return job
  const alternatives = [{ equipment: request.equipment, setupMs: 0, perPieceMs: maintenanceDurationMs(plant, request.equipment, 'unplanned') }]
  return changeJobOrder(
    tx,
    job,
    'Update',
    { actor: request.actor, why: request.cause },
    { ...(failed ? { maintenance: 'unplanned' as const, alternatives } : {}), ...(sooner ? { deadline: request.deadline } : {}) },
  )
}
