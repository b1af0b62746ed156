import assert from 'node:assert/strict'
import { UnitQueue } from '../../../core/signal/unit-queue.ts'

describe('unit queue', () => {
  it('works on one batch of a key at a time, in order, and takes together what waits', async () => {
    const batches: string[] = []
    const gates: Array<() => void> = []
    const queue = new UnitQueue<number>(async (key, items) => {
      batches.push(`${key}:${items}`)
      await new Promise<void>((open) => gates.push(open))
    })
    const done = [1, 2, 3, 4].map((item) => queue.add('a', item))
    const other = queue.add('b', 9)
    await new Promise(setImmediate)
    assert.deepEqual(batches, ['a:1,2,3,4', 'b:9'])
    done.push(queue.add('a', 5), queue.add('a', 6))
    await new Promise(setImmediate)
    assert.equal(batches.length, 2)
    gates.shift()?.()
    await new Promise(setImmediate)
    assert.deepEqual(batches[2], 'a:5,6')
    for (const open of gates) open()
    await Promise.all([...done, other, queue.idle()])
  })

  it('keeps what failed and takes it again with what comes next', async () => {
    const seen: string[] = []
    let broken = true
    const queue = new UnitQueue<number>(async (_key, items) => {
      if (broken) throw new Error('away')
      seen.push(String(items))
    }, 3)
    await assert.rejects(queue.add('a', 1), /away/)
    await assert.rejects(queue.add('a', 2), /away/)
    assert.equal(queue.failing, 1)
    await assert.rejects(queue.retry(), /away/)
    for (const item of [3, 4]) await assert.rejects(queue.add('a', item))
    broken = false
    await queue.retry()
    assert.deepEqual(seen, ['2,3,4'])
    assert.equal(queue.failing, 0)
  })
})
