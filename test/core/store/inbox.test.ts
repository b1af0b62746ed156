import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { TaktError } from '../../../core/base/error.ts'
import { inboxOf } from '../../../core/store/inbox.ts'
import { inbox } from './suites/inbox.ts'
import { plain } from './support/arrivals.ts'
import { StoreBench } from './support/store.ts'

inbox(() => new StoreBench())

describe('inbox on a disk that is full', () => {
  let bench: StoreBench
  beforeEach(() => {
    bench = new StoreBench()
  })
  afterEach(() => bench.close())

  it('rejects while the disk is full, and has forgotten nothing when there is room', async () => {
    const { store } = bench.open()
    const inbox = inboxOf(store)
    await inbox.accept(plain(0))
    await store.transaction(async (tx) => {
      const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(tx.db)
      await sql.raw(`pragma max_page_count = ${rows[0]!.page_count + 1}`).execute(tx.db)
    })
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, (_, n) => inbox.accept(plain(n + 1))))
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && (outcome.reason as TaktError).code === 'TAKT_STORE_FULL'))
    assert.equal(inbox.depth.waiting, 0)
    await store.transaction((tx) => sql`pragma max_page_count = 1000000`.execute(tx.db))
    assert.equal((await inbox.accept(plain(1, { repeated: true }))).verdict, 'new')
    const pending = await store.db.selectFrom('inbox_pending').select('id').orderBy('id').execute()
    assert.deepEqual(
      pending.map(({ id }) => id),
      [1, 2],
    )
  })
})
