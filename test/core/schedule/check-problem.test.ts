import assert from 'node:assert/strict'
import { TaktError } from '../../../core/base/error.ts'
import { checkProblem, problemFaults } from '../../../core/schedule/check-problem.ts'
import type { ProblemOperation, ScheduleProblem } from '../../../core/schedule/problem.ts'
import { randomProblem } from './random-problem.ts'

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
    for (let seed = 1; seed <= 50; seed++) assert.deepEqual(problemFaults(randomProblem(seed)), [])
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
