import assert from 'node:assert/strict'
import { seededRandom } from '../../../core/base/random.ts'
import { problemFaults } from '../../../core/schedule/check-problem.ts'
import { buildByDue, buildByRule, DISPATCH_RULES, toSchedule } from '../../../core/schedule/dispatch-rules.ts'
import { Model } from '../../../core/schedule/model.ts'
import type { Schedule } from '../../../core/schedule/problem.ts'
import { doNothing, solve } from '../../../core/schedule/search.ts'
import { Timetable } from '../../../core/schedule/timetable.ts'
import { coupledProblem } from './support/coupled-problem.ts'
import { brokenRules, wrongCosts } from './support/judge-schedule.ts'
import { scaledProblem } from './support/scaled-problem.ts'

/**
 * Whatever is asked of it, and by whatever part of the search, an answer keeps every rule and costs what it says: set-ups, calendars, repairs, frozen rows, heads, pins, a baseline to hold,
 * resources, transfer lots and risk, all in one problem.
 */
describe('schedule invariants', () => {
  it('hold for what the search, the dispatch rules and doing nothing answer', () => {
    for (let seed = 1; seed <= 90; seed++) {
      const problem = coupledProblem(seed)
      assert.deepEqual(problemFaults(problem), [], `seed ${seed}`)
      const model = new Model(problem)
      const judge = (who: string, schedule: Schedule): void => {
        assert.deepEqual(brokenRules(problem, schedule), [], `${who}, seed ${seed}`)
        assert.deepEqual(wrongCosts(problem, schedule), [], `${who}, seed ${seed}`)
      }
      const found = solve(problem, { moves: 250, seed })
      judge('search', found)
      judge('by due', toSchedule(model, buildByDue(model), 1))
      const rule = DISPATCH_RULES[seed % DISPATCH_RULES.length] ?? 'due'
      const built = toSchedule(model, buildByRule(model, rule), 1)
      judge(rule, built)
      if (problem.holdBaseline !== true) assert.ok(found.cost.total <= built.cost.total + 1e-6, `the search is worse than ${rule}, seed ${seed}`)
      const nothing = doNothing(problem)
      if (nothing === null) continue
      judge('do nothing', nothing)
      for (const [index, { baseline, frozen }] of problem.operations.entries())
        if (baseline !== undefined && frozen === undefined)
          assert.ok((nothing.placements[index]?.start ?? 0) >= baseline.start, 'a right shift moves nothing left')
    }
  })

  it('hold in fractions of time', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const problem = scaledProblem(coupledProblem(seed), 1 / 3 + seed * 1e-4)
      const schedule = solve(problem, { moves: 100, seed })
      assert.deepEqual([...brokenRules(problem, schedule), ...wrongCosts(problem, schedule)], [], `seed ${seed}`)
    }
  })

  it('would be seen to be broken', () => {
    const broken = { resources: 0, lots: 0, risk: 0 }
    for (let seed = 1; seed <= 20; seed++) {
      const problem = coupledProblem(seed, { orders: 8 })
      const { operations, weights } = problem
      const alone = operations.map((operation) => ({ ...operation, alternatives: operation.alternatives.map(({ needs: _needs, ...rest }) => rest) }))
      if (brokenRules(problem, solve({ ...problem, operations: alone }, { moves: 50 })).length > 0) broken.resources++
      const hasty = operations.map((operation) => (operation.transferShare === undefined ? operation : { ...operation, transferShare: 0.01 }))
      if (brokenRules(problem, solve({ ...problem, operations: hasty }, { moves: 50 })).length > 0) broken.lots++
      if (wrongCosts(problem, solve({ ...problem, weights: { ...weights, risk: 0 } }, { moves: 50 })).length > 0) broken.risk++
    }
    for (const [what, count] of Object.entries(broken)) assert.ok(count > 10, `${what}: ${count}`)
  })

  it('cost of a move or of overtaking is that of a full count, and is taken back without a trace', () => {
    let overtaken = 0
    for (let seed = 1; seed <= 30; seed++) {
      const model = new Model(coupledProblem(seed, { orders: 8 }))
      const random = seededRandom(seed)
      const int = (below: number): number => Math.floor(random() * below)
      const table = new Timetable(model)
      const built = buildByRule(model, 'due')
      table.load(built.sequence, built.alternative)
      assert.deepEqual([...table.start], [...built.start], `what is built is what is loaded, seed ${seed}`)
      for (let step = 0; step < 150; step++) {
        const operation = int(model.count)
        const before = picture(table)
        const heldUp = table.isHeldUp(operation)
        const overtakes = heldUp || random() < 0.1
        const cost = overtakes
          ? table.overtake(operation, heldUp ? (table.binding[operation] as number) : int(model.count))
          : randomMove(table, operation, random)
        if (cost === Number.POSITIVE_INFINITY) {
          assert.deepEqual(picture(table), before, 'a refused move changes nothing')
          continue
        }
        if (overtakes) overtaken++
        if (random() < 0.5) {
          table.undo()
          assert.deepEqual(picture(table), before, `undone, seed ${seed}, step ${step}`)
          continue
        }
        const anew = new Timetable(model)
        anew.load(table.sequence(), table.alternative)
        assert.ok(Math.abs(anew.cost - cost) <= 1e-6 * Math.max(1, Math.abs(cost)), `seed ${seed}, step ${step}: ${cost} instead of ${anew.cost}`)
        assert.deepEqual([...table.start], [...anew.start], `seed ${seed}, step ${step}`)
        assert.deepEqual([...table.binding], [...anew.binding], `seed ${seed}, step ${step}`)
      }
    }
    assert.ok(overtaken > 200, `${overtaken}`)
  })

  it('holding the old plan back makes no figure worse', () => {
    let held = 0
    for (let seed = 1; seed <= 40; seed++) {
      const problem = coupledProblem(seed)
      const free = solve({ ...problem, holdBaseline: false }, { moves: 100, seed }).cost
      const schedule = solve({ ...problem, holdBaseline: true }, { moves: 100, seed })
      assert.deepEqual([...brokenRules(problem, schedule), ...wrongCosts(problem, schedule)], [], `seed ${seed}`)
      const { cost } = schedule
      for (const figure of ['total', 'weightedTardiness', 'lateStart', 'makespan', 'deviation'] as const)
        assert.ok(cost[figure] <= free[figure] + 1e-6, `${figure}: ${cost[figure]} instead of ${free[figure]}, seed ${seed}`)
      if (cost.deviation < free.deviation - 1e-6) held++
    }
    assert.ok(held > 5, `${held}`)
  })

  it('ranking by start delays nothing', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const model = new Model(coupledProblem(seed, { setupIs: 'attached' }))
      const table = new Timetable(model)
      const random = seededRandom(seed)
      const built = buildByRule(model, 'slack', random, 1)
      table.load(built.sequence, built.alternative)
      for (let step = 0; step < 100; step++) randomMove(table, Math.floor(random() * model.count), random)
      const ends = table.end.slice()
      table.rankByStart()
      assert.ok(
        table.end.every((end, operation) => end <= (ends[operation] as number)),
        `seed ${seed}`,
      )
    }
  })
})

function randomMove(table: Timetable, operation: number, random: () => number): number {
  const { model } = table
  const from = model.alternativeFirst[operation] as number
  const alternative = from + Math.floor(random() * ((model.alternativeFirst[operation + 1] as number) - from))
  const places = [-1]
  for (let other = table.firstOf[model.alternativeUnit[alternative] as number] as number; other >= 0; other = table.next[other] as number)
    if (other !== operation) places.push(other)
  return table.move(operation, alternative, places[Math.floor(random() * places.length)] as number)
}

function picture(table: Timetable): unknown {
  const { cost, makespan, start, end, setup, binding, order, alternative, completion, next, previous, firstOf, lastOf } = table
  return { cost, makespan, lists: [start, end, setup, binding, order, alternative, completion, next, previous, firstOf, lastOf].map((list) => [...list]) }
}
