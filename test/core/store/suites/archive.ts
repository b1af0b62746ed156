import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { archiveLedger } from '../../../../core/store/archive.ts'
import type { ArchivedRange } from '../../../../core/store/archived-ranges.ts'
import type { Store } from '../../../../core/store/store.ts'
import { created, held, lot, rejection, START, type StoreBench } from '../support/store.ts'

const DAY = 86_400_000
const COLUMNS = ['sequence', 'type', 'subject', 'actor', 'why', 'before', 'after', 'time', 'previous_hash', 'hash']

/** Old rows of the ledger leave the table for files, and nothing else ever leaves it. */
export function archive(newBench: () => StoreBench): void {
  describe('archiving the ledger', () => {
    let bench: StoreBench
    beforeEach(() => {
      bench = newBench()
    })
    afterEach(() => bench.close())

    /** 40 lots that were made and let go, four rows each; one that is held still; what is younger. */
    async function filled(): Promise<{ store: Store; folder: string; before: number; now: number }> {
      const { store, clock } = bench.open()
      await store.transaction(async (tx) => {
        for (let n = 0; n < 40; n++) {
          const made = await tx.save(lot(`old-${n}`), created)
          await tx.record({ type: 'count.recorded', subject: 'mill-2', actor: 'node:1', after: { n } })
          const counted = await tx.save({ ...made, quantity: { value: 2, unit: 'pcs' } }, { type: 'lot.counted', actor: 'node:1' })
          await tx.save({ ...counted, disposition: n === 7 ? 'held' : 'released' }, { ...held, type: n === 7 ? 'lot.held' : 'lot.stock' })
        }
      })
      const before = START + DAY
      clock.advance(100 * DAY)
      await store.transaction((tx) => tx.save(lot('young'), created))
      return { store, folder: join(bench.folder, 'archive'), before, now: clock.now() }
    }

    const move = (one: { store: Store; folder: string; before: number; now: number }, rowsAtOnce = 100) =>
      archiveLedger(one.store, { ...one, actor: 'test', rowsAtOnce })

    it('moves settled rows into files, keeps what is needed, and the ledger verifies with the files and without', async () => {
      const one = await filled()
      const { store, folder } = one
      const { segments, rows, kept } = await move(one)
      assert.deepEqual([segments.length, rows, segments[1]?.first, segments[1]?.last], [2, 160, 101, 160])
      // the last row of each lot, and the four of the lot that is held
      assert.equal(kept, 40 + 2)
      const numbers = (await store.db.selectFrom('ledger').select('sequence').where('sequence', '<=', 160).execute()).map(({ sequence }) => sequence)
      assert.deepEqual(numbers.slice(0, 3), [4, 8, 12])
      assert.ok([29, 31, 32].every((sequence) => numbers.includes(sequence)))

      const without = await store.verify()
      assert.deepEqual([without.fault, without.archived?.map(({ checked }) => checked)], [null, [false, false]])
      const complete = await bench.verify(bench.file(), { archive: folder })
      assert.deepEqual([complete.fault, complete.archived?.map(({ checked }) => checked)], [null, [true, true]])

      // anyone can read and recompute a file
      const lines = gunzipSync(readFileSync(join(folder, segments[0]!.file)))
        .toString()
        .trimEnd()
        .split('\n')
      assert.equal(lines.length, 100)
      assert.deepEqual((JSON.parse(lines[0]!) as unknown[]).slice(0, 4), ['0'.repeat(64), 1, 'lot.created', 'old-0'])

      // documents are as they were, and go on
      const again = await store.get('lot', 'old-3')
      await store.transaction((tx) => tx.save({ ...again!, disposition: 'scrapped' }, held))
      assert.equal((await store.verify()).fault, null)
      await store.close()
      const reopened = bench.open()
      assert.equal((await reopened.store.verify()).fault, null)
      assert.deepEqual(reopened.warnings, [])
    })

    it('goes on where it stopped, and does nothing where there is nothing', async () => {
      const one = await filled()
      await move({ ...one, before: START + DAY }, 160)
      assert.deepEqual((await move(one)).segments, [])
      const later = { ...one, before: one.now + DAY, now: one.now + 40 * DAY }
      const { segments } = await move(later)
      assert.equal(segments[0]?.first, 161)
      assert.equal((await bench.verify(bench.file(), { archive: one.folder })).fault, null)
    })

    it('refuses a boundary that is too young or nonsense, and a ledger with a fault', async () => {
      const one = await filled()
      for (const before of [one.now + DAY, one.now - 30 * DAY, Number.NaN])
        assert.equal((await rejection(move({ ...one, before }))).code, 'TAKT_ARCHIVE_BOUNDARY')
      await bench.tamper(bench.file(), async (ask) => {
        await ask(`update ledger set actor = 'x' where sequence = 9`)
      })
      // what comes before it is whole; what is wrong stays
      const { segments } = await move(one)
      assert.deepEqual([segments.length, segments[0]?.last], [1, 8])
      const refused = await rejection(move(one))
      assert.match(refused.message, /TAKT_ARCHIVE_BOUNDARY.*row 9/)
    })

    it('does not take the files of another store in the same folder', async () => {
      const one = await filled()
      await move(one, 160)
      const other = bench.open(bench.file('other.db'))
      await other.store.transaction(async (tx) => {
        for (let n = 0; n < 170; n++) await tx.record({ type: 'note', subject: 'other', actor: 'test' })
      })
      other.clock.advance(100 * DAY)
      await other.store.transaction((tx) => tx.save(lot('young'), created))
      await move({ ...one, store: other.store }, 160)
      assert.equal(readdirSync(one.folder).length, 2 * 3)
      for (const file of [bench.file(), bench.file('other.db')]) assert.equal((await bench.verify(file, { archive: one.folder })).fault, null)
    })

    it('refuses a folder that is a file, and nothing is removed', async () => {
      const one = await filled()
      writeFileSync(one.folder, 'a file')
      assert.equal((await rejection(move(one))).code, 'TAKT_BACKUP_FOLDER')
      rmSync(one.folder)
      // the file that would be written cannot be
      const [row] = await one.store.events(99, 1)
      mkdirSync(join(one.folder, `ledger-000000000001-000000000100-${row?.hash.slice(0, 8)}.jsonl.gz.new`), { recursive: true })
      assert.equal((await rejection(move(one))).code, 'TAKT_BACKUP_FOLDER')
      assert.equal((await one.store.verify()).rows, 161)
    })

    it('lets nothing else remove a row: not beside, not before and not after, and gives no number again', async () => {
      const one = await filled()
      await move(one)
      const { db } = one.store
      const refused = async (work: (tx: { db: typeof db; record: (event: any) => Promise<unknown> }) => Promise<unknown>): Promise<void> => {
        const error = await rejection(one.store.transaction((tx) => work(tx as never)))
        assert.match(error.message, /append-only|duplicate key/)
      }
      await refused((tx) => tx.db.deleteFrom('ledger').where('sequence', '=', 4).execute())
      await refused((tx) => tx.db.updateTable('ledger').set({ actor: 'x' }).where('sequence', '=', 4).execute())
      const range = { first: 150, last: 161, head: {} }
      // an event that names them, and something after it
      await refused(async (tx) => {
        await tx.record({ type: 'ledger.archived', subject: 'ledger', actor: 'x', after: range })
        await tx.record({ type: 'other', subject: 'x', actor: 'x' })
        await tx.db.deleteFrom('ledger').where('sequence', '=', 160).execute()
      })
      // one that does not name this row
      await refused(async (tx) => {
        await tx.record({ type: 'ledger.archived', subject: 'ledger', actor: 'x', after: range })
        await tx.db.deleteFrom('ledger').where('sequence', '=', 4).execute()
      })
      // one that names itself
      await refused(async (tx) => {
        await tx.record({ type: 'ledger.archived', subject: 'ledger', actor: 'x', after: { ...range, last: 100_000 } })
        await tx.db.deleteFrom('ledger').where('sequence', '=', 4).execute()
      })
      if (bench.dialect === 'sqlite')
        await refused((tx) =>
          tx.db
            .insertInto('ledger')
            .values({ sequence: 1, type: 't', subject: 's', actor: 'a', why: null, before: null, after: null, time: 1, previous_hash: '', hash: '' })
            .execute(),
        )
      assert.equal((await one.store.verify()).fault, null)
    })

    it('shows whoever doctors the archive, the rows that stayed, or the event', async () => {
      const one = await filled()
      const { segments } = await move(one)
      await one.store.close()
      const verify = async (folder?: string) => (await bench.verify(bench.file(), folder === undefined ? {} : { archive: folder })).fault?.what
      const path = join(one.folder, segments[0]!.file)
      const whole = readFileSync(path)
      const doctored = async (bytes: Buffer): Promise<string | undefined> => {
        writeFileSync(path, bytes)
        return verify(one.folder)
      }
      const text = gunzipSync(whole).toString()
      assert.match((await doctored(gzipSync(text.replace('node:1', 'nobody')))) ?? '', /SHA-256 is another/)
      const moved = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown[])
        .map(([previous, sequence, type, subject, actor, why, before, after, time, hash]) => [
          sequence,
          type,
          subject,
          actor,
          why,
          before,
          after,
          time,
          previous,
          hash,
        ])
      const flipped = Buffer.from(whole)
      flipped[200]! ^= 1
      assert.match((await doctored(flipped)) ?? '', /SHA-256 is another/)
      rmSync(path)
      assert.match((await verify(one.folder)) ?? '', /rows 1 to 100 cannot be checked.*not there/)
      assert.equal(await verify(), undefined)
      writeFileSync(path, whole)
      assert.equal(await verify(one.folder), undefined)

      const changes: Array<readonly [string, RegExp]> = [
        [`update ledger set why = 'x' where sequence = 4`, /row 4 was changed/],
        [`delete from ledger where sequence = 8`, /the rows that stayed of 1 to 100 are 26, not the 27/],
        [`update ledger set sequence = 9 where sequence = 8`, /row 9 was changed/],
        [`update ledger set "after" = replace("after", '"last":100', '"last":99') where type = 'ledger.archived' and sequence < 164`, /does not name a part/],
        [`update ledger set "after" = replace("after", '"plans":0', '"plans":1') where type = 'ledger.archived' and sequence < 164`, /row 162 was changed/],
        // a row that was moved, put back as it was
        [
          `insert into ledger (${COLUMNS.map((column) => `"${column}"`).join(', ')}) values (${moved[9]?.map((value) => (value === null ? 'null' : `'${String(value)}'`)).join(', ')})`,
          /the rows that stayed of 1 to 100 are 28, not the 27/,
        ],
        [`delete from ledger where type = 'ledger.archived'`, /rows 1 to 3 are missing/],
        [`delete from ledger where sequence = 161`, /row 161 is missing/],
      ]
      for (const [change, fault] of changes) {
        await bench.tamper(bench.file(), async (ask) => {
          const rows = await ask('select * from ledger')
          await ask(change)
          assert.match((await verify()) ?? 'whole', fault, change)
          await ask('delete from ledger')
          for (const row of rows)
            await ask(`insert into ledger values (${COLUMNS.map(() => '?').join(', ')})`, ...COLUMNS.map((column) => row[column] as string))
        })
      }
      assert.equal(await verify(), undefined)
    })

    it('removes old versions of plans with their rows, but those that are gone by', async () => {
      const { store, clock } = bench.open()
      const plan = (version: number) => ({ kind: 'plan', version, previous: null, now: 1, assignments: [] }) as never
      await store.transaction(async (tx) => {
        for (let version = 1; version <= 5; version++) await tx.save(plan(version), { type: 'plan.published', actor: 'test' })
      })
      clock.advance(100 * DAY)
      await store.transaction((tx) => tx.save(lot('young'), created))
      const { segments } = await archiveLedger(store, { folder: join(bench.folder, 'archive'), before: START + DAY, now: clock.now(), actor: 'test' })
      assert.equal((segments[0] as ArchivedRange).plans, 4)
      assert.deepEqual(
        (await store.list('plan')).map(({ version }) => version),
        [5],
      )
      assert.equal((await store.verify()).fault, null)
      assert.equal((await bench.verify(bench.file(), { archive: join(bench.folder, 'archive') })).fault, null)
    })
  })
}
