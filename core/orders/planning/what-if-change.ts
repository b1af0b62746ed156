import { TaktError } from '../../base/error.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { WhatIfChange } from '../../messages/what-if.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader } from '../../store/store.ts'
import { clockText } from '../disruption/why.ts'
import { isOpen } from '../job-order-states.ts'
import { openMaintenance } from '../maintenance.ts'
import type { AskedChange } from './what-if-request.ts'

/** A change with what it is about, as the store has it. */
export type FoundChange =
  | { readonly kind: 'unit-down'; readonly equipment: string; readonly from: number; readonly to: number }
  | { readonly kind: 'rush'; readonly order: WorkOrder; readonly priority: number; readonly due: number | undefined }
  /** `job` undefined: no repair is ordered yet */
  | { readonly kind: 'repair'; readonly equipment: string; readonly job: JobOrder | undefined; readonly start: number }
  | { readonly kind: 'due'; readonly order: WorkOrder; readonly due: number | null }

/** A rush order counts at least ten times as much as an ordinary one, whose priority is 5. */
export const RUSH_PRIORITY = 50
/** A start that has just passed means now: a message takes a while. */
const JUST_PASSED_MS = 60_000

/**
 * Looks up what a change is about. Throws TAKT_EQUIPMENT_UNKNOWN, TAKT_ORDER_UNKNOWN, TAKT_JOB_ORDER_UNKNOWN; TAKT_ORDER_STATE and TAKT_PLAN_PIN for orders and
 * repairs that no plan can move any more; TAKT_WHAT_IF_TIME for times that have passed.
 */
export async function findChange(reader: StoreReader, plant: Plant, change: AskedChange, now: number, where: string): Promise<FoundChange> {
  switch (change.kind) {
    case 'unit-down': {
      const equipment = unitOf(plant, change.equipment, where)
      const from = Math.max(now, change.from ?? now)
      if (change.to <= now) throw passed(`until ${clockText(change.to, now, plant)}`, where)
      if (change.to <= from) throw new TaktError('TAKT_WHAT_IF_TIME', { what: `${plant.nameOf(equipment)} would be back before it is taken away`, where })
      return { kind: 'unit-down', equipment, from, to: change.to }
    }
    case 'rush': {
      const order = await openOrder(reader, change.workOrder, where)
      if (change.due !== undefined && change.due <= now) throw passed(`due at ${clockText(change.due, now, plant)}`, where)
      return { kind: 'rush', order, priority: Math.max(order.priority, change.priority ?? RUSH_PRIORITY), due: change.due }
    }
    case 'due':
      return { kind: 'due', order: await openOrder(reader, change.workOrder, where), due: change.due }
    case 'repair': {
      const { equipment, job } = await repairOf(reader, plant, change, where)
      if (change.start < now - JUST_PASSED_MS) throw passed(`a repair at ${clockText(change.start, now, plant)}`, where)
      if (job !== undefined && (!isOpen(job) || job.substate === 'Loaded'))
        throw new TaktError('TAKT_PLAN_PIN', { what: `the repair of ${plant.nameOf(equipment)} is ${job.substate ?? job.state}`, where: `job order ${job.id}` })
      return { kind: 'repair', equipment, job, start: Math.max(now, change.start) }
    }
  }
}

/** `mill-2 takes no work from 10:12 to 24 Nov 06:00`. */
export function sentenceOf(change: FoundChange, plant: Plant, now: number): string {
  const at = (time: number): string => clockText(time, now, plant)
  const dueText = (due: number | null): string => (due === null ? 'without a due time' : `due at ${at(due)}`)
  switch (change.kind) {
    case 'unit-down':
      return `${plant.nameOf(change.equipment)} takes no work from ${change.from <= now ? 'now' : at(change.from)} to ${at(change.to)}`
    case 'rush': {
      const { order, priority, due } = change
      const first =
        priority === order.priority ? `${order.id} keeps its priority ${priority}` : `${order.id} gets priority ${priority} instead of ${order.priority}`
      return due === undefined ? first : `${first} and is ${dueText(due)} instead of ${dueText(order.due)}`
    }
    case 'due':
      return `${change.order.id} is ${dueText(change.due)} instead of ${dueText(change.order.due)}`
    case 'repair': {
      const { job, equipment, start } = change
      if (job === undefined) return `${plant.nameOf(equipment)} is repaired at ${at(start)}`
      const was = job.plannedStart === null ? '' : ` instead of ${at(job.plannedStart)}`
      return `the repair of ${plant.nameOf(equipment)} begins at ${at(start)}${was}`
    }
  }
}

/** The change as it stands in the document. */
export function changeDocument(change: FoundChange): WhatIfChange {
  switch (change.kind) {
    case 'unit-down':
      return { unitDown: { equipment: change.equipment, from: change.from, to: change.to } }
    case 'rush':
      return { rush: { workOrder: change.order.id, priority: change.priority, ...(change.due === undefined ? {} : { due: change.due }) } }
    case 'due':
      return { due: { workOrder: change.order.id, due: change.due } }
    case 'repair':
      return { repair: { equipment: change.equipment, jobOrder: change.job?.id ?? null, start: change.start } }
  }
}

/** A unit by its id, or by its name where only one has it. */
function unitOf(plant: Plant, named: string, where: string): string {
  const own = plant.units.find(({ id }) => id === named)
  if (own !== undefined) return own.id
  const [only, ...others] = plant.units.filter(({ id }) => plant.nameOf(id) === named || id.endsWith(`/${named}`))
  if (only !== undefined && others.length === 0) return only.id
  const what =
    only === undefined ? `there is no unit '${named}'` : `'${named}' may be ${[only, ...others].map(({ id }) => id).join(' or ')}: write its whole id`
  throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what, where })
}

async function openOrder(reader: StoreReader, id: string, where: string): Promise<WorkOrder> {
  const order = await reader.get('work-order', id)
  if (order === undefined) throw new TaktError('TAKT_ORDER_UNKNOWN', { what: `there is no work order '${id}'`, where })
  if (order.type === 'maintenance') throw new TaktError('TAKT_WHAT_IF_INVALID', { what: `${id} is a maintenance order: ask with 'repair' instead`, where })
  if (order.state !== 'Released' && order.state !== 'Running')
    throw new TaktError('TAKT_ORDER_STATE', { what: `${id} is ${order.state}, and plans are made of released orders`, where })
  return order
}

async function repairOf(
  reader: StoreReader,
  plant: Plant,
  { equipment, jobOrder }: { readonly equipment: string | undefined; readonly jobOrder: string | undefined },
  where: string,
): Promise<{ readonly equipment: string; readonly job: JobOrder | undefined }> {
  if (jobOrder === undefined) {
    const unit = unitOf(plant, equipment ?? '', where)
    return { equipment: unit, job: (await openMaintenance(reader, unit))?.jobOrder }
  }
  const job = await reader.get('job-order', jobOrder)
  if (job === undefined) throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `there is no job order '${jobOrder}'`, where })
  if (job.maintenance === undefined || job.equipment === null)
    throw new TaktError('TAKT_WHAT_IF_INVALID', { what: `${jobOrder} is no repair: pin it instead`, where })
  return { equipment: job.equipment, job }
}

function passed(what: string, where: string): TaktError {
  return new TaktError('TAKT_WHAT_IF_TIME', { what: `${what} lies in the past`, where })
}
