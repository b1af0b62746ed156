import assert from 'node:assert/strict'
import { systemClock } from '../../../core/base/clock.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { PACKED_FROM, packAnswer, unpackAnswer } from '../../../core/store/packed-rows.ts'

describe('rows that cross to another thread packed', () => {
  it('come back as they were', () => {
    const rows = [
      { lot: 'a', quantity: 1.5, location: null },
      { lot: 'b', quantity: 0, location: 'berlin' },
    ]
    assert.deepEqual(unpackAnswer(packAnswer(rows)), rows)
    assert.deepEqual(unpackAnswer(packAnswer([])), [])
  })

  it('are what a store answers, few or many', async () => {
    const store = openStore({ file: ':memory:', clock: systemClock })
    try {
      const edges = Array.from({ length: 2 * PACKED_FROM }, (_, source) => ({ source, target: source + 1, quantity: source / 2 }))
      await store.transaction((tx) => tx.db.insertInto('genealogy_edge').values(edges).execute())
      for (const limit of [0, 1, PACKED_FROM - 1, PACKED_FROM, edges.length])
        assert.deepEqual(
          (await store.db.selectFrom('genealogy_edge').selectAll().orderBy('source').limit(limit).execute()).map((row) => ({ ...row })),
          edges.slice(0, limit),
        )
    } finally {
      await store.close()
    }
  })
})
