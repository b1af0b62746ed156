import { needsOf } from '../needs.ts'
import type { ScheduleProblem } from '../problem.ts'
import type { PlannedRow } from './plan-rows.ts'

/**
 * Whom each operation of a plan has its resources from: those that must have ended before it can begin, if the plan is kept in its order. By operation of the problem, as
 * `rows` are; only the operations in `known` count. Each takes what was given back longest ago, so that a delay goes on to as few as it must.
 */
export function resourceTurns(
  problem: ScheduleProblem,
  rows: readonly (PlannedRow | undefined)[],
  known: ReadonlySet<number>,
): ReadonlyMap<number, readonly number[]> {
  const { resources = [], operations } = problem
  const turns = new Map<number, number[]>()
  if (resources.length === 0) return turns
  const spanOf = (index: number): { readonly start: number; readonly end: number } => operations[index]?.frozen ?? (rows[index] as PlannedRow)
  const byStart = [...known].sort((a, b) => spanOf(a).start - spanOf(b).start || spanOf(a).end - spanOf(b).end || a - b)
  /** By resource, what nobody has any more: by whom it was given back, and when. */
  const idle = resources.map(({ capacity }) => [{ by: -1, end: Number.NEGATIVE_INFINITY, amount: capacity }])
  for (const index of byStart) {
    const { alternatives, frozen } = operations[index] as ScheduleProblem['operations'][number]
    const { start, end } = spanOf(index)
    const unit = frozen?.unit ?? rows[index]?.unit
    const alternative = alternatives.find((candidate) => candidate.unit === unit)
    for (const { resource, amount } of alternative === undefined ? [] : needsOf(alternative)) {
      const given = idle[resource] as { by: number; end: number; amount: number }[]
      let left = amount
      for (const part of given) {
        if (left <= 0 || part.end > start) break
        const taken = Math.min(left, part.amount)
        left -= taken
        part.amount -= taken
        if (part.by >= 0 && frozen === undefined) turns.set(index, [...(turns.get(index) ?? []), part.by])
      }
      // what another one leaves only while it is interrupted comes from nobody
      const kept = given.filter((part) => part.amount > 0)
      const at = kept.findIndex((part) => part.end > end)
      kept.splice(at < 0 ? kept.length : at, 0, { by: index, end, amount })
      idle[resource] = kept
    }
  }
  return turns
}
