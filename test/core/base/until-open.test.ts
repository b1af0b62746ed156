import assert from 'node:assert/strict'
import { UntilOpen } from '../../../core/base/until-open.ts'

describe('until open', () => {
  it('keeps work in order, does it when open, and settles as the work does', async () => {
    const early = new UntilOpen(3)
    const done: number[] = []
    const first = early.run(() => void done.push(1))
    const broken = early.run(() => {
      throw new Error('broken')
    })
    const third = early.run(async () => void done.push(3))
    assert.equal(
      early.run(() => void done.push(4)),
      undefined,
    )
    assert.deepEqual([done, early.refused, early.isOpen], [[], 1, false])
    early.open()
    await Promise.all([first, third, assert.rejects(async () => broken, /broken/)])
    assert.deepEqual(done, [1, 3])
    assert.equal(
      early.run(() => void done.push(5)),
      undefined,
    )
    assert.deepEqual(done, [1, 3, 5])
  })
})
