import assert from 'node:assert/strict'
import { seededRandom } from '../../../../core/base/random.ts'
import { lookAhead } from '../../../../core/schedule/lookahead/look-ahead.ts'
import type { LookaheadInput } from '../../../../core/schedule/lookahead/lookahead-input.ts'
import { planRows } from '../../../../core/schedule/lookahead/plan-rows.ts'
import { Twin } from '../../../../core/schedule/lookahead/twin.ts'
import type { ScheduleProblem } from '../../../../core/schedule/problem.ts'
import { solve } from '../../../../core/schedule/search.ts'
import { randomProblem } from '../random-problem.ts'
import { coupledProblem } from '../support/coupled-problem.ts'
import { byChance, exactly, input, operation, SURE, unit } from './beliefs.ts'

const near = (actual: number, expected: number, by: number): void => assert.ok(Math.abs(actual - expected) <= by, `${actual} is not ${expected} ± ${by}`)
const ends = (given: LookaheadInput): number[] => {
  const twin = new Twin(given)
  twin.run(seededRandom(1))
  return [...twin.end].map((end) => Math.round(end * 1e3) / 1e3)
}

describe('the lookahead twin', () => {
  it('lives through any plan exactly as planned when nothing fails and all takes what was planned', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const shape = { setupIs: 'attached', own: seed % 3 === 0 } as const
      const problem = seed % 2 === 0 ? coupledProblem(seed, shape) : randomProblem(seed, shape)
      const schedule = solve(problem, { moves: 100, seed })
      const { operations, missing } = planRows(problem, schedule.placements)
      assert.equal(missing.size, 0)
      const units = problem.units.map(({ id, closed }) => unit({ id, closed }))
      const lived = ends(input({ now: problem.now, units, orders: problem.orders.map(({ id, due, weight }) => ({ id, due, weight })), operations }))
      for (const [index, row] of schedule.placements.entries()) near(lived[index] ?? 0, row.end, 0.01)
    }
  })

  it('shifts right: what is planned later stays where it is while there is slack, and waits on its unit and for its predecessors', () => {
    const units = [unit({ ratio: exactly(1.5) }), unit()]
    const operations = [
      operation({ workMs: 100 }),
      operation({ start: 120, workMs: 10, unit: 1, after: [0] }),
      operation({ start: 400, workMs: 10, unit: 1 }),
      operation({ start: 100, workMs: 20 }),
    ]
    assert.deepEqual(ends(input({ units, operations })), [150, 160, 410, 180])
    // what may begin before its planned start does
    assert.deepEqual(ends(input({ units, operations, earlyMs: 300 })), [150, 160, 170, 180])
  })

  it('passes a delay on to whoever has their people from those who are late, and to nobody else', () => {
    const alternatives = (unit: number) => [{ unit, duration: 50, setup: 0, needs: [{ resource: 0, amount: 1 }] }]
    const problem: ScheduleProblem = {
      now: 0,
      units: [0, 1, 2, 3].map((index) => ({ id: `${index}`, closed: [] })),
      resources: [{ id: 'operator', capacity: 2, reduced: [{ from: 130, to: 200, capacity: 0 }] }],
      orders: [{ id: 'o', release: 0, due: null, weight: 1 }],
      operations: [0, 1, 2, 3].map((unit) => ({ id: `${unit}`, order: 0, after: [], alternatives: alternatives(unit) })),
      resumable: true,
      setupIs: 'attached',
      weights: { tardiness: 1, makespan: 1, setup: 0, lateStart: 0, reassigned: 0, deviation: 0 },
    }
    const row = (index: number, start: number) => ({ unit: index, start, end: start + 50, setup: 0 })
    const { operations } = planRows(problem, [row(0, 0), row(1, 0), row(2, 60), row(3, 60)])
    assert.deepEqual(
      operations.map(({ after }) => after),
      [[], [], [0], [1]],
    )
    // the first takes 80 instead of 50: the third waits for its operator, and then for the next shift, the fourth for nobody
    const units = [unit({ ratio: exactly(1.6) }), unit(), unit(), unit()]
    assert.deepEqual(ends(input({ units, operations })), [80, 50, 130, 110])
    const slow = [unit({ ratio: exactly(2) }), unit(), unit(), unit()]
    assert.deepEqual(ends(input({ units: slow, operations })), [100, 50, 220, 110])
  })

  it('keeps to calendars, and to the place in which two operations overlap', () => {
    const units = [unit({ closed: [{ from: 50, to: 80 }], ratio: exactly(1.2) }), unit()]
    const operations = [operation({ workMs: 100, end: 130 }), operation({ unit: 1, start: 60, workMs: 90, after: [0] })]
    // 120 of work around 30 closed; the second one begins 70 before the end of the first
    assert.deepEqual(ends(input({ units, operations })), [150, 170])
    const short = [operation({ workMs: 40, resumable: false, end: 40 }), operation({ workMs: 20, start: 80, resumable: false })]
    assert.deepEqual(ends(input({ units, operations: short })), [48, 104])
  })

  it('a unit that works fails as often as its lifetime says: exponential by formula', () => {
    const meanMs = 1000
    const operations = [operation({ workMs: 300 })]
    const units = [unit({ lifetime: byChance(meanMs), repair: exactly(50) })]
    const { orders, failure } = lookAhead(input({ units, operations, orders: [{ id: 'o', due: 320, weight: 2 }] }), { runs: 20_000, seed: 3 })
    near(failure[0] ?? 0, 1 - Math.exp(-0.3), 0.01)
    near(orders[0]?.onTime ?? 0, Math.exp(-0.3), 0.01)
    // a Poisson number of repairs of 50 each, of which the first costs 30 and each other 50
    near(orders[0]?.lateMs ?? 0, 0.3 * 50 - 20 * (1 - Math.exp(-0.3)), 0.5)
    assert.deepEqual([orders[0]?.p10, orders[0]?.p50, orders[0]?.p90], [300, 300, 350])
  })

  it('a unit fails only while it works, the sooner while an anomaly stands, and by a prognosis as it says', () => {
    const at = (overrides: Parameters<typeof unit>[0], operations = [operation({ workMs: 100 })]): number =>
      lookAhead(input({ units: [unit({ lifetime: byChance(1000), ...overrides })], operations }), { runs: 8000, seed: 5 }).failure[0] ?? 0
    near(at({}), 1 - Math.exp(-0.1), 0.01)
    near(at({ hazard: 4 }), 1 - Math.exp(-0.4), 0.02)
    near(at({}, [operation({ workMs: 0 })]), 0, 0)
    const long = [operation({ workMs: 600_000 })]
    near(at({ lifetime: byChance(1e12), foretold: { by: 300_000, probability: 0.2 } }, long), 1 - (1 - 0.2) ** 8, 0.02)
    near(at({ lifetime: byChance(1e12), foretold: { by: 600_000, probability: 0.2 } }, long), 0.2, 0.02)
  })

  it('maintenance before the failure renews the unit, and is needless after it', () => {
    const lifetime = { unitMs: 100, candidates: [{ shape: 4, weight: 1, rateShape: SURE, rateScale: SURE }] }
    const of = (operations: LookaheadInput['operations']): number =>
      lookAhead(input({ units: [unit({ lifetime, ageMs: 80, repair: exactly(30) })], operations }), { runs: 4000, seed: 7 }).failure[0] ?? 0
    const repair = operation({ maintenance: true, workMs: 20 })
    const unmaintained = of([operation({ workMs: 40 })])
    const maintained = of([repair, operation({ start: 20, workMs: 40 })])
    near(unmaintained, 1 - Math.exp(0.8 ** 4 - 1.2 ** 4), 0.03)
    near(maintained, 1 - Math.exp(-(0.4 ** 4)), 0.02)
    // it fails for sure in the first job; the repair that was planned after it is not done any more
    const sure = [unit({ lifetime: byChance(1e15), foretold: { by: 0, probability: 0.999999 }, repair: exactly(30) })]
    const rows = [operation({ workMs: 600_000 }), operation({ maintenance: true, start: 600_000, workMs: 20_000, order: 1 })]
    const orders = [{ id: 'o', due: null, weight: 1 }, { id: 'm', due: null, weight: 1 }] // biome-ignore format: one line
    assert.deepEqual(ends(input({ units: sure, operations: rows, orders })), [600_030, 600_030])
  })

  it('gives the same for the same seed and runs, and stops when it is enough', () => {
    const units = [unit({ lifetime: byChance(200), repair: exactly(20, 0.5), ratio: exactly(1, 0.3) })]
    const given = input({ units, orders: [{ id: 'o', due: 110, weight: 1 }] })
    const first = lookAhead(given, { runs: 300, seed: 11 })
    assert.deepEqual(lookAhead(given, { runs: 300, seed: 11 }), first)
    assert.notDeepEqual(lookAhead(given, { runs: 300, seed: 12 }), first)
    assert.equal(lookAhead(given, { runs: 300, seed: 11, enough: () => true }).runs, 20)
  })

  it('takes what it is given: an empty plan, circles, orders without a row, a unit that never opens', () => {
    const nothing = lookAhead(input({ operations: [] }), { runs: 10, seed: 1 })
    assert.deepEqual(nothing.orders, [null])
    assert.equal(nothing.weightedTardiness, 0)
    assert.equal(ends(input({ operations: [operation({ after: [1] }), operation({ after: [0, 7, 1] })] })).length, 2)
    const closed = [{ from: 0, to: Number.POSITIVE_INFINITY }]
    const [never] = lookAhead(input({ units: [unit({ closed, lifetime: byChance(50) })], orders: [{ id: 'o', due: 5, weight: 1 }] }), {
      runs: 10,
      seed: 1,
    }).orders
    assert.equal(never?.onTime, 0)
    assert.throws(() => lookAhead(input({ operations: [operation({ unit: 3 })] }), { runs: 1, seed: 1 }), /operation 0 names a unit that does not exist/)
    assert.throws(() => lookAhead(input({ operations: [operation({ order: 3 })] }), { runs: 1, seed: 1 }), /an order that does not exist/)
    assert.throws(() => lookAhead(input({ operations: [operation({ workMs: Number.NaN })] }), { runs: 1, seed: 1 }), /not a length of time/)
  })
})
