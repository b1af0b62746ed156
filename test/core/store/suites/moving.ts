import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '../../../../core/base/clock.ts'
import { packageRoot } from '../../../../core/base/package-root.ts'
import { inboxOf } from '../../../../core/store/inbox.ts'
import { moveStore } from '../../../../core/store/move-store.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import { enqueue } from '../../../../core/store/outbox.ts'
import { closeSampleRing, sampleRingOf } from '../../../../core/store/sample-ring.ts'
import type { PostgresServer } from '../../../support/postgres-server.ts'
import { numbered, sample } from '../support/arrivals.ts'
import { type PostgresDatabases, UNTRIGGERED } from '../support/postgres.ts'
import { created, held, lot, rejection, StoreBench, tamper } from '../support/store.ts'

/** From a SQLite file to a server. */
export function moving(server: () => PostgresServer, databases: () => PostgresDatabases): void {
  describe('moving a store from its file to a server', () => {
    let bench: StoreBench
    let file: string
    let targets = 0

    /** A file with something in most tables, also what databases like to alter. */
    beforeEach(async () => {
      bench = new StoreBench()
      file = bench.file()
      const { store } = bench.open(file)
      for (let n = 0; n < 130; n++) {
        await store.transaction(async (tx) => {
          const first = await tx.save(lot(`lot-${n % 2 === 0 ? 'ä' : 'Z'}-${n}`, { reason: 'quote \' " \\ null \0 half \uD800 🏭' }), created)
          if (n % 3 === 0) await tx.save({ ...first, disposition: 'held' }, held)
        })
      }
      await Promise.all(Array.from({ length: 20 }, (_, n) => inboxOf(store).accept(numbered(n))))
      await store.transaction(async (tx) => {
        await enqueue(tx, { destination: 'erp', topic: 't', body: 'kept' })
        await enqueue(tx, { destination: 'erp', topic: 't', body: 'gone' })
        await tx.db.deleteFrom('outbox').where('body', '=', 'gone').execute()
        await tx.once('done')
        await tx.db
          .insertInto('counter')
          .values({ equipment: 'u', signal: 's', raw: 0.1, total: 5e-324, time: 2 ** 52 })
          .execute()
      })
      await store.saveState('node', 'memory', { mean: 1e300 })
      sampleRingOf(store).append(sample(1))
      await closeSampleRing(store)
      await store.close()
    })
    afterEach(async () => {
      await bench.close()
      await databases().release()
    })

    /** An empty database whose tables are there already. */
    const target = async () => {
      const name = await databases().name(bench.file(`target-${targets++}`))
      return { name, to: { url: server().url(name), anchor: bench.file(`${name}.anchor`) } }
    }

    it('takes everything with it, and goes on where it was', async () => {
      const name = await server().database()
      const to = { url: server().url(name), anchor: bench.file(`${name}.anchor`) }
      const tables: string[] = []
      const { rows, head } = await moveStore({ from: file, to, clock: systemClock, progress: (table) => tables.push(table) })
      assert.ok(tables.includes('ledger') && tables.includes('outbox') && rows > 340)
      const warnings: unknown[] = []
      const store = openStore({ postgres: to, clock: systemClock, onWarning: (error) => warnings.push(error) })
      try {
        assert.deepEqual(await store.head(), head)
        assert.deepEqual(warnings, [])
        assert.equal((await store.get('lot', 'lot-ä-0'))?.reason, 'quote \' " \\ null \0 half \uD800 🏭')
        assert.deepEqual(await store.loadState('node', 'memory'), { mean: 1e300 })
        assert.equal((await inboxOf(store).accept(numbered(7))).verdict, 'known')
        assert.equal((await inboxOf(store).accept(numbered(20))).id, 21)
        assert.equal(await store.transaction((tx) => tx.once('done')), false)
        const { total, time } = (await store.db.selectFrom('counter').selectAll().execute())[0]!
        assert.deepEqual([total, time], [5e-324, 2 ** 52])
        // a number that was used is never used again
        await store.transaction((tx) => enqueue(tx, { destination: 'erp', topic: 't', body: 'new' }))
        assert.deepEqual(
          (await store.db.selectFrom('outbox').select('id').orderBy('id').execute()).map(({ id }) => id),
          [1, 3],
        )
        assert.equal((await store.verify()).fault, null)
      } finally {
        await store.close()
      }
    })

    it('goes on after it was killed, in the middle of a table too', async () => {
      const { name, to } = await target()
      let after = 0
      const killed = moveStore({
        from: file,
        to,
        clock: systemClock,
        progress(table) {
          if (table === 'ledger') after = 1
          else if (after > 0) throw new Error('killed')
        },
      })
      assert.equal((await rejection(killed)).message, 'killed')
      // as it is after a page of the ledger
      await server().ask(`${UNTRIGGERED}; delete from ledger where sequence > 100; update takt_move set last_key = '[100]' where table_name = 'ledger'`, name)
      const { head } = await moveStore({ from: file, to, clock: systemClock })
      assert.equal((await server().ask('select max(sequence)::int as head from ledger', name))[0].head, head.sequence)
      assert.deepEqual(await server().ask(`select to_regclass('takt_move') as there`, name), [{ there: null }])
    })

    it('refuses a database with something in it, another file where one was begun, and a file that is open', async () => {
      const { to } = await target()
      await moveStore({ from: file, to, clock: systemClock })
      assert.equal((await rejection(moveStore({ from: file, to, clock: systemClock }))).code, 'TAKT_STORE_NOT_EMPTY')

      const { to: begun } = await target()
      await rejection(
        moveStore({
          from: file,
          to: begun,
          clock: systemClock,
          progress() {
            throw new Error('killed')
          },
        }),
      )
      const other = bench.open(bench.file('other.db')).store
      await other.transaction((tx) => tx.save(lot('lot-1'), created))
      assert.equal((await rejection(moveStore({ from: bench.file('other.db'), to: begun, clock: systemClock }))).code, 'TAKT_STORE_LOCKED')
      await other.close()
      assert.match(
        (await rejection(moveStore({ from: bench.file('other.db'), to: begun, clock: systemClock }))).message,
        /TAKT_STORE_NOT_EMPTY: a move of another ledger/,
      )
      assert.equal((await rejection(moveStore({ from: bench.file('none.db'), to: begun, clock: systemClock }))).code, 'TAKT_STORE_UNWRITABLE')
      assert.ok(!existsSync(bench.file('none.db')))
    })

    it('moves a ledger with a fault only when told to, with the fault', async () => {
      tamper(file, (db) => db.exec(`update ledger set actor = 'nobody' where sequence = 30`))
      const { to } = await target()
      assert.match((await rejection(moveStore({ from: file, to, clock: systemClock }))).message, /TAKT_STORE_MOVE.*row 30 was changed/)
      await moveStore({ from: file, to, clock: systemClock, faulty: true })
    })

    it('is one command, and what it moved is checked by another', async () => {
      const { to } = await target()
      const run = promisify(execFile)
      const script = (name: string, ...args: string[]) => run(process.execPath, [join(packageRoot, 'scripts', name), ...args])
      assert.match((await script('move-store.ts', file, to.url, '--anchor', to.anchor)).stdout, /Moved: \d+ tables, \d+ rows, ledger head 174 /)
      assert.equal(readFileSync(to.anchor, 'utf8'), readFileSync(`${file}.anchor`, 'utf8'))
      const name = new URL(to.url).pathname.slice(1)
      await server().ask(`${UNTRIGGERED}; delete from ledger where sequence > 172`, name)
      const failed = (await rejection(script('verify-ledger.ts', to.url, '--anchor', to.anchor))) as unknown as { code: number; stderr: string }
      assert.deepEqual([failed.code, /rows 173 to 174 are missing at the end/.test(failed.stderr)], [1, true])
    })
  })
}
