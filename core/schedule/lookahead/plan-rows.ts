import { closedTimeOf, needsOf } from '../needs.ts'
import type { ScheduleProblem, Span } from '../problem.ts'
import { mergeSpans } from '../timeline.ts'
import type { LookaheadOperation } from './lookahead-input.ts'
import { resourceTurns } from './resource-turns.ts'

/** Where a plan has an operation. `setup` is the first part of the time from `start` to `end`. */
export interface PlannedRow {
  readonly unit: number
  readonly start: number
  readonly end: number
  readonly setup: number
}

/**
 * The operations of a problem as a plan has them, to be lived through. `rows` by operation; one without a row, or on a unit that cannot do it, is left out, and so is what waits for it:
 * An operation that needs resources also waits for those it has them from in the plan's order, and does not work while there are fewer than it needs.
 * `operation[i]` tells which operation of the problem row `i` is, `missing` which orders are not whole.
 */
export function planRows(
  problem: ScheduleProblem,
  rows: readonly (PlannedRow | undefined)[],
): { readonly operations: readonly LookaheadOperation[]; readonly operation: readonly number[]; readonly missing: ReadonlySet<number> } {
  const known = new Set<number>()
  for (const [index, { frozen, alternatives }] of problem.operations.entries()) {
    const row = rows[index]
    if (frozen !== undefined || alternatives.some((alternative) => alternative.unit === row?.unit)) known.add(index)
  }
  for (let size = -1; size !== known.size; ) {
    size = known.size
    for (const index of [...known]) {
      const { frozen, after } = problem.operations[index] as ScheduleProblem['operations'][number]
      if (frozen === undefined && after.some((before) => !known.has(before))) known.delete(index)
    }
  }
  const operation = [...known].sort((a, b) => a - b)
  const place = new Map(operation.map((index, at) => [index, at]))
  const turns = resourceTurns(problem, rows, known)
  const missing = new Set(problem.operations.flatMap(({ order }, index) => (known.has(index) ? [] : [order])))
  const operations = operation.map((index): LookaheadOperation => {
    const { order, frozen, after, alternatives, notBefore, resumable } = problem.operations[index] as ScheduleProblem['operations'][number]
    const { release = 0, counts } = problem.orders[order] ?? {}
    const maintenance = counts === false
    const row = rows[index] as PlannedRow
    const waits = [...new Set([...after, ...(turns.get(index) ?? [])])]
    const common = { order, maintenance, after: waits.map((before) => place.get(before) as number), resumable: resumable ?? problem.resumable }
    if (frozen !== undefined) {
      const { unit, start, end } = frozen
      const closed = problem.units[unit]?.closed ?? []
      // a repair under way, and what is foreseen to end in closed time, goes on whatever the calendar says
      const always = maintenance || closed.some(({ from, to }) => from < end && end <= to)
      const workMs = openBetween(always ? [] : closed, problem.now, end)
      return { ...common, unit, start, end, workMs, notBefore: problem.now, running: true, ...(always && { closed: [] }) }
    }
    const alternative = alternatives.find(({ unit }) => unit === row.unit)
    const duration = alternative?.duration ?? 0
    const closed = alternative === undefined || needsOf(alternative).length === 0 ? alternative?.closed : closedTimeOf(problem, alternative)
    const workMs = duration + (problem.setupIs === 'attached' ? row.setup : 0)
    const at = { unit: row.unit, start: row.start, end: row.end, notBefore: Math.max(problem.now, release, notBefore ?? 0) }
    return { ...common, ...at, workMs, running: false, ...(closed !== undefined && { closed }) }
  })
  return { operations, operation, missing }
}

/** Open time between `now` and a later time. */
function openBetween(closed: readonly Span[], now: number, until: number): number {
  let open = Math.max(0, until - now)
  for (const { from, to } of mergeSpans(closed, now)) open -= Math.max(0, Math.min(until, to) - Math.max(now, from))
  return Math.max(0, open)
}
