import assert from 'node:assert/strict'
import { EventFollower, typeFilter } from '../../../../core/store/follow-events.ts'
import { created, lot, type StoreBench } from '../support/store.ts'
export function followEvents(newBench: () => StoreBench): void {
  describe('store: following events', () => {
    it('matches types by list and star', () => {
      const matches = (list: string, type: string) => typeFilter(list)?.(type)
      assert.equal(matches('', 'lot.held'), true)
      assert.equal(matches('lot.*', 'lot.held'), true)
      assert.equal(matches('lot.*', 'slot.held'), false)
      assert.equal(matches(' anomaly.raised , *.held', 'lot.held'), true)
      assert.equal(matches('lot.held', 'lotxheld'), false)
      assert.equal(matches('*', 'ledger.tail-lost'), true)
      for (const bad of ['lot.(', 'a b', '[a]', 'a;b']) assert.equal(typeFilter(bad), undefined)
    })

    it('delivers each event once and in order, whatever is committed while it catches up', async () => {
      const bench = newBench()
      try {
        const { store } = bench.open(':memory:')
        const write = (n: number) => store.transaction((tx) => tx.save(lot(`lot-${n}`), created))
        for (let n = 0; n < 300; n += 100) await Promise.all(Array.from({ length: 100 }, (_, index) => write(n + index)))
        const seen: number[] = []
        const follower = new EventFollower(store, 0, { deliver: ({ sequence }) => seen.push(sequence), problem: () => {} })
        const writing = (async () => {
          for (let n = 300; n < 350; n++) await write(n)
        })()
        await follower.start()
        await writing
        assert.deepEqual(
          seen,
          Array.from({ length: 350 }, (_, index) => index + 1),
        )
        assert.equal(follower.cursor, 350)
        follower.stop()
        await write(1000)
        assert.equal(seen.length, 350)
      } finally {
        await bench.close()
      }
    })

    it('keeps what happens between its making and its start', async () => {
      const bench = newBench()
      try {
        const { store } = bench.open(':memory:')
        await store.transaction((tx) => tx.save(lot('before'), created))
        const seen: string[] = []
        const follower = new EventFollower(store, undefined, { deliver: ({ subject }) => seen.push(subject), problem: () => {} })
        await store.transaction((tx) => tx.save(lot('between'), created))
        assert.deepEqual(seen, [])
        await follower.start()
        await store.transaction((tx) => tx.save(lot('after'), created))
        assert.deepEqual(seen, ['between', 'after'])
      } finally {
        await bench.close()
      }
    })
  })
}
