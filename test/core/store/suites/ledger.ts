import assert from 'node:assert/strict'
import { seededRandom } from '../../../../core/base/random.ts'
import { type LedgerRow, rowHash } from '../../../../core/store/ledger.ts'
import type { Verification } from '../../../../core/store/store.ts'
import { created, held, lot, START, type StoreBench } from '../support/store.ts'

export const ROWS = 40

export function assertFault(verification: Verification, sequence: number, what?: RegExp): void {
  assert.equal(verification.ok, false)
  assert.equal(verification.fault?.sequence, sequence, verification.fault?.what)
  if (what !== undefined) assert.match(verification.fault?.what ?? '', what)
}

/** Leaves a closed database with a ledger of ROWS rows. */
export async function writeLedger(bench: StoreBench, file: string): Promise<void> {
  const { store } = bench.open(file)
  for (let n = 1; n <= ROWS / 2; n++) {
    await store.transaction(async (tx) => {
      const first = await tx.save(lot(`lot-${n}`), created)
      await tx.save({ ...first, disposition: 'held', reason: `scratch ${n}` }, held)
    })
  }
  assert.deepEqual(await store.verify(), { ok: true, rows: ROWS, head: await store.head(), fault: null })
  await store.close()
}

export function ledger(newBench: () => StoreBench): void {
  describe('store: ledger', () => {
    let bench: StoreBench
    let file: string
    beforeEach(async () => {
      bench = newBench()
      file = bench.file()
      await writeLedger(bench, file)
    })
    afterEach(() => bench.close())

    it('names the row of any character that was changed', async () => {
      const random = seededRandom(11)
      const pick = (below: number): number => Math.floor(random() * below)
      const columns = ['type', 'subject', 'actor', 'why', 'before', 'after', 'time', 'previous_hash', 'hash'] as const
      await bench.tamper(file, async (ask) => {
        for (let round = 0; round < (bench.dialect === 'sqlite' ? 60 : 20); round++) {
          const sequence = 1 + pick(ROWS)
          const column = columns[pick(columns.length)]!
          const value = (await ask(`select "${column}" as v from ledger where sequence = ?`, sequence))[0]!.v as string | number | null
          if (value === null) continue
          const text = String(value)
          const at = pick(text.length)
          const other = typeof value === 'number' ? String((Number(text[at]) + 1) % 10) : text[at] === 'x' ? 'y' : 'x'
          const changed = text.slice(0, at) + other + text.slice(at + 1)
          await ask(`update ledger set "${column}" = ? where sequence = ?`, typeof value === 'number' ? Number(changed) : changed, sequence)
          assertFault(await bench.verify(file), sequence)
          await ask(`update ledger set "${column}" = ? where sequence = ?`, value, sequence)
        }
      })
      assert.ok((await bench.verify(file)).ok)
    })

    it('names the first row after one whose content and hash were both made anew', async () => {
      await bench.tamper(file, async (ask) => {
        const [row] = (await ask('select * from ledger where sequence = 7')) as LedgerRow[]
        await ask('update ledger set why = ?, hash = ? where sequence = 7', 'nothing', rowHash({ ...row!, why: 'nothing' }))
      })
      assertFault(await bench.verify(file), 8, /does not follow/)
    })

    it('knows by the anchor that the whole chain was made anew', async () => {
      await bench.tamper(file, async (ask) => {
        let previous = ''
        for (const row of (await ask('select * from ledger order by sequence')) as LedgerRow[]) {
          if (row.sequence < 20) previous = row.hash
          else {
            const forged = { ...row, actor: 'nobody', previous_hash: previous }
            previous = rowHash(forged)
            await ask('update ledger set actor = ?, previous_hash = ?, hash = ? where sequence = ?', 'nobody', forged.previous_hash, previous, row.sequence)
          }
        }
      })
      assertFault(await bench.verify(file), ROWS, /anchored/)
      // going on with such a database does not cover it up
      const { store, warnings } = bench.open(file)
      await store.transaction((tx) => tx.save(lot('later'), created))
      assert.equal(warnings[0]?.code, 'TAKT_LEDGER_FAULT')
      assertFault(await store.verify(), ROWS, /anchored/)
    })

    it('names rows missing at the end, a row that is missing in the middle, and all that are gone', async () => {
      const remove = (where: string) => bench.tamper(file, async (ask) => void (await ask(`delete from ledger where ${where}`)))
      await remove(`sequence > ${ROWS - 3}`)
      assertFault(await bench.verify(file), ROWS - 2, /rows 38 to 40 are missing/)
      await remove('sequence = 13')
      assertFault(await bench.verify(file), 13, /row 13 is missing/)
      await remove('sequence > 0')
      assertFault(await bench.verify(file), 1, /rows 1 to 40 are missing/)
    })

    it('records a lost tail when it opens, never reuses its numbers, and goes on', async () => {
      await bench.tamper(file, async (ask) => void (await ask(`delete from ledger where sequence > ${ROWS - 3}`)))
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
      await bench.tamper(file, async (ask) => void (await ask(`delete from ledger where sequence > ${ROWS - 1}`)))
      assertFault(await store.verify(), ROWS)
      await store.transaction((tx) => tx.save(lot('after'), created))
      assert.equal(warnings.length, 1)
      assertFault(await store.verify(), ROWS, /rows 40 to 41 are missing/)
    })

    it('names the event of a document that was changed, put back, removed or misfiled behind its back', async () => {
      for (const [change, what] of [
        [`update lot set document = replace(document, 'held', 'released') where id = 'lot-5'`, /lot lot-5 is not what row 10 says/],
        [
          `update lot set revision = 1, disposition = 'in-process', ledger = 9, document = (select after from ledger where sequence = 9) where id = 'lot-5'`,
          /lot lot-5 is not the newest: row 10/,
        ],
        [`update lot set disposition = 'released' where id = 'lot-5'`, /column disposition of the lot lot-5/],
        [`delete from lot where id = 'lot-5'`, /lot lot-5 of row 10 is missing/],
      ] as const) {
        await bench.tamper(file, async (ask) => {
          const [row] = await ask(`select * from lot where id = 'lot-5'`)
          await ask(change)
          assertFault(await bench.verify(file), 10, what)
          if (change.startsWith('delete')) return
          await ask(
            `update lot set revision = ?, disposition = ?, ledger = ?, document = ? where id = 'lot-5'`,
            ...['revision', 'disposition', 'ledger', 'document'].map((column) => row![column] as string | number),
          )
        })
      }
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
  })
}
