import assert from 'node:assert/strict'
import { NotificationOrder } from '../../../core/connect/notification-order.ts'
import { until } from './support/wait.ts'

function ordering(kept: readonly number[] = [], patienceMs = 0) {
  const taken: number[] = []
  const asked: number[] = []
  const lost: number[] = []
  const order = new NotificationOrder<{ sequenceNumber: number }>({
    take: ({ sequenceNumber }) => void taken.push(sequenceNumber),
    repeat: async (sequenceNumber) => {
      asked.push(sequenceNumber)
      return kept.includes(sequenceNumber) ? { sequenceNumber } : undefined
    },
    lost: (count) => void lost.push(count),
    patienceMs,
  })
  const receive = (...numbers: number[]) => {
    for (const sequenceNumber of numbers) order.receive({ sequenceNumber })
  }
  return { order, receive, taken, asked, lost }
}

describe('NotificationOrder', () => {
  it('passes what comes in order, and drops what came already', () => {
    const { receive, taken } = ordering()
    receive(1, 2, 3, 2, 3, 4)
    assert.deepEqual(taken, [1, 2, 3, 4])
  })

  it('holds back what overtook, until what was overtaken has come', () => {
    const { receive, taken, asked } = ordering([], 10_000)
    receive(7, 10, 9)
    assert.deepEqual(taken, [7])
    receive(8, 11)
    assert.deepEqual([taken, asked], [[7, 8, 9, 10, 11], []])
  })

  it('asks for what does not come', async () => {
    const { receive, taken, asked, lost } = ordering([2, 3])
    receive(1, 4, 5)
    await until(() => taken.length === 5, 'the gap is filled')
    assert.deepEqual([taken, asked, lost], [[1, 2, 3, 4, 5], [2, 3], []])
  })

  it('says how many are lost, and goes on, also over several gaps', async () => {
    const { receive, taken, lost } = ordering([6])
    receive(1, 4, 7)
    await until(() => taken.at(-1) === 7, 'the rest')
    assert.deepEqual(
      [taken, lost],
      [
        [1, 4, 6, 7],
        [2, 1],
      ],
    )
    receive(8)
    assert.equal(taken.at(-1), 8)
  })

  it('counts over the largest number', () => {
    const { receive, taken } = ordering()
    receive(0xfffffffe, 0xffffffff, 1, 2, 0xffffffff)
    assert.deepEqual(taken, [0xfffffffe, 0xffffffff, 1, 2])
  })

  it('starts again with a new subscription, whatever was asked for', async () => {
    const { order, receive, taken } = ordering([2])
    receive(1, 3)
    order.restart()
    receive(1, 2)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(taken, [1, 1, 2])
  })
})
