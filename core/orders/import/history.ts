import { TaktError, toTaktError } from '../../base/error.ts'
import type { Segment } from '../../messages/job-response.ts'
import { slug } from '../ids.ts'
import type { OrderRequest, RequestedOperation } from '../order-request.ts'
import { assertText } from '../order-text.ts'
import { groupByOrder } from './group-rows.ts'
import { overlapsOf } from './log-overlaps.ts'
import { addRecord, NO_TOTALS } from './log-totals.ts'
import type { OrderMapping } from './order-mapping.ts'
import type { ReadOrders, RequestedOrder } from './read-orders.ts'
import { type Doubt, type RoutingContext, readStep, termsOf } from './routing.ts'
import type { ImportProblem, Row } from './rows.ts'

export type { LogTotals } from './log-totals.ts'

/** A row of a log: one stretch of work at one unit. */
export interface LogRecord extends Segment {
  readonly order: string
  /** the activity as the log calls it */
  readonly name: string
  readonly equipment: string
  readonly rework: boolean
}

/** What was done under one operation of an order at one unit, in the order of time. */
export interface OperationHistory {
  readonly operation: string
  readonly records: readonly LogRecord[]
}

/** What a log says was done of one order. */
export interface OrderHistory {
  readonly operations: readonly OperationHistory[]
  /** parts worked on again, by the operation whose parts they were */
  readonly rework: readonly OperationHistory[]
}

type Records = NonNullable<OrderMapping['records']>

/** What logs call the kinds of work when the mapping does not say. */
const WORDS: Readonly<Record<string, Segment['activity']>> = { run: 'run', setup: 'setup', breakdown: 'breakdown' }

/**
 * Orders with what was done of them, one row a stretch of work. The rows of one activity at one unit are one operation, and operations go in the order in which they
 * began. What can be read is taken as it stands, also where it contradicts itself, and each contradiction is told as a doubt; a row that cannot be read refuses the
 * order it belongs to.
 */
export function readHistory(rows: readonly Row[], context: RoutingContext, records: Records, where: string): Omit<ReadOrders, 'rows'> {
  const same = records.duplicates === 'leave-out' ? 'leave-out' : 'keep'
  const { groups, duplicates, problems, doubts } = groupByOrder(rows, context.fields, context.mapping.limit, same)
  let totals = NO_TOTALS
  const all: LogRecord[] = []
  const orders = [...groups].flatMap(([order, group]): RequestedOrder[] => {
    const faults: ImportProblem[] = []
    const fail = (row: number, thrown: unknown): void => {
      const { code, what } = toTaktError(thrown, where)
      faults.push({ row, order, code, what })
    }
    const read = group.flatMap((row) => {
      try {
        return [readRecord(row, order, context, records, doubts)]
      } catch (thrown) {
        fail(row.number, thrown)
        return []
      }
    })
    for (const record of read) {
      totals = addRecord(totals, record)
      all.push(record)
    }
    const [head] = group
    if (head !== undefined && faults.length === 0) {
      try {
        const terms = termsOf(group, head, order, context, doubts)
        totals = { ...totals, ordered: totals.ordered + quantityOf(terms) }
        const history = historyOf(read, order, doubts)
        doubtMoreThanOrdered(history, quantityOf(terms), order, doubts)
        return [{ row: head.number, request: { ...terms, operations: history.operations.map(operationOf) }, history }]
      } catch (thrown) {
        fail(head.number, thrown)
      }
    }
    problems.push(...faults)
    return []
  })
  doubts.push(...overlapsOf(all))
  return { orders, problems, doubts: doubts.sort((a, b) => a.row - b.row), duplicates, totals }
}

