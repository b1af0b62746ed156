import { TaktError } from '../../base/error.ts'
import type { VerdictDecision } from '../../messages/anomaly.ts'
import type { Found, ServiceReturn } from '../../messages/maintenance.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'
import { freePieces } from './cut-job-order.ts'
import { type Returning, returning } from './service.ts'
import { settleReturn } from './settle-return.ts'

export const MAINTENANCE_TOPICS = ['maintenance.confirm', 'maintenance.found', 'maintenance.back'] as const
export type MaintenanceTopic = (typeof MAINTENANCE_TOPICS)[number]

/** A person who is known for certain; a name in a message is none. */
export interface KnownPerson {
  readonly id: string
  /** Does the person hold this role at the unit? */
  holds(role: string, equipment: string): boolean
}

/** Who says it: as the ledger names them, and the person where one is known. */
export interface Sayer extends Because {
  readonly person?: KnownPerson | undefined
}

/**
 * What people say of a repair: that the return of its unit is in order (`confirm`), what was found and done (`found`), that the unit takes full work although something was left to
 * check or to try (`back`). Gives the order as it stands then.
 * Throws TAKT_MESSAGE_INVALID, TAKT_MAINTENANCE_UNKNOWN, TAKT_MAINTENANCE_STATE, TAKT_ORDER_REASON, TAKT_PERSON_NOT_SIGNED_IN, TAKT_PERSON_NOT_ALLOWED.
 */
export async function answerMaintenance(
  tx: StoreTransaction,
  plant: Plant,
  topic: MaintenanceTopic,
  payload: unknown,
  sayer: Sayer,
  where: string,
): Promise<WorkOrder> {
  const fields = fieldsOf(payload)
  const order = await maintenanceOrderOf(tx, fields, where)
  if (topic === 'maintenance.found') return found(tx, plant, order, fields, sayer, where)
  const why = textOf(fields.why, 500)
  const done = topic === 'maintenance.confirm' ? await confirm(tx, order, why, sayer) : await takeBack(tx, order, why, sayer)
  await settleReturn(tx, plant, done.id, { actor: sayer.actor })
  return (await tx.get('work-order', done.id)) ?? done
}

/** The unit of the order that is meant: whose people may answer. Undefined where nothing is meant that is there. */
export async function unitMeant(reader: StoreReader, payload: unknown): Promise<string | undefined> {
  const { workOrder, equipment } = fieldsOf(payload)
  if (typeof workOrder === 'string') return (await reader.get('work-order', workOrder))?.equipment
  return typeof equipment === 'string' ? equipment : undefined
}

async function confirm(tx: StoreTransaction, order: WorkOrder, why: string | undefined, sayer: Sayer): Promise<WorkOrder> {
  const { service } = order
  const check = service?.check
  if (service === undefined || check?.confirm === undefined) throw refused(order, 'nobody is asked to confirm the return of its unit')
  if (check.confirmed !== undefined) throw refused(order, `it was confirmed by ${check.confirmed.by} already`)
  if (service.state !== 'check') throw refused(order, service.state === 'repair' ? 'its repair has not ended' : `its unit is ${STATES[service.state]}`)
  assertAsked(order, sayer)
  const confirmed = { by: sayer.actor, time: tx.now, ...(why === undefined ? {} : { why }) }
  const next = { ...order, service: { ...service, check: { ...check, confirmed } } }
  return tx.save<'work-order'>(next, { type: 'work-order.return-confirmed', actor: sayer.actor, why: why ?? 'the return of the unit is in order' })
}

/** A person answers for it: whatever was left to check or to try. */
async function takeBack(tx: StoreTransaction, order: WorkOrder, why: string | undefined, sayer: Sayer): Promise<WorkOrder> {
  const { service, equipment } = order
  if (why === undefined) throw new TaktError('TAKT_ORDER_REASON', { where: `maintenance order ${order.id}` })
  if (service === undefined || equipment === undefined || !['check', 'trial', 'failed'].includes(service.state))
    throw refused(order, service?.state === 'repair' ? 'its repair has not ended' : 'its unit takes full work')
  assertAsked(order, sayer)
  const next: ServiceReturn = { ...service, state: 'full', since: tx.now, why }
  const saved = await tx.save<'work-order'>({ ...order, service: next }, { type: 'work-order.in-service', actor: sayer.actor, why })
  await freePieces(tx, equipment, { actor: sayer.actor, why })
  return saved
}

