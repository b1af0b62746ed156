import { TaktError, toTaktError } from '../../base/error.ts'
import type { ErrorCode } from '../../base/error-codes.ts'
import type { Plant } from '../../plant/plant.ts'
import { slug } from '../ids.ts'
import type { OrderRequest, RequestedOperation } from '../order-request.ts'
import { readDuration, readTime } from '../times.ts'
import { groupByOrder } from './group-rows.ts'
import type { Fields, OrderMapping } from './order-mapping.ts'
import type { ReadOrders } from './read-orders.ts'
import type { ImportProblem, Row } from './rows.ts'

/** Something odd that was taken nevertheless, and how. */
export interface Doubt {
  readonly code: ErrorCode
  readonly row: number
  readonly order: string | null
  readonly what: string
}

export interface RoutingContext {
  readonly fields: Fields | null
  readonly operations: NonNullable<OrderMapping['operations']>
  readonly mapping: OrderMapping
  readonly plant: Plant
  requestOf(row: Row): OrderRequest
}

/** A row read as a step of an order. */
export interface Step {
  readonly row: number
  readonly operation: string
  readonly equipment: string
  readonly durationMs: number
  readonly start: number | undefined
  readonly complete: number | undefined
}

/** Spans are written to the minute. */
const SPAN_TOLERANCE_MS = 30_000

/**
 * Orders whose routing comes with them, one row a step. Steps go in the order of their start; steps that follow each other with the same operation on the same
 * unit are one operation. The quantity is that of the first row; release is the earliest and due the latest that the rows say.
 */
export function readRouting(rows: readonly Row[], context: RoutingContext, where: string): Omit<ReadOrders, 'rows'> {
  const { groups, duplicates, problems, doubts } = groupByOrder(rows, context.fields, context.mapping.limit, 'leave-out')
  const orders = [...groups].flatMap(([order, group]) => {
    const faults: ImportProblem[] = []
    const fail = (row: number, thrown: unknown): void => {
      const { code, what } = toTaktError(thrown, where)
      faults.push({ row, order, code, what })
    }
    const steps = group.flatMap((row) => {
      try {
        return [readStep(row, order, context, doubts)]
      } catch (thrown) {
        fail(row.number, thrown)
        return []
      }
    })
    const [head] = group
    if (head !== undefined && faults.length === 0) {
      try {
        return [{ row: head.number, request: { ...termsOf(group, head, order, context, doubts), operations: operationsOf(steps, order, doubts) } }]
      } catch (thrown) {
        fail(head.number, thrown)
      }
    }
    // half a routing is none: the whole order is refused, and every row that is to blame is named
    problems.push(...faults)
    return []
  })
  return { orders, problems, doubts, duplicates }
}

export function readStep(row: Row, order: string, { operations, mapping, plant }: RoutingContext, doubts: Doubt[]): Step {
  const where = `row ${row.number}`
  const text = (from: string): string => {
    const value = row.get(from)
    if (value === undefined) throw new TaktError('TAKT_IMPORT_ROW', { what: `'${from}' is empty`, where })
    return String(value)
  }
  const moment = (from: string | undefined): number | undefined => {
    const value = from === undefined ? undefined : row.get(from)
    if (value === undefined) return undefined
    const time = readTime(value, plant.timeZone)
    if (time === undefined) throw new TaktError('TAKT_ORDER_TIME', { what: `'${String(value)}' as ${from} is not a time`, where })
    return time
  }
  const start = moment(operations.start)
  const complete = moment(operations.complete)
  if (start !== undefined && complete !== undefined && complete < start) throw new TaktError('TAKT_ORDER_TIME', { what: 'it ends before it starts', where })
  const written = operations.span === undefined ? undefined : row.get(operations.span)
  const span = readDuration(written, operations.unit ?? 'min')
  const between = start === undefined || complete === undefined ? undefined : complete - start
  const durationMs = between ?? span
  if (durationMs === undefined) throw new TaktError('TAKT_ORDER_TIME', { what: `'${String(written ?? '')}' is not a span, and there are no two times`, where })
  // two times that were stamped are trusted more than a span that was reckoned from them
  if (operations.span !== undefined && between !== undefined && (span === undefined || Math.abs(span - between) > SPAN_TOLERANCE_MS))
    doubts.push({
      code: 'TAKT_IMPORT_SPAN',
      row: row.number,
      order,
      what: `span '${String(written ?? '')}' does not agree with its start and end, which are ${minutes(between)} apart`,
    })
  return {
    row: row.number,
    operation: text(operations.operation),
    equipment: unitOf(text(operations.equipment), mapping, plant, where),
    durationMs,
    start,
    complete,
  }
}

