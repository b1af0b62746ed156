import assert from 'node:assert/strict'
import { solve } from '../../../core/schedule/search.ts'
import { randomProblem } from './random-problem.ts'

const MOVES = 60_000

describe('a search that may end early', () => {
  it('ends long before its limit where nothing better is found, and is hardly worse', () => {
    let [used, early, cost, cheap] = [0, 0, 0, 0]
    for (let seed = 1; seed <= 3; seed++) {
      const problem = randomProblem(seed, { orders: 8 })
      const whole = solve(problem, { moves: MOVES, seed })
      const sooner = solve(problem, { moves: MOVES, seed, mayEndEarly: true })
      used += whole.evaluations
      early += sooner.evaluations
      cost += whole.cost.total
      cheap += sooner.cost.total
    }
    assert.ok(early < 0.7 * used, `${early} of ${used} moves`)
    assert.ok(cheap <= 1.01 * cost, `${cheap} where ${cost} was found`)
  })

  it('uses all that it is given unless it may end early, where many goals have not settled', () => {
    const problem = randomProblem(2, { orders: 25 })
    assert.ok(solve(problem, { moves: 20_000, seed: 1 }).evaluations >= 20_000)
  })

  it('gives the same schedule for the same seed and number of moves', () => {
    const problem = randomProblem(4, { orders: 10 })
    const first = solve(problem, { moves: 20_000, seed: 3, mayEndEarly: true })
    assert.deepEqual(solve(problem, { moves: 20_000, seed: 3, mayEndEarly: true }), first)
  })
})
