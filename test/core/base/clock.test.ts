import assert from 'node:assert/strict'
import { AnchoredClock, ManualClock } from '../../../core/base/clock.ts'

describe('AnchoredClock', () => {
  it('runs at its rate from its anchor', () => {
    let real = 1_000
    const clock = new AnchoredClock({ plant: 500_000, real: 1_000, rate: 60 }, () => real)
    assert.equal(clock.now(), 500_000)
    real += 2_000
    assert.equal(clock.now(), 620_000)
  })

  it('fires timers in plant time, and lets them follow a new anchor', async () => {
    const start = Date.now()
    const clock = new AnchoredClock({ plant: 0, real: start, rate: 1 })
    const fired = new Promise<number>((resolve) => clock.after(60_000, () => resolve(clock.now())))
    clock.set({ plant: clock.now(), real: Date.now(), rate: 10_000 })
    assert.ok((await fired) >= 60_000)
  })

  it('stands still at rate 0 and does not fire', async () => {
    const clock = new AnchoredClock({ plant: 7, real: Date.now(), rate: 0 })
    let fired = false
    clock.after(1, () => {
      fired = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(fired, false)
    assert.equal(clock.now(), 7)
  })

  it('forgets a cancelled timer even when tied anew', async () => {
    const clock = new AnchoredClock({ plant: 0, real: Date.now(), rate: 1000 })
    let fired = false
    const cancel = clock.after(5, () => {
      fired = true
    })
    cancel()
    clock.set({ plant: 100, real: Date.now(), rate: 1000 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(fired, false)
  })
})

describe('ManualClock', () => {
  it('fires in order of due time, also what a timer starts', () => {
    const clock = new ManualClock(0)
    const fired: string[] = []
    clock.after(20, () => fired.push(`b@${clock.now()}`))
    clock.after(10, () => {
      fired.push(`a@${clock.now()}`)
      clock.after(5, () => fired.push(`c@${clock.now()}`))
    })
    clock.advance(30)
    assert.deepEqual(fired, ['a@10', 'c@15', 'b@20'])
    assert.equal(clock.now(), 30)
  })
})
