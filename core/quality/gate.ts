import { TaktError } from '../base/error.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { QualityResult } from '../messages/quality-result.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import { isOver } from '../orders/job-order-states.ts'
import { setLotDisposition } from '../orders/lots.ts'
import { type OpenStep, openStep } from '../orders/open-steps.ts'
import type { Characteristic } from '../plant/model.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../store/store.ts'
import { decide, type Limits } from './decide.ts'
import { requestRework } from './held-lots.ts'
import type { Measurement } from './measurement.ts'

export interface GateOptions {
  /** See `DecisionOptions.rejectBeyond`. */
  readonly rejectBeyond: number | null
  /** Raise a rework order for parts that are held. */
  readonly rework: boolean
  /** Hold good values too while an anomaly of high severity stands on the unit. */
  readonly holdOnAnomaly: boolean
  readonly actor: string
}

export interface GateOutcome {
  readonly result: QualityResult
  /** The measurement had been recorded before: nothing was changed. */
  readonly replayed: boolean
  readonly rework: WorkOrder | null
  /** The parts are good, and their job order has ended: what is still to be done of its procedure. */
  readonly open?: OpenStep
}

/**
 * Judges a measurement and does what follows, in one transaction: records the result; on hold or reject holds the lot; on hold raises the rework order of the
 * job order, one at a time, whose quantity is the parts found bad. A rejected part cannot be made good: its lot waits for a person to release or scrap it.
 * Throws TAKT_QUALITY_JOB_UNKNOWN, TAKT_QUALITY_NOT_ATTRIBUTABLE, TAKT_QUALITY_SPECIFICATION_MISSING, TAKT_QUALITY_EXISTS_DIFFERENT.
 */
export async function gate(tx: StoreTransaction, plant: Plant, measurement: Measurement, options: GateOptions): Promise<GateOutcome> {
  const known = await knownResult(tx, measurement)
  if (known !== undefined) return known

  const { job, order, characteristic } = await attribute(tx, plant, measurement)
  const equipment = measurement.equipment ?? job.equipment
  const lot = measurement.lot ?? job.lot
  const limits = limitsOf(characteristic)
  const doubt = options.holdOnAnomaly && equipment !== null ? await doubtAbout(tx, plant, equipment, measurement.time) : null
  const { decision, rules, reasons } = decide(measurement.values, limits, characteristic.unit, { rejectBeyond: options.rejectBeyond, doubt })
  const { actor } = options
  const why = reasons.length === 0 ? undefined : `${characteristic.id} of ${job.id}: ${reasons.join('; ')}`
  const result = await tx.save<'quality-result'>(
    {
      kind: 'quality-result',
      id: measurement.id,
      lot,
      jobOrder: job.id,
      equipment,
      ...(measurement.serial === null ? {} : { serial: measurement.serial }),
      characteristic: characteristic.id,
      values: [...measurement.values],
      ...(characteristic.unit === undefined ? {} : { unit: characteristic.unit }),
      specification: { target: limits.target, lower: limits.lower, upper: limits.upper },
      decision,
      rules: [...rules],
      reasons: [...reasons],
      time: measurement.time,
    },
    { type: 'quality-result.recorded', actor, why },
  )
  if (decision === 'pass' || lot === null) {
    const open = decision === 'pass' && isOver(job) ? await openStep(tx, job) : undefined
    return { result, replayed: false, rework: null, ...(open === undefined ? {} : { open }) }
  }

  const suspect = await tx.get('lot', lot)
  if (suspect === undefined || suspect.disposition === 'scrapped') return { result, replayed: false, rework: null }
  await setLotDisposition(tx, lot, 'held', { actor, why })
  if (decision === 'reject' || !options.rework || order.state === 'Canceled') return { result, replayed: false, rework: null }
  return { result, replayed: false, rework: await requestRework(tx, plant, lot, job.id, why ?? '', actor) }
}