/** The unit that the file means by a name. Throws TAKT_EQUIPMENT_UNKNOWN. */
function unitOf(name: string, { equipment }: OrderMapping, plant: Plant, where: string): string {
  const names = equipment?.names
  const candidates = [
    names !== undefined && Object.hasOwn(names, name) ? names[name] : undefined,
    name,
    plant.units.find((unit) => unit.name === name)?.id,
    equipment?.under === undefined ? undefined : `${equipment.under}/${slug(name).toLowerCase()}`,
  ]
  const found = candidates.find((id) => id !== undefined && plant.equipment(id) !== undefined)
  if (found === undefined) throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `no unit of the plant is meant by '${name}'`, where })
  return found
}

/** What the rows of one order say of it, beside its operations. */
export function termsOf(group: readonly Row[], head: Row, order: string, context: RoutingContext, doubts: Doubt[]): OrderRequest {
  const { requestOf, fields, plant } = context
  const request = requestOf(head)
  const others = fields?.quantity === undefined ? [] : group.filter((row) => row.get(fields.quantity ?? '') !== head.get(fields.quantity ?? ''))
  for (const row of others)
    doubts.push({
      code: 'TAKT_IMPORT_QUANTITY',
      row: row.number,
      order,
      what: `says another quantity (${String(row.get(fields?.quantity ?? ''))}) than row ${head.number}; that of row ${head.number} was taken`,
    })
  const moments = (from: string | undefined): number[] => (from === undefined ? [] : group.flatMap((row) => readTime(row.get(from), plant.timeZone) ?? []))
  const releases = moments(fields?.release)
  const dues = moments(fields?.due)
  return {
    ...request,
    ...(releases.length === 0 ? {} : { release: Math.min(...releases) }),
    ...(dues.length === 0 ? {} : { due: Math.max(...dues) }),
  }
}

function operationsOf(steps: readonly Step[], order: string, doubts: Doubt[]): RequestedOperation[] {
  const merged: { readonly row: number; readonly operation: string; readonly equipment: string; durationMs: number }[] = []
  for (const step of steps.toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0))) {
    const last = merged.at(-1)
    if (last !== undefined && last.operation === step.operation && last.equipment === step.equipment) last.durationMs += step.durationMs
    else merged.push({ ...step })
  }
  const times = new Map<string, number>()
  const operations = merged.flatMap(({ row, operation, equipment, durationMs }) => {
    if (durationMs === 0) {
      doubts.push({ code: 'TAKT_IMPORT_NO_TIME', row, order, what: `'${operation}' takes no time and was left out` })
      return []
    }
    const base = slug(operation)
    const nth = (times.get(base) ?? 0) + 1
    times.set(base, nth)
    return [{ id: nth === 1 ? base : `${base}-${nth}`, alternatives: [{ equipment, durationMs }] }]
  })
  if (operations.length === 0) throw new TaktError('TAKT_ORDER_ROUTING', { what: 'no operation of the order takes any time', where: order })
  return operations
}

function minutes(ms: number): string {
  const whole = Math.round(ms / 60_000)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} h`
}
