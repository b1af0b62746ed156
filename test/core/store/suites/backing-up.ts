import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../../core/base/clock.ts'
import { archiveLedger } from '../../../../core/store/archive.ts'
import { makeBackup } from '../../../../core/store/backup.ts'
import { inboxOf } from '../../../../core/store/inbox.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import { enqueue } from '../../../../core/store/outbox.ts'
import { restoreBackup } from '../../../../core/store/restore.ts'
import { verifyPostgres } from '../../../../core/store/verify-postgres.ts'
import type { PostgresServer } from '../../../support/postgres-server.ts'
import { numbered } from '../support/arrivals.ts'
import { type PostgresDatabases, UNTRIGGERED } from '../support/postgres.ts'
import { created, lot, rejection, StoreBench } from '../support/store.ts'

const DAY = 86_400_000

/** A store on a server, backed up into a file and put back. */
export function backingUp(server: () => PostgresServer, databases: () => PostgresDatabases): void {
  describe('backup of a store on a server', () => {
    let bench: StoreBench
    beforeEach(() => {
      bench = new StoreBench(databases())
    })
    afterEach(() => bench.close())

    const folder = (): string => join(bench.folder, 'backups')

    it('drill: taken between two writes of many, put into an empty database; the anchor misses what came after', async () => {
      const { store } = bench.open()
      let written = 0
      let writing = true
      const writer = async (name: string): Promise<void> => {
        while (writing) {
          const n = written++
          await store.transaction(async (tx) => {
            await tx.save(lot(`a-${name}-${n}`, { reason: 'quote \' " \\ null \0 half \uD800 🏭' }), created)
            await tx.save(lot(`b-${name}-${n}`), created)
          })
        }
      }
      await inboxOf(store).accept(numbered(1))
      await store.transaction((tx) => enqueue(tx, { destination: 'erp', topic: 't', body: 'gone' }))
      await store.transaction((tx) => tx.db.deleteFrom('outbox').where('body', '=', 'gone').execute())
      const writers = ['x', 'y', 'z'].map(writer)
      while (written < 60) await new Promise((later) => setTimeout(later, 5))
      const source = { postgres: await databases().options(bench.file()) }
      const { path, manifest } = await makeBackup({ source, folder: folder(), now: Date.now })
      writing = false
      await Promise.all(writers)
      const head = await store.head()
      await store.close()
      assert.deepEqual([manifest.dialect, manifest.fault], ['postgres', null])
      assert.ok(manifest.head.sequence >= 120 && manifest.head.sequence < head.sequence)

      // the instance's anchor is where it was; the database is a new one
      const to = { postgres: { url: server().url(await server().database()), anchor: source.postgres.anchor } }
      const { lost, verification } = await restoreBackup({ from: path, to, clock: systemClock })
      assert.deepEqual(lost, { from: manifest.head.sequence + 1, to: head.sequence })
      assert.equal(verification.fault?.sequence, lost?.from)
      const warnings: string[] = []
      const restored = openStore({ ...to, clock: systemClock, onWarning: (error) => warnings.push(error.message) })
      try {
        const lots = await restored.db.selectFrom('lot').select('id').execute()
        assert.equal(lots.length, manifest.head.sequence)
        assert.equal(lots.filter(({ id }) => id.startsWith('a-')).length, lots.length / 2)
        assert.equal((await inboxOf(restored).accept(numbered(1))).verdict, 'known')
        await restored.transaction((tx) => enqueue(tx, { destination: 'erp', topic: 't', body: 'new' }))
        assert.deepEqual(await restored.db.selectFrom('outbox').select('id').execute(), [{ id: 2 }])
        await restored.transaction((tx) => tx.save(lot('after'), created))
        assert.equal((await restored.head()).sequence, head.sequence + 2)
        assert.match(warnings[0] ?? '', new RegExp(`rows ${lost?.from} to ${lost?.to} are missing`))
      } finally {
        await restored.close()
      }
    })

    it('goes into a file too, and is refused for a database with something in it', async () => {
      const { store } = bench.open()
      await store.transaction(async (tx) => {
        for (let n = 0; n < 150; n++) await tx.save(lot(`lot-${n}`), created)
      })
      const postgres = await databases().options(bench.file())
      const { path } = await makeBackup({ source: { postgres }, folder: folder(), now: Date.now })
      const file = bench.file('from-server.db')
      const { verification, lost } = await restoreBackup({ from: path, to: { file }, clock: systemClock })
      assert.deepEqual([verification.ok, verification.rows, lost], [true, 150, null])
      assert.ok(existsSync(`${file}.anchor`))
      const asFile = openStore({ file, clock: systemClock })
      assert.equal((await asFile.transaction((tx) => tx.save(lot('next'), created))).ledger, 151)
      await asFile.close()
      assert.equal((await rejection(restoreBackup({ from: path, to: { postgres }, clock: systemClock }))).code, 'TAKT_STORE_NOT_EMPTY')
      assert.match(readFileSync(join(path, 'manifest.json'), 'utf8'), /"dialect": "postgres"/)
    })

    it('has an archived ledger with it, and an instance that wrote last before that goes on', async () => {
      const { store, clock } = bench.open()
      const idle = await databases().openBeside(bench.file(), 'idle')
      const { store: beside, warnings } = idle
      try {
        await beside.transaction((tx) => tx.record({ type: 'note', subject: 'old', actor: 'idle' }))
        await store.transaction(async (tx) => {
          for (let n = 0; n < 30; n++) await tx.record({ type: 'note', subject: 'old', actor: 'test' })
        })
        clock.advance(36_500 * DAY)
        await store.transaction((tx) => tx.save(lot('young'), created))
        const archive = join(bench.folder, 'archive')
        const now = clock.now()
        await archiveLedger(store, { before: now - 40 * DAY, now, folder: archive, actor: 'test' })
        const left = await store.db.selectFrom('ledger').select('sequence').where('sequence', '<=', 31).execute()
        assert.ok(left.length <= 1)
        await beside.transaction((tx) => tx.save(lot('beside'), created))
        await beside.close()
        const again = await databases().openBeside(bench.file(), 'idle')
        await again.store.head()
        await again.store.close()
        assert.deepEqual([...warnings, ...again.warnings], [])
        assert.equal((await databases().verifyBeside(bench.file(), 'idle')).fault, null)

        const postgres = await databases().options(bench.file())
        const { path } = await makeBackup({ source: { postgres }, folder: folder(), now: Date.now })
        const to = { postgres: { url: server().url(await server().database()), anchor: bench.file('new.anchor') } }
        assert.equal((await restoreBackup({ from: path, to, clock: systemClock })).verification.fault, null)
        const { fault, archived } = await verifyPostgres(to.postgres, { archive })
        assert.deepEqual([fault, archived?.[0]?.checked], [null, true])
      } finally {
        await beside.close()
      }
    })

    it('tells of a fault, a newer Takt and a server that is away', async () => {
      const { store } = bench.open()
      await store.transaction((tx) => tx.save(lot('lot-1'), created))
      const postgres = await databases().options(bench.file())
      const name = await databases().name(bench.file())
      await server().ask(`${UNTRIGGERED}; update ledger set actor = 'x'`, name)
      const source = { postgres }
      assert.match((await makeBackup({ source, folder: folder(), now: Date.now })).manifest.fault?.what ?? '', /row 1 was changed/)
      await server().ask(`insert into migration values (99, 'of tomorrow', 1)`, name)
      await server().ask(`insert into migration select n, 'x', 1 from generate_series(50, 60) n`, name)
      try {
        assert.equal((await rejection(makeBackup({ source, folder: folder(), now: Date.now }))).code, 'TAKT_STORE_NEWER')
      } finally {
        await server().ask(`delete from migration where version >= 50`, name)
      }
      const away = { postgres: { url: 'postgres://takt@127.0.0.1:1/none' } }
      assert.equal((await rejection(makeBackup({ source: away, folder: folder(), now: Date.now }))).code, 'TAKT_STORE_AWAY')
    })
  })
}
