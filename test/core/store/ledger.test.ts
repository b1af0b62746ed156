import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { packageRoot } from '../../../core/base/package-root.ts'
import { verifyFile } from '../../../core/store/verify-file.ts'
import { assertFault, ledger, ROWS, writeLedger } from './suites/ledger.ts'
import { rejection, StoreBench, tamper } from './support/store.ts'

ledger(() => new StoreBench())

describe('store: the file of a ledger', () => {
  let bench: StoreBench
  let file: string

  beforeEach(async () => {
    bench = new StoreBench()
    file = bench.file()
    await writeLedger(bench, file)
  })
  afterEach(() => bench.close())

  it('says so when the anchor is gone, and anchors anew', async () => {
    rmSync(`${file}.anchor`)
    assertFault(await verifyFile(file), ROWS, /anchor/)
    const { store, warnings } = bench.open(file)
    assert.ok((await store.verify()).ok)
    assert.equal(warnings.length, 1)
    assert.equal((await store.events(ROWS, 1))[0]?.type, 'ledger.anchor-lost')
  })

  it('names where the file itself is damaged', async () => {
    const bytes = readFileSync(file)
    const at = bytes.indexOf('scratch 9"')
    assert.ok(at > 0)
    let flips = 0
    for (let found = at; found >= 0; found = bytes.indexOf('scratch 9"', found + 1)) {
      bytes[found] = bytes[found]! ^ 1
      flips++
    }
    assert.ok(flips > 0)
    writeFileSync(file, bytes)
    assertFault(await verifyFile(file), 18)
  })

  it('refuses to change, remove or replace rows, in the database itself', async () => {
    const { store } = bench.open(file)
    for (const statement of [
      sql`update ledger set why = 'other'`,
      sql`delete from ledger where sequence = 3`,
      sql`insert or replace into ledger select * from ledger where sequence = 3`,
    ]) {
      assert.equal((await rejection(store.transaction((tx) => statement.execute(tx.db)))).code, 'TAKT_LEDGER_APPEND_ONLY')
    }
    assert.ok((await store.verify()).ok)
  })

  it('can be checked from the command line, also while it is open', async () => {
    bench.open(file)
    const run = promisify(execFile)
    const check = () => run(process.execPath, [join(packageRoot, 'scripts', 'verify-ledger.ts'), file])
    assert.match((await check()).stdout, /whole: 40 rows/)
    tamper(file, (db) => db.exec(`update ledger set actor = 'nobody' where sequence = 30`))
    const failed = (await rejection(check())) as unknown as { code: number; stderr: string }
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /row 30 was changed/)
  })
})
