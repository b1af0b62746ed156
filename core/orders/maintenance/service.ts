import { TaktError } from '../../base/error.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { ServiceReturn } from '../../messages/maintenance.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'

/** A repaired unit that is not back to full work: how many parts it may get at a time, 0 while its return is checked. */
export interface UnitLimit {
  readonly workOrder: string
  readonly state: 'check' | 'trial' | 'failed'
  readonly parts: number
  /** epoch ms */
  readonly since: number
  /** how long the check usually takes, ms */
  readonly checkMs: number
}

/** A maintenance order with how its unit comes back. */
export type Returning = WorkOrder & { readonly service: ServiceReturn; readonly equipment: string }

const LIMITED = ['check', 'trial', 'failed'] as const
const MINUTE_MS = 60_000
/** Where the plant model does not say. */
const DEFAULTS = { checkMinutes: 30, samples: 10 } as const

/** What the plant model asks of a unit after its repair; undefined: nothing, it is free at once. */
export function serviceTerms(plant: Plant, equipment: string, now: number): ServiceReturn | undefined {
  const { returnToService, trial } = plant.equipment(equipment)?.maintenance ?? {}
  if (returnToService === undefined && trial === undefined) return undefined
  const { confirm, signals, procedure, minutes = DEFAULTS.checkMinutes } = returnToService ?? {}
  const check = {
    minutes,
    ...(confirm === undefined ? {} : { confirm }),
    ...(signals === undefined ? {} : { signals: signals.map(({ samples = DEFAULTS.samples, ...signal }) => ({ ...signal, samples })) }),
    ...(procedure === undefined ? {} : { procedure }),
  }
  return {
    state: 'repair',
    since: now,
    ...(returnToService === undefined ? {} : { check }),
    ...(trial === undefined ? {} : { trial: { parts: trial.parts, minutes: trial.minutes ?? 0, scrap: trial.scrap ?? 0, good: 0, bad: 0, jobOrders: [] } }),
  }
}

/** The maintenance orders whose units are not back to full work; of one unit, or of all. */
export async function returning(reader: StoreReader, equipment?: string): Promise<Returning[]> {
  const orders = await reader.list('work-order', { where: { ...(equipment === undefined ? {} : { equipment }), service: LIMITED }, orderBy: 'ledger' })
  return orders.filter((order): order is Returning => order.service !== undefined && order.equipment !== undefined)
}

/** What limits the work of a unit; undefined: nothing. */
export async function limitOf(reader: StoreReader, equipment: string): Promise<UnitLimit | undefined> {
  const order = (await returning(reader, equipment)).at(-1)
  return order === undefined ? undefined : limitIn(order)
}

export function limitIn({ id: workOrder, service: { state, since, check, trial } }: Returning): UnitLimit | undefined {
  if (state !== 'check' && state !== 'trial' && state !== 'failed') return undefined
  return { workOrder, state, since, checkMs: (check?.minutes ?? DEFAULTS.checkMinutes) * MINUTE_MS, parts: state === 'check' ? 0 : (trial?.parts ?? 1) }
}

/** Throws TAKT_UNIT_NOT_BACK where a person lets something begin on a unit that is not back, or more than it may get. */
export async function assertBack(reader: StoreReader, { id, equipment, maintenance, quantity }: JobOrder): Promise<void> {
  if (maintenance !== undefined || equipment === null) return
  const limit = await limitOf(reader, equipment)
  if (limit === undefined || quantity.value <= limit.parts) return
  const what =
    limit.state === 'check'
      ? `the return of ${equipment} after ${limit.workOrder} has not been checked`
      : `after ${limit.workOrder} ${equipment} gets ${limit.parts} parts at a time, and this is for ${quantity.value}`
  throw new TaktError('TAKT_UNIT_NOT_BACK', { what, where: `job order ${id}` })
}

/** A repair has ended: its unit is checked, tried, or free; what an earlier repair still asked for is over. */
export async function beginReturn(tx: StoreTransaction, workOrder: string, because: Because): Promise<void> {
  const order = await tx.get('work-order', workOrder)
  if (order?.equipment === undefined) return
  for (const earlier of await returning(tx, order.equipment)) {
    if (earlier.id === order.id) continue
    const service = { ...earlier.service, state: 'replaced' as const, since: tx.now, why: `repaired again, ${order.id}` }
    await tx.save<'work-order'>({ ...earlier, service }, { type: 'work-order.replaced', ...because })
  }
  if (order.service?.state !== 'repair') return
  if (order.service.check === undefined) return void (await toTrial(tx, order as Returning, because))
  const service = { ...order.service, state: 'check' as const, since: tx.now }
  await tx.save<'work-order'>({ ...order, service }, { type: 'work-order.awaiting-check', ...because })
}

/** Nothing is left to check: the unit is tried, where that is asked for, else free. */
export async function toTrial(tx: StoreTransaction, order: Returning, because: Because): Promise<Returning> {
  const { trial } = order.service
  const service: ServiceReturn =
    trial === undefined
      ? { ...order.service, state: 'full', since: tx.now }
      : { ...order.service, state: 'trial', since: tx.now, trial: { ...trial, from: tx.now, good: 0, bad: 0, jobOrders: [] } }
  const type = trial === undefined ? 'work-order.in-service' : 'work-order.on-trial'
  return (await tx.save<'work-order'>({ ...order, service }, { type, ...because })) as Returning
}
