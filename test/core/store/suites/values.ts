import assert from 'node:assert/strict'
import type { Store } from '../../../../core/store/store.ts'
import { toSqlValue, toStoredJson } from '../../../../core/store/values.ts'
import { created, lot, rejection, type StoreBench } from '../support/store.ts'
export function values(newBench: () => StoreBench): void {
  describe('store: values at the border', () => {
    let bench: StoreBench
    let store: Store

    beforeEach(() => {
      bench = newBench()
      store = bench.open(':memory:').store
    })
    afterEach(() => bench.close())

    it('refuses parameters that SQLite would alter or not give back', () => {
      for (const value of [Number.NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53), 2n ** 60n, 'cut\0off', 'lone \uD800', true, undefined, {}, Symbol('s')]) {
        assert.throws(() => toSqlValue(value, 'here'), { code: 'TAKT_STORE_VALUE' })
      }
      for (const value of [null, 0, -1.5, 2 ** 53 - 1, 'grün 🏭', '']) assert.equal(toSqlValue(value, 'here'), value)
      assert.equal(toSqlValue(7n, 'here'), 7)
    })

    it('refuses documents that JSON would alter, and names the place', () => {
      for (const value of [undefined, { a: [1, { b: Number.NaN }] }, { a: Infinity }, { a: 1n }, { a: () => {} }, [undefined]]) {
        assert.throws(() => toStoredJson(value, 'here'), { code: 'TAKT_STORE_VALUE' })
      }
      assert.throws(() => toStoredJson({ a: [1, { b: Number.NaN }] }, 'here'), /NaN at \/a\/1\/b/)
      assert.equal(toStoredJson({ a: undefined, b: 'x\0' }, 'here'), '{"b":"x\\u0000"}')
    })

    it('gives odd texts back as they were', async () => {
      const odd = 'null \0, half \uD800, quote " \\ 🏭'
      const saved = await store.transaction((tx) => tx.save(lot('lot-1', { reason: odd }), created))
      assert.deepEqual(await store.get('lot', 'lot-1'), saved)
      assert.equal(saved.reason, odd)
      await store.saveState('node', 'key', { odd })
      assert.deepEqual(await store.loadState('node', 'key'), { odd })
      assert.ok((await store.verify()).ok)
    })

    it('refuses what the ledger could not prove, and goes on', async () => {
      for (const event of [
        { ...created, why: 'cut\0off' },
        { ...created, actor: 'lone \uDC00' },
      ]) {
        assert.equal((await rejection(store.transaction((tx) => tx.save(lot('lot-1'), event)))).code, 'TAKT_STORE_VALUE')
      }
      const notFinite = lot('lot-2', { quantity: { value: Number.NaN, unit: 'pcs' } })
      assert.equal((await rejection(store.transaction((tx) => tx.save(notFinite, created)))).code, 'TAKT_STORE_VALUE')
      await store.transaction((tx) => tx.save(lot('lot-3'), created))
      const { ok, rows } = await store.verify()
      assert.deepEqual([ok, rows], [true, 1])
    })

    it('reads a whole number over 2^53 as an error, not as another number', async () => {
      const row = store.db.selectNoFrom((expression) => expression.lit(1).as('one')).execute()
      assert.deepEqual(await row, [{ one: 1 }])
      const { sql } = await import('kysely')
      assert.equal((await rejection(sql`select 9007199254740993 as big`.execute(store.db))).code, 'TAKT_STORE_VALUE')
    })
  })
}
