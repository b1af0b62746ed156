import assert from 'node:assert/strict'
import { TaktError } from '../../../core/base/error.ts'
import { checkProblem, problemFaults } from '../../../core/schedule/check-problem.ts'
import type { ProblemOperation, ScheduleProblem } from '../../../core/schedule/problem.ts'
import { randomProblem } from './random-problem.ts'
import { coupledProblem } from './support/coupled-problem.ts'

const operation = (id: string, more: Partial<ProblemOperation> = {}): ProblemOperation => ({
  id,
  order: 0,
  alternatives: [{ unit: 0, duration: 1, setup: 0 }],
  after: [],
  ...more,
})

function problem(operations: readonly ProblemOperation[], more: Partial<ScheduleProblem> = {}): ScheduleProblem {
  return { ...randomProblem(1), units: [{ id: 'u', closed: [] }], orders: [{ id: 'o', release: 0, due: null, weight: 1 }], operations, ...more }
}

describe('schedule problem', () => {
  it('finds nothing wrong with sound problems', () => {
    for (let seed = 1; seed <= 50; seed++) assert.deepEqual([...problemFaults(randomProblem(seed)), ...problemFaults(coupledProblem(seed))], [])
  })

  const needing = (resource: number, amount: number, more: Partial<ProblemOperation> = {}): ProblemOperation =>
    operation('a', {
      alternatives: [
        {
          unit: 0,
          duration: 1,
          setup: 0,
          needs: [
            { resource, amount: 1 },
            { resource, amount: amount - 1 },
          ],
        },
      ],
      ...more,
    })
  const crew = { id: 'crew', capacity: 2, reduced: [{ from: 0, to: 1, capacity: 0 }] }
  const frozen = { frozen: { unit: 0, start: 0, end: 1 } }
  const risk = (perTime: number, until: number): Partial<ScheduleProblem> => ({
    units: [
      { id: 'u', closed: [], risk: { perTime, until } },
      { id: 'v', closed: [] },
    ],
  })
  const cases: [string, ScheduleProblem, RegExp][] = [
    ['no alternative', problem([operation('a', { alternatives: [] })]), /operation a can be done on no unit/],
    [
      'an unknown unit',
      problem([operation('a', { alternatives: [{ unit: 3, duration: 1, setup: 0 }] })]),
      /operation a names a unit that does not exist \(3\)/,
    ],
    ['a duration that is none', problem([operation('a', { alternatives: [{ unit: 0, duration: Number.NaN, setup: 0 }] })]), /not a length of time/],
    ['an unknown order', problem([operation('a', { order: 4 })]), /belongs to an order that does not exist/],
    ['an unknown predecessor', problem([operation('a', { after: [7] })]), /waits for an operation that does not exist/],
    ['a circle', problem([operation('a', { after: [1] }), operation('b', { after: [0] })]), /operation a waits for itself in a circle/],
    ['a frozen future', problem([operation('a', { frozen: { unit: 0, start: 1e9, end: 1e9 + 1 } })]), /has not begun/],
    ['a first that waits for another', problem([operation('a'), operation('b', { first: 0, after: [0] })]), /operation b waits for itself/],
    ['a first with a choice', problem([operation('a', { first: 0, alternatives: [] })]), /no unit/],
    ['a now that is none', problem([operation('a')], { now: Number.NaN }), /`now` is not a time/],
    ['a resource that is unknown', problem([needing(1, 1)], { resources: [crew] }), /operation a needs a resource that does not exist \(1\)/],
    ['a resource that is unknown to what is frozen', problem([needing(1, 1, frozen)]), /operation a needs a resource that does not exist \(1\)/],
    ['more of a resource than there is', problem([needing(0, 3)], { resources: [crew] }), /operation a needs 3 of crew, and there are 2/],
    ['an amount that is none', problem([needing(0, Number.NaN)], { resources: [crew] }), /operation a needs an amount of crew that is not a number/],
    ['a capacity that is none', problem([operation('a')], { resources: [{ ...crew, capacity: -1 }] }), /resource crew: its capacity/],
    [
      'a time of fewer that is none',
      problem([operation('a')], { resources: [{ ...crew, reduced: [{ from: Number.NaN, to: 1, capacity: 1 }] }] }),
      /resource crew: a time in which there are fewer/,
    ],
    ['a share that is none', problem([operation('a', { transferShare: 1 })]), /operation a hands on a share of its pieces that is not between 0 and 1 \(1\)/],
    ['a risk that is none', problem([operation('a')], risk(-1, 0)), /unit u: its risk is not a number/],
    ['a risk without its end', problem([operation('a')], risk(1, 4)), /unit u: its risk ends with an operation that does not exist \(4\)/],
    [
      'a repair that can be done elsewhere',
      problem([operation('a', { alternatives: [{ unit: 1, duration: 1, setup: 0 }] })], risk(1, 0)),
      /operation a ends the risk of unit u, and can be done elsewhere/,
    ],
    ['a weight of risk that is none', problem([operation('a')], { weights: { ...randomProblem(1).weights, risk: Number.NaN } }), /the weight of risk/],
    ['a due that is none', problem([operation('a')], { orders: [{ id: 'o', release: 0, due: Number.NaN, weight: 1 }] }), /order o/],
  ]
  for (const [name, wrong, what] of cases) {
    it(`names ${name}`, () => {
      assert.throws(
        () => checkProblem(wrong),
        (error) => error instanceof TaktError && error.code === 'TAKT_SCHEDULE_INVALID' && what.test(error.what),
      )
    })
  }
})
