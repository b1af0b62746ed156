import { seededRandom } from '../../core/base/random.ts'
import { buildByRule, DISPATCH_RULES, toSchedule } from '../../core/schedule/dispatch-rules.ts'
import { Model } from '../../core/schedule/model.ts'
import type { ProblemOperation, ScheduleProblem } from '../../core/schedule/problem.ts'
import { solve } from '../../core/schedule/search.ts'

/**
 * Plants in which operators are scarce: `node bench/measure/schedule-resources.ts [seconds] [long]`. Prints, for plants of several sizes, Σ cost of the best dispatch rule, of the
 * search after so many seconds of processor time and after long, each over the best of the three.
 */
const [seconds = 1, long = 10] = process.argv.slice(2).map(Number)
const HOUR = 60
const SEEDS = [1, 2, 3]
const DAYS = 60

interface Size {
  readonly units: number
  readonly orders: number
  /** How many people of each of two skills by day; half of them by night. */
  readonly people: readonly [number, number]
  readonly transferShare?: number
}

/** Orders of four operations on one unit or two, most of which need somebody; a third of the units works at night. */
function plant(seed: number, { units, orders, people, transferShare }: Size): ScheduleProblem {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const nights = Array.from({ length: DAYS }, (_, day) => ({ from: (24 * day + 16) * HOUR, to: 24 * (day + 1) * HOUR }))
  const operations: ProblemOperation[] = []
  const due: number[] = []
  for (let order = 0; order < orders; order++) {
    const family = below(3)
    let work = 0
    for (let step = 0; step < 4; step++) {
      const first = below(units)
      const duration = 30 + below(120)
      const skill = below(10) < 7 ? [{ resource: below(2), amount: 1 }] : undefined
      const on = below(2) === 0 ? [first] : [first, (first + 1 + below(units - 1)) % units]
      work += duration
      operations.push({
        id: `${order}/${step}`,
        order,
        family,
        after: step === 0 ? [] : [operations.length - 1],
        alternatives: on.map((unit) => ({ unit, duration: Math.round(duration * (0.8 + 0.4 * random())), setup: 10, needs: skill })),
        transferShare,
      })
    }
    // what is asked for at once is asked for by when the plant can have made it, give or take as much again
    due.push(Math.round((work + (3 * HOUR * 24 * orders * (0.2 + random())) / (people[0] + people[1]) / 10) * (0.5 + random())))
  }
  return {
    now: 0,
    units: Array.from({ length: units }, (_, unit) => ({
      id: `unit-${unit}`,
      closed: unit % 3 === 0 ? [] : nights,
      setups: Array.from({ length: 3 }, (_from, from) => Array.from({ length: 3 }, (_to, to) => (from === to ? 0 : 10 + below(20)))),
    })),
    resources: people.map((capacity, skill) => ({ id: `skill-${skill}`, capacity, reduced: nights.map((night) => ({ ...night, capacity: capacity >> 1 })) })),
    orders: due.map((time, order) => ({ id: `order-${order}`, release: below(8 * HOUR), due: time, weight: 1 + below(4) })),
    operations,
    resumable: true,
    setupIs: 'attached',
    weights: { tardiness: 1, makespan: 0.02, setup: 0.05, lateStart: 20, reassigned: 0, deviation: 0 },
  }
}

const SIZES: Readonly<Record<string, Size>> = {
  '12 orders, 5 units': { units: 5, orders: 12, people: [2, 1] },
  '30 orders, 8 units': { units: 8, orders: 30, people: [3, 2] },
  'with transfer lots': { units: 8, orders: 30, people: [3, 2], transferShare: 0.25 },
  '100 orders, 12 units': { units: 12, orders: 100, people: [6, 4] },
}

const table: Record<string, Record<string, number>> = {}
for (const [name, size] of Object.entries(SIZES)) {
  let [rules, shorts, longs, least] = [0, 0, 0, 0]
  for (const seed of SEEDS) {
    const problem = plant(seed, size)
    const model = new Model(problem)
    const rule = Math.min(...DISPATCH_RULES.map((name) => toSchedule(model, buildByRule(model, name), 1).cost.total))
    const short = solve(problem, { timeMs: seconds * 1000, elapsedMs: worked, seed }).cost.total
    const best = solve(problem, { timeMs: long * 1000, elapsedMs: worked, seed }).cost.total
    rules += rule
    shorts += short
    longs += best
    least += Math.min(rule, short, best)
  }
  const share = (sum: number): number => Math.round((100 * sum) / least) / 100
  table[name] = { 'best rule': share(rules), [`${seconds} s`]: share(shorts), [`${long} s`]: share(longs) }
}
console.table(table)

/** Milliseconds of processor time: others who work on the same machine do not count. */
function worked(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
