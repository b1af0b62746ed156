import assert from 'node:assert/strict'
import { closeSampleRing, type SampleRing, sampleRingOf } from '../../../../core/store/sample-ring.ts'
import type { Store } from '../../../../core/store/store.ts'
import { sample, UNIT } from '../support/arrivals.ts'
import type { StoreBench } from '../support/store.ts'
export function sampleRing(newBench: () => StoreBench): void {
  describe('ring of recent samples', () => {
    let bench: StoreBench
    let store: Store
    beforeEach(() => {
      bench = newBench()
      store = bench.open().store
    })
    afterEach(() => bench.close())

    const T0 = sample(0).time
    const count = async (): Promise<number> => (await store.db.selectFrom('sample_ring').select('time').execute()).length
    const values = async (ring: SampleRing, from: number, to: number, limit = 1000) =>
      (await ring.recent(UNIT, 'good', T0 + from, T0 + to, limit)).map(({ value }) => value)

    it('gives the newest samples of a span, written or not, oldest first', async () => {
      const ring = sampleRingOf(store, { everyMs: 1, flushMs: 1e6 })
      for (let n = 0; n < 10; n++) ring.append({ ...sample(n), unit: 'pcs' })
      await ring.flush()
      for (let n = 10; n < 15; n++) ring.append(sample(n))
      assert.deepEqual(await values(ring, 8, 12), [8, 9, 10, 11, 12])
      assert.deepEqual(await values(ring, 0, 100, 4), [11, 12, 13, 14])
      assert.deepEqual((await ring.recent(UNIT, 'good', T0, T0, 1))[0], { time: T0, value: 0, quality: 'good', unit: 'pcs' })
      assert.deepEqual(await ring.recent(UNIT, 'another', 0, 1e15, 10), [])
    })

    it('keeps its bound for each signal, however long it runs and whatever the order', async () => {
      const ring = sampleRingOf(store, { perSignal: 100, everyMs: 1 })
      for (let round = 0; round < 30; round++) {
        for (let n = 0; n < 40; n++) {
          ring.append(sample(round * 40 + n))
          ring.append({ ...sample(round * 40 + n), signal: 'scrap' })
        }
        await ring.flush()
      }
      assert.ok((await count()) <= 2 * 150, `${await count()} rows`)
      assert.deepEqual(await values(ring, 1195, 5000), [1195, 1196, 1197, 1198, 1199])
    })

    it('thins numbers in time, and keeps texts and switches when they change', async () => {
      const ring = sampleRingOf(store, { everyMs: 10 })
      for (let n = 0; n < 100; n++) ring.append(sample(n))
      assert.deepEqual(await values(ring, 0, 1000), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
      const states = ['Idle', 'Idle', 'Execute', 'Execute', 'Held', 'Held', 'Held']
      for (const [n, value] of states.entries()) ring.append({ ...sample(n), signal: 'state', value })
      const kept = await ring.recent(UNIT, 'state', 0, 1e15, 10)
      assert.deepEqual(
        kept.map(({ value }) => value),
        ['Idle', 'Execute', 'Held'],
      )
    })

    it('takes a sample that comes again for the same one, and keeps out what no chart can show', async () => {
      const ring = sampleRingOf(store, { everyMs: 1 })
      ring.append(sample(1))
      await ring.flush()
      ring.append(sample(3))
      ring.append({ ...sample(1), value: 1 })
      ring.append({ ...sample(5), value: 'x'.repeat(1000) })
      ring.append({ ...sample(6), value: Number.NaN })
      ring.append({ ...sample(7), signal: 'odd\0\ud800' })
      await ring.flush()
      assert.equal(await count(), 2)
      assert.deepEqual(await values(ring, 0, 100), [1, 3])
    })

    it('writes what it has when the store is closed, and is there after a restart', async () => {
      const ring = sampleRingOf(store, { everyMs: 1, flushMs: 1e6 })
      for (let n = 0; n < 5; n++) ring.append(sample(n))
      await closeSampleRing(store)
      await store.close()
      store = bench.open().store
      assert.deepEqual(await values(sampleRingOf(store), 0, 100), [0, 1, 2, 3, 4])
    })
  })
}