/** The result of a measurement that was judged before; nothing is changed. Throws TAKT_QUALITY_EXISTS_DIFFERENT where its id is another's. */
export async function knownResult(reader: StoreReader, measurement: Measurement): Promise<GateOutcome | undefined> {
  const result = await reader.get('quality-result', measurement.id)
  if (result === undefined) return undefined
  const { characteristic, values } = measurement
  if (result.characteristic !== characteristic || JSON.stringify(result.values) !== JSON.stringify(values)) {
    const what = `${measurement.id} is ${result.characteristic} ${result.values.join(', ').slice(0, 200)}`
    throw new TaktError('TAKT_QUALITY_EXISTS_DIFFERENT', { what, where: `${characteristic} ${values.join(', ').slice(0, 200)}` })
  }
  return { result, replayed: true, rework: null }
}

interface Attribution {
  readonly job: JobOrder
  readonly order: WorkOrder
  readonly characteristic: Characteristic
}

/** Whose measurement it is: the job order it names, else the one of its lot that has this characteristic, else the one its unit ran at that time. */
async function attribute(reader: StoreReader, plant: Plant, measurement: Measurement): Promise<Attribution> {
  const where = `${measurement.characteristic} of ${measurement.jobOrder ?? measurement.lot ?? measurement.equipment ?? 'an unnamed part'}`
  const job = await jobOf(reader, plant, measurement, where)
  const order = await reader.get('work-order', job.workOrder)
  const characteristic = order === undefined ? undefined : characteristicOf(plant, order, job, measurement.characteristic)
  if (order === undefined || characteristic === undefined) {
    const what = `operation '${job.operation}' of ${order?.workMaster ?? job.workOrder} specifies no '${measurement.characteristic}'`
    throw new TaktError('TAKT_QUALITY_SPECIFICATION_MISSING', { what, where })
  }
  return { job, order, characteristic }
}

async function jobOf(reader: StoreReader, plant: Plant, measurement: Measurement, where: string): Promise<JobOrder> {
  const { jobOrder, lot, equipment, time } = measurement
  const named = jobOrder ?? (lot === null && equipment !== null ? await jobOnUnit(reader, equipment, time) : null)
  if (named !== null) {
    const job = await reader.get('job-order', named)
    if (job === undefined) throw new TaktError('TAKT_QUALITY_JOB_UNKNOWN', { what: `there is no job order '${named}'`, where })
    return job
  }
  if (lot === null) throw new TaktError('TAKT_QUALITY_NOT_ATTRIBUTABLE', { where })
  const jobs = await reader.list('job-order', { where: { lot }, orderBy: 'actual_start', descending: true })
  if (jobs.length === 0) throw new TaktError('TAKT_QUALITY_LOT_UNKNOWN', { what: `no job order works on lot '${lot}'`, where })
  for (const job of jobs) {
    const order = await reader.get('work-order', job.workOrder)
    const begun = job.actualStart !== null && (equipment === null || job.equipment === equipment)
    if (begun && order !== undefined && characteristicOf(plant, order, job, measurement.characteristic) !== undefined) return job
  }
  throw new TaktError('TAKT_QUALITY_NOT_ATTRIBUTABLE', {
    what: `no operation that lot '${lot}' has been through specifies '${measurement.characteristic}'`,
    where,
  })
}

async function jobOnUnit(reader: StoreReader, equipment: string, time: number): Promise<string | null> {
  const row = await reader.db
    .selectFrom('machine_state')
    .select('job_order')
    .where('equipment', '=', equipment)
    .where('since', '<=', time)
    .orderBy('since', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.job_order ?? null
}

function characteristicOf(plant: Plant, order: WorkOrder, job: JobOrder, characteristic: string): Characteristic | undefined {
  return order.workMaster === null ? undefined : plant.characteristic(order.workMaster, job.operation, characteristic)
}

function limitsOf({ target, lower, upper, critical }: Characteristic): Limits {
  return { target: target ?? null, lower: lower ?? null, upper: upper ?? null, critical: critical ?? false }
}

/** An anomaly of high severity that stands on the unit, as the sentence why its values are not trusted. */
async function doubtAbout(reader: StoreReader, plant: Plant, equipment: string, time: number): Promise<string | null> {
  const standing = await reader.list('anomaly', { where: { equipment, state: ['raised', 'updated'] }, orderBy: 'since' })
  const grave = standing.find(({ severity, since }) => severity === 'high' && since <= time)
  return grave === undefined ? null : `made while anomaly ${grave.id} (${grave.signals.join(', ')}) stood on ${plant.nameOf(equipment)}`
}
