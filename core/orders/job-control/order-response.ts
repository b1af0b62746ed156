import type { JobResponseRecord, MaterialRecord, ParameterRecord, ResourceRecord } from '../../connect/job-control/job-record.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import { stateOfOrder } from './order-state.ts'

/**
 * What has happened so far under an order: actual times, quantities by unit, the lot that was made. Of an order that has not begun there is nothing to tell
 * but its state. Quantities are those that the store has counted.
 */
export function responseOf(order: WorkOrder, jobs: readonly JobOrder[]): JobResponseRecord {
  const starts = jobs.flatMap((job) => job.actualStart ?? [])
  const ends = jobs.flatMap((job) => job.actualEnd ?? [])
  const state = stateOfOrder(order, jobs)
  const over = state.state === 'Ended' || state.state === 'Aborted'
  const { good, scrap } = madeOf(order, jobs)
  const units = unitsOf(jobs)
  const materials = materialsOf(order, good, scrap)
  return {
    id: `jr-${order.id}`,
    jobOrder: order.external?.id ?? order.id,
    ...(starts.length === 0 ? {} : { start: Math.min(...starts) }),
    ...(over && ends.length > 0 ? { end: Math.max(...ends) } : {}),
    ...state,
    data: [number('Good', good), number('Scrap', scrap), { id: 'WorkOrder', type: 'String', value: order.id }, ...jobs.map(operation)],
    ...(units.length === 0 ? {} : { equipment: units }),
    ...(materials.length === 0 ? {} : { materials }),
  }
}

/** An order that was given up is not settled any more: its parts are those of its job orders. */
function madeOf(order: WorkOrder, jobs: readonly JobOrder[]): { readonly good: number; readonly scrap: number } {
  if (order.state !== 'Canceled') return order.progress
  const last = jobs.filter((job) => !jobs.some((other) => other.after.includes(job.id)))
  return { good: last.reduce((sum, job) => sum + job.good, 0), scrap: jobs.reduce((sum, job) => sum + job.scrap, 0) }
}

function unitsOf(jobs: readonly JobOrder[]): ResourceRecord[] {
  const made = new Map<string, number>()
  for (const { equipment, actualStart, good } of jobs) if (equipment !== null && actualStart !== null) made.set(equipment, (made.get(equipment) ?? 0) + good)
  return [...made].map(([id, quantity]) => ({ id, use: 'Used', quantity: decimal(quantity) }))
}

function materialsOf({ workMaster, product, lots, quantity: { unit } }: WorkOrder, good: number, scrap: number): MaterialRecord[] {
  const definition = product ?? workMaster?.replace(/@\d+$/, '')
  const [lot] = lots
  const made = { ...(definition === undefined ? {} : { definition }), ...(lot === undefined ? {} : { lot }), use: 'Produced', unit }
  if (lot === undefined) return []
  return [{ ...made, quantity: decimal(good) }, ...(scrap > 0 ? [{ ...made, use: 'Scrap', quantity: decimal(scrap) }] : [])]
}

function operation({ id, operation: name, state, substate, good, scrap, equipment }: JobOrder): ParameterRecord {
  return {
    id: `Operation ${name}`,
    type: 'String',
    value: substate === null ? state : `${state} (${substate})`,
    sub: [number('Good', good), number('Scrap', scrap), text('JobOrder', id), ...(equipment === null ? [] : [text('Equipment', equipment)])],
  }
}

const number = (id: string, value: number): ParameterRecord => ({ id, type: 'Double', value })
const text = (id: string, value: string): ParameterRecord => ({ id, type: 'String', value })

function decimal(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(6).replace(/\.?0+$/, '')
}
