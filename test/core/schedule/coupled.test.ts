import assert from 'node:assert/strict'
import { buildByRule, DISPATCH_RULES, toSchedule } from '../../../core/schedule/dispatch-rules.ts'
import { Model } from '../../../core/schedule/model.ts'
import type { ProblemAlternative, ProblemOperation, ScheduleProblem } from '../../../core/schedule/problem.ts'
import { ResourceProfile } from '../../../core/schedule/resource-profile.ts'
import { solve } from '../../../core/schedule/search.ts'
import { Timeline } from '../../../core/schedule/timeline.ts'
import { Timetable } from '../../../core/schedule/timetable.ts'
import { coupledProblem } from './support/coupled-problem.ts'
import { brokenRules, wrongCosts } from './support/judge-schedule.ts'

const on = (unit: number, duration: number, more: Partial<ProblemAlternative> = {}): ProblemAlternative => ({ unit, duration, setup: 0, ...more })
const operator = (amount = 1) => ({ needs: [{ resource: 0, amount }] })

/** Each operation an order of its own, due at 0, unless it says otherwise; time counts from 0. */
function problem(operations: readonly (Partial<ProblemOperation> & { alternatives: readonly ProblemAlternative[] })[], more: Partial<ScheduleProblem> = {}) {
  const units = 1 + Math.max(...operations.flatMap(({ alternatives }) => alternatives.map(({ unit }) => unit)))
  return {
    now: 0,
    units: Array.from({ length: units }, (_, index) => ({ id: `unit-${index}`, closed: [] })),
    orders: operations.map((_, index) => ({ id: `order-${index}`, release: 0, due: 0, weight: 1 })),
    operations: operations.map((operation, index) => ({ id: `${index}`, order: index, after: [], ...operation })),
    resumable: false,
    setupIs: 'attached',
    weights: { tardiness: 1, makespan: 0.1, setup: 0, lateStart: 0, reassigned: 0, deviation: 0 },
    ...more,
  } satisfies ScheduleProblem
}

function spansOf(given: ScheduleProblem, moves = 200): [number, number][] {
  const schedule = solve(given, { moves })
  assert.deepEqual([...brokenRules(given, schedule), ...wrongCosts(given, schedule)], [])
  return schedule.placements.map(({ start, end }) => [start, end])
}

describe('resources beside the unit', () => {
  const one = { id: 'operator', capacity: 1, reduced: [] }

  it('are shared: two units with one operator take turns, the dearer order first', () => {
    const given = problem([{ alternatives: [on(0, 10, operator())] }, { alternatives: [on(1, 10, operator())] }], { resources: [one] })
    const orders = given.orders.map((order, index) => ({ ...order, weight: index === 1 ? 5 : 1 }))
    assert.deepEqual(spansOf({ ...given, orders }), [
      [10, 20],
      [0, 10],
    ])
    assert.deepEqual(spansOf({ ...given, resources: [{ ...one, capacity: 2 }] }), [
      [0, 10],
      [0, 10],
    ])
  })

  it('are there less at times: work that may not be interrupted goes round them, other work waits them out', () => {
    const reduced = [{ from: 5, to: 20, capacity: 0 }]
    const given = problem([{ alternatives: [on(0, 10, operator())] }], { resources: [{ ...one, reduced }] })
    assert.deepEqual(spansOf(given), [[20, 30]])
    assert.deepEqual(spansOf({ ...given, resumable: true }), [[0, 25]])
  })

  it('are free for others while closed time interrupts the work', () => {
    const given = problem([{ alternatives: [on(0, 20, operator())] }, { alternatives: [on(1, 10, operator())], notBefore: 10 }], {
      resources: [one],
      resumable: true,
    })
    const units = [
      { id: 'day', closed: [{ from: 10, to: 20 }] },
      { id: 'night', closed: [] },
    ]
    assert.deepEqual(spansOf({ ...given, units }), [
      [0, 30],
      [10, 20],
    ])
  })

  it('are had by what is frozen, as the alternative of its unit needs, even if there are too few', () => {
    const frozen = (unit: number, end: number) => ({ frozen: { unit, start: -5, end }, alternatives: [on(unit, 10, operator()), on(3, 10)] })
    const given = problem([frozen(0, 7), frozen(1, 12), { alternatives: [on(2, 10, operator())] }], { resources: [one] })
    assert.deepEqual(spansOf({ ...given, units: [...given.units, { id: 'more', closed: [] }] })[2], [12, 22])
  })

  it('let a later operation use an earlier hole', () => {
    const given = problem(
      [
        { alternatives: [on(0, 10, operator(2))], notBefore: 10 },
        { alternatives: [on(1, 20, operator(1))] },
        { alternatives: [on(2, 10, operator(1))] },
        { alternatives: [on(3, 5, operator(2))], notBefore: 5 },
      ],
      { resources: [{ id: 'crew', capacity: 2, reduced: [] }] },
    )
    const orders = given.orders.map((order, index) => ({ ...order, weight: index === 0 ? 100 : 1 }))
    const spans = spansOf({ ...given, orders })
    assert.deepEqual(spans[0], [10, 20])
    assert.deepEqual(spans[2], [0, 10])
  })

  it('are needed for set-up as well, which is done right before the start where it is not part of the operation', () => {
    const given = problem([{ alternatives: [on(0, 10, { setup: 5, ...operator() })] }, { alternatives: [on(1, 10, operator())], notBefore: 12 }], {
      resources: [one],
      setupIs: 'before',
      anticipatory: true,
    })
    const orders = given.orders.map((order, index) => ({ ...order, weight: index === 1 ? 10 : 1 }))
    const spans = spansOf({ ...given, orders })
    assert.deepEqual(spans[1], [12, 22])
    assert.deepEqual(spans[0], [27, 37])
  })

  it('profiles give what is left, and whose end gives enough again', () => {
    const profile = new ResourceProfile([
      { from: Number.NEGATIVE_INFINITY, left: 2 },
      { from: 100, left: 1 },
      { from: 120, left: 2 },
    ])
    profile.take(10, 30, 1, 7)
    profile.take(20, 40, 1, 8)
    assert.equal(profile.from(profile.lack(0, 20, 2)), 40, 'one is left from 30 on, two only from 40')
    assert.equal(profile.from(profile.lack(0, 25, 1)), 30)
    assert.equal(profile.endedAt(profile.lack(0, 25, 1)), 7)
    assert.equal(profile.lack(30, 200, 1), -1)
    assert.equal(profile.from(profile.lack(40, 200, 2)), 120)
    assert.equal(profile.endedAt(profile.lack(40, 200, 2)), -1)
    for (let at = 0; at < 50; at++) profile.take(1000 + 3 * at, 1001 + 3 * at, 0.1, at)
    assert.equal(profile.lack(0, 20, 2) > 0, true)
    profile.reset()
    assert.equal(profile.lack(0, 100, 2), -1)
  })
})

