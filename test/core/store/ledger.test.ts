import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { packageRoot } from '../../../core/base/package-root.ts'
import { seededRandom } from '../../../core/base/random.ts'
import type { Verification } from '../../../core/store/store.ts'
import { verifyFile } from '../../../core/store/verify-file.ts'
import { created, held, lot, rejection, START, StoreBench, tamper } from './support/store.ts'

const ROWS = 40

describe('store: ledger', () => {
  let bench: StoreBench
  let file: string

  /** A closed database with a ledger of ROWS rows. */
  beforeEach(async () => {
    bench = new StoreBench()
    file = bench.file()
    const { store } = bench.open(file)
    for (let n = 1; n <= ROWS / 2; n++) {
      await store.transaction(async (tx) => {
        const first = await tx.save(lot(`lot-${n}`), created)
        await tx.save({ ...first, disposition: 'held', reason: `scratch ${n}` }, held)
      })
    }
    assert.deepEqual(await store.verify(), { ok: true, rows: ROWS, head: await store.head(), fault: null })
    await store.close()
  })
  afterEach(() => bench.close())

  function assertFault(verification: Verification, sequence: number, what?: RegExp): void {
    assert.equal(verification.ok, false)
    assert.equal(verification.fault?.sequence, sequence, verification.fault?.what)
    if (what !== undefined) assert.match(verification.fault?.what ?? '', what)
  }

  it('names the row of any character that was changed', async () => {
    const random = seededRandom(11)
    const pick = (below: number): number => Math.floor(random() * below)
    const columns = ['type', 'subject', 'actor', 'why', 'before', 'after', 'time', 'previous_hash', 'hash'] as const
    for (let round = 0; round < 60; round++) {
      const sequence = 1 + pick(ROWS)
      const column = columns[pick(columns.length)]!
      const keep = { file: readFileSync(file), changed: false }
      tamper(file, (db) => {
        const value = db.prepare(`select "${column}" as v from ledger where sequence = ?`).get(sequence)!.v
        if (value === null) return
        const text = String(value)
        const at = pick(text.length)
        const other = typeof value === 'number' ? String((Number(text[at]) + 1) % 10) : text[at] === 'x' ? 'y' : 'x'
        const changed = text.slice(0, at) + other + text.slice(at + 1)
        db.prepare(`update ledger set "${column}" = ? where sequence = ?`).run(typeof value === 'number' ? Number(changed) : changed, sequence)
        keep.changed = true
      })
      if (keep.changed) assertFault(await verifyFile(file), sequence)
      writeFileSync(file, keep.file)
    }
    assert.ok((await verifyFile(file)).ok)
  })

  it('names the first row after one whose content and hash were both made anew', async () => {
    const { rowHash } = await import('../../../core/store/ledger.ts')
    tamper(file, (db) => {
      const row = db.prepare('select * from ledger where sequence = 7').get() as never as Parameters<typeof rowHash>[0]
      db.prepare('update ledger set why = ?, hash = ? where sequence = 7').run('nothing', rowHash({ ...row, why: 'nothing' }))
    })
    assertFault(await verifyFile(file), 8, /does not follow/)
  })

  it('knows by the anchor that the whole chain was made anew', async () => {
    const { rowHash } = await import('../../../core/store/ledger.ts')
    tamper(file, (db) => {
      let previous = ''
      for (const row of db.prepare('select * from ledger order by sequence').all() as never as Array<Parameters<typeof rowHash>[0]>) {
        if (row.sequence < 20) previous = (row as unknown as { hash: string }).hash
        else {
          const forged = { ...row, actor: 'nobody', previous_hash: previous }
          previous = rowHash(forged)
          db.prepare('update ledger set actor = ?, previous_hash = ?, hash = ? where sequence = ?').run('nobody', forged.previous_hash, previous, row.sequence)
        }
      }
    })
    assertFault(await verifyFile(file), ROWS, /anchored/)
    // going on with such a file does not cover it up
    const { store, warnings } = bench.open(file)
    await store.transaction((tx) => tx.save(lot('later'), created))
    assert.equal(warnings[0]?.code, 'TAKT_LEDGER_FAULT')
    assertFault(await store.verify(), ROWS, /anchored/)
  })

  it('names a row that is missing in the middle, and rows missing at the end', async () => {
    const whole = readFileSync(file)
    tamper(file, (db) => db.exec('delete from ledger where sequence = 13'))
    assertFault(await verifyFile(file), 13, /row 13 is missing/)
    writeFileSync(file, whole)
    tamper(file, (db) => db.exec(`delete from ledger where sequence > ${ROWS - 3}`))
    assertFault(await verifyFile(file), ROWS - 2, /rows 38 to 40 are missing/)
    tamper(file, (db) => db.exec('delete from ledger'))
    assertFault(await verifyFile(file), 1, /rows 1 to 40 are missing/)
  })

  it('records a lost tail when it opens, never reuses its numbers, and goes on', async () => {
    tamper(file, (db) => db.exec(`delete from ledger where sequence > ${ROWS - 3}`))
    const { store, warnings } = bench.open(file)
    const saved = await store.transaction((tx) => tx.save(lot('later'), created))
    assert.equal(saved.ledger, ROWS + 2)
    assert.match(warnings[0]?.message ?? '', /TAKT_LEDGER_FAULT: ledger: rows 38 to 40 are missing/)
    const [event] = await store.events(ROWS - 3, 1)
    assert.deepEqual([event?.sequence, event?.type, event?.actor], [ROWS + 1, 'ledger.tail-lost', 'store'])
    assertFault(await store.verify(), ROWS - 2, /missing/)
  })

  it('notices a tail that is cut while it is open', async () => {
    const { store, warnings } = bench.open(file)
    await store.transaction((tx) => tx.save(lot('before'), created))
    tamper(file, (db) => db.exec(`delete from ledger where sequence > ${ROWS - 1}`))
    assertFault(await store.verify(), ROWS)
    await store.transaction((tx) => tx.save(lot('after'), created))
    assert.equal(warnings.length, 1)
    assertFault(await store.verify(), ROWS, /rows 40 to 41 are missing/)
  })

  it('says so when the anchor is gone, and anchors anew', async () => {
    rmSync(`${file}.anchor`)
    assertFault(await verifyFile(file), ROWS, /anchor/)
    const { store, warnings } = bench.open(file)
    assert.ok((await store.verify()).ok)
    assert.equal(warnings.length, 1)
    assert.equal((await store.events(ROWS, 1))[0]?.type, 'ledger.anchor-lost')
  })

  it('names the event of a document that was changed, put back, removed or misfiled behind its back', async () => {
    const whole = readFileSync(file)
    for (const [change, what] of [
      [`update lot set document = replace(document, 'held', 'released') where id = 'lot-5'`, /lot lot-5 is not what row 10 says/],
      [
        `update lot set revision = 1, disposition = 'in-process', ledger = 9, document = (select after from ledger where sequence = 9) where id = 'lot-5'`,
        /lot lot-5 is not the newest: row 10/,
      ],
      [`delete from lot where id = 'lot-5'`, /lot lot-5 of row 10 is missing/],
      [`update lot set disposition = 'released' where id = 'lot-5'`, /column disposition of the lot lot-5/],
    ] as const) {
      tamper(file, (db) => db.exec(change))
      assertFault(await verifyFile(file), 10, what)
      writeFileSync(file, whole)
    }
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

  it('is not misled by events that mention documents, nor by what is written while it checks', async () => {
    const { store } = bench.open(file)
    const mentioned = await store.get('lot', 'lot-1')
    await store.transaction((tx) => tx.record({ type: 'lot.seen', subject: 'lot-1', actor: 'test', after: mentioned }))
    let writing = true
    const writer = (async () => {
      for (let n = 0; writing; n++)
        await store.transaction(async (tx) => tx.save({ ...(await tx.get('lot', `lot-${1 + (n % 20)}`))!, reason: `again ${n}` }, held))
    })()
    for (let round = 0; round < 10; round++) assert.equal((await store.verify()).fault, null)
    writing = false
    await writer
  })

  it('gives events in pages', async () => {
    const { store } = bench.open(file)
    const sequences = (await store.events(10, 3)).map(({ sequence }) => sequence)
    assert.deepEqual(sequences, [11, 12, 13])
    assert.deepEqual(await store.events(ROWS, 10), [])
    const [event] = await store.events(1, 1)
    assert.equal(event?.time, START)
    assert.equal((event!.after as { reason: string }).reason, 'scratch 1')
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
