import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { seededRandom } from '../../../../core/base/random.ts'
import type { Store } from '../../../../core/store/store.ts'
import { created, held, lot, rejection, START, type StoreBench } from '../support/store.ts'
export function transactions(newBench: () => StoreBench): void {
  describe('store: transactions', () => {
    let bench: StoreBench
    let store: Store

    beforeEach(() => {
      bench = newBench()
      store = bench.open(':memory:').store
    })
    afterEach(() => bench.close())

    it('saves a document with its event, and reads it back', async () => {
      const saved = await store.transaction((tx) => tx.save(lot('lot-1'), created))
      assert.deepEqual(saved, { ...lot('lot-1'), revision: 1, ledger: 1 })
      assert.deepEqual(await store.get('lot', 'lot-1'), saved)
      assert.equal(await store.get('lot', 'lot-2'), undefined)
      const [event] = await store.events(0, 10)
      assert.deepEqual({ ...event, hash: '' }, { sequence: 1, ...created, subject: 'lot-1', why: null, before: null, after: saved, time: START, hash: '' })
    })

    it('replaces a document based on the stored revision, and tells what it was before', async () => {
      const first = await store.transaction((tx) => tx.save(lot('lot-1'), created))
      const second = await store.transaction((tx) => tx.save({ ...first, disposition: 'held' }, held))
      assert.equal(second.revision, 2)
      const event = (await store.events(1, 1))[0]
      assert.deepEqual([event?.before, event?.after, event?.why], [first, second, 'scratches'])
    })

    it('refuses a change based on another revision, and records nothing', async () => {
      const first = await store.transaction((tx) => tx.save(lot('lot-1'), created))
      await store.transaction((tx) => tx.save({ ...first, disposition: 'held' }, held))
      for (const stale of [first, lot('lot-1'), lot('lot-9', { revision: 4 })]) {
        assert.equal((await rejection(store.transaction((tx) => tx.save(stale, held)))).code, 'TAKT_STORE_CONFLICT')
      }
      assert.equal((await store.head()).sequence, 2)
    })

    it('of two changes based on the same revision, lets one through', async () => {
      const base = await store.transaction((tx) => tx.save(lot('lot-1'), created))
      const outcomes = await Promise.allSettled([1, 2].map(() => store.transaction((tx) => tx.save(base, held))))
      assert.deepEqual(outcomes.map((outcome) => outcome.status).sort(), ['fulfilled', 'rejected'])
      const inOne = store.transaction((tx) => Promise.allSettled([tx.save(lot('lot-2'), created), tx.save(lot('lot-2'), created)]))
      assert.equal((await rejection(inOne)).code, 'TAKT_STORE_CONFLICT')
      assert.equal(await store.get('lot', 'lot-2'), undefined)
      assert.ok((await store.verify()).ok)
    })

    it('sees its own writes, while readers see what is committed', async () => {
      await store.transaction(async (tx) => {
        await tx.save(lot('lot-1'), created)
        assert.equal((await tx.get('lot', 'lot-1'))?.revision, 1)
        assert.equal((await tx.list('lot')).length, 1)
        // a read beside the transaction neither waits for it nor sees it
        assert.equal(await store.get('lot', 'lot-1'), undefined)
      })
      assert.equal((await store.list('lot')).length, 1)
    })

    it('undoes one that throws, alone, among 64 that share commits', async () => {
      const random = seededRandom(7)
      const fails = Array.from({ length: 64 }, () => random() < 0.4)
      const heard: number[] = []
      store.subscribe((event) => heard.push(event.sequence))
      const outcomes = await Promise.allSettled(
        fails.map((fail, index) =>
          store.transaction(async (tx) => {
            await tx.save(lot(`lot-${index}`), created)
            assert.ok(await tx.once(`effect-${index}`))
            await tx.record({ type: 'lot.noted', subject: `lot-${index}`, actor: 'test' })
            if (fail) throw new Error(`fault ${index}`)
            return index
          }),
        ),
      )
      const stored = new Set((await store.list('lot')).map(({ id }) => id))
      const keys = new Set((await store.db.selectFrom('effect').select('key').execute()).map(({ key }) => key))
      for (const [index, outcome] of outcomes.entries()) {
        assert.equal(outcome.status, fails[index] ? 'rejected' : 'fulfilled')
        if (outcome.status === 'rejected') assert.equal(outcome.reason.message, `fault ${index}`)
        assert.equal(stored.has(`lot-${index}`), !fails[index])
        assert.equal(keys.has(`effect-${index}`), !fails[index])
      }
      const rows = 2 * fails.filter((fail) => !fail).length
      assert.deepEqual(
        heard,
        Array.from({ length: rows }, (_, index) => index + 1),
      )
      assert.deepEqual(await store.verify(), { ok: true, rows, head: await store.head(), fault: null })
    })

    it('tells listeners in order, after the commit, and survives one that throws', async () => {
      const { store, warnings } = bench.open(':memory:')
      const heard: string[] = []
      store.subscribe(() => {
        throw new Error('a bad listener')
      })
      const stop = store.subscribe((event) => heard.push(`${event.sequence} ${event.subject}`))
      await store.transaction(async (tx) => {
        await tx.save(lot('a'), created)
        assert.deepEqual(heard, [])
        await tx.save(lot('b'), created)
      })
      assert.deepEqual(heard, ['1 a', '2 b'])
      assert.equal(warnings.length, 2)
      stop()
      await store.transaction((tx) => tx.save(lot('c'), created))
      assert.equal(heard.length, 2)
    })

    it('makes a keyed effect happen once', async () => {
      const effect = () =>
        store.transaction(async (tx) => {
          if (!(await tx.once('inbox-1 node-1'))) return 'known'
          await tx.save(lot('lot-1'), created)
          return 'new'
        })
      assert.deepEqual(await Promise.all([effect(), effect(), effect()]), ['new', 'known', 'known'])
      assert.equal((await store.head()).sequence, 1)
    })

    it('gives a key back when its transaction is undone', async () => {
      await rejection(
        store.transaction(async (tx) => {
          await tx.once('key')
          throw new Error('undone')
        }),
      )
      assert.equal(await store.transaction((tx) => tx.once('key')), true)
    })

    it('cannot commit half a transaction whose writer swallowed an error', async () => {
      const swallowed = store.transaction(async (tx) => {
        await tx.save(lot('lot-1'), created)
        await tx.save(lot('lot-2', { disposition: 'x\0' as 'held' }), created).catch(() => {})
      })
      assert.equal((await rejection(swallowed)).code, 'TAKT_STORE_VALUE')
      assert.equal(await store.get('lot', 'lot-1'), undefined)
      await store.transaction((tx) => tx.save(lot('lot-3'), created))
      assert.ok((await store.verify()).ok)
    })

    it('undoes a transaction alone whose write failed that it did not wait for', async () => {
      const edge = { source: 1, target: 2, quantity: 1 }
      const write = (subject: string, ...edges: (typeof edge)[]) =>
        store.transaction(async (tx) => {
          await tx.record({ type: 'edge.told', subject, actor: 'me' })
          for (const one of edges) tx.later(tx.db.insertInto('genealogy_edge').values(one).execute())
          return subject
        })
      const [first, failed, second] = await Promise.allSettled([
        write('first', edge),
        write('failed', { ...edge, target: 3 }, edge, { ...edge, target: 4 }),
        write('second', { ...edge, target: 5 }),
      ])
      assert.deepEqual([first, second], [{ status: 'fulfilled', value: 'first' }, { status: 'fulfilled', value: 'second' }]) // biome-ignore format: one line
      assert.equal(failed?.status === 'rejected' ? failed.reason.code : '', 'TAKT_STORE_QUERY')
      assert.deepEqual((await store.db.selectFrom('genealogy_edge').select('target').orderBy('target').execute()).map(({ target }) => target), [2, 5]) // biome-ignore format: one line
      assert.deepEqual((await store.events(0, 9)).map(({ subject }) => subject), ['first', 'second']) // biome-ignore format: one line
      assert.ok((await store.verify()).ok)
    })

    it('knows what it has read and written itself: a revision in between is refused, also without asking the database', async () => {
      const saved = await store.transaction(async (tx) => {
        assert.equal(await tx.get('lot', 'lot-1'), undefined)
        const first = await tx.save(lot('lot-1'), created)
        const second = await tx.save({ ...first, disposition: 'held' }, held)
        assert.deepEqual(await tx.get('lot', 'lot-1'), second)
        assert.deepEqual(await tx.list('lot', { where: { id: ['lot-1', 'lot-2'] } }), [second])
        return [first, second, await tx.save(lot('lot-2'), created)] as const
      })
      assert.deepEqual(saved.map(({ revision, ledger }) => [revision, ledger]), [[1, 1], [2, 2], [1, 3]]) // biome-ignore format: one line
      const events = await store.events(0, 9)
      assert.deepEqual(events.map(({ before, after }) => [before, after]), [[null, saved[0]], [saved[0], saved[1]], [null, saved[2]]]) // biome-ignore format: one line
      const stale = store.transaction(async (tx) => {
        await tx.get('lot', 'lot-1')
        await tx.save({ ...saved[0], disposition: 'scrapped' }, held)
      })
      assert.equal((await rejection(stale)).code, 'TAKT_STORE_CONFLICT')
      assert.ok((await store.verify()).ok)
    })

    it('refuses use after the end, and transactions of its own', async () => {
      let leaked: Parameters<Parameters<Store['transaction']>[0]>[0] | undefined
      await store.transaction(async (tx) => {
        leaked = tx
        const inner = tx.db.transaction().execute(async () => {})
        assert.equal((await rejection(inner)).code, 'TAKT_STORE_READ_ONLY')
      })
      assert.equal((await rejection(leaked!.save(lot('late'), created))).code, 'TAKT_STORE_FINISHED')
      assert.equal((await rejection(leaked!.once('late'))).code, 'TAKT_STORE_FINISHED')
      const outside = store.db.deleteFrom('lot').execute()
      assert.equal((await rejection(outside)).code, 'TAKT_STORE_READ_ONLY')
    })

    it('ends a transaction that waits for another one inside it, and goes on', async () => {
      const { store } = bench.open(':memory:', { stuckAfterMs: 300 })
      const nested = store.transaction(async (tx) => {
        await tx.save(lot('outer'), created)
        await store.transaction((inner) => inner.save(lot('inner'), created))
      })
      assert.equal((await rejection(nested)).code, 'TAKT_STORE_STUCK')
      // the inner one was waiting for the outer to end, and then had its turn
      await store.transaction((tx) => tx.save(lot('next'), created))
      assert.deepEqual(
        (await store.list('lot')).map(({ id }) => id),
        ['inner', 'next'],
      )
    })

    it('lists by columns, in order', async () => {
      await store.transaction(async (tx) => {
        await tx.save(lot('b', { disposition: 'held', workOrder: 'wo-1' }), created)
        await tx.save(lot('c', { material: 'bolt' }), created)
        await tx.save(lot('a', { disposition: 'scrapped', workOrder: 'wo-1' }), created)
      })
      const ids = async (options: Parameters<Store['list']>[1]) => (await store.list('lot', options)).map(({ id }) => id)
      assert.deepEqual(await ids({}), ['a', 'b', 'c'])
      assert.deepEqual(await ids({ where: { work_order: 'wo-1' }, descending: true }), ['b', 'a'])
      assert.deepEqual(await ids({ where: { work_order: null } }), ['c'])
      assert.deepEqual(await ids({ where: { disposition: ['held', 'scrapped'] }, orderBy: 'ledger' }), ['b', 'a'])
      assert.deepEqual(await ids({ where: { disposition: [] } }), [])
      assert.deepEqual(await ids({ orderBy: 'material', limit: 1 }), ['c'])
      for (const options of [{ where: { nonsense: 1 } }, { orderBy: 'id; drop table lot' }, { limit: 1.5 }]) {
        assert.match((await rejection(store.list('lot', options))).code, /TAKT_STORE_(QUERY|VALUE)/)
      }
    })

    it('keeps the newest quarantined messages, and tells of a repeating one once an hour', async () => {
      const { store, clock } = bench.open(':memory:')
      const bad = (n: number) => ({
        kind: 'quarantined' as const,
        code: 'TAKT_MESSAGE_NOT_JSON',
        what: `message ${n}`,
        where: 'mqtt sensor',
        do: 'look',
        received: START,
        bytes: 3,
        excerpt: 'a\0b\uD800',
      })
      await store.quarantine(bad(0))
      const numbered = sql.raw(bench.dialect === 'sqlite' ? '' : 'overriding system value')
      await store.transaction(async (tx) => {
        await sql`with recursive n(i) as (select 2 union all select i + 1 from n where i < 10049)
          insert into quarantine ${numbered} select i, code, what, "where", remedy, received, bytes, excerpt from n, quarantine`.execute(tx.db)
        // the server counts only what it numbered itself
        if (bench.dialect === 'postgres') await sql`select setval(pg_get_serial_sequence('quarantine', 'id'), 10049)`.execute(tx.db)
      })
      await Promise.all([store.quarantine(bad(1)), store.quarantine(bad(2))])
      const rows = await store.db.selectFrom('quarantine').select(['id', 'excerpt']).orderBy('id').execute()
      assert.deepEqual([rows.length, rows[0]?.id], [10_000, 52])
      assert.equal(rows[0]?.excerpt, 'a\uFFFDb\uFFFD')
      assert.equal((await store.head()).sequence, 1)
      clock.advance(3_600_000)
      await store.quarantine(bad(-1))
      assert.equal((await store.head()).sequence, 2)
    })

    it('keeps the state of nodes', async () => {
      assert.equal(await store.loadState('node-1', 'memory'), undefined)
      await store.saveState('node-1', 'memory', { mean: 1.5, seen: [1, 2] })
      await store.saveState('node-1', 'memory', { mean: 2.5, seen: [] })
      await store.saveState('node-2', 'memory', null)
      assert.deepEqual(await store.loadState('node-1', 'memory'), { mean: 2.5, seen: [] })
      assert.equal(await store.loadState('node-2', 'memory'), null)
      assert.equal((await store.head()).sequence, 0)
    })

    it('finishes what waits before it closes, and refuses what comes after', async () => {
      const { store } = bench.open()
      const last = store.transaction((tx) => tx.save(lot('last'), created))
      await store.close()
      assert.equal((await last).revision, 1)
      assert.equal((await rejection(store.transaction((tx) => tx.once('x')))).code, 'TAKT_STORE_CLOSED')
      assert.equal((await rejection(store.get('lot', 'last'))).code, 'TAKT_STORE_CLOSED')
      const again = bench.open().store
      assert.equal((await again.get('lot', 'last'))?.id, 'last')
    })
  })
}