async function found(tx: StoreTransaction, plant: Plant, order: WorkOrder, fields: Fields, sayer: Sayer, where: string): Promise<WorkOrder> {
  const invalid = (what: string): never => {
    throw new TaktError('TAKT_MESSAGE_INVALID', { what, where })
  }
  const cause = textOf(fields.cause, 500) ?? invalid('it does not say what was found: cause')
  const done = textOf(fields.done, 1000) ?? invalid('it does not say what was done: done')
  const { code, alarm } = fields
  const { reasons } = plant.model
  if (code !== undefined && (typeof code !== 'string' || reasons?.some((reason) => reason.code === code) !== true))
    invalid(`'${String(code).slice(0, 100)}' is not among the reasons of the plant model`)
  const verdict = alarm === undefined || alarm === 'confirmed' || alarm === 'refused' ? (alarm as VerdictDecision | undefined) : undefined
  if (alarm !== undefined && verdict === undefined) invalid(`alarm is '${String(alarm).slice(0, 40)}' where confirmed or refused is taken`)
  const [job] = await tx.list('job-order', { where: { work_order: order.id } })
  if (job?.actualStart == null) throw refused(order, 'its repair has not begun')
  const by = sayer.actor.slice(0, 200)
  const said: Found = {
    cause,
    done,
    by,
    time: tx.now,
    ...(code === undefined ? {} : { code: String(code) }),
    ...(verdict === undefined ? {} : { alarm: verdict }),
  }
  const same = order.found
  if (same !== undefined && same.cause === cause && same.done === done && same.code === said.code && same.alarm === verdict && same.by === by) return order
  if (verdict !== undefined) await judgeAlarms(tx, order, verdict, by, `${cause}; ${done}`, sayer)
  return tx.save<'work-order'>({ ...order, found: said }, { type: 'work-order.found', actor: sayer.actor, why: `${cause}; ${done}` })
}

/** What was found says whether the alarms that asked for the repair were right. */
async function judgeAlarms(tx: StoreTransaction, order: WorkOrder, decision: VerdictDecision, by: string, why: string, { actor }: Sayer): Promise<void> {
  for (const { source, id } of order.evidence ?? []) {
    const anomaly = source === 'anomaly' ? await tx.get('anomaly', id) : undefined
    if (anomaly === undefined || anomaly.verdict?.decision === decision) continue
    const verdict = { decision, by, time: tx.now, why: why.slice(0, 500) }
    await tx.save<'anomaly'>({ ...anomaly, verdict }, { type: `anomaly.${decision}`, actor, why: `${decision} by ${by}: ${why}` })
  }
}

/** Throws where the plant model asks for somebody else. */
function assertAsked({ id, equipment = '', service }: WorkOrder, { person }: Sayer): void {
  const { role, person: only } = service?.check?.confirm ?? {}
  if (role === undefined && only === undefined) return
  const where = `maintenance order ${id}`
  if (person === undefined) throw new TaktError('TAKT_PERSON_NOT_SIGNED_IN', { where })
  if (only !== undefined && person.id !== only)
    throw new TaktError('TAKT_PERSON_NOT_ALLOWED', { what: `${only} is asked to confirm it, not ${person.id}`, where })
  if (role !== undefined && !person.holds(role, equipment))
    throw new TaktError('TAKT_PERSON_NOT_ALLOWED', { what: `${person.id} has not the role '${role}' at ${equipment}`, where })
}

/** `{ workOrder }`, an id alone, or `{ equipment }`: the one whose unit is not back, else the latest. */
async function maintenanceOrderOf(reader: StoreReader, { workOrder, equipment }: Fields, where: string): Promise<WorkOrder> {
  if (typeof workOrder === 'string' && workOrder !== '') {
    const order = await reader.get('work-order', workOrder)
    if (order?.type === 'maintenance') return order
    const what = order === undefined ? `there is no order '${workOrder.slice(0, 200)}'` : `'${workOrder}' is an order of type ${order.type}`
    throw new TaktError('TAKT_MAINTENANCE_UNKNOWN', { what, where })
  }
  if (typeof equipment !== 'string' || equipment === '')
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'it names neither a workOrder nor the equipment that was repaired', where })
  const back: Returning | undefined = (await returning(reader, equipment)).at(-1)
  const [latest] =
    back === undefined ? await reader.list('work-order', { where: { equipment, type: 'maintenance' }, orderBy: 'ledger', descending: true, limit: 1 }) : [back]
  if (latest === undefined) throw new TaktError('TAKT_MAINTENANCE_UNKNOWN', { what: `'${equipment.slice(0, 200)}' has no maintenance order`, where })
  return latest
}

const STATES = { trial: 'on trial', failed: 'on trial, which has failed', full: 'back to full work', replaced: 'repaired again since' } as const

function refused({ id }: WorkOrder, what: string): TaktError {
  return new TaktError('TAKT_MAINTENANCE_STATE', { what, where: `maintenance order ${id}` })
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(payload: unknown): Fields {
  if (typeof payload === 'string') return { workOrder: payload }
  return typeof payload === 'object' && payload !== null && !Array.isArray(payload) ? (payload as Fields) : {}
}

function textOf(value: unknown, longest: number): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, longest) : undefined
}
