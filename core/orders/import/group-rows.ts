import type { Fields } from './order-mapping.ts'
import type { Doubt } from './routing.ts'
import { type ImportProblem, orderOf, type Row } from './rows.ts'

export interface RowGroups {
  /** the rows of each order, orders in the order in which they come first */
  readonly groups: ReadonlyMap<string, readonly Row[]>
  /** rows that say the same as one before them */
  readonly duplicates: number
  readonly problems: ImportProblem[]
  readonly doubts: Doubt[]
}

/** Rows by the order that they belong to, at most `limit` orders. A row that says the same as one before it is told as a doubt, and left out or kept. */
export function groupByOrder(rows: readonly Row[], fields: Fields | null, limit: number | undefined, same: 'leave-out' | 'keep'): RowGroups {
  const groups = new Map<string, Row[]>()
  const problems: ImportProblem[] = []
  const doubts: Doubt[] = []
  const seen = new Map<string, number>()
  let duplicates = 0
  for (const row of rows) {
    const order = orderOf(row, fields)
    if (order === null) {
      problems.push({ row: row.number, order, code: 'TAKT_IMPORT_ROW', what: 'the order has no number' })
      continue
    }
    const group = groups.get(order)
    if (group === undefined && groups.size === limit) continue
    const first = seen.get(row.content)
    if (first === undefined) seen.set(row.content, row.number)
    else {
      duplicates++
      const what = `says the same as row ${first} and was ${same === 'leave-out' ? 'left out' : 'taken again'}`
      doubts.push({ code: 'TAKT_IMPORT_DUPLICATE', row: row.number, order, what })
      if (same === 'leave-out') continue
    }
    if (group === undefined) groups.set(order, [row])
    else group.push(row)
  }
  return { groups, duplicates, problems, doubts }
}
