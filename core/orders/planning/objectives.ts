import type { ObjectiveWeights } from '../../schedule/problem.ts'

/** What a plant cares about most; every other goal still counts a little, so that ties are broken sensibly. */
export const OBJECTIVES = ['due-dates', 'throughput', 'few-changes'] as const
export type Objective = (typeof OBJECTIVES)[number]

/**
 * The weights of a preset. All are prices in milliseconds of lateness of an order of weight 1; `meanDurationMs`, the mean length of a job order,
 * makes the price of moving one to another unit fit the plant.
 */
export function weightsOf(objective: Objective, meanDurationMs: number): ObjectiveWeights {
  // a repair after its deadline risks the unit, a broken pin a person's trust: dearer than any order's lateness
  const lateStart = 20
  switch (objective) {
    case 'due-dates':
      return { tardiness: 1, makespan: 0.02, setup: 0.05, lateStart, reassigned: 0.05 * meanDurationMs, deviation: 0.002, risk: 0.5 }
    case 'throughput':
      return { tardiness: 0.1, makespan: 1, setup: 0.1, lateStart, reassigned: 0.05 * meanDurationMs, deviation: 0.002, risk: 0.5 }
    case 'few-changes':
      return { tardiness: 1, makespan: 0.02, setup: 0.05, lateStart, reassigned: meanDurationMs, deviation: 0.1, risk: 0.25 }
  }
}
