import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../../core/base/package-root.ts'
import { type Anchor, signHead } from '../../../core/store/anchor.ts'
import { makeSigningKey, readPublicKey, readSigningKey, type SigningKey } from '../../../core/store/anchor-key.ts'
import { rowHash } from '../../../core/store/ledger.ts'
import { verifyFile } from '../../../core/store/verify-file.ts'
import { created, lot, StoreBench, tamper } from './support/store.ts'

const ROWS = 12
const run = promisify(execFile)

describe('store: signed anchor and witnesses', () => {
  let bench: StoreBench
  let file: string
  let key: SigningKey
  const anchorOf = (path: string): Anchor => JSON.parse(readFileSync(`${path}.anchor`, 'utf8')) as Anchor

  /** A closed database with a ledger of ROWS rows and a signed anchor. */
  beforeEach(async () => {
    bench = new StoreBench()
    file = bench.file()
    key = makeSigningKey(join(bench.folder, 'head.pem'))
    const { store, warnings } = bench.open(file, { key })
    for (let n = 1; n <= ROWS; n++) await store.transaction((tx) => tx.save(lot(`lot-${n}`), created))
    assert.ok((await store.verify()).ok)
    assert.deepEqual(warnings, [])
    await store.close()
  })
  afterEach(() => bench.close())

  /** The whole chain made anew from a row on, with the anchor that goes with it: what somebody can do who may write everything but has no key. */
  function rewrite(from: number): Anchor {
    let previous = ''
    let sequence = 0
    tamper(file, (db) => {
      for (const row of db.prepare('select * from ledger order by sequence').all() as never as Array<Parameters<typeof rowHash>[0] & { hash: string }>) {
        sequence = row.sequence
        if (row.sequence < from) previous = row.hash
        else {
          const forged = { ...row, actor: 'nobody', previous_hash: previous }
          previous = rowHash(forged)
          db.prepare('update ledger set actor = ?, previous_hash = ?, hash = ? where sequence = ?').run('nobody', forged.previous_hash, previous, row.sequence)
        }
      }
    })
    return { sequence, hash: previous }
  }

  it('signs each head with a key outside the database, which only its owner may read', () => {
    const anchor = anchorOf(file)
    assert.deepEqual(Object.keys(anchor), ['sequence', 'hash', 'key', 'signature'])
    assert.deepEqual(anchor, signHead(anchor, key))
    assert.equal(anchor.key, key.id)
    assert.equal(statSync(join(bench.folder, 'head.pem')).mode & 0o777, 0o600)
    assert.equal(readPublicKey(join(bench.folder, 'head.pem.pub')), key.publicKey)
    assert.equal(readPublicKey(join(bench.folder, 'head.pem')), key.publicKey)
    assert.deepEqual(readSigningKey(join(bench.folder, 'head.pem')).id, key.id)
  })

  it('knows a chain and an anchor that were both made anew, by the signature alone', async () => {
    const { publicKey } = key
    const genuine = anchorOf(file)
    const forged = rewrite(7)
    writeFileSync(`${file}.anchor`, JSON.stringify(forged))
    assert.ok((await verifyFile(file)).ok, 'without the key nothing shows')
    assert.deepEqual((await verifyFile(file, { publicKey })).fault, { sequence: ROWS, what: 'the anchor is not signed, so it does not say who wrote it' })

    writeFileSync(`${file}.anchor`, JSON.stringify({ ...genuine, hash: forged.hash }))
    assert.deepEqual((await verifyFile(file, { publicKey })).fault, { sequence: ROWS, what: 'the anchor was changed: its signature does not fit' })

    const other = makeSigningKey(join(bench.folder, 'other.pem'))
    writeFileSync(`${file}.anchor`, JSON.stringify(signHead(forged, other)))
    assert.match((await verifyFile(file, { publicKey })).fault?.what ?? '', new RegExp(`signed by another key \\(${other.id}\\), not by ${key.id}`))
  })

  it('says when the key comes into use, and knows when a signature was taken away after that', async () => {
    const plain = bench.file('plain.db')
    const before = bench.open(plain)
    await before.store.transaction((tx) => tx.save(lot('a'), created))
    await before.store.close()

    const first = bench.open(plain, { key })
    await first.store.head()
    await first.store.transaction((tx) => tx.save(lot('b'), created))
    assert.match(first.warnings[0]?.what ?? '', /the anchor is not signed.*from here on heads are signed by/)
    assert.equal((await first.store.events(1, 1))[0]?.type, 'ledger.anchor-unsigned')
    assert.ok((await first.store.verify()).ok)
    await first.store.close()

    const second = bench.open(plain, { key })
    assert.ok((await second.store.verify()).ok)
    assert.deepEqual(second.warnings, [])
    await second.store.close()

    const { sequence, hash } = anchorOf(plain)
    writeFileSync(`${plain}.anchor`, JSON.stringify({ sequence, hash }))
    const third = bench.open(plain, { key })
    assert.match((await third.store.verify()).fault?.what ?? '', /the anchor had lost its signature before row 4/)
  })

  it('names the row that is not the one noted elsewhere, and rows that the anchor was cut back with', async () => {
    const witness = anchorOf(file)
    const { publicKey } = key
    assert.ok((await verifyFile(file, { publicKey, witnesses: [witness] })).ok)
    tamper(file, (db) => db.exec(`delete from lot where ledger > ${ROWS - 2}; delete from ledger where sequence > ${ROWS - 2}`))
    const { hash } = (await verifyFile(file)).head
    writeFileSync(`${file}.anchor`, JSON.stringify({ sequence: ROWS - 2, hash }))
    assert.ok((await verifyFile(file)).ok, 'database and anchor agree')
    assert.match((await verifyFile(file, { witnesses: [witness] })).fault?.what ?? '', /rows 11 to 12 are missing at the end/)
    const forged = { sequence: 5, hash: '0'.repeat(64) }
    assert.deepEqual((await verifyFile(file, { witnesses: [forged] })).fault, { sequence: 5, what: 'row 5 is not the one that was witnessed' })
    // a witness that anybody could have written proves nothing
    rmSync(`${file}.anchor`)
    writeFileSync(`${file}.anchor`, JSON.stringify(signHead({ sequence: ROWS - 2, hash }, key)))
    assert.match((await verifyFile(file, { publicKey, witnesses: [{ sequence: ROWS - 2, hash }] })).fault?.what ?? '', /a witness is not signed/)
  })

  it('refuses keys that are none, without telling what the file holds', () => {
    const path = join(bench.folder, 'bad.pem')
    for (const [content, what] of [
      ['-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n', /holds no key/],
      ['', /holds no key/],
    ] as const) {
      writeFileSync(path, content)
      assert.throws(() => readSigningKey(path), { code: 'TAKT_LEDGER_KEY', what })
      assert.throws(
        () => readSigningKey(path),
        (error: Error) => !error.message.includes('SECRETSECRET'),
      )
    }
    assert.throws(() => readSigningKey(join(bench.folder, 'none.pem')), { code: 'TAKT_LEDGER_KEY', what: /no such key file/ })
    assert.throws(() => makeSigningKey(path), { code: 'TAKT_LEDGER_KEY', what: /never replaced/ })
  })

  it('is checked from the command line: whole, not whole, and wrong arguments', async () => {
    const script = join(packageRoot, 'scripts', 'verify-ledger.ts')
    const pub = join(bench.folder, 'head.pem.pub')
    writeFileSync(join(bench.folder, 'witness.json'), readFileSync(`${file}.anchor`))
    const verify = (...args: string[]) =>
      run(process.execPath, [script, ...args]).then(
        ({ stdout }) => ({ code: 0, text: stdout }),
        (error: { code: number; stderr: string }) => ({ code: error.code, text: error.stderr }),
      )
    const whole = await verify(file, '--key', pub, '--head', join(bench.folder, 'witness.json'))
    assert.deepEqual([whole.code, /The ledger is whole: 12 rows, head 12 /.test(whole.text)], [0, true])
    writeFileSync(`${file}.anchor`, JSON.stringify(rewrite(7)))
    const forged = await verify(file, '--key', pub, '--head', join(bench.folder, 'witness.json'))
    assert.deepEqual([forged.code, forged.text.trim()], [1, 'The ledger is NOT whole. First fault, at row 12: row 12 is not the one that was witnessed'])
    const none = await verify(file, '--key', join(bench.folder, 'none.pub'))
    assert.deepEqual([none.code, /TAKT_LEDGER_KEY: there is no such key file/.test(none.text)], [2, true])
    assert.equal((await verify()).code, 2)
  }).timeout(20_000)
})
