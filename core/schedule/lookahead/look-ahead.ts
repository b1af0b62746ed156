import { seededRandom } from '../../base/random.ts'
import type { Lookahead, LookaheadInput, LookaheadLimits, OrderLookahead } from './lookahead-input.ts'
import { Twin } from './twin.ts'

/** Completion times kept at most: bounds the memory to 32 MB, and the runs where there are many orders. */
const MOST_COMPLETIONS = 4_000_000
/** Fewer runs say nothing, however little time there is. */
const LEAST_RUNS = 20

/**
 * Lives through a plan many times, each time with other failures, repairs and durations, and says how likely each outcome is. The same seed and number of runs
 * give the same answer. Rows of the input that name a unit or an order that does not exist throw a RangeError.
 */
export function lookAhead(input: LookaheadInput, { runs, seed, enough = () => false }: LookaheadLimits): Lookahead {
  check(input)
  const { orders, units } = input
  const twin = new Twin(input)
  const random = seededRandom(seed)
  const most = Math.max(1, Math.min(runs, Math.floor(MOST_COMPLETIONS / Math.max(1, orders.length))))
  const completions = orders.map(() => new Float64Array(most))
  const failures = new Int32Array(units.length)
  let done = 0
  while (done < most && (done < LEAST_RUNS || !enough())) {
    twin.run(random)
    for (let order = 0; order < orders.length; order++) (completions[order] as Float64Array)[done] = twin.completion[order] as number
    for (let unit = 0; unit < units.length; unit++) failures[unit] = (failures[unit] as number) + (twin.failed[unit] as number)
    done++
  }
  const planned = new Set(input.operations.map((operation) => operation.order))
  const outlooks = orders.map((order, index) => (planned.has(index) ? orderLookahead(order.due, (completions[index] as Float64Array).subarray(0, done)) : null))
  return {
    runs: done,
    orders: outlooks,
    failure: Array.from(failures, (count) => count / done),
    weightedTardiness: outlooks.reduce((sum, outlook, index) => sum + (outlook?.lateMs ?? 0) * (orders[index]?.weight ?? 0), 0),
  }
}

function orderLookahead(due: number | null, completions: Float64Array): OrderLookahead {
  completions.sort()
  const quantile = (share: number): number => Math.round(completions[Math.min(completions.length - 1, Math.floor(share * completions.length))] ?? 0)
  let [inTime, late] = [0, 0]
  for (const completion of completions) {
    if (due === null || completion <= due) inTime++
    else late += completion - due
  }
  return {
    onTime: due === null ? null : inTime / completions.length,
    p10: quantile(0.1),
    p50: quantile(0.5),
    p90: quantile(0.9),
    lateMs: late / completions.length,
  }
}

function check({ operations, units, orders, now }: LookaheadInput): void {
  if (!Number.isFinite(now)) throw new RangeError('`now` is not a time')
  operations.forEach(({ unit, order, workMs, start, end, notBefore }, index) => {
    if (units[unit] === undefined) throw new RangeError(`operation ${index} names a unit that does not exist (${unit})`)
    if (orders[order] === undefined) throw new RangeError(`operation ${index} belongs to an order that does not exist (${order})`)
    if (!(workMs >= 0 && Number.isFinite(workMs))) throw new RangeError(`operation ${index} has a duration that is not a length of time`)
    if (![start, end, notBefore].every(Number.isFinite)) throw new RangeError(`operation ${index} has times that are not numbers`)
  })
}
