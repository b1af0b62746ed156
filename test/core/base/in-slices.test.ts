import assert from 'node:assert/strict'
import { atOnce, inSlices, type Steps } from '../../../core/base/in-slices.ts'

function* busy(steps: number, ms: number): Steps<number> {
  for (let step = 0; step < steps; step++) {
    for (const until = performance.now() + ms; performance.now() < until; );
    yield
  }
  return steps
}

describe('in slices', () => {
  it('lets others have their turn between, and gives what the steps come to', async () => {
    let turns = 0
    let over = false
    const others = (): void => {
      turns++
      if (!over) setImmediate(others)
    }
    setImmediate(others)
    assert.equal(await inSlices(busy(20, 2)), 20)
    over = true
    assert.ok(turns >= 3, `${turns} turns`)
    assert.equal(atOnce(busy(3, 0)), 3)
  })

  it('ends when the check says so', async () => {
    const check = (): void => {
      throw new Error('no more')
    }
    await assert.rejects(inSlices(busy(100, 2), check), /no more/)
  })
})
