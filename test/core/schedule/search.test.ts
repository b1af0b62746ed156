import assert from 'node:assert/strict'
import { buildByRule, rightShift, toSchedule } from '../../../core/schedule/dispatch-rules.ts'
import { fromFjs1, toFjs1, toFjs1Rows } from '../../../core/schedule/fjs1.ts'
import { Model, scheduleCost } from '../../../core/schedule/model.ts'
import type { ScheduleProblem } from '../../../core/schedule/problem.ts'
import { doNothing, solve } from '../../../core/schedule/search.ts'
import { randomProblem } from './random-problem.ts'
import { hasBenchData, loadInstance, loadValidator, type Validate } from './shared-data.ts'
import { brokenRules } from './support/judge-schedule.ts'

describe('schedule search', () => {
  it('keeps every rule on random problems with every feature on', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const problem = randomProblem(seed, { own: seed % 3 === 0 })
      const schedule = solve(problem, { moves: 400, seed })
      assert.deepEqual(brokenRules(problem, schedule), [], `seed ${seed}`)
      assert.deepEqual(schedule.cost, scheduleCost(problem, schedule.placements), `seed ${seed}`)
      const nothing = doNothing(problem)
      if (nothing === null) continue
      assert.deepEqual(brokenRules(problem, nothing), [], `do nothing, seed ${seed}`)
      for (const [index, { baseline, frozen }] of problem.operations.entries()) {
        if (baseline !== undefined && frozen === undefined)
          assert.ok((nothing.placements[index]?.start ?? 0) >= baseline.start, 'a right shift moves nothing left')
      }
    }
  })

  it('gives the same schedule for the same seed and number of moves', () => {
    const problem = randomProblem(7, { orders: 15 })
    const first = solve(problem, { moves: 3000, seed: 5 })
    assert.deepEqual(solve(problem, { moves: 3000, seed: 5 }), first)
  })

  it('never ends worse than any dispatch rule or the plan in force', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const problem = randomProblem(seed, { orders: 12 })
      const model = new Model(problem)
      const found = solve(problem, { moves: 500, seed }).cost.total
      for (const rule of ['first-come', 'due', 'slack', 'tardiness-cost'] as const)
        assert.ok(found <= toSchedule(model, buildByRule(model, rule), 1).cost.total + 1e-6, `${rule}, seed ${seed}`)
      assert.ok(found <= rightShift(model).cost.total + 1e-6 || model.count === 0, `seed ${seed}`)
    }
  })

  it('beats first come, first served clearly in what it is asked for: tardiness, or makespan', () => {
    const rest = { setup: 0.05, lateStart: 5, reassigned: 0, deviation: 0 }
    let [firstTardiness, firstMakespan, tardiness, makespan] = [0, 0, 0, 0]
    for (let seed = 1; seed <= 4; seed++) {
      const problem = randomProblem(seed, { orders: 40, units: 8 })
      const model = new Model(problem)
      const first = toSchedule(model, buildByRule(model, 'first-come'), 1).cost
      const punctual = solve({ ...problem, weights: { ...rest, tardiness: 1, makespan: 0.02 } }, { moves: 12_000, seed }).cost
      const fast = solve({ ...problem, weights: { ...rest, tardiness: 0.1, makespan: 1 } }, { moves: 12_000, seed }).cost
      assert.ok(punctual.weightedTardiness < first.weightedTardiness, `seed ${seed}`)
      firstTardiness += first.weightedTardiness
      firstMakespan += first.makespan
      tardiness += punctual.weightedTardiness
      makespan += fast.makespan
    }
    assert.ok(tardiness < 0.5 * firstTardiness, `${tardiness} against ${firstTardiness}`)
    assert.ok(makespan < 0.95 * firstMakespan, `${makespan} against ${firstMakespan}`)
  })

  it('puts a repair into the gap where it harms least, before its deadline', () => {
    // unit 0 is busy until 100 with work that is due, then idle until 200, then busy again with work that is due
    const work = (id: string, order: number, notBefore: number, duration: number) => ({
      id,
      order,
      notBefore,
      after: [],
      alternatives: [{ unit: 0, duration, setup: 0 }],
    })
    const problem: ScheduleProblem = {
      now: 0,
      units: [{ id: 'mill', closed: [] }],
      orders: [
        { id: 'a', release: 0, due: 100, weight: 1 },
        { id: 'b', release: 0, due: 300, weight: 1 },
        { id: 'repair', release: 0, due: null, weight: 1, counts: false },
      ],
      operations: [
        work('a', 0, 0, 100),
        work('b', 1, 200, 100),
        { id: 'repair', order: 2, after: [], startBy: 250, alternatives: [{ unit: 0, duration: 80, setup: 0 }] },
      ],
      resumable: false,
      setupIs: 'attached',
      weights: { tardiness: 1, makespan: 0.01, setup: 0, lateStart: 20, reassigned: 0, deviation: 0 },
    }
    const { placements, cost } = solve(problem, { moves: 200 })
    assert.equal(cost.tardiness, 0)
    assert.deepEqual([placements[2]?.start, placements[2]?.end], [100, 180])
  })

  it('lets what nobody waits for stay at its old start, when told to', () => {
    const mill = (id: string, order: number, start: number) => ({
      id,
      order,
      after: [],
      alternatives: [{ unit: 0, duration: 10, setup: 0 }],
      baseline: { unit: 0, start },
    })
    const problem: ScheduleProblem = {
      now: 0,
      units: [{ id: 'mill', closed: [] }],
      orders: [
        { id: 'calm', release: 0, due: 1000, weight: 1 },
        { id: 'late', release: 0, due: 35, weight: 1 },
        { id: 'last', release: 0, due: 1000, weight: 1 },
      ],
      operations: [mill('calm', 0, 20), mill('late', 1, 40), mill('last', 2, 100)],
      resumable: false,
      setupIs: 'attached',
      weights: { tardiness: 1, makespan: 0, setup: 0, lateStart: 0, reassigned: 5, deviation: 0.01 },
    }
    const starts = (holdBaseline: boolean) => solve({ ...problem, holdBaseline }, { moves: 200 }).placements.map((placement) => placement.start)
    // the second is due at 35, so it comes at 25 at the latest; the first stays as near to 20 as that allows; the third where it was
    const held = starts(true)
    assert.equal(held[2], 100)
    assert.ok((held[1] ?? 99) <= 25)
    assert.ok(starts(false).every((start) => start <= 20))
  })

  it('holding back makes no plan worse', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const problem = randomProblem(seed)
      const free = solve(problem, { moves: 300, seed })
      const held = solve({ ...problem, holdBaseline: true }, { moves: 300, seed })
      assert.deepEqual(brokenRules(problem, held), [], `seed ${seed}`)
      assert.ok(held.cost.weightedTardiness <= free.cost.weightedTardiness + 1e-6, `seed ${seed}`)
      assert.ok(held.cost.lateStart <= free.cost.lateStart + 1e-6, `seed ${seed}`)
      assert.ok(held.cost.makespan <= free.cost.makespan + 1e-6, `seed ${seed}`)
      assert.ok(held.cost.deviation <= free.cost.deviation + 1e-6, `seed ${seed}`)
    }
  })

  it('stops when told to, with a schedule that keeps every rule', () => {
    const problem = randomProblem(3, { orders: 30 })
    let asked = 0
    const schedule = solve(problem, { stopped: () => ++asked > 3 })
    assert.deepEqual(brokenRules(problem, schedule), [])
  })

  it('keeps also a single operation off a unit that may fail, where that is cheap', () => {
    const alternatives = [
      { unit: 0, duration: 10, setup: 0 },
      { unit: 1, duration: 12, setup: 0 },
    ]
    const placed = (perTime: number) =>
      solve({
        now: 0,
        units: [
          { id: 'worn', closed: [], risk: { perTime } },
          { id: 'sound', closed: [] },
        ],
        orders: [{ id: 'o', release: 0, due: null, weight: 1 }],
        operations: [{ id: 'x', order: 0, after: [], alternatives }],
        resumable: true,
        setupIs: 'attached',
        weights: { tardiness: 1, makespan: 1, setup: 0, lateStart: 0, reassigned: 0, deviation: 0, risk: 1 },
      }).placements[0]?.unit
    assert.equal(placed(0.1), 0)
    assert.equal(placed(0.5), 1)
  })

  it('takes problems without work and with a single operation', () => {
    const empty: ScheduleProblem = { ...randomProblem(1), orders: [], operations: [] }
    assert.deepEqual(solve(empty).placements, [])
    const orders = [{ id: 'o', release: 0, due: 12, weight: 1 }]
    // everything runs already: an order that is due, and nothing left to place
    const frozen = { id: 'x', order: 0, alternatives: [], after: [], frozen: { unit: 0, start: 0, end: 30 } }
    assert.equal(solve({ ...empty, now: 10, orders, operations: [frozen] }).placements[0]?.end, 30)
    const one = { id: 'x', order: 0, alternatives: [{ unit: 0, duration: 5, setup: 2 }], after: [] }
    const problem: ScheduleProblem = {
      ...empty,
      now: 10,
      units: [{ id: 'u', closed: [] }],
      orders,
      operations: [one],
      setupIs: 'attached',
    }
    assert.deepEqual(solve(problem).placements, [{ unit: 0, start: 10, end: 17, setup: 2 }])
    assert.equal(solve(problem).cost.tardiness, 5)
  })

  describe('against the independent validator', () => {
    let validate: Validate
    before(async function () {
      if (hasBenchData) validate = await loadValidator()
      else {
        console.log('      (no benchmark data beside the repository: skipped)')
        this.skip()
      }
    })

    for (const name of ['mk01', 'mk06', 'la01', 'la16', 'la05_rdata', 'dpp01a', 'sdst_la06', 'abz5_twt13', 'behnke1', 'ft06']) {
      it(`${name} is feasible, and no worse than first come, first served`, () => {
        const instance = loadInstance(name)
        const problem = fromFjs1(instance)
        const schedule = solve(problem, { moves: 2000 })
        const { feasible, errors, metrics } = validate(instance, toFjs1Rows(instance, schedule))
        assert.ok(feasible, errors.join('; '))
        assert.equal(metrics.makespan, schedule.cost.makespan)
        const model = new Model(problem)
        const first = validate(instance, toFjs1Rows(instance, toSchedule(model, buildByRule(model, 'first-come'), 1)))
        assert.ok(first.feasible, first.errors.join('; '))
        assert.ok((metrics.objective ?? 0) < (first.metrics.objective ?? 0), `${metrics.objective} against ${first.metrics.objective}`)
      })
    }

    for (const name of ['mk01__bd1_resume_s1', 'mk02__bd4_resume_s1', 'mk04__bd3_resume_s1', 'mk06__bd2_resume_s1']) {
      it(`${name}: what had begun stays, and less changes than by shifting everything`, () => {
        const instance = loadInstance(name, 'breakdowns')
        const problem = fromFjs1(instance)
        const schedule = solve(problem, { moves: 3000 })
        const { feasible, errors, metrics } = validate(instance, toFjs1Rows(instance, schedule))
        assert.ok(feasible, errors.join('; '))
        const shifted = validate(instance, toFjs1Rows(instance, doNothing(problem) ?? schedule))
        assert.ok(shifted.feasible, shifted.errors.join('; '))
        assert.ok((metrics.makespan ?? 0) <= (shifted.metrics.makespan ?? 0))
      })
    }

    it('random problems written as instances are feasible', () => {
      for (let seed = 1; seed <= 60; seed++) {
        const problem = randomProblem(seed)
        const schedule = solve(problem, { moves: 300, seed })
        const { instance, rows } = toFjs1(problem, schedule.placements)
        const { feasible, errors } = validate(instance, rows)
        assert.ok(feasible, `seed ${seed}: ${errors.join('; ')}`)
      }
    })
  })
})
