import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { ManualClock } from '../../../../core/base/clock.ts'
import { seededRandom } from '../../../../core/base/random.ts'
import { inboxOf } from '../../../../core/store/inbox.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import type { Store } from '../../../../core/store/store.ts'
import { FaultProxy } from '../../../support/fault-proxy.ts'
import type { PostgresServer } from '../../../support/postgres-server.ts'
import { until } from '../../connect/support/wait.ts'
import { plain } from '../support/arrivals.ts'
import type { PostgresDatabases } from '../support/postgres.ts'
import { created, lot, rejection, StoreBench } from '../support/store.ts'

/** What a server can do to its clients. */
export function serverAway(server: () => PostgresServer, databases: () => PostgresDatabases): void {
  describe('a server that goes away', () => {
    let bench: StoreBench
    beforeEach(() => {
      bench = new StoreBench(databases())
    })
    afterEach(async () => {
      await server().start()
      await bench.close()
    })

    /** Ends the connections to the bench's database whose last statement is like this; all of them without one. */
    async function terminate(like = '%'): Promise<void> {
      const database = await databases().name(bench.file())
      await server().ask(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and query like $2`, 'postgres', [database, like])
    }

    /** A writer that goes on whatever it is told; gives what it was told is done. */
    function keepWriting(store: Store, round = ''): { told: Set<string>; codes: Set<string>; stop(): Promise<void> } {
      const told = new Set<string>()
      const codes = new Set<string>()
      let writing = true
      const writer = async (name: string): Promise<void> => {
        for (let n = 0; writing; n++) {
          try {
            await store.transaction(async (tx) => {
              await tx.save(lot(`a-${name}-${n}`), created)
              await tx.save(lot(`b-${name}-${n}`), created)
            })
            told.add(`${name}-${n}`)
          } catch (error) {
            codes.add((error as { code: string }).code)
            await new Promise((later) => setTimeout(later, 20))
          }
        }
      }
      const writers = Promise.all(['x', 'y', 'z'].map((name) => writer(name + round)))
      const stop = async (): Promise<void> => {
        writing = false
        await writers
      }
      return { told, codes, stop }
    }

    async function assertWhole(store: Store, told: ReadonlySet<string>): Promise<void> {
      const ids = new Set((await store.list('lot')).map(({ id }) => id))
      for (const n of told) assert.ok(ids.has(`a-${n}`) && ids.has(`b-${n}`), `${n} was told done and is not there`)
      for (const id of ids) assert.ok(ids.has(`a-${id.slice(2)}`) && ids.has(`b-${id.slice(2)}`), `${id} is there by half`)
      assert.equal((await store.head()).sequence, ids.size)
      assert.equal((await store.verify()).fault, null)
    }

    it('loses nothing when connections are ended again and again under load', async () => {
      const { store } = bench.open()
      await store.head()
      const random = seededRandom(5)
      const { told, codes, stop } = keepWriting(store)
      for (let round = 0; round < 12; round++) {
        const before = told.size
        await until(() => told.size > before + 3, 'it goes on')
        await new Promise((later) => setTimeout(later, random() * 30))
        await terminate()
      }
      await stop()
      await assertWhole(store, told)
      assert.deepEqual([...codes], ['TAKT_STORE_AWAY'])
    }).timeout(60_000)

    it('is written to again within two seconds of being back, after a crash too, and nothing that was told is lost', async () => {
      const { store, failures } = bench.open()
      await store.head()
      for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
        const { told, codes, stop } = keepWriting(store, signal)
        await until(() => told.size > 10, 'it writes')
        await server().stop(signal)
        // a commit that was under way is asked after for ten seconds
        await until(() => codes.size > 0, 'writers are told', 20_000)
        const before = told.size
        await server().start()
        const back = performance.now()
        await until(() => told.size > before, 'it writes again')
        assert.ok(performance.now() - back < 2000, `${performance.now() - back} ms`)
        await stop()
        await assertWhole(store, new Set())
        for (const code of codes) assert.match(code, /^TAKT_STORE_(AWAY|UNCERTAIN)$/)
      }
      assert.equal(failures[0]?.code, 'TAKT_STORE_AWAY')
    }).timeout(60_000)

    it('undoes a transaction whose connection ends in its middle, whole, and tells so', async () => {
      const { store } = bench.open()
      const broken = store.transaction(async (tx) => {
        await tx.save(lot('half'), created)
        await terminate('%lot%')
        await tx.save(lot('other half'), created)
      })
      assert.equal((await rejection(broken)).code, 'TAKT_STORE_AWAY')
      assert.deepEqual(await store.list('lot'), [])
      await store.transaction((tx) => tx.save(lot('next'), created))
      assert.equal((await store.head()).sequence, 1)
      assert.equal((await store.verify()).fault, null)
    })

    it('says what became of a commit whose answer never came', async () => {
      const proxy = await FaultProxy.start(server().port)
      const { url } = await databases().options(bench.file())
      const postgres = { url: url.replace(`:${server().port}/`, `:${proxy.port}/`) }
      const store = openStore({ postgres, clock: new ManualClock(0), onFailure: () => {} })
      const stored = async (id: string): Promise<boolean> =>
        (await server().ask('select 1 from lot where id = $1', new URL(url).pathname.slice(1), [id])).length > 0
      /** Saves a lot, and the network falls silent in one direction when there is nothing left to do but to commit. */
      const saveInto = (silence: 'up' | 'down', id: string): Promise<unknown> =>
        store
          .transaction(async (tx) => {
            await tx.save(lot(id), created)
            proxy.blackHole(silence)
          })
          .then(
            () => 'done',
            (error: { code: string }) => error.code,
          )
      const clear = (): void => {
        proxy.drop()
        proxy.restore()
      }
      try {
        await store.head()
        const committed = saveInto('down', 'committed')
        await until(() => stored('committed'), 'the commit has reached the server')
        clear()
        assert.equal(await committed, 'done')

        const lost = saveInto('up', 'lost')
        await new Promise((later) => setTimeout(later, 50))
        clear()
        assert.equal(await lost, 'TAKT_STORE_AWAY')
        assert.equal(await stored('lost'), false)

        await store.transaction((tx) => tx.save(lot('next'), created))
        assert.deepEqual(
          (await store.events(0, 10)).map(({ subject }) => subject),
          ['committed', 'next'],
        )
      } finally {
        await store.close()
        await proxy.close()
      }
    })

    it('is taken for gone when it only falls silent', async () => {
      const proxy = await FaultProxy.start(server().port)
      const { url } = await databases().options(bench.file())
      const postgres = { url: url.replace(`:${server().port}/`, `:${proxy.port}/`), patienceSeconds: 1 }
      const store = openStore({ postgres, clock: new ManualClock(0), onFailure: () => {} })
      try {
        await store.head()
        proxy.blackHole()
        assert.match((await rejection(store.transaction((tx) => tx.save(lot('silence'), created)))).code, /^TAKT_STORE_(AWAY|STUCK)$/)
        proxy.drop()
        proxy.restore()
        await store.transaction((tx) => tx.save(lot('sound'), created))
        assert.deepEqual(
          (await store.list('lot')).map(({ id }) => id),
          ['sound'],
        )
      } finally {
        await store.close()
        await proxy.close()
      }
    })

    it('is not noticed by readers whose connection was ended while nobody used it', async () => {
      const { store } = bench.open()
      await store.transaction((tx) => tx.save(lot('lot-1'), created))
      for (let round = 0; round < 3; round++) {
        await terminate()
        assert.equal((await store.get('lot', 'lot-1'))?.id, 'lot-1')
        await store.transaction((tx) => tx.record({ type: 'test.event', subject: 'x', actor: 'test' }))
      }
    })

    it('keeps an inbox from acknowledging, until it is back', async () => {
      const { store } = bench.open()
      await inboxOf(store).accept(plain(0))
      await server().stop('SIGINT')
      assert.equal((await rejection(inboxOf(store).accept(plain(1)))).code, 'TAKT_STORE_AWAY')
      await server().start()
      await until(
        () =>
          inboxOf(store)
            .accept(plain(1, { repeated: true }))
            .then(
              ({ verdict }) => verdict === 'new',
              () => false,
            ),
        'accepted',
      )
    })

    it('refuses with a code who has no right to be there, and who may not write', async () => {
      const name = await databases().name(bench.file())
      const ask = (text: string) => server().ask(text, name)
      await ask(`do $$ begin create role reader login password 'right'; exception when duplicate_object then null; end $$`)
      await ask('grant usage on schema public to reader; grant select on all tables in schema public to reader')
      const outcome = async (url: string, password?: string): Promise<string> => {
        const store = openStore({ postgres: { url, password }, clock: new ManualClock(0), stuckAfterMs: 1000 })
        const error = await rejection(store.transaction((tx) => tx.once('x')))
        await store.close()
        return `${error.code}: ${error.what}`
      }
      const url = server().url(name, 'reader')
      assert.match(await outcome(url, 'wrong'), /^TAKT_STORE_REFUSED: password authentication failed/)
      assert.match(await outcome(url, 'right'), /^TAKT_STORE_UNWRITABLE: permission denied/)
      // who may write rows needs no right to make tables once they are there
      await ask('grant insert, update, delete on all tables in schema public to reader')
      const writer = openStore({ postgres: { url, password: 'right' }, clock: new ManualClock(0) })
      assert.equal(await writer.transaction((tx) => tx.once('x')), true)
      await writer.close()
      await ask('revoke insert, update, delete on all tables in schema public from reader')
      assert.match(await outcome(server().url('nowhere')), /^TAKT_STORE_REFUSED: database "nowhere" does not exist/)
      assert.match(await outcome('postgres://takt@127.0.0.1:1/x'), /^TAKT_STORE_AWAY: connect ECONNREFUSED/)
      assert.match(await outcome(`${server().url(name)}?sslmode=require`), /^TAKT_STORE_REFUSED: The server does not support SSL/)
      await server().ask('drop database if exists latin', 'postgres')
      await ask('create database latin encoding latin1 locale "C" template template0')
      assert.match(await outcome(server().url('latin')), /^TAKT_STORE_REFUSED: the database has the encoding LATIN1/)
    })

    it('takes the folder of a socket as its address, and a schema of its own', async () => {
      const name = await databases().name(bench.file())
      await server().ask('drop schema if exists plant_a cascade; create schema plant_a', name)
      const url = `${server().socketUrl(name)}&options=${encodeURIComponent('-c search_path=plant_a')}`
      const store = openStore({ postgres: { url }, clock: new ManualClock(0) })
      await store.transaction((tx) => tx.save(lot('lot-1'), created))
      await store.close()
      assert.deepEqual(await server().ask('select id from plant_a.lot', name), [{ id: 'lot-1' }])
      assert.deepEqual(await server().ask('select id from public.lot', name), [])
    })

    it('refuses in the database itself that the ledger is changed, emptied or its rows replaced', async () => {
      const { store } = bench.open()
      await store.transaction((tx) => tx.save(lot('lot-1'), created))
      for (const statement of [
        sql`update ledger set why = 'other'`,
        sql`delete from ledger where sequence = 1`,
        sql`truncate ledger`,
        sql`insert into ledger select * from ledger on conflict (sequence) do update set why = 'other'`,
      ])
        assert.equal((await rejection(store.transaction((tx) => statement.execute(tx.db)))).code, 'TAKT_LEDGER_APPEND_ONLY')
      const name = await databases().name(bench.file())
      for (const statement of [`update ledger set actor = 'nobody'`, 'delete from ledger', 'truncate ledger cascade'])
        await assert.rejects(server().ask(statement, name), /append-only/)
      assert.equal((await store.verify()).fault, null)
    })

    it('answers nothing but the undoing after an error inside a transaction, and the others of the same commit do not notice', async () => {
      const { store } = bench.open()
      await store.head()
      const outcomes = await Promise.allSettled([
        store.transaction((tx) => tx.save(lot('before'), created)),
        store.transaction(async (tx) => {
          await tx.save(lot('undone'), created)
          await sql`insert into lot (id) values ('no revision')`.execute(tx.db).catch(() => {})
          await tx.save(lot('undone too'), created)
        }),
        store.transaction(async (tx) => {
          await tx.record({ type: 'test.event', subject: 'x', actor: 'test' })
          await sql`select 1 / 0`.execute(tx.db).catch(() => {})
        }),
        store.transaction((tx) => tx.save(lot('after'), created)),
      ])
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : outcome.reason.code)),
        ['done', 'TAKT_STORE_QUERY', 'TAKT_STORE_VALUE', 'done'],
      )
      assert.deepEqual(
        (await store.list('lot')).map(({ id, ledger }) => [id, ledger]),
        [
          ['after', 2],
          ['before', 1],
        ],
      )
      assert.equal((await store.verify()).fault, null)
    })
  })
}
