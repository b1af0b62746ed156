import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { systemClock } from '../../../../core/base/clock.ts'
import { packageRoot } from '../../../../core/base/package-root.ts'
import { seededRandom } from '../../../../core/base/random.ts'
import type { Backend } from '../../../../core/store/backend.ts'
import { inboxOf } from '../../../../core/store/inbox.ts'
import { GENESIS, nextRow } from '../../../../core/store/ledger.ts'
import { migrate } from '../../../../core/store/migrate.ts'
import { MIGRATIONS } from '../../../../core/store/migrations/index.ts'
import { openStore, type StoreOptions } from '../../../../core/store/open-store.ts'
import type { LedgerHead, Verification } from '../../../../core/store/store.ts'
import { type Ask, created, lot, rejection } from './../support/store.ts'

/** A database of no version yet, on which these tests upgrade. */
export interface UpgradedDatabase {
  /** File or address. */
  readonly where: string
  readonly options: Pick<StoreOptions & { file: string }, 'file'> | { readonly postgres: { readonly url: string } }
  backend(): Backend
  ask: Ask
  /** Writes the head where the store looks for it. */
  anchor?(head: LedgerHead): Promise<void>
  verify(): Promise<Verification>
}

const LOTS = 60
const columns = '(sequence, type, subject, actor, why, "before", "after", time, previous_hash, hash)'

/** The tables of older versions become today's, whatever happens on the way. */
export function upgrading(newDatabase: () => Promise<UpgradedDatabase>, isShared: boolean): void {
  describe('upgrading the tables', () => {
    let database: UpgradedDatabase
    let head: LedgerHead
    let lots: number
    beforeEach(async () => {
      database = await newDatabase()
      head = GENESIS
      lots = 0
    })

    /** Lots as every version had them. */
    async function fill(): Promise<void> {
      const { ask } = database
      await ask('begin')
      for (let n = 0; n < LOTS; n++) {
        const id = `lot-${lots++}`
        const after = JSON.stringify({ ...lot(id), revision: 1, ledger: head.sequence + 1 })
        const row = nextRow(head, { type: 'lot.created', subject: id, actor: 'old', why: null, before: null, after, time: 5 })
        const { sequence, type, subject, actor, why, before, time, previous_hash, hash } = row
        await ask(
          `insert into ledger ${columns} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          sequence,
          type,
          subject,
          actor,
          why,
          before,
          after,
          time,
          previous_hash,
          hash,
        )
        await ask(
          `insert into lot (id, revision, ledger, document, material, disposition, work_order) values (?, 1, ?, ?, 'shaft-a', 'in-process', null)`,
          id,
          row.sequence,
          after,
        )
        head = row
      }
      await ask('commit')
      await database.anchor?.(head)
    }

    /** The inbox of the first version, half of it settled. */
    async function fillFirstInbox(): Promise<void> {
      for (let n = 1; n <= 40; n++)
        await database.ask(
          `insert into inbox (source, session, sequence, content_hash, received, body, settled) values ('s', 'a', ?, 'hash', 5, '[{"topic":"t","payload":{"kind":"receipt","of":"x","to":"u","status":"done","time":1}}]', ?)`,
          n,
          n % 2,
        )
    }

    async function versionOf(): Promise<number> {
      const [row] = await database.ask('select max(version) as version from migration').catch(() => [{ version: 0 }])
      return Number(row?.version ?? 0)
    }

    it('is taken up again after kill -9 in the middle of each step, and nothing is lost', async function () {
      this.timeout(90_000)
      const random = seededRandom(7)
      // a commit that is quicker than the kill leaves no first version to be filled
      let inbox = 0
      for (const [step] of MIGRATIONS.entries()) {
        // in the first, in the middle, in the last statement, and while it is committed
        const share = [random(), 1, 0.999, 0][step % 4] as number
        const delayMs = Math.floor(random() * 4)
        const args = [join(packageRoot, 'test/core/store/support/dying-upgrade.ts'), database.where, String(step), String(share), String(delayMs)]
        const child = spawn(process.execPath, args, { stdio: 'inherit' })
        const [, signal] = await once(child, 'exit')
        const moment = `step ${step}, after ${share} of its statements and ${delayMs} ms`
        assert.equal(signal, 'SIGKILL', moment)
        const version = await versionOf()
        assert.ok(version === step || (share === 1 && version === step + 1), `${moment}: version ${version}`)
        // what earlier steps made is there, and this step's rows are whole or not there
        if (version > 0) {
          assert.equal(Number((await database.ask('select count(*) as rows from ledger'))[0]?.rows), lots, moment)
          if (version === 1) {
            await fillFirstInbox()
            inbox = 20
          }
          await fill()
          // tables of an older version are checked too: a backup before the upgrade has to be
          assert.equal((await database.verify()).fault, null, moment)
        }
      }
      const store = openStore({ ...database.options, clock: systemClock } as StoreOptions)
      try {
        assert.equal((await store.head()).hash, head.hash)
        assert.equal(await versionOf(), MIGRATIONS.length)
        assert.equal((await store.db.selectFrom('lot').select('id').execute()).length, lots)
        const unsettled = await inboxOf(store).unsettled('s', 0, 100)
        assert.equal(unsettled.length, inbox)
        await store.transaction((tx) => tx.save(lot('new'), created))
      } finally {
        await store.close()
      }
      const { fault, rows } = await database.verify()
      assert.deepEqual([fault, rows >= lots + 1], [null, true])
    })

    const instances = async (): Promise<void> => {
      const first = database.backend()
      await first.open()
      await migrate(first, 1, MIGRATIONS.slice(0, 1))
      await first.close()
      await fill()
      const stores = [1, 2, 3].map(() => openStore({ ...database.options, clock: systemClock } as StoreOptions))
      try {
        const heads = await Promise.all(stores.map((store) => store.head()))
        assert.deepEqual(
          heads.map(({ sequence }) => sequence),
          [LOTS, LOTS, LOTS],
        )
        await Promise.all(stores.map((store, n) => store.transaction((tx) => tx.save(lot(`new-${n}`), created))))
      } finally {
        await Promise.all(stores.map((store) => store.close()))
      }
      const applied = await database.ask('select version from migration order by version')
      assert.deepEqual(
        applied.map(({ version }) => Number(version)),
        MIGRATIONS.map((_, at) => at + 1),
      )
      assert.equal((await database.verify()).fault, null)
    }
    if (isShared) it('is done once by several instances that begin it at once', instances)

    it('is told to an older Takt, which changes nothing', async () => {
      const now = database.backend()
      await now.open()
      await migrate(now, 1)
      await now.close()
      await fill()
      const old = database.backend()
      await old.open()
      try {
        const refused = await rejection(migrate(old, 1, MIGRATIONS.slice(0, -1)))
        assert.match(refused.message, new RegExp(`TAKT_STORE_NEWER: the tables have version ${MIGRATIONS.length}, this Takt knows ${MIGRATIONS.length - 1}`))
      } finally {
        await old.close()
      }
      assert.equal(await versionOf(), MIGRATIONS.length)
      // the whole store says so too, and serves nobody
      await database.ask(`insert into migration (version, name, applied) values (?, 'of tomorrow', 1)`, MIGRATIONS.length + 1)
      const store = openStore({ ...database.options, clock: systemClock } as StoreOptions)
      assert.equal((await rejection(store.transaction((tx) => tx.save(lot('new'), created)))).code, 'TAKT_STORE_NEWER')
      await store.close()
      assert.equal(Number((await database.ask('select count(*) as rows from ledger'))[0]?.rows), LOTS)
    })
  })
}
