import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { systemClock } from '../../../core/base/clock.ts'
import { TaktError } from '../../../core/base/error.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { makeSigningKey } from '../../../core/store/anchor-key.ts'
import { type Backup, listBackups, makeBackup } from '../../../core/store/backup.ts'
import { copyStore } from '../../../core/store/backup-copy.ts'
import { checkBackup } from '../../../core/store/check-backup.ts'
import { GENESIS, nextRow } from '../../../core/store/ledger.ts'
import { migrate } from '../../../core/store/migrate.ts'
import { MIGRATIONS } from '../../../core/store/migrations/index.ts'
import { restoreBackup } from '../../../core/store/restore.ts'
import { SqliteBackend } from '../../../core/store/sqlite-backend.ts'
import { verifyFile } from '../../../core/store/verify-file.ts'
import { created, lot, rejection, StoreBench, tamper } from './support/store.ts'

const NOW = Date.UTC(2026, 0, 5, 6, 30)
/** without a thread, which costs a start each */
const copy = (source: Parameters<typeof copyStore>[0], target: string) => copyStore(source, target)

describe('backup of a store in a file', () => {
  let bench: StoreBench
  let folder: string
  beforeEach(() => {
    bench = new StoreBench()
    folder = join(bench.folder, 'backups')
  })
  afterEach(() => bench.close())

  const backUp = (changes: Partial<Parameters<typeof makeBackup>[0]> = {}): Promise<Backup> =>
    makeBackup({ source: { file: bench.file() }, folder, now: () => NOW, copy, ...changes })
  const restore = (from: string, changes: Partial<Parameters<typeof restoreBackup>[0]> = {}) =>
    restoreBackup({ from, to: { file: bench.file() }, clock: systemClock, ...changes })

  async function lots(from: number, to: number): Promise<void> {
    const { store } = bench.open()
    await store.transaction(async (tx) => {
      for (let n = from; n <= to; n++) await tx.save(lot(`lot-${n}`), created)
    })
    await store.close()
  }

  it('drill: traffic, backup, more traffic, kill -9, restore: what came after is missed by its numbers, and work goes on', async function () {
    this.timeout(20_000)
    const file = bench.file()
    const child = spawn(process.execPath, [join(packageRoot, 'test/core/store/support/writer.ts'), file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const told = new Set<number>()
    const lines = createInterface({ input: child.stdout })
    const seen = async (count: number): Promise<void> => {
      while (told.size < count) await once(lines, 'line')
    }
    lines.on('line', (line) => told.add(Number(line)))
    await seen(100)
    const before = [...told]
    // as the store node does it, in a thread
    const { path, manifest } = await makeBackup({ source: { file }, folder, now: Date.now })
    await seen(told.size + 100)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const anchored = JSON.parse(readFileSync(`${file}.anchor`, 'utf8')) as { sequence: number }
    assert.ok(manifest.head.sequence < anchored.sequence)

    const { lost, verification, aside } = await restore(path, { replace: true })
    assert.deepEqual(lost, { from: manifest.head.sequence + 1, to: anchored.sequence })
    assert.equal(verification.fault?.what, `rows ${lost?.from} to ${lost?.to} are missing at the end`)
    // nothing of what was there is gone
    assert.equal((await verifyFile(aside as string)).fault, null)

    const { store, warnings } = bench.open()
    for (const n of before) assert.ok(await store.get('lot', `b-${n}`), `transaction ${n} was told as done before the backup`)
    const rows = await store.db.selectFrom('lot').select('id').execute()
    assert.equal(rows.filter(({ id }) => id.startsWith('a-')).length, rows.filter(({ id }) => id.startsWith('b-')).length)
    await store.transaction((tx) => tx.save(lot('after'), created))
    assert.match(warnings[0]?.message ?? '', new RegExp(`TAKT_LEDGER_FAULT.*rows ${lost?.from} to ${lost?.to} are missing`))
    assert.equal((await store.head()).sequence, anchored.sequence + 2)
    assert.equal((await store.events(manifest.head.sequence, 1))[0]?.type, 'ledger.tail-lost')
  })

  it('has all that was there, and restores it where nothing is, with its anchor', async () => {
    await lots(1, 30)
    const { path, manifest } = await backUp()
    assert.equal(path, join(folder, 'takt-20260105T063000Z'))
    assert.deepEqual(
      [manifest.head.sequence, manifest.tables.lot, manifest.fault, manifest.schema, manifest.source],
      [30, 30, null, MIGRATIONS.length, bench.file()],
    )
    const file = bench.file('elsewhere/takt.db')
    const { lost, verification, aside } = await restore(path, { to: { file } })
    assert.deepEqual([lost, verification.fault, verification.rows, aside], [null, null, 30, null])
    const { store, warnings } = bench.open(file)
    assert.equal((await store.get('lot', 'lot-30'))?.material, 'shaft-a')
    assert.deepEqual(warnings, [])
  })

  it('keeps so many, and removes none of them before the new one is whole', async () => {
    await lots(1, 3)
    for (let hour = 0; hour < 4; hour++) await backUp({ keep: 2, now: () => NOW + hour * 3_600_000 })
    assert.deepEqual(readdirSync(folder).sort(), ['takt-20260105T083000Z', 'takt-20260105T093000Z'])
    // what a killed one left goes after a day, and only then
    for (const [name, hours] of [
      ['.takt-backup-old', 25],
      ['.takt-backup-new', 1],
    ] as const) {
      mkdirSync(join(folder, name))
      utimesSync(join(folder, name), new Date(NOW - hours * 3_600_000), new Date(NOW - hours * 3_600_000))
    }
    // nor does one of another store count
    const { store } = bench.open(bench.file('other.db'))
    await store.transaction((tx) => tx.save(lot('lot-1'), created))
    const others = await backUp({ source: { file: bench.file('other.db') }, keep: 1 })
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('.')),
      ['.takt-backup-new'],
    )
    assert.equal(listBackups(folder).length, 3)
    rmSync(others.path, { recursive: true })
    // somebody's own things are left alone
    mkdirSync(join(folder, 'takt-20200101T000000Z'))
    writeFileSync(join(folder, 'notes.txt'), '')
    // one that fails, and one of a ledger with a fault, remove nothing
    await rejection(backUp({ keep: 1, copy: () => Promise.reject(new TaktError('TAKT_STORE_FULL', { where: 'disk' })) }))
    tamper(bench.file(), (db) => db.exec(`update ledger set actor = 'x' where sequence = 2`))
    const { manifest, path } = await backUp({ keep: 1, now: () => NOW + 9 * 3_600_000 })
    assert.match(manifest.fault?.what ?? '', /row 2 was changed/)
    assert.equal(listBackups(folder).length, 3)
    assert.equal((await rejection(checkBackup(path))).code, 'TAKT_BACKUP_FAULTY')
    assert.equal((await checkBackup(path, { faulty: true })).manifest.fault?.sequence, 2)
    // two in one second have two names
    assert.equal((await backUp({ now: () => NOW + 9 * 3_600_000 })).path, `${path}-2`)
  })

  it('says what is wrong with the folder, the room and the source, and leaves nothing behind', async () => {
    await lots(1, 3)
    writeFileSync(folder, 'a file')
    const isFile = await rejection(backUp())
    assert.match(isFile.message, /TAKT_BACKUP_FOLDER: there is a file where the folder should be/)
    assert.equal((await rejection(backUp({ folder: join(folder, 'below') }))).code, 'TAKT_BACKUP_FOLDER')
    rmSync(folder)
    const full = await rejection(backUp({ copy: (source, target) => copyStore(source, target, async () => 1000) }))
    assert.match(full.message, /TAKT_BACKUP_SPACE: there is no room for the copy: it needs \d+\.\d MiB, and 0\.0 MiB are free/)
    assert.equal((await rejection(backUp({ copy: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) }))).code, 'TAKT_BACKUP_SPACE')
    assert.equal((await rejection(backUp({ source: { file: bench.file('none.db') } }))).code, 'TAKT_STORE_UNWRITABLE')
    writeFileSync(bench.file('text.db'), 'this is no database, not at all')
    assert.equal((await rejection(backUp({ source: { file: bench.file('text.db') } }))).code, 'TAKT_STORE_CORRUPT')
    assert.deepEqual(readdirSync(folder), [])
    // in its thread too
    assert.equal((await rejection(makeBackup({ source: { file: bench.file('none.db') }, folder, now: Date.now }))).code, 'TAKT_STORE_UNWRITABLE')
  })

  it('is refused when it was damaged, when its manifest lies, and when another signed it', async () => {
    await lots(1, 30)
    const key = makeSigningKey(bench.file('key.pem'))
    const other = makeSigningKey(bench.file('other.pem'))
    const { path } = await backUp({ key })
    const check = { publicKey: key.publicKey }
    assert.equal((await checkBackup(path, check)).manifest.key, key.id)
    const refused = async (change: () => void, what: RegExp, options = {}): Promise<void> => {
      const saved = readdirSync(path).map((name) => [name, readFileSync(join(path, name))] as const)
      change()
      const error = await rejection(checkBackup(path, options))
      assert.equal(error.code, 'TAKT_BACKUP_DAMAGED')
      assert.match(error.message, what)
      assert.equal((await rejection(restore(path, { to: { file: bench.file('new.db') }, ...options }))).code, 'TAKT_BACKUP_DAMAGED')
      assert.ok(!existsSync(bench.file('new.db')))
      for (const [name, bytes] of saved) writeFileSync(join(path, name), bytes)
    }
    const database = join(path, 'takt.db')
    const manifest = join(path, 'manifest.json')
    const lie = (change: (content: any) => void) => (): void => {
      const content = JSON.parse(readFileSync(manifest, 'utf8'))
      change(content)
      writeFileSync(manifest, JSON.stringify(content))
    }
    const flipped = readFileSync(database)
    flipped[flipped.length - 100]! ^= 1
    await refused(() => writeFileSync(database, flipped), /SHA-256 is another/)
    await refused(() => truncateSync(database, 8192), /has 8192 bytes/)
    await refused(() => rmSync(database), /takt\.db is not there/)
    await refused(() => rmSync(manifest), /there is none/)
    await refused(() => writeFileSync(manifest, '{"kind":'), /cannot be read/)
    await refused(() => writeFileSync(manifest, '[]'), /none that this Takt knows/)
    await refused(() => rmSync(`${database}.anchor`), /anchor of its ledger is missing/)
    await refused(
      lie((content) => void (content.tables.lot = 31)),
      /its manifest lies: tables/,
    )
    await refused(
      lie((content) => void (content.head.sequence = 29)),
      /its manifest lies: head/,
    )
    await refused(
      lie((content) => void (content.created = '2030-01-01T00:00:00.000Z')),
      /signature does not fit/,
      check,
    )
    await refused(
      lie((content) => void delete content.signature),
      /is not signed/,
      check,
    )
    await refused(() => {}, /signed by another key/, { publicKey: other.publicKey })
    // rows that were changed, with a manifest that fits the file: the chain tells
    await refused(() => {
      tamper(database, (db) => db.exec(`update ledger set actor = 'x' where sequence = 7`))
      lie((content) => Object.assign(content, { bytes: readFileSync(database).length, sha256: hash('sha256', readFileSync(database)) }))()
    }, /its manifest lies: fault/)
    assert.match((await rejection(checkBackup(database))).message, /it is a file/)
    assert.match((await rejection(checkBackup(bench.file('nothing')))).message, /no such backup/)
  })

  it('is made before an upgrade too, and upgraded once it is restored', async () => {
    const file = bench.file('old.db')
    const backend = new SqliteBackend(
      file,
      async () => {},
      () => {},
    )
    await backend.open()
    await migrate(backend, 1, MIGRATIONS.slice(0, 2))
    await backend.close()
    const old = new DatabaseSync(file)
    const after = JSON.stringify({ ...lot('lot-1'), revision: 1, ledger: 1 })
    const row = nextRow(GENESIS, { type: 'lot.created', subject: 'lot-1', actor: 'old', why: null, before: null, after, time: 5 })
    old
      .prepare('insert into ledger values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(1, row.type, row.subject, row.actor, null, null, after, 5, row.previous_hash, row.hash)
    old.prepare(`insert into lot (id, revision, ledger, document, material, disposition) values ('lot-1', 1, 1, ?, 'shaft-a', 'in-process')`).run(after)
    old.close()
    writeFileSync(`${file}.anchor`, JSON.stringify({ sequence: 1, hash: row.hash }))
    const { path, manifest } = await backUp({ source: { file } })
    assert.deepEqual([manifest.schema, manifest.fault, manifest.tables.genealogy], [2, null, undefined])
    const { verification } = await restore(path)
    assert.equal(verification.fault, null)
    const { store, warnings } = bench.open()
    assert.equal((await store.get('lot', 'lot-1'))?.ledger, 1)
    assert.deepEqual([(await store.verify()).fault, warnings], [null, []])
  })

  it('refuses a backup of a newer Takt', async () => {
    await lots(1, 3)
    tamper(bench.file(), (db) => db.exec(`insert into migration values (${MIGRATIONS.length + 1}, 'of tomorrow', 1)`))
    const { path } = await backUp()
    assert.equal((await rejection(restore(path, { to: { file: bench.file('new.db') } }))).code, 'TAKT_STORE_NEWER')
  })

  it('is not restored over a store in use, nor over one with records unless told', async () => {
    await lots(1, 10)
    const { path } = await backUp()
    const { store } = bench.open()
    await store.transaction((tx) => tx.save(lot('later'), created))
    assert.equal((await rejection(restore(path, { replace: true }))).code, 'TAKT_STORE_LOCKED')
    await store.close()
    const refused = await rejection(restore(path))
    assert.match(refused.message, /TAKT_STORE_NOT_EMPTY.*11 rows/)
    assert.equal((await verifyFile(bench.file())).rows, 11)
    writeFileSync(bench.file('text.db'), 'no database, but somebody may want it')
    assert.match((await rejection(restore(path, { to: { file: bench.file('text.db') } }))).message, /cannot be read as a store/)
    const { aside } = await restore(path, { to: { file: bench.file('text.db') }, replace: true })
    assert.match(readFileSync(aside as string, 'utf8'), /somebody may want it/)
    // an empty store is not in the way
    const empty = bench.open(bench.file('empty.db')).store
    await empty.head()
    await empty.close()
    assert.equal((await restore(path, { to: { file: bench.file('empty.db') } })).verification.fault, null)
  })

  it('goes on when restoring was killed midway', async () => {
    await lots(1, 10)
    const { path } = await backUp()
    await lots(11, 12)
    // what a killed one leaves: a half copy, the old file put aside already
    writeFileSync(bench.file('takt.db.restoring'), 'half')
    copyFileSync(bench.file(), bench.file('takt.db.before-20260105T063000Z'))
    rmSync(bench.file())
    const { lost, verification } = await restore(path)
    assert.deepEqual([lost, verification.fault?.what], [{ from: 11, to: 12 }, 'rows 11 to 12 are missing at the end'])
    assert.ok(!existsSync(bench.file('takt.db.restoring')))
  })

  it('is two commands', async function () {
    this.timeout(20_000)
    await lots(1, 10)
    const run = (name: string, ...args: string[]) => promisify(execFile)(process.execPath, [join(packageRoot, 'scripts', name), ...args])
    const { store } = bench.open()
    await store.head()
    assert.match((await run('backup.ts', bench.file(), folder, '--keep', '3')).stdout, /Backed up: .*takt-\d{8}T\d{6}Z\n\d+ rows, \d+ bytes, ledger head 10 /)
    const path = listBackups(folder)[0]?.path as string
    const inUse = (await rejection(run('restore.ts', path, bench.file(), '--replace'))) as unknown as { code: number; stderr: string }
    assert.deepEqual([inUse.code, /TAKT_STORE_LOCKED/.test(inUse.stderr)], [1, true])
    await store.transaction((tx) => tx.save(lot('later'), created))
    await store.close()
    assert.match((await run('restore.ts', path, '--check')).stdout, /is what its manifest says/)
    assert.match((await run('restore.ts', path, bench.file(), '--replace')).stdout, /Rows 11 to 11 were written after this backup and are lost/)
    const wrong = (await rejection(run('restore.ts', path))) as unknown as { code: number; stderr: string }
    assert.deepEqual([wrong.code, /Usage/.test(wrong.stderr)], [2, true])
  })
})
