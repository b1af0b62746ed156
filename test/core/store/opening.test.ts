import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { ManualClock } from '../../../core/base/clock.ts'
import { seededRandom } from '../../../core/base/random.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { giveBack, takeThread } from '../../../core/store/sqlite-threads.ts'
import { verifyFile } from '../../../core/store/verify-file.ts'
import { created, lot, rejection, StoreBench } from './support/store.ts'

const script = (name: string): string => join(import.meta.dirname, 'support', name)

describe('store: opening, crashes and bad disks', () => {
  let bench: StoreBench
  const children: ChildProcess[] = []

  beforeEach(() => {
    bench = new StoreBench()
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await bench.close()
  })

  /** Starts the writer and gives the numbers of its transactions as it tells them. */
  function startWriter(file: string, from: number): { child: ChildProcess; told: number[]; atLeast(count: number): Promise<void> } {
    const child = spawn(process.execPath, [script('writer.ts'), file, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const told: number[] = []
    let wake = (): void => {}
    createInterface({ input: child.stdout }).on('line', (line) => {
      told.push(Number(line))
      wake()
    })
    const atLeast = async (count: number): Promise<void> => {
      while (told.length < count) await new Promise<void>((resolve) => (wake = resolve))
    }
    return { child, told, atLeast }
  }

  it('loses nothing and halves nothing when its process is killed, five times over', async () => {
    const file = bench.file()
    const random = seededRandom(3)
    const told = new Set<number>()
    for (let round = 0; round < 5; round++) {
      const writer = startWriter(file, round * 1_000_000)
      await writer.atLeast(1 + Math.floor(random() * 60))
      await new Promise((resolve) => setTimeout(resolve, random() * 20))
      writer.child.kill('SIGKILL')
      await once(writer.child, 'close')
      for (const n of writer.told) told.add(n)
      const verification = await verifyFile(file)
      assert.ok(verification.ok, verification.fault?.what)
    }
    const { store, warnings } = bench.open(file)
    const ids = new Set((await store.list('lot')).map(({ id }) => id))
    const keys = new Set((await store.db.selectFrom('effect').select('key').execute()).map(({ key }) => key))
    for (const n of told) assert.ok(ids.has(`a-${n}`) && ids.has(`b-${n}`), `transaction ${n} was told done and is not there`)
    for (const id of ids) {
      const n = id.slice(2)
      assert.ok(ids.has(`a-${n}`) && ids.has(`b-${n}`) && keys.has(`effect-${n}`), `transaction ${n} is there by half`)
    }
    assert.equal((await store.head()).sequence, ids.size)
    assert.deepEqual(warnings, [])
  }).timeout(60_000)

  it('refuses a file that another process has open, and takes it once that one is killed', async () => {
    const file = bench.file()
    const writer = startWriter(file, 0)
    await writer.atLeast(1)
    const { store, failures } = bench.open(file)
    const error = await rejection(store.head())
    assert.equal(error.code, 'TAKT_STORE_LOCKED')
    assert.match(error.message, new RegExp(`process ${writer.child.pid} `))
    assert.equal(failures[0]?.code, 'TAKT_STORE_LOCKED')
    writer.child.kill('SIGKILL')
    await once(writer.child, 'close')
    // the same store tries again by itself
    assert.ok((await store.head()).sequence > 0)
  })

  it('refuses a file that this process has open already', async () => {
    const first = bench.open().store
    await first.head()
    assert.equal((await rejection(bench.open().store.head())).code, 'TAKT_STORE_LOCKED')
    await first.close()
    assert.equal((await bench.open().store.head()).sequence, 0)
  })

  it('does not mind a lock file that was half written', async () => {
    writeFileSync(`${bench.file()}.lock`, 'x'.repeat(5000))
    assert.equal((await bench.open().store.head()).sequence, 0)
  })

  it('says that a path cannot be written, and opens once it can', async () => {
    const folder = join(bench.folder, 'data')
    writeFileSync(folder, 'a file where a folder should be')
    const { store, failures } = bench.open(join(folder, 'takt.db'))
    const writing = store.transaction((tx) => tx.save(lot('lot-1'), created))
    assert.equal((await rejection(writing)).code, 'TAKT_STORE_UNWRITABLE')
    assert.ok(failures.length > 0)
    rmSync(folder)
    mkdirSync(folder)
    await store.transaction((tx) => tx.save(lot('lot-1'), created))
    assert.equal((await store.get('lot', 'lot-1'))?.revision, 1)

    mkdirSync(bench.file('folder.db'))
    assert.equal((await rejection(bench.open(bench.file('folder.db')).store.head())).code, 'TAKT_STORE_UNWRITABLE')
  })

  it('says that a file is no database, or is damaged', async () => {
    const file = bench.file()
    writeFileSync(file, 'these are not the records you are looking for '.repeat(200))
    assert.equal((await rejection(bench.open(file).store.head())).code, 'TAKT_STORE_CORRUPT')
  })

  it('says that the disk is full, loses only what was refused, and goes on when there is room', async () => {
    const { store, failures } = bench.open()
    await store.transaction((tx) => tx.save(lot('before'), created))
    await store.transaction(async (tx) => {
      const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(tx.db)
      await sql.raw(`pragma max_page_count = ${rows[0]!.page_count + 2}`).execute(tx.db)
    })
    const large = 'x'.repeat(900)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => store.transaction((tx) => tx.record({ type: 'test.filler', subject: `${n}`, actor: 'test', after: { large, n } }))),
    )
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.equal(refused.length, 40, 'they share one commit')
    for (const outcome of refused) assert.equal(outcome.reason.code, 'TAKT_STORE_FULL')
    assert.equal(failures[0]?.code, 'TAKT_STORE_FULL')
    assert.equal((await store.head()).sequence, 1)

    await store.transaction((tx) => sql`pragma max_page_count = 1000000`.execute(tx.db))
    await store.transaction((tx) => tx.save(lot('after'), created))
    assert.deepEqual(
      (await store.list('lot')).map(({ id }) => id),
      ['after', 'before'],
    )
    const { ok, rows } = await store.verify()
    assert.deepEqual([ok, rows], [true, 2])
  })

  it('goes on after a process died in the middle of a migration', async () => {
    const file = bench.file()
    const child = spawn(process.execPath, [script('half-migration.ts'), file], { stdio: 'inherit' })
    const [, signal] = await once(child, 'close')
    assert.equal(signal, 'SIGKILL')
    const { store } = bench.open(file)
    const tables = await sql<{ name: string }>`select name from sqlite_master where name in ('half', 'lot')`.execute(store.db)
    assert.deepEqual(
      tables.rows.map(({ name }) => name),
      ['lot'],
    )
    await store.transaction((tx) => tx.save(lot('lot-1'), created))
    assert.ok((await store.verify()).ok)
  })

  it('refuses tables of a newer version', async () => {
    const first = bench.open().store
    await first.head()
    await first.close()
    const db = new DatabaseSync(bench.file())
    db.exec(`insert into migration values (99, 'from the future', 1)`)
    db.close()
    assert.equal((await rejection(bench.open().store.head())).code, 'TAKT_STORE_NEWER')
  })

  it('opens many times without running a migration twice', async () => {
    for (let round = 0; round < 3; round++) {
      const { store } = bench.open()
      await store.transaction((tx) => tx.save(lot(`lot-${round}`), created))
      await store.close()
    }
    assert.equal((await bench.open().store.list('lot')).length, 3)
  })

  it('waits while another program writes to the file', async () => {
    const { store } = bench.open()
    await store.head()
    const other = new DatabaseSync(bench.file())
    other.exec('begin immediate')
    const writing = store.transaction((tx) => tx.save(lot('lot-1'), created))
    await new Promise((resolve) => setTimeout(resolve, 100))
    other.exec('commit')
    other.close()
    assert.equal((await writing).revision, 1)
  })

  it('opens anew when its thread is lost', async () => {
    // the next store that opens takes the spare thread
    const thread = takeThread()
    await giveBack(thread)
    const store = openStore({ file: bench.file(), clock: new ManualClock(0) })
    await store.transaction((tx) => tx.save(lot('lot-1'), created))
    const ending = thread.terminate()
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => store.transaction((tx) => tx.save(lot(`during-${n}`), created))))
    await ending
    await store.transaction((tx) => tx.save(lot('lot-2'), created))
    const ids = (await store.list('lot')).map(({ id }) => id)
    for (const [n, { status }] of outcomes.entries()) assert.equal(ids.includes(`during-${n}`), status === 'fulfilled')
    assert.ok(ids.includes('lot-1') && ids.includes('lot-2'))
    assert.ok((await store.verify()).ok)
    await store.close()
  })
})
