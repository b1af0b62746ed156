import { Ajv, type ValidateFunction } from 'ajv'
import { Type } from 'typebox'
import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import { EquipmentId, Quantity } from '../messages/common.ts'
import { ResourceNeed } from '../messages/job-order.ts'
import { describeErrors } from '../messages/validate.ts'
import { Parameters, type RoutedOperation, type WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import { assertText } from './order-text.ts'
import { readTime } from './times.ts'

const Name = Type.String({ minLength: 1, maxLength: 100 })
const Moment = Type.Union([Type.Number(), Type.String({ minLength: 1, maxLength: 60 })])

/** One unit that can do an operation: with a time a piece, or with one time for the whole order. */
export const RequestedAlternative = Type.Object({
  equipment: EquipmentId,
  setupMs: Type.Optional(Type.Number({ minimum: 0 })),
  perPieceMs: Type.Optional(Type.Number({ minimum: 0 })),
  durationMs: Type.Optional(Type.Number({ minimum: 0 })),
  needs: Type.Optional(Type.Array(ResourceNeed, { maxItems: 100 })),
})

/** Without `after` an operation follows the one before it in the list; `[]` lets it begin at once. */
export const RequestedOperation = Type.Object({
  id: Name,
  after: Type.Optional(Type.Array(Name)),
  setupFamily: Type.Optional(Name),
  transferLot: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  alternatives: Type.Array(RequestedAlternative, { minItems: 1 }),
})
export type RequestedOperation = Type.Static<typeof RequestedOperation>

/**
 * An order as people and ERP systems ask for it. It needs a work master (or a product that one makes), or operations of its own. Times may be epoch ms or text;
 * text without an offset is local time of the plant.
 */
export const OrderRequest = Type.Object({
  id: Type.Optional(Name),
  external: Type.Optional(Type.Object({ system: Name, id: Name })),
  workMaster: Type.Optional(Name),
  product: Type.Optional(Name),
  quantity: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Quantity]),
  tolerance: Type.Optional(Type.Object({ under: Type.Optional(Type.Number({ minimum: 0 })), over: Type.Optional(Type.Number({ minimum: 0 })) })),
  release: Type.Optional(Moment),
  due: Type.Optional(Type.Union([Moment, Type.Null()])),
  priority: Type.Optional(Type.Number()),
  weight: Type.Optional(Type.Number({ minimum: 0 })),
  materialAt: Type.Optional(Type.Union([Moment, Type.Null()])),
  parameters: Type.Optional(Parameters),
  template: Type.Optional(Type.String({ maxLength: 200 })),
  operations: Type.Optional(Type.Array(RequestedOperation, { minItems: 1, maxItems: 1000 })),
})
export type OrderRequest = Type.Static<typeof OrderRequest>

/** What a request says of the work order it asks for; `release` undefined: now. */
export type OrderTerms = Pick<
  WorkOrder,
  'workMaster' | 'quantity' | 'due' | 'priority' | 'weight' | 'external' | 'product' | 'operations' | 'materialAt' | 'tolerance' | 'parameters' | 'template'
> & {
  readonly id: string | undefined
  readonly release: number | undefined
}

let validator: ValidateFunction | undefined

/** Checks a payload from outside. Throws TAKT_MESSAGE_INVALID with every fault. */
export function checkOrderRequest(payload: unknown, where: string): OrderRequest {
  assertSafe(payload, where)
  validator ??= new Ajv({ allErrors: true, strict: false }).compile(OrderRequest)
  if (!validator(payload)) throw new TaktError('TAKT_MESSAGE_INVALID', { what: `not an order: ${describeErrors(validator.errors)}`, where })
  assertText(payload, where)
  return payload as OrderRequest
}

/**
 * The terms of a checked request in this plant. Throws TAKT_WORK_MASTER_UNKNOWN, TAKT_EQUIPMENT_UNKNOWN, TAKT_ORDER_QUANTITY, TAKT_ORDER_TIME, TAKT_ORDER_ROUTING.
 */
