import { parseCsv } from '../../base/csv.ts'
import { TaktError } from '../../base/error.ts'
import type { ErrorCode } from '../../base/error-codes.ts'
import { parseJson, readPath } from '../../base/json.ts'
import type { Fields, OrderMapping } from './order-mapping.ts'

/** One row of a file, whatever its format. */
export interface Row {
  /** line of a CSV file, or position in a JSON list, from 1 */
  readonly number: number
  /** value of a column or path; `undefined` where there is none, or nothing in it */
  get(from: string): unknown
  /** everything in it, to tell two rows apart */
  readonly content: string
  /** a JSON row as it is */
  readonly value: unknown
}

/** Why something was not taken. */
export interface ImportProblem {
  readonly row: number
  readonly order: string | null
  readonly code: ErrorCode
  readonly what: string
}

export interface Rows {
  readonly rows: readonly Row[]
  /** `null` for JSON, where a path need not be there in every row */
  readonly columns: readonly string[] | null
  readonly problems: readonly ImportProblem[]
}

/** The order that a row belongs to, as the file names it. */
export function orderOf(row: Row, fields: Fields | null): string | null {
  const name = fields === null ? (row.get('external.id') ?? row.get('id')) : row.get(fields.order ?? fields.id ?? '$none')
  return name === undefined ? null : String(name)
}

const MAX_BYTES = 50_000_000

/** The rows of CSV or JSON text, or of a value that is parsed already. Throws TAKT_MESSAGE_TOO_LARGE, TAKT_MESSAGE_NOT_JSON, TAKT_MESSAGE_FORBIDDEN_KEY. */
export function readRows(input: unknown, mapping: OrderMapping, where: string): Rows {
  if (typeof input === 'string' || input instanceof Uint8Array) {
    const text = typeof input === 'string' ? input : Buffer.from(input).toString('utf8')
    if (/^\ufeff?\s*[[{]/.test(text)) return jsonRows(parseJson(text.replace(/^\ufeff/, ''), { maxBytes: MAX_BYTES, where }), mapping, where)
    if (text.length > MAX_BYTES)
      throw new TaktError('TAKT_MESSAGE_TOO_LARGE', { what: `${text.length} characters where at most ${MAX_BYTES} are taken`, where })
    return csvRows(text, mapping)
  }
  return jsonRows(input, mapping, where)
}

function csvRows(text: string, { delimiter }: OrderMapping): Rows {
  const { header, records, faults } = parseCsv(text, delimiter)
  const index = new Map(header.map((name, at) => [name, at]))
  const rows = records.map(({ line, cells }): Row => {
    const get = (column: string): unknown => {
      const at = index.get(column)
      const cell = at === undefined ? undefined : cells[at]?.trim()
      return cell === '' ? undefined : cell
    }
    return { number: line, get, content: cells.join('\u0000'), value: undefined }
  })
  return { rows, columns: header, problems: faults.map(({ line, what }) => ({ row: line, order: null, code: 'TAKT_IMPORT_ROW', what })) }
}

function jsonRows(input: unknown, { orders }: OrderMapping, where: string): Rows {
  const found = orders === undefined ? input : readPath(input, orders)
  if (typeof found !== 'object' || found === null) throw new TaktError('TAKT_IMPORT_MAPPING', { what: `there are no orders at '${orders ?? '$'}'`, where })
  const list: readonly unknown[] = Array.isArray(found) ? found : [found]
  const rows = list.map((value, at): Row => {
    const get = (path: string): unknown => {
      const held = readPath(value, path)
      return held === '' || held === null ? undefined : held
    }
    return { number: at + 1, get, content: JSON.stringify(value), value }
  })
  return { rows, columns: null, problems: [] }
}
