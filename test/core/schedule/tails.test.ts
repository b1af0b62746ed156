import assert from 'node:assert/strict'
import { seededRandom } from '../../../core/base/random.ts'
import { buildByRule } from '../../../core/schedule/dispatch-rules.ts'
import { Model } from '../../../core/schedule/model.ts'
import { Tails } from '../../../core/schedule/tails.ts'
import { Targets } from '../../../core/schedule/targets.ts'
import { Timetable } from '../../../core/schedule/timetable.ts'
import { randomProblem } from './random-problem.ts'

describe('tails', () => {
  it('found anew only where something changed are the same as found from scratch', () => {
    let compared = 0
    for (let seed = 1; seed <= 30; seed++) {
      const model = new Model(randomProblem(seed, { orders: 8, closed: seed % 2 === 0 }))
      const random = seededRandom(seed)
      const table = new Timetable(model)
      const built = buildByRule(model, 'due')
      table.load(built.sequence, built.alternative)
      const targets = new Targets(table)
      const tails = new Tails(table, targets, random)
      for (let step = 0; step < 200; step++) {
        const operation = Math.floor(random() * model.count)
        const from = model.alternativeFirst[operation] as number
        const alternative = from + Math.floor(random() * ((model.alternativeFirst[operation + 1] as number) - from))
        const places = [-1]
        for (let other = table.firstOf[model.alternativeUnit[alternative] as number] as number; other >= 0; other = table.next[other] as number)
          if (other !== operation) places.push(other)
        const cost = table.move(operation, alternative, places[Math.floor(random() * places.length)] as number)
        if (cost !== Number.POSITIVE_INFINITY && random() < 0.4) table.undo()
        if (random() < 0.4) continue
        tails.find()
        const anew = new Tails(table, targets, random)
        anew.find()
        assert.deepEqual(picture(tails, model.count, targets.activeCount), picture(anew, model.count, targets.activeCount), `seed ${seed}, step ${step}`)
        compared++
      }
    }
    assert.ok(compared > 1000)
  })

  it('are the time from the end of an operation to the end of all along the longest way', () => {
    const alternatives = (unit: number, duration: number) => [{ unit, duration, setup: 0 }]
    const model = new Model({
      now: 0,
      units: [
        { id: 'a', closed: [] },
        { id: 'b', closed: [] },
      ],
      orders: [
        { id: 'x', release: 0, due: null, weight: 1 },
        { id: 'y', release: 0, due: null, weight: 1 },
      ],
      operations: [
        { id: 'x1', order: 0, alternatives: alternatives(0, 3), after: [] },
        { id: 'x2', order: 0, alternatives: alternatives(1, 5), after: [0] },
        { id: 'y1', order: 1, alternatives: alternatives(0, 4), after: [] },
      ],
      resumable: false,
      setupIs: 'before',
      weights: { tardiness: 0, makespan: 1, setup: 0, lateStart: 0, reassigned: 0, deviation: 0 },
    })
    const table = new Timetable(model)
    table.load([0, 2, 1], Int32Array.of(0, 1, 2))
    const tails = new Tails(table, new Targets(table), seededRandom(1))
    tails.find()
    assert.deepEqual([...tails.ways.subarray(0, 3)], [5, 0, 0])
    assert.deepEqual([...tails.reach], [8, 5, 4])
    // y1 first: then x1 and x2 wait for it
    table.move(2, 2, -1)
    tails.find()
    assert.deepEqual([...tails.ways.subarray(0, 3)], [5, 0, 8])
    assert.deepEqual([tails.visit(1), tails.critical[1], tails.critical[0], tails.reached[0]], [7, 1, 0, 12])
  })
})

function picture(tails: Tails, count: number, active: number): unknown {
  const { gap, length, duration, reach, ways, jobWays } = tails
  return [gap, length, duration, reach, ways.subarray(0, count * active), jobWays.subarray(0, count * active)].map((values) => [...values])
}