describe('transfer lots', () => {
  const chain = (first: number, second: number, share: number, more: Partial<ScheduleProblem> = {}): ScheduleProblem => {
    const given = problem(
      [
        { alternatives: [on(0, first)], transferShare: share },
        { alternatives: [on(1, second)], order: 0, after: [0] },
      ],
      more,
    )
    return { ...given, orders: given.orders.slice(0, 1) }
  }

  it('let the follower begin when the first share is made', () => {
    assert.deepEqual(spansOf(chain(40, 60, 0.25)), [
      [0, 40],
      [10, 70],
    ])
  })

  it('keep a fast follower from ending before the last share has come', () => {
    // a quarter of 20 is 5: it ends at 45
    assert.deepEqual(spansOf(chain(40, 20, 0.25)), [
      [0, 40],
      [25, 45],
    ])
  })

  it('keep whole numbers whole, and one piece in one lot whole', () => {
    assert.deepEqual(spansOf(chain(10, 10, 0.33))[1], [4, 14])
    assert.deepEqual(spansOf(chain(1, 10, 0.5))[1], [1, 11])
  })

  it('count working time, not closed time', () => {
    const units = [
      { id: 'first', closed: [{ from: 5, to: 105 }] },
      { id: 'second', closed: [{ from: 120, to: 130 }] },
    ]
    const given = chain(40, 20, 0.25, { resumable: true })
    // half of the first share before closed time, half after it: 105 + 5. The second works 15 until 140, when the first ends, of which 10 are closed
    assert.deepEqual(spansOf({ ...given, units }), [
      [0, 140],
      [115, 145],
    ])
  })

  it('come from what is frozen by the share of its time', () => {
    const { operations, ...rest } = chain(40, 60, 0.25)
    const frozen = operations.map((operation, index) => (index === 0 ? { ...operation, frozen: { unit: 0, start: -8, end: 32 } } : operation))
    assert.deepEqual(spansOf({ ...rest, operations: frozen })[1], [2, 62])
  })
})

