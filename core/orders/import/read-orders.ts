import { TaktError, toTaktError } from '../../base/error.ts'
import type { Plant } from '../../plant/plant.ts'
import { checkOrderRequest, type OrderRequest } from '../order-request.ts'
import { shown } from '../order-text.ts'
import { type B2mmlRequest, b2mmlOrder, b2mmlRequests } from './b2mml.ts'
import { type LogTotals, type OrderHistory, readHistory } from './history.ts'
import { FIELD_NAMES, type Fields, type OrderField, type OrderMapping } from './order-mapping.ts'
import { type Doubt, readRouting } from './routing.ts'
import { type ImportProblem, orderOf, type Row, readRows } from './rows.ts'

export interface RequestedOrder {
  /** the row it begins on */
  readonly row: number
  readonly request: OrderRequest
  /** what was done of it already, when the file is a log */
  readonly history?: OrderHistory
}

/** What a file says about orders: what can be taken, what cannot and why, and what was taken though it looks odd. */
export interface ReadOrders {
  readonly rows: number
  readonly orders: readonly RequestedOrder[]
  readonly problems: readonly ImportProblem[]
  readonly doubts: readonly Doubt[]
  /** rows that say the same as one before, to the letter */
  readonly duplicates: number
  /** what a log adds up to, over all its rows that can be read */
  readonly totals?: LogTotals
}

/**
 * Orders from CSV, from JSON, or from a parsed payload. A bad row takes nothing with it but the order it belongs to. Throws TAKT_IMPORT_MAPPING when the mapping
 * does not fit the file at all, and what reading the text throws.
 */
export function readOrders(input: unknown, mapping: OrderMapping, plant: Plant, where: string): ReadOrders {
  const { rows, columns, problems } = readRows(input, mapping, where)
  const requests = columns === null && rows.length === 1 ? b2mmlRequests(rows[0]?.value) : undefined
  if (requests !== undefined) return readB2mml(requests, mapping, where)
  const fields = fieldsOf(mapping, columns, where)
  const { operations } = mapping
  if (operations !== undefined) {
    assertColumns([operations.operation, operations.equipment, operations.span, operations.start, operations.complete], columns, where)
    const { records } = mapping
    const context = { fields, operations, mapping, plant, requestOf: (row: Row) => requestOf(row, fields, mapping, where) }
    if (records !== undefined)
      assertColumns([records.type, records.completed, records.rejected, records.review, records.rework, records.person], columns, where)
    const routing = records === undefined ? readRouting(rows, context, where) : readHistory(rows, context, records, where)
    return { ...routing, rows: rows.length + problems.length, problems: [...problems, ...routing.problems].map(told), doubts: routing.doubts.map(told) }
  }

  const orders: RequestedOrder[] = []
  const refused: ImportProblem[] = [...problems]
  for (const row of rows) {
    if (orders.length === mapping.limit) break
    try {
      orders.push({ row: row.number, request: requestOf(row, fields, mapping, `${where}, row ${row.number}`) })
    } catch (thrown) {
      const { code, what } = toTaktError(thrown, where)
      refused.push({ row: row.number, order: orderOf(row, fields), code, what })
    }
  }
  return { rows: rows.length + problems.length, orders, problems: refused.map(told), doubts: [], duplicates: 0 }
}

/** Rows are the requests of the schedule, from 1. */
function readB2mml(requests: readonly B2mmlRequest[], { system = 'b2mml', limit }: OrderMapping, where: string): ReadOrders {
  const orders: RequestedOrder[] = []
  const problems: ImportProblem[] = []
  for (const [index, asked] of requests.entries()) {
    if (orders.length === limit) break
    const row = index + 1
    try {
      orders.push({ row, request: checkOrderRequest(b2mmlOrder(asked, system, `${where}, request ${row}`), `${where}, request ${row}`) })
    } catch (thrown) {
      const { code, what } = toTaktError(thrown, where)
      problems.push(told({ row, order: typeof asked.request.ID === 'string' ? asked.request.ID : null, code, what }))
    }
  }
  return { rows: requests.length, orders, problems, doubts: [], duplicates: 0 }
}

/** Names out of a file may be anything and of any length. */
function told<T extends ImportProblem | Doubt>(row: T): T {
  return { ...row, what: shown(row.what), order: row.order === null ? null : shown(row.order) }
}

/** Which column holds which field. */
function fieldsOf(mapping: OrderMapping, columns: readonly string[] | null, where: string): Fields | null {
  if (mapping.fields !== undefined) {
    assertColumns(Object.values(mapping.fields), columns, where)
    return mapping.fields
  }
  // JSON without a mapping is taken for requests as docs/orders.md has them
  if (columns === null) return null
  const byName = new Map(columns.map((column) => [column.toLowerCase(), column]))
  const found = FIELD_NAMES.flatMap((field) => {
    const column = byName.get(field.toLowerCase())
    return column === undefined ? [] : [[field, column] as const]
  })
  const fields: Fields = Object.fromEntries(found)
  if (fields.quantity === undefined) {
    throw new TaktError('TAKT_IMPORT_MAPPING', {
      what: `no column is called 'quantity', and no mapping says which one holds it; there are: ${columns.join(', ')}`,
      where,
    })
  }
  return fields
}

function assertColumns(wanted: readonly (string | undefined)[], columns: readonly string[] | null, where: string): void {
  const missing = columns === null ? [] : wanted.filter((column) => column !== undefined && !columns.includes(column))
  if (missing.length > 0)
    throw new TaktError('TAKT_IMPORT_MAPPING', { what: `the file has no column '${missing.join("', '")}'; there are: ${columns?.join(', ') || 'none'}`, where })
}

function requestOf(row: Row, fields: Fields | null, mapping: OrderMapping, where: string): OrderRequest {
  if (fields === null) return checkOrderRequest(row.value, where)
  const get = (field: OrderField): unknown => (fields[field] === undefined ? undefined : row.get(fields[field]))
  const text = (field: OrderField): string | undefined => {
    const value = get(field)
    return value === undefined ? undefined : String(value)
  }
  const number = (field: OrderField): number | undefined => {
    const value = get(field)
    return value === undefined ? undefined : numberOf(value, field, where)
  }
  const order = text('order')
  const quantity = number('quantity')
  if (order === undefined && text('id') === undefined) throw new TaktError('TAKT_IMPORT_ROW', { what: 'the order has no number', where })
  if (quantity === undefined) throw new TaktError('TAKT_ORDER_QUANTITY', { what: 'the quantity is missing', where })
  const unit = text('unit')
  const operations = row.get('operations')
  return checkOrderRequest(
    defined({
      id: text('id'),
      external: order === undefined ? undefined : { system: mapping.system ?? 'import', id: order },
      product: text('product'),
      workMaster: text('workMaster'),
      quantity: unit === undefined ? quantity : { value: quantity, unit },
      release: get('release'),
      due: get('due'),
      priority: number('priority'),
      weight: number('weight'),
      materialAt: get('materialAt'),
      operations: Array.isArray(operations) ? operations : undefined,
    }),
    where,
  )
}

function numberOf(value: unknown, field: string, where: string): number {
  if (typeof value === 'number') return value
  // a decimal comma is one; groups of thousands are too easily taken for decimals
  const text = String(value).replace(/^([+-]?\d+),(\d+)$/, '$1.$2')
  if (!/^[+-]?\d+(\.\d+)?$/.test(text)) {
    throw new TaktError(field === 'quantity' ? 'TAKT_ORDER_QUANTITY' : 'TAKT_IMPORT_ROW', { what: `'${String(value)}' as ${field} is not a number`, where })
  }
  return Number(text)
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