function readRecord(row: Row, order: string, context: RoutingContext, records: Records, doubts: Doubt[]): LogRecord {
  const { operation: name, equipment, start, complete } = readStep(row, order, context, doubts)
  const where = `row ${row.number}`
  if (start === undefined || complete === undefined) throw new TaktError('TAKT_ORDER_TIME', { what: 'it does not say when it began and when it ended', where })
  const quantity = (from: string | undefined): number => {
    const said = from === undefined ? undefined : row.get(from)
    const value = said === undefined ? 0 : Number(said)
    if (!Number.isFinite(value) || value < 0)
      throw new TaktError('TAKT_ORDER_QUANTITY', { what: `'${String(said).slice(0, 60)}' as ${from} is no quantity`, where })
    return value
  }
  const activity = activityOf(row, records, where)
  const [good, scrap, review] = [quantity(records.completed), quantity(records.rejected), quantity(records.review)]
  const doubt = (code: Doubt['code'], what: string): void => void doubts.push({ code, row: row.number, order, what })
  if (activity !== 'run' && good + scrap > 0)
    doubt('TAKT_IMPORT_QUANTITY', `a ${activity} that has made ${good} good and ${scrap} bad parts; they were counted`)
  if (review > scrap) doubt('TAKT_IMPORT_QUANTITY', `${review} parts were set aside to be judged where ${scrap} were rejected`)
  if (start === complete) doubt('TAKT_IMPORT_NO_TIME', `'${name}' takes no time`)
  const rework = saysYes(records.rework === undefined ? undefined : row.get(records.rework))
  if (rework && good + scrap === 0) doubt('TAKT_IMPORT_QUANTITY', 'rework of no part')
  const person = records.person === undefined ? undefined : row.get(records.person)
  assertText([name, person], where)
  const who = person === undefined ? {} : { person: String(person).slice(0, 200) }
  return { order, name, equipment, activity, start, end: complete, good, scrap, review, ...who, row: row.number, rework }
}

function activityOf(row: Row, { type, types = WORDS }: Records, where: string): Segment['activity'] {
  if (type === undefined) return 'run'
  const word = String(row.get(type) ?? '')
  const activity = Object.hasOwn(types, word) ? types[word] : undefined
  if (activity === undefined)
    throw new TaktError('TAKT_IMPORT_ROW', { what: `'${word.slice(0, 60)}' as ${type} is none of ${Object.keys(types).join(', ')}`, where })
  return activity
}

function saysYes(value: unknown): boolean {
  return value !== undefined && value !== false && !/^(n|no|0|false)$/i.test(String(value))
}

/** The records of one order by operation: what was made, and what was made again. */
function historyOf(records: readonly LogRecord[], order: string, doubts: Doubt[]): OrderHistory {
  const inTime = records.toSorted((a, b) => a.start - b.start || a.row - b.row)
  const [first] = inTime
  const onlyRework = inTime.every(({ rework }) => rework)
  if (onlyRework && first !== undefined)
    doubts.push({ code: 'TAKT_IMPORT_QUANTITY', row: first.row, order, what: 'the order has nothing but rework; it was taken for the work itself' })
  const made = new Map<string, { operation: string; records: LogRecord[] }>()
  const names = new Map<string, number>()
  for (const record of inTime) {
    if (record.rework && !onlyRework) continue
    const key = `${record.name}\n${record.equipment}`
    const known = made.get(key)
    if (known !== undefined) {
      known.records.push(record)
      continue
    }
    const base = slug(record.name)
    const nth = (names.get(base) ?? 0) + 1
    names.set(base, nth)
    made.set(key, { operation: nth === 1 ? base : `${base}-${nth}`, records: [record] })
  }
  const operations = [...made.values()]
  const rework = new Map<string, LogRecord[]>()
  for (const record of onlyRework ? [] : inTime.filter((candidate) => candidate.rework)) {
    // parts of an operation that was done only again are those of the operation that had begun last
    const own =
      made.get(`${record.name}\n${record.equipment}`) ?? operations.findLast(({ records: [head] }) => (head?.start ?? 0) <= record.start) ?? operations[0]
    if (own === undefined) continue
    const list = rework.get(own.operation)
    if (list === undefined) rework.set(own.operation, [record])
    else list.push(record)
  }
  return { operations, rework: [...rework].map(([operation, list]) => ({ operation, records: list })) }
}

/** Set-up and run are kept apart; a breakdown is no part of how long the work takes. */
function operationOf({ operation, records }: OperationHistory): RequestedOperation {
  const spent = (activity: Segment['activity']): number =>
    records.reduce((ms, record) => ms + (record.activity === activity ? record.end - record.start : 0), 0)
  return { id: operation, alternatives: [{ equipment: records[0]?.equipment ?? '', setupMs: spent('setup'), durationMs: spent('run') }] }
}

function doubtMoreThanOrdered({ operations }: OrderHistory, ordered: number, order: string, doubts: Doubt[]): void {
  for (const { operation, records } of operations) {
    let good = 0
    for (const { row, good: more } of records) {
      const before = good
      good += more
      if (good > ordered && before <= ordered)
        doubts.push({ code: 'TAKT_IMPORT_QUANTITY', row, order, what: `with it '${operation}' has made ${good} good parts of an order of ${ordered}` })
    }
  }
}

function quantityOf({ quantity }: OrderRequest): number {
  return typeof quantity === 'number' ? quantity : quantity.value
}
