import type { Kysely } from 'kysely'
import { TaktError } from '../base/error.ts'
import { GENESIS, type LedgerRow, readRows, rowHash } from './ledger.ts'
import type { Tables } from './schema.ts'
import type { LedgerHead, Verification } from './store.ts'
import { DocumentCheck } from './verify-documents.ts'

const PAGE = 500

/** How a damaged file shows itself: pages that make no sense, values that cannot be read, tables that are not what they were. */
const DAMAGE: ReadonlySet<string> = new Set(['TAKT_STORE_CORRUPT', 'TAKT_STORE_VALUE', 'TAKT_STORE_QUERY'])

type Fault = NonNullable<Verification['fault']>

/**
 * Reads the whole ledger and names the first row that is wrong or missing: numbers without gaps, each hash over the row's content and the
 * hash before it, the head as anchored, and every document as the ledger tells it. Reads in pages, so that other work goes on between.
 */
export async function verifyLedger(db: Kysely<Tables>, anchor: LedgerHead | null | undefined): Promise<Verification> {
  const documents = new DocumentCheck()
  let rows = 0
  let head: LedgerHead = GENESIS
  const report = (fault: Fault | null): Verification => ({ ok: fault === null, rows, head, fault })
  try {
    for (;;) {
      const page = await readRows(db, head.sequence, PAGE)
      for (const row of page) {
        const fault = faultOf(row, head, anchor)
        if (fault !== undefined) return report(fault)
        documents.row(row)
        head = { sequence: row.sequence, hash: row.hash }
        rows++
      }
      if (page.length < PAGE) break
    }
    return report(anchorFault(anchor, head) ?? (await documents.fault(db, head.sequence)) ?? null)
  } catch (error) {
    if (!(error instanceof TaktError) || !DAMAGE.has(error.code)) throw error
    return report({ sequence: head.sequence + 1, what: `the file is damaged here: ${error.what}` })
  }
}

function faultOf(row: LedgerRow, previous: LedgerHead, anchor: LedgerHead | null | undefined): Fault | undefined {
  const { sequence } = row
  const expected = previous.sequence + 1
  if (sequence !== expected) {
    return { sequence: expected, what: sequence === expected + 1 ? `row ${expected} is missing` : `rows ${expected} to ${sequence - 1} are missing` }
  }
  if (row.previous_hash !== previous.hash) return { sequence, what: `row ${sequence} does not follow row ${previous.sequence}: its previous hash is another` }
  if (row.hash !== rowHash(row)) return { sequence, what: `row ${sequence} was changed: its content does not give its hash` }
  if (anchor?.sequence === sequence && anchor.hash !== row.hash) return { sequence, what: `row ${sequence} is not the one that was anchored` }
  if (row.type === 'ledger.anchor-mismatch') return anchorMismatch(row)
  return undefined
}

/** An anchor that did not fit at some opening: the chain may be whole and yet not the one that was written. */
function anchorMismatch(row: LedgerRow): Fault {
  // the row's hash was right, so this is the JSON that was written
  const { sequence } = JSON.parse(row.after ?? '{}') as { sequence?: number }
  return { sequence: sequence ?? row.sequence, what: `row ${sequence} was not the one that was anchored, as row ${row.sequence} records` }
}

function anchorFault(anchor: LedgerHead | null | undefined, head: LedgerHead): Fault | undefined {
  if (anchor === null && head.sequence > 0) return { sequence: head.sequence, what: 'the anchor file is missing, so a lost tail cannot be excluded' }
  if (!anchor || anchor.sequence <= head.sequence) return undefined
  const [from, to] = [head.sequence + 1, anchor.sequence]
  return { sequence: from, what: from === to ? `row ${from} is missing at the end` : `rows ${from} to ${to} are missing at the end` }
}
