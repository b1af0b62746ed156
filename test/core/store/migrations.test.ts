import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { inboxOf } from '../../../core/store/inbox.ts'
import { migrate } from '../../../core/store/migrate.ts'
import { MIGRATIONS } from '../../../core/store/migrations/index.ts'
import { SqliteBackend } from '../../../core/store/sqlite-backend.ts'
import { created, lot, StoreBench } from './support/store.ts'

describe('migrations of a store file', () => {
  let bench: StoreBench
  beforeEach(() => {
    bench = new StoreBench()
  })
  afterEach(() => bench.close())

  /** A file as an earlier version left it. */
  async function fileOfVersion(version: number): Promise<string> {
    const file = bench.file()
    const backend = new SqliteBackend(
      file,
      async () => {},
      () => {},
    )
    await backend.open()
    await migrate(backend, 1, MIGRATIONS.slice(0, version))
    await backend.close()
    return file
  }

  it('bring a file of the first version to this one with all that is in it', async () => {
    const file = await fileOfVersion(1)
    const db = new DatabaseSync(file)
    const message = JSON.stringify([{ topic: 't', payload: { kind: 'receipt', of: 'x', to: 'u', status: 'done', time: 1 } }])
    const inbox = db.prepare(`insert into inbox (source, session, sequence, content_hash, received, body, settled) values ('s', 'a', ?, ?, 5, ?, ?)`)
    for (let n = 1; n <= 4; n++) inbox.run(n, `hash-${n}`, message, n <= 2 ? 1 : 0)
    db.exec(`insert into effect (key, ledger, time) values ('done', 0, 1)`)
    db.exec(`insert into outbox (destination, topic, body, created) values ('d', 't', 'b', 7)`)
    db.close()

    const { store } = bench.open(file)
    const unsettled = await inboxOf(store).unsettled('s', 0, 10)
    assert.deepEqual(
      unsettled.map(({ id }) => id),
      [3, 4],
    )
    assert.equal(unsettled[0]?.messages[0]?.topic, 't')
    const next = await inboxOf(store).accept({ source: 's', key: { session: 'a', sequence: 2 }, content: 'other', messages: [] })
    assert.deepEqual(next, { verdict: 'contradicts', id: 2 })
    assert.equal((await inboxOf(store).accept({ source: 's', key: { session: 'a', sequence: 5 }, content: 'x', messages: [] })).id, 5)
    await store.transaction(async (tx) => {
      assert.equal(await tx.once('done'), false)
      await tx.save(lot('lot-1'), created)
    })
    assert.deepEqual((await store.db.selectFrom('outbox').select(['body', 'attempts', 'due']).execute())[0], { body: 'b', attempts: 0, due: 0 })
    assert.ok((await store.verify()).ok)
  })

  it('give the same tables to a file made at once and to one brought there step by step', async () => {
    const tables = (file: string): unknown => {
      const db = new DatabaseSync(file, { readOnly: true })
      try {
        return db.prepare(`select type, name, sql from sqlite_master where name not like 'sqlite_%' order by name`).all()
      } finally {
        db.close()
      }
    }
    const stepwise = await fileOfVersion(1)
    const opened = bench.open(stepwise).store
    await opened.head()
    await opened.close()
    const fresh = bench.file('fresh.db')
    const made = bench.open(fresh).store
    await made.head()
    await made.close()
    assert.deepEqual(tables(stepwise), tables(fresh))
  })
})