describe('risk of a unit', () => {
  const weights = { tardiness: 0, makespan: 0.1, setup: 0, lateStart: 0, reassigned: 0, deviation: 0, risk: 1 }

  it('moves work to safer units where that costs less than the risk', () => {
    const given = problem([{ alternatives: [on(0, 10), on(1, 14)] }, { alternatives: [on(0, 10), on(1, 14)] }], { weights })
    const risky = (perTime: number) => ({ ...given, units: given.units.map((unit, index) => (index === 0 ? { ...unit, risk: { perTime } } : unit)) })
    const units = (perTime: number) => solve(risky(perTime), { moves: 300 }).placements.map(({ unit }) => unit)
    assert.deepEqual(units(1), [1, 1])
    assert.deepEqual(units(0.01).toSorted(), [0, 1])
    const { cost } = solve(risky(0.01), { moves: 300 })
    assert.equal(cost.risk, 0.1)
  })

  it('ends with the repair, so that work waits for it where that costs less', () => {
    const given = problem([{ alternatives: [on(0, 10, { setup: 2 })] }, { alternatives: [on(0, 20)], notBefore: 5 }], { weights })
    const risky = (perTime: number) => ({ ...given, units: [{ id: 'worn', closed: [], risk: { perTime, until: 1 } }] })
    assert.deepEqual(solve(risky(0.01), { moves: 300 }).cost.risk, 0.01 * 12)
    const { placements, cost } = solve(risky(5), { moves: 300 })
    assert.equal(cost.risk, 0)
    assert.deepEqual([placements[1]?.start, placements[0]?.start], [5, 25])
  })

  it('counts for nothing when the repair has begun', () => {
    const given = problem([{ alternatives: [on(0, 10)] }, { alternatives: [on(0, 20)], frozen: { unit: 0, start: -1, end: 19 } }], { weights })
    assert.equal(solve({ ...given, units: [{ id: 'worn', closed: [], risk: { perTime: 5, until: 1 } }] }, { moves: 50 }).cost.risk, 0)
  })
})

describe('timeline', () => {
  it('goes back as far as it went forward', () => {
    const spans = [
      { from: 10, to: 20 },
      { from: 30, to: 35 },
    ]
    const timeline = new Timeline([spans, [{ from: Number.NEGATIVE_INFINITY, to: 5 }], []])
    assert.equal(timeline.back(0, 40, 5), 35)
    assert.equal(timeline.back(0, 40, 8), 27)
    assert.equal(timeline.back(0, 40, 20), 5)
    assert.equal(timeline.back(0, 33, 4), 26, 'from within closed time')
    assert.equal(timeline.back(0, 5, 7), -2)
    assert.equal(timeline.back(1, 8, 2), 6)
    assert.equal(timeline.back(1, 8, 4), Number.NEGATIVE_INFINITY)
    assert.equal(timeline.back(2, 8, 4), 4)
  })
})

describe('search with shared resources', () => {
  it('finds what trying everything finds, where that can be done', () => {
    let [compared, missed] = [0, 0]
    for (let seed = 1; seed <= 30; seed++) {
      const given = { ...coupledProblem(seed, { orders: 2, units: 3 }), holdBaseline: false }
      const model = new Model(given)
      if (model.count < 4 || model.count > 6) continue
      compared++
      const least = leastCost(model)
      const found = solve(given, { moves: 1500, seed }).cost.total
      assert.ok(found >= least - 1e-6, `seed ${seed}: nothing costs less than everything that there is, ${found} and ${least}`)
      if (found > least * (1 + 1e-9) + 1e-6) missed++
    }
    assert.ok(compared >= 8, `${compared}`)
    assert.ok(missed <= 1, `${missed} of ${compared}`)
  })

  it('leaves the best dispatch rule far behind', () => {
    let [rules, found] = [0, 0]
    for (let seed = 1; seed <= 3; seed++) {
      const given = { ...coupledProblem(seed, { orders: 20, units: 6 }), holdBaseline: false }
      const plain = { ...given, operations: given.operations.map(({ baseline: _baseline, ...operation }) => operation) }
      const model = new Model(plain)
      rules += Math.min(...DISPATCH_RULES.map((rule) => toSchedule(model, buildByRule(model, rule), 1).cost.total))
      found += solve(plain, { moves: 5000, seed }).cost.total
    }
    assert.ok(found < 0.85 * rules, `${found} against ${rules}`)
  })
})

/** The least that any order of the operations with any alternatives costs. */
function leastCost(model: Model): number {
  const table = new Timetable(model)
  const sequence = new Int32Array(model.count)
  const alternative = new Int32Array(model.count)
  const placed = new Uint8Array(model.count)
  let least = Number.POSITIVE_INFINITY
  const isNext = (operation: number, own: number): boolean => {
    for (let at = model.beforeFirst[operation] as number; at < (model.beforeFirst[operation + 1] as number); at++)
      if (placed[model.before[at] as number] === 0) return false
    const heads = model.heads[model.alternativeUnit[own] as number] ?? []
    const open = heads.find((head) => placed[head] === 0)
    return open === undefined || open === operation
  }
  const extend = (size: number): void => {
    if (size === model.count) {
      table.load(sequence, alternative)
      least = Math.min(least, table.cost)
      return
    }
    for (let operation = 0; operation < model.count; operation++) {
      if (placed[operation] === 1) continue
      for (let own = model.alternativeFirst[operation] as number; own < (model.alternativeFirst[operation + 1] as number); own++) {
        if (!isNext(operation, own)) continue
        placed[operation] = 1
        sequence[size] = operation
        alternative[operation] = own
        extend(size + 1)
        placed[operation] = 0
      }
    }
  }
  extend(0)
  return least
}
