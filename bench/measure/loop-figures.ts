import type { Outcome } from '../support/loop-outcome.ts'
import { HORIZON_H, type Policy } from '../support/loop-run.ts'
import type { Row } from '../support/table.ts'
import { type Interval, intervalOf } from './loop-interval.ts'
import { outcomesOf } from './loop-runs.ts'

const RUN_TO_FAILURE: Policy = { name: 'run to failure', detects: false, replans: true }
const RIGHT_SHIFT: Policy = { name: 'right shift', detects: true, replans: false }
const TAKT: Policy = { name: "Takt's loop", detects: true, replans: true }
/** Hours of running between repairs that are tried. Machines last for about 26 of them. */
const GRID = [14, 17, 20, 23]
/** Found by `BENCH_LOOP_GRID=1 npm run bench loop`: the fewest hours lost to failures and repairs together, on seeds that are not measured with. */
const EVERY_HOURS = 23
const periodic = (everyHours: number): Policy => ({ name: `every ${everyHours} h of running`, detects: false, replans: true, everyHours })

const FIRST_SEED = 1
/** Of the grid: none of the measured seeds. */
const FIRST_GRID_SEED = 1001
const GRID_SEEDS = 4

const FIGURES: ReadonlyArray<readonly [string, string, (outcome: Outcome) => number]> = [
  ['unplanned downtime', 'h', ({ downHours }) => downHours],
  ['planned repairs', 'h', ({ plannedHours }) => plannedHours],
  ['good parts', '', ({ goodParts }) => goodParts],
  ['orders finished', '', ({ ordersFinished }) => ordersFinished],
  ['weighted tardiness', 'h', ({ tardiness }) => tardiness],
  ['scrap', 'parts', ({ scrap }) => scrap],
  ['job orders moved', '', ({ moved }) => moved],
  ['  to another unit', '', ({ toOtherUnit }) => toOtherUnit],
]

/** What each policy makes of the same machines, wear and orders, and by how much it differs from Takt's loop with the same seed. */
export async function loopRows(seedCount: number): Promise<readonly Row[]> {
  const others = [RUN_TO_FAILURE, periodic(EVERY_HOURS), RIGHT_SHIFT]
  const outcomes = await outcomesOf([...others, TAKT], seedsFrom(FIRST_SEED, seedCount))
  const of = (policy: Policy): readonly Outcome[] => outcomes.get(policy) ?? []
  const takt = of(TAKT)
  return [...[...others, TAKT].flatMap((policy) => policyRows(policy, of(policy))), ...others.flatMap((policy) => differenceRows(policy, of(policy), takt))]
}

/** The grid from which the interval of periodic maintenance is chosen. */
export async function gridRows(): Promise<readonly Row[]> {
  const policies = GRID.map(periodic)
  const outcomes = await outcomesOf(policies, seedsFrom(FIRST_GRID_SEED, GRID_SEEDS))
  return policies.flatMap((policy) => policyRows(policy, outcomes.get(policy) ?? []))
}

function policyRows({ name }: Policy, outcomes: readonly Outcome[]): Row[] {
  return FIGURES.map(([what, unit, figure], index): Row => {
    const interval = intervalOf(outcomes.map(figure))
    const failures = outcomes.reduce((sum, one) => sum + one.failures, 0)
    const repairs = outcomes.reduce((sum, one) => sum + one.plannedRepairs, 0)
    const counts = index === 0 ? `; ${failures} failures in all` : index === 1 ? `; ${repairs} in all` : ''
    return { what: `${name}: ${what}`, figure: interval.mean, unit, note: `${noteOf(interval)}${counts}` }
  })
}

/** Takt's loop less the other, seed by seed. Targets are on the upper end of the interval: less downtime for certain, and not more tardiness. */
function differenceRows({ name }: Policy, other: readonly Outcome[], takt: readonly Outcome[]): Row[] {
  return FIGURES.flatMap(([what, unit, figure], index): Row[] => {
    const interval = intervalOf(takt.map((one, seed) => figure(one) - figure(other[seed] ?? one)))
    const row: Row = { what: `Takt's loop less ${name}: ${what}`, figure: interval.mean, unit, note: noteOf(interval) }
    if (index !== 0 && index !== 4) return [row]
    // no downtime in either is not less of it
    const bound: Row = { what: '  upper end of its 95 % interval', figure: interval.high, unit, target: { atMost: index === 0 ? -0.01 : 0 } }
    return [row, bound]
  })
}

function noteOf({ low, high }: Interval): string {
  const digits = Math.max(Math.abs(low), Math.abs(high)) >= 100 ? 0 : 2
  return `95 %: ${low.toFixed(digits)} to ${high.toFixed(digits)}; a run of ${HORIZON_H} h`
}

function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}
