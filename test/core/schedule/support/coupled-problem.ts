import { seededRandom } from '../../../../core/base/random.ts'
import type { ProblemResource, ScheduleProblem } from '../../../../core/schedule/problem.ts'
import { randomProblem, type Shape } from '../random-problem.ts'

/** A random problem with everything, and on top resources that are short and now and then fewer, transfer lots, units that may fail, and whether to hold the old plan. */
export function coupledProblem(seed: number, shape: Shape = {}): ScheduleProblem {
  const problem = randomProblem(seed, { own: true, ...shape })
  const random = seededRandom(seed + 7919)
  const int = (below: number): number => Math.floor(random() * below)
  const { now } = problem
  const resources: ProblemResource[] = Array.from({ length: 1 + int(3) }, (_, index) => {
    const capacity = 1 + int(3)
    return {
      id: `resource-${index}`,
      capacity,
      reduced: Array.from({ length: int(4) }, () => {
        const from = now - 100 + int(700)
        return { from, to: from + 20 + int(150), capacity: int(capacity + 1) }
      }),
    }
  })
  const need = (): { resource: number; amount: number } => {
    const resource = int(resources.length)
    return { resource, amount: 1 + int(resources[resource]?.capacity ?? 1) }
  }
  const needs = (): { needs?: { resource: number; amount: number }[] } => {
    if (random() < 0.5) return {}
    const first = need()
    const second = need()
    return { needs: random() < 0.3 && first.resource !== second.resource ? [first, second] : [first] }
  }
  const operations = problem.operations.map((operation) => ({
    ...operation,
    alternatives: operation.alternatives.map((alternative) => ({ ...alternative, ...needs() })),
    ...(random() < 0.4 ? { transferShare: [0.1, 0.25, 0.5, 0.9][int(4)] ?? 0.5 } : {}),
  }))
  const units = problem.units.map((unit, index) => {
    const repair = operations.findIndex(({ id }) => id === `repair-${index}`)
    return random() < 0.5 ? { ...unit, risk: { perTime: random(), ...(repair >= 0 && random() < 0.8 ? { until: repair } : {}) } } : unit
  })
  return { ...problem, units, resources, operations, holdBaseline: random() < 0.3, weights: { ...problem.weights, risk: 0.5 } }
}
