import type { PlanEffect } from '../../messages/plan.ts'
import type { ProblemOrder, Schedule } from '../../schedule/problem.ts'
import type { PlanningProblem } from './build-problem.ts'

/** How late each order with a due time ends, ms; 0 when it is in time. */
export type Lateness = ReadonlyMap<string, number>

/** Lateness by a schedule of a problem. */
export function latenessOf({ problem }: PlanningProblem, schedule: Schedule): Lateness {
  const ends = new Map<number, number>()
  problem.operations.forEach(({ order }, index) => {
    ends.set(order, Math.max(ends.get(order) ?? 0, schedule.placements[index]?.end ?? 0))
  })
  return new Map(dated(problem.orders).map(({ id, due, index }) => [id, Math.max(0, (ends.get(index) ?? 0) - due)]))
}

/** Lateness as a plan of before had promised it, against the due times of now. An order that it did not know was not late in it. */
export function promisedLateness({ problem }: PlanningProblem, assignments: readonly { readonly workOrder: string; readonly end: number }[]): Lateness {
  const ends = new Map<string, number>()
  for (const { workOrder, end } of assignments) ends.set(workOrder, Math.max(ends.get(workOrder) ?? 0, end))
  return new Map(dated(problem.orders).map(({ id, due }) => [id, Math.max(0, (ends.get(id) ?? 0) - due)]))
}

/** What counts in lateness, by order: its weight times a fifth of its priority. */
export function weightsOfOrders({ problem }: PlanningProblem): ReadonlyMap<string, number> {
  return new Map(problem.orders.map(({ id, weight }) => [id, weight]))
}

/** Σ weight × lateness, ms. */
export function weightedTardiness(lateness: Lateness, weights: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const [id, lateMs] of lateness) sum += lateMs * (weights.get(id) ?? 1)
  return sum
}

/** Which orders one plan makes late and which it saves against another, and what that costs (above 0) or gains (below), both by the same weights. */
export function effectOf(before: Lateness, after: Lateness, weights: ReadonlyMap<string, number>): PlanEffect {
  const becomesLate: string[] = []
  const saved: string[] = []
  for (const [id, lateMs] of after) if (lateMs > 0 && (before.get(id) ?? 0) === 0) becomesLate.push(id)
  for (const [id, lateMs] of before) if (lateMs > 0 && after.get(id) === 0) saved.push(id)
  return { becomesLate, saved, weightedTardinessMs: Math.round(weightedTardiness(after, weights) - weightedTardiness(before, weights)) }
}

/** The effect as sentences: `wo-7 becomes late: 2 h more weighted lateness than plan 31. Doing nothing would cost 5 h more and make wo-9 late.` */
export function effectText(againstBefore: PlanEffect | null, previous: number | null, againstDoingNothing: PlanEffect | null): string {
  const sentences: string[] = []
  if (againstBefore !== null) sentences.push(comparison(againstBefore, `than plan ${previous ?? ''}`.trimEnd()))
  if (againstDoingNothing !== null) sentences.push(nothingDone(againstDoingNothing))
  return sentences.join(' ')
}

/** `wo-7 becomes late, wo-9 is saved: 2 h more weighted lateness than plan 31.` */
export function comparison({ becomesLate, saved, weightedTardinessMs }: PlanEffect, than: string): string {
  const parts = [
    ...(becomesLate.length === 0 ? [] : [`${names(becomesLate)} ${becomesLate.length === 1 ? 'becomes' : 'become'} late`]),
    ...(saved.length === 0 ? [] : [`${names(saved)} ${saved.length === 1 ? 'is' : 'are'} saved`]),
  ]
  const orders = parts.length === 0 ? 'No order becomes late' : parts.join(', ')
  if (isNothing(weightedTardinessMs)) return `${orders}: no more weighted lateness ${than}.`
  return `${orders}: ${amount(weightedTardinessMs)} weighted lateness ${than}.`
}

function nothingDone({ becomesLate, saved, weightedTardinessMs }: PlanEffect): string {
  // told from the other side: what this plan saves is what doing nothing makes late
  const late = saved.length === 0 ? '' : ` and make ${names(saved)} late`
  const kept = becomesLate.length === 0 ? '' : ` and keep ${names(becomesLate)} in time`
  const cost = isNothing(weightedTardinessMs) ? 'cost the same' : `cost ${amount(-weightedTardinessMs)}`
  return `Doing nothing would ${cost}${late}${kept}.`
}

const NAMED = 4

/** The first few by name. */
export function names(ids: readonly string[]): string {
  const shown = ids.slice(0, NAMED)
  if (ids.length > NAMED) return `${shown.join(', ')} and ${ids.length - NAMED} more`
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

function amount(ms: number): string {
  return `${spanText(Math.abs(ms))} ${ms > 0 ? 'more' : 'less'}`
}

/** Less than half a minute is nothing that people plan by. */
function isNothing(ms: number): boolean {
  return Math.abs(ms) < 30_000
}

/** `2 h 5 min`, for people. */
export function spanText(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000))
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}

function dated(orders: readonly ProblemOrder[]): readonly { readonly id: string; readonly due: number; readonly index: number }[] {
  return orders.flatMap(({ id, due }, index) => (due === null ? [] : [{ id, due, index }]))
}