export function orderTerms(request: OrderRequest, plant: Plant, where: string): OrderTerms {
  const moment = (value: number | string | null | undefined, field: string): number | undefined => {
    if (value === undefined || value === null) return undefined
    const time = readTime(value, plant.timeZone)
    if (time === undefined) throw new TaktError('TAKT_ORDER_TIME', { what: `'${value}' as ${field} is not a time`, where })
    return time
  }
  const value = typeof request.quantity === 'number' ? request.quantity : request.quantity.value
  if (!(value > 0) || !Number.isFinite(value)) throw new TaktError('TAKT_ORDER_QUANTITY', { what: `the quantity is ${value}`, where })
  // an order with operations of its own may still name the work master, for what it specifies
  const master = request.operations === undefined ? workMasterOf(request, plant, where) : plant.workMaster(request.workMaster ?? '')
  const unit = typeof request.quantity === 'number' ? unitOf(plant, master?.produces ?? request.product) : request.quantity.unit
  const product = (master === undefined || request.operations !== undefined) && request.product !== undefined ? { product: request.product } : {}
  const operations = request.operations === undefined ? {} : { operations: routedOperations(request.operations, value, plant, where) }
  return {
    id: request.id,
    ...(request.external === undefined ? {} : { external: { system: request.external.system, id: request.external.id } }),
    workMaster: master === undefined ? null : `${master.id}@${master.version}`,
    ...product,
    ...operations,
    quantity: { value, unit },
    ...(request.tolerance === undefined ? {} : { tolerance: { under: request.tolerance.under ?? 0, over: request.tolerance.over ?? 0 } }),
    release: moment(request.release, 'release'),
    due: moment(request.due, 'due') ?? null,
    ...inOrderOfNames(request.parameters),
    ...(request.template === undefined ? {} : { template: request.template }),
    priority: request.priority ?? 5,
    weight: request.weight ?? 1,
    ...(request.materialAt === undefined ? {} : { materialAt: moment(request.materialAt, 'materialAt') ?? null }),
  }
}

/** So that the same parameters are the same order, however they were written down. */
function inOrderOfNames(parameters: Parameters = {}): Pick<OrderTerms, 'parameters'> {
  const entries = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? {} : { parameters: Object.fromEntries(entries) }
}

function workMasterOf({ workMaster, product }: OrderRequest, plant: Plant, where: string) {
  const reference = workMaster ?? product
  if (reference === undefined) throw new TaktError('TAKT_WORK_MASTER_UNKNOWN', { what: 'the order names no work master, no product and no operations', where })
  const newestFirst = (plant.model.workMasters ?? []).filter((master) => master.produces === reference).sort((a, b) => b.version - a.version)
  const found = plant.workMaster(reference) ?? newestFirst[0]
  if (found === undefined) throw new TaktError('TAKT_WORK_MASTER_UNKNOWN', { what: `nothing in the plant model makes '${reference}'`, where })
  return found
}

function unitOf(plant: Plant, material: string | undefined): string {
  return plant.model.materials?.find((candidate) => candidate.id === material)?.unit ?? 'pcs'
}

function routedOperations(requested: readonly RequestedOperation[], quantity: number, plant: Plant, where: string): RoutedOperation[] {
  const ids = new Set<string>()
  for (const { id } of requested) {
    if (ids.has(id)) throw new TaktError('TAKT_ORDER_ROUTING', { what: `the operation '${id}' is there twice`, where })
    ids.add(id)
  }
  const operations = requested.map((operation, index): RoutedOperation => {
    const before = requested[index - 1]
    const after = operation.after ?? (before === undefined ? [] : [before.id])
    const unknown = after.find((id) => !ids.has(id))
    if (unknown !== undefined) throw new TaktError('TAKT_ORDER_ROUTING', { what: `'${operation.id}' comes after '${unknown}', which is not there`, where })
    const alternatives = operation.alternatives.map(({ equipment, setupMs = 0, perPieceMs, durationMs, needs = [] }) => {
      if (plant.equipment(equipment) === undefined)
        throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `operation '${operation.id}' names '${equipment}', which is not in the plant`, where })
      if ((perPieceMs === undefined) === (durationMs === undefined))
        throw new TaktError('TAKT_ORDER_ROUTING', { what: `operation '${operation.id}' needs either perPieceMs or durationMs`, where })
      const unknown = needs.find(({ resource }) => plant.resource(resource) === undefined)
      if (unknown !== undefined)
        throw new TaktError('TAKT_ORDER_ROUTING', { what: `operation '${operation.id}' needs '${unknown.resource}', which is not in the plant`, where })
      return { equipment, setupMs, perPieceMs: perPieceMs ?? (durationMs ?? 0) / quantity, ...(needs.length === 0 ? {} : { needs }) }
    })
    const family = operation.setupFamily === undefined ? {} : { setupFamily: operation.setupFamily }
    const transfer = operation.transferLot === undefined ? {} : { transferLot: operation.transferLot }
    return { id: operation.id, after, alternatives, ...family, ...transfer }
  })
  return inOrder(operations, where)
}

/** Operations so that each comes after those it waits for, otherwise as they were. Throws TAKT_ORDER_ROUTING for a circle. */
export function inOrder<T extends { readonly id: string; readonly after: readonly string[] }>(operations: readonly T[], where: string): T[] {
  const placed = new Set<string>()
  const ordered: T[] = []
  while (ordered.length < operations.length) {
    const free = operations.find((operation) => !placed.has(operation.id) && operation.after.every((id) => placed.has(id)))
    if (free === undefined) throw new TaktError('TAKT_ORDER_ROUTING', { what: 'the operations wait for each other in a circle', where })
    placed.add(free.id)
    ordered.push(free)
  }
  return ordered
}
