import assert from 'node:assert/strict'
import { seededRandom } from '../../../core/base/random.ts'
import { buildByRule } from '../../../core/schedule/dispatch-rules.ts'
import { Model } from '../../../core/schedule/model.ts'
import { Timetable } from '../../../core/schedule/timetable.ts'
import { randomProblem } from './random-problem.ts'

describe('timetable', () => {
  it('costs a move as if everything were computed anew, and takes it back without a trace', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const model = new Model(randomProblem(seed, { orders: 8 }))
      const random = seededRandom(seed)
      const table = new Timetable(model)
      const built = buildByRule(model, 'due')
      table.load(built.sequence, built.alternative)
      let accepted = 0
      for (let step = 0; step < 300; step++) {
        const operation = Math.floor(random() * model.count)
        const from = model.alternativeFirst[operation] as number
        const alternative = from + Math.floor(random() * ((model.alternativeFirst[operation + 1] as number) - from))
        const unit = model.alternativeUnit[alternative] as number
        const places = [-1]
        for (let other = table.firstOf[unit] as number; other >= 0; other = table.next[other] as number) if (other !== operation) places.push(other)
        const before = picture(table)
        const cost = table.move(operation, alternative, places[Math.floor(random() * places.length)] as number)
        if (cost === Number.POSITIVE_INFINITY) {
          assert.deepEqual(picture(table), before, 'a refused move changes nothing')
          continue
        }
        if (random() < 0.5) {
          table.undo()
          assert.deepEqual(picture(table), before, 'undone')
          continue
        }
        accepted++
        const anew = new Timetable(model)
        anew.load(table.sequence(), table.alternative)
        const close = Math.abs(anew.cost - cost) <= 1e-6 * Math.max(1, Math.abs(cost))
        assert.ok(close, `seed ${seed}, step ${step}: ${cost} instead of ${anew.cost}`)
        assert.deepEqual([...table.start], [...anew.start])
        assert.deepEqual([...table.completion], [...anew.completion])
      }
      assert.ok(accepted > 20 || model.count < 10)
    }
  })

  it('refuses a circle', () => {
    const problem = {
      ...randomProblem(1, { closed: false }),
      units: [{ id: 'u', closed: [] }],
      orders: [{ id: 'o', release: 0, due: null, weight: 1 }],
      operations: [0, 1].map((step) => ({ id: `${step}`, order: 0, alternatives: [{ unit: 0, duration: 1, setup: 0 }], after: step === 0 ? [] : [0] })),
    }
    const model = new Model(problem)
    const table = new Timetable(model)
    table.load([0, 1], Int32Array.of(0, 1))
    assert.equal(table.move(1, 1, -1), Number.POSITIVE_INFINITY)
    assert.equal(table.move(0, 0, 1), Number.POSITIVE_INFINITY)
  })
})

function picture(table: Timetable): unknown {
  return {
    cost: table.cost,
    makespan: table.makespan,
    start: [...table.start],
    end: [...table.end],
    setup: [...table.setup],
    sequence: [...table.sequence()],
    alternative: [...table.alternative],
    completion: [...table.completion],
    next: [...table.next],
    previous: [...table.previous],
    first: [...table.firstOf],
    last: [...table.lastOf],
  }
}
