import { seededRandom } from '../../core/base/random.ts'
import { buildByDue, buildByRule, DISPATCH_RULES } from '../../core/schedule/dispatch-rules.ts'
import { Model } from '../../core/schedule/model.ts'
import type { ProblemOperation, ScheduleProblem } from '../../core/schedule/problem.ts'
import { solve } from '../../core/schedule/search.ts'
import { Timetable } from '../../core/schedule/timetable.ts'

/**
 * A process of its own, for its memory: `node schedule-scale.ts units jobs operations seconds`. Prints JSON: ms to the first feasible plan, the cost of the best
 * dispatch rule (null where trying them takes too long) and of the plan after so many seconds, and resident MB.
 */
const [units = 50, jobs = 1000, operations = 5, seconds = 1] = process.argv.slice(2).map(Number)
const MINUTE_MS = 60_000

/** Orders of some products with set-up families, each operation on one of three units; due times that a good plan can just keep. */
function problem(): ScheduleProblem {
  const random = seededRandom(7)
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1))
  const mean = 20 * MINUTE_MS
  const horizon = (jobs * operations * mean) / units
  const all: ProblemOperation[] = []
  for (let order = 0; order < jobs; order++) {
    for (let at = 0; at < operations; at++) {
      const first = between(0, units - 1)
      const duration = between(5, 35) * MINUTE_MS
      all.push({
        id: `${order}/${at}`,
        order,
        alternatives: [0, 1, 2].map((k) => ({
          unit: (first + 7 * k) % units,
          duration: Math.round(duration * (1 + 0.15 * k * random())),
          setup: 5 * MINUTE_MS,
        })),
        after: at === 0 ? [] : [all.length - 1],
        family: order % 12,
      })
    }
  }
  return {
    now: 0,
    units: Array.from({ length: units }, (_, unit) => ({
      id: String(unit),
      closed: [],
      setups: Array.from({ length: 12 }, (_f, from) => Array.from({ length: 12 }, (_t, to) => (from === to ? 0 : 5 * MINUTE_MS))),
    })),
    orders: Array.from({ length: jobs }, (_, order) => ({
      id: String(order),
      release: 0,
      due: Math.round((0.15 + 0.9 * random()) * horizon),
      weight: between(1, 3),
    })),
    operations: all,
    resumable: true,
    setupIs: 'attached',
    weights: { tardiness: 1, makespan: 0.01, setup: 0.001, lateStart: 0, reassigned: 0, deviation: 0 },
  }
}

const big = problem()
const begun = performance.now()
const model = new Model(big)
buildByDue(model)
const firstMs = performance.now() - begun
const table = new Timetable(model)
let rule = Number.POSITIVE_INFINITY
for (const name of big.operations.length > 20_000 ? [] : DISPATCH_RULES) {
  const built = buildByRule(model, name)
  table.load(built.sequence, built.alternative)
  rule = Math.min(rule, table.cost)
}
const { cost } = solve(big, { timeMs: seconds * 1000, elapsedMs: () => performance.now(), seed: 1 })
console.log(
  JSON.stringify({
    operations: big.operations.length,
    firstMs,
    rule: Number.isFinite(rule) ? rule : null,
    plan: cost.total,
    residentMb: process.resourceUsage().maxRSS / 1024,
  }),
)
