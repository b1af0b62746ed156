import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../core/base/clock.ts'
import type { Lot } from '../../../core/messages/lot.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { verifyFile } from '../../../core/store/verify-file.ts'
import type { Row } from '../../support/table.ts'

const LOTS = 2000
const CHANGES = 50
const UNDER_WAY = 256

/** How fast a ledger is checked whole: numbers, hashes, anchor, and every document against its last row. */
export async function run(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-verify-'))
  const file = join(folder, 'takt.db')
  try {
    const store = openStore({ file, clock: systemClock })
    for (let change = 0; change < CHANGES; change++) {
      for (let from = 0; from < LOTS; from += UNDER_WAY) {
        const ids = Array.from({ length: Math.min(UNDER_WAY, LOTS - from) }, (_, index) => from + index)
        // several documents a transaction: what is measured is the reading
        await Promise.all(
          [0, 1, 2, 3].map((part) =>
            store.transaction(async (tx) => {
              for (const id of ids.filter((candidate) => candidate % 4 === part)) {
                const before = await tx.get('lot', `lot-${id}`)
                await tx.save(
                  { ...lot(id), ...before, quantity: { value: change + 1, unit: 'pcs' } },
                  { type: 'lot.changed', actor: 'node:bench', why: `change ${change}` },
                )
              }
            }),
          ),
        )
      }
    }
    const inside = await timed(() => store.verify())
    await store.close()
    const outside = await timed(() => verifyFile(file))
    return [
      { what: 'verify, in a running Node-RED', figure: inside.rate, unit: 'rows/s', target: { atLeast: 100_000 }, note: inside.note },
      { what: 'verify, from the command line', figure: outside.rate, unit: 'rows/s', target: { atLeast: 100_000 }, note: outside.note },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function timed(verify: () => Promise<{ readonly ok: boolean; readonly rows: number }>): Promise<{ readonly rate: number; readonly note: string }> {
  const began = performance.now()
  const { ok, rows } = await verify()
  const ms = performance.now() - began
  if (!ok) throw new Error('the ledger that the benchmark wrote is not whole')
  return { rate: (rows / ms) * 1000, note: `${rows.toLocaleString('en')} rows of documents in ${Math.round(ms)} ms` }
}

function lot(id: number): Lot {
  return {
    kind: 'lot',
    id: `lot-${id}`,
    material: 'shaft-a',
    quantity: { value: 1, unit: 'pcs' },
    disposition: 'in-process',
    location: 'acme/berlin/line-1/mill-2',
    workOrder: `wo-${id}`,
  }
}
