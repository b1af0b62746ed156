import type { ObjectiveWeights } from '../../schedule/problem.ts'

/** What a plant cares about most; every other goal still counts a little, so that ties are broken sensibly. */
export const OBJECTIVES = ['due-dates', 'throughput', 'few-setups', 'few-changes', 'low-risk'] as const
export type Objective = (typeof OBJECTIVES)[number]

/**
 * The weights of a preset. All are prices in milliseconds of lateness of an order of weight 1; `meanDurationMs`, the mean length of a job order,
 * makes the price of moving one to another unit fit the plant.
 */
export function weightsOf(objective: Objective, meanDurationMs: number): ObjectiveWeights {
  // a repair after its deadline risks the unit, a broken pin a person's trust: dearer than any order's lateness
  const usual = { tardiness: 1, makespan: 0.02, setup: 0.05, lateStart: 20, reassigned: 0.05 * meanDurationMs, deviation: 0.002, risk: 0.5 }
  switch (objective) {
    case 'due-dates':
      return usual
    case 'throughput':
      return { ...usual, tardiness: 0.1, makespan: 1, setup: 0.1 }
    case 'few-setups':
      return { ...usual, setup: 1 }
    case 'few-changes':
      return { ...usual, reassigned: meanDurationMs, deviation: 0.1, risk: 0.25 }
    // an hour that a failure is expected to take counts as two of lateness
    case 'low-risk':
      return { ...usual, risk: 2 }
  }
}
