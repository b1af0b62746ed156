import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { ManualClock } from '../../../core/base/clock.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { makeSigningKey } from '../../../core/store/anchor-key.ts'
import { archiveLedger } from '../../../core/store/archive.ts'
import { archivedRanges } from '../../../core/store/archived-ranges.ts'
import { makeBackup } from '../../../core/store/backup.ts'
import { copyStore } from '../../../core/store/backup-copy.ts'
import { checkArchive } from '../../../core/store/check-archive.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { archive } from './suites/archive.ts'
import { created, lot, rejection, START, StoreBench } from './support/store.ts'

const DAY = 86_400_000

describe('on SQLite', () => {
  archive(() => new StoreBench())

  describe('a file of a ledger', () => {
    let bench: StoreBench
    let folder: string
    beforeEach(async () => {
      bench = new StoreBench()
      folder = join(bench.folder, 'archive')
      const { store, clock } = bench.open()
      await store.transaction(async (tx) => {
        for (let n = 0; n < 1000; n++) await tx.record({ type: 'count.recorded', subject: 'u', actor: 'node:1', after: { n } })
      })
      clock.advance(100 * DAY)
      await store.transaction((tx) => tx.save(lot('young'), created))
      await store.close()
    })
    afterEach(() => bench.close())

    it('loses no row when archiving is killed, and the next call goes on', async function () {
      this.timeout(30_000)
      for (const delay of [0, 7, 23]) {
        const args = [join(packageRoot, 'test/core/store/support/archiver.ts'), bench.file(), folder, String(START + DAY), String(START + 100 * DAY)]
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
        await once(child.stdout, 'data')
        await new Promise((later) => setTimeout(later, delay))
        child.kill('SIGKILL')
        await once(child, 'exit')
        const { fault, rows, archived = [] } = await bench.verify(bench.file(), { archive: folder })
        assert.equal(fault, null)
        // every row that is not in a file that the ledger names is in the table, beside the two rows that each file makes
        const inFiles = archived.at(-1)?.last ?? 0
        assert.ok(inFiles > 0 && inFiles % 20 === 0)
        assert.equal(rows, 1001 - inFiles + 2 * archived.length)
      }
      const { store, clock } = bench.open()
      clock.advance(100 * DAY)
      await archiveLedger(store, { before: START + DAY, now: clock.now(), folder, actor: 'test' })
      assert.equal((await archivedRanges(store.db)).at(-1)?.last, 1000)
      assert.equal((await bench.verify(bench.file(), { archive: folder })).fault, null)
    })

    it('is checked without its ledger, by the notes beside the files and the key that signed them', async () => {
      const key = makeSigningKey(bench.file('key.pem'))
      const other = makeSigningKey(bench.file('other.pem'))
      const { store, clock } = bench.open()
      clock.advance(100 * DAY)
      const { segments } = await archiveLedger(store, { before: START + DAY, now: clock.now(), folder, actor: 'test', rowsAtOnce: 400, key })
      const checked = await checkArchive(folder, key.publicKey)
      assert.deepEqual(
        checked.segments.map(({ first, last }) => [first, last]),
        [
          [1, 400],
          [401, 800],
          [801, 1000],
        ],
      )
      assert.match((await rejection(checkArchive(folder, other.publicKey))).message, /TAKT_ARCHIVE_SEGMENT: its last row is signed by another key/)
      const path = join(folder, segments[1]?.file as string)
      // rows and note made anew, by somebody who has not the key
      const text = gunzipSync(readFileSync(path)).toString()
      const rows = text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown[]) // biome-ignore format: one line
      let previous = rows[0]?.[0] as string
      const forged = rows.map((row, n) => {
        const content = [previous, row[1], row[2], row[3], n === 5 ? 'somebody else' : row[4], ...row.slice(5, 9)]
        previous = hash('sha256', JSON.stringify(content))
        return JSON.stringify([...content, previous])
      })
      writeFileSync(path, gzipSync(`${forged.join('\n')}\n`))
      assert.match((await rejection(checkArchive(folder))).message, /SHA-256 is another/)
      const note = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as { head: { hash: string }; sha256: string }
      writeFileSync(`${path}.json`, JSON.stringify({ ...note, head: { ...note.head, hash: previous }, sha256: hash('sha256', readFileSync(path)) }))
      assert.equal((await checkArchive(folder)).segments.length, 3)
      assert.match((await rejection(checkArchive(folder, key.publicKey))).message, /signature does not fit/)
      rmSync(`${path}.json`)
      assert.deepEqual((await checkArchive(folder)).unnoted, [segments[1]?.file])
      assert.equal((await rejection(checkArchive(join(folder, 'none')))).code, 'TAKT_ARCHIVE_SEGMENT')
      writeFileSync(`${path}.json`, '{}')
      assert.match((await rejection(checkArchive(folder))).message, /it is no note/)
    })

    it('is archived and checked by two commands, and a backup of it is whole', async function () {
      this.timeout(30_000)
      const run = (name: string, ...args: string[]) => promisify(execFile)(process.execPath, [join(packageRoot, 'scripts', name), ...args])
      // a command goes by this machine's clock, whatever it is
      const file = bench.file('old.db')
      const clock = new ManualClock(Date.UTC(2020, 0, 5))
      const old = openStore({ file, clock })
      await old.transaction(async (tx) => {
        for (let n = 0; n < 1000; n++) await tx.record({ type: 'count.recorded', subject: 'u', actor: 'node:1', after: { n } })
      })
      clock.advance(100 * DAY)
      await old.transaction((tx) => tx.save(lot('young'), created))
      await old.close()
      const moved = await run('archive.ts', file, '--before', '2020-02-01', '--to', folder)
      assert.match(moved.stdout, /rows 1 to 1000, of which 0 stay.*\nArchived 1000 rows in 1 files/)
      assert.equal(readdirSync(folder).length, 2)
      assert.match((await run('verify-ledger.ts', file)).stdout, /Rows 1 to 1000 are in ledger-\S+ \(not checked.*\nThe ledger is whole: 3 rows/)
      assert.match((await run('verify-ledger.ts', file, '--archive', folder)).stdout, /\(checked\)/)
      assert.match((await run('archive.ts', '--check', folder)).stdout, /rows 1 to 1000 are what was written/)
      const wrong = (await rejection(run('archive.ts', file, '--before', 'yesterday', '--to', folder))) as unknown as { code: number; stderr: string }
      assert.deepEqual([wrong.code, /'yesterday' is no day/.test(wrong.stderr)], [2, true])
      const { manifest } = await makeBackup({ source: { file: file }, folder: join(bench.folder, 'backups'), now: Date.now, copy: (from, to) => copyStore(from, to) }) // biome-ignore format: one line
      assert.deepEqual([manifest.fault, manifest.tables.ledger], [null, 3])
    })
  })
})
