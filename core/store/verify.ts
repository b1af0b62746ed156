import type { Kysely } from 'kysely'
import { TaktError } from '../base/error.ts'
import { type Anchor, sealFault } from './anchor.ts'
import { GENESIS, hashedText, type LedgerRow, readRows, textHash } from './ledger.ts'
import type { Tables } from './schema.ts'
import type { ArchivedPart, LedgerHead, Verification } from './store.ts'
import { verifyArchived } from './verify-archived.ts'
import { DocumentCheck } from './verify-documents.ts'

export interface VerifyOptions {
  /** PEM of the key that anchor and witnesses must be signed with; undefined: they need not be. */
  readonly publicKey?: string | undefined
  /** Heads noted elsewhere (a retained message, another machine, a printed report): the ledger must hold each of them. */
  readonly witnesses?: readonly Anchor[] | undefined
  /** Reads rows faster than through `db`, where the database can; undefined: through `db`. */
  readonly fast?: FastReader | undefined
  /** Folder of the archived parts, which are then checked with the rest; undefined: only what the ledger says of them. */
  readonly archive?: string | undefined
}

export interface FastReader {
  page(after: number, limit: number): readonly CheckedRow[]
  /** The text that the hash of a row is over, put together as it was when it was written: asked for before a row is called changed. */
  exactText(sequence: number): string
}

/** What of a row a check looks at; `text` is what its hash is over. */
export type CheckedRow = Pick<LedgerRow, 'sequence' | 'type' | 'subject' | 'after' | 'previous_hash' | 'hash'> & { readonly text: string }

const PAGE = 500

/** How a damaged file shows itself: pages that make no sense, values that cannot be read, tables that are not what they were. */
const DAMAGE: ReadonlySet<string> = new Set(['TAKT_STORE_CORRUPT', 'TAKT_STORE_VALUE', 'TAKT_STORE_QUERY'])

type Fault = NonNullable<Verification['fault']>

/**
 * Reads the whole ledger and names the first row that is wrong or missing: numbers without gaps, each hash over the row's content and the
 * hash before it, the head as anchored and witnessed, and every document as the ledger tells it; what was archived by its files where they are at hand. Reads in pages, so that other work goes on between.
 */
export async function verifyLedger(db: Kysely<Tables>, anchor: Anchor | null | undefined, options: VerifyOptions = {}): Promise<Verification> {
  const documents = new DocumentCheck()
  const noted = notedHeads(anchor, options)
  const keys = new Set<string>()
  let rows = 0
  let head: LedgerHead = GENESIS
  let archived: readonly ArchivedPart[] = []
  const report = (fault: Fault | null): Verification => ({ ok: fault === null, rows, head, fault, ...(archived.length > 0 && { archived }) })
  const pageAfter = async (after: number): Promise<readonly CheckedRow[]> =>
    options.fast?.page(after, PAGE) ?? (await readRows(db, after, PAGE)).map(checkedRow)
  try {
    const part = await verifyArchived(db, {
      page: pageAfter,
      rowFault: (row, previous) => faultOf(row, previous, noted, undefined),
      contentFault: (row) => contentFault(row, noted, options.fast),
      right(row) {
        documents.row(row)
        rows++
      },
      folder: options.archive,
    })
    archived = part.parts
    head = part.head
    if (part.fault !== null) return report(part.fault)
    for (;;) {
      const page = await pageAfter(head.sequence)
      for (const row of page) {
        const fault = faultOf(row, head, noted, options.fast) ?? (row.type === 'ledger.anchor-unsigned' ? unsignedAgain(row, keys) : undefined)
        if (fault !== undefined) return report(fault)
        documents.row(row)
        head = { sequence: row.sequence, hash: row.hash }
        rows++
      }
      if (page.length < PAGE) break
    }
    const last = endFault(anchor, head, options) ?? (await documents.fault(db, head.sequence)) ?? sealedFault(anchor, options)
    return report(last ?? null)
  } catch (error) {
    if (!(error instanceof TaktError) || !DAMAGE.has(error.code)) throw error
    return report({ sequence: head.sequence + 1, what: `the file is damaged here: ${error.what}` })
  }
}

function checkedRow(row: LedgerRow): CheckedRow {
  return { ...row, text: hashedText(row) }
}

interface Noted {
  readonly hash: string
  readonly what: string
}

/** Heads by their number, with the words for a row that is another. */
function notedHeads(anchor: Anchor | null | undefined, { witnesses = [] }: VerifyOptions): ReadonlyMap<number, readonly Noted[]> {
  const noted = new Map<number, Noted[]>()
  const note = ({ sequence, hash }: LedgerHead, what: string): void => void noted.set(sequence, [...(noted.get(sequence) ?? []), { hash, what }])
  if (anchor) note(anchor, 'anchored')
  for (const witness of witnesses) note(witness, 'witnessed')
  return noted
}

function faultOf(row: CheckedRow, previous: LedgerHead, noted: ReadonlyMap<number, readonly Noted[]>, fast: FastReader | undefined): Fault | undefined {
  const { sequence } = row
  const expected = previous.sequence + 1
  if (sequence !== expected) {
    return { sequence: expected, what: sequence === expected + 1 ? `row ${expected} is missing` : `rows ${expected} to ${sequence - 1} are missing` }
  }
  if (row.previous_hash !== previous.hash) return { sequence, what: `row ${sequence} does not follow row ${previous.sequence}: its previous hash is another` }
  const fault = contentFault(row, noted, fast)
  if (fault !== undefined) return fault
  if (row.type === 'ledger.anchor-mismatch') return anchorMismatch(row)
  return undefined
}

/** What a row shows by itself: is it what was written, and what was noted? */
function contentFault(row: CheckedRow, noted: ReadonlyMap<number, readonly Noted[]>, fast: FastReader | undefined): Fault | undefined {
  const { sequence } = row
  if (row.hash !== textHash(row.text) && (fast === undefined || row.hash !== textHash(fast.exactText(sequence))))
    return { sequence, what: `row ${sequence} was changed: its content does not give its hash` }
  const other = noted.get(sequence)?.find(({ hash }) => hash !== row.hash)
  return other === undefined ? undefined : { sequence, what: `row ${sequence} is not the one that was ${other.what}` }
}

/** An anchor that did not fit at some opening: the chain may be whole and yet not the one that was written. */
function anchorMismatch(row: CheckedRow): Fault {
  // the row's hash was right, so this is the JSON that was written
  const { sequence } = JSON.parse(row.after ?? '{}') as { sequence?: number }
  return { sequence: sequence ?? row.sequence, what: `row ${sequence} was not the one that was anchored, as row ${row.sequence} records` }
}

/** A key comes into use once. Where the anchor was found unsigned again, somebody had taken its signature away. */
function unsignedAgain(row: CheckedRow, keys: Set<string>): Fault | undefined {
  const { key = '' } = JSON.parse(row.after ?? '{}') as { key?: string }
  if (keys.has(key)) return { sequence: row.sequence, what: `the anchor had lost its signature before row ${row.sequence}, which records it` }
  keys.add(key)
  return undefined
}

/** What the heads noted outside say of the end. */
function endFault(anchor: Anchor | null | undefined, head: LedgerHead, { witnesses = [] }: VerifyOptions): Fault | undefined {
  if (anchor === null && head.sequence > 0) return { sequence: head.sequence, what: 'the anchor file is missing, so a lost tail cannot be excluded' }
  const furthest = Math.max(anchor?.sequence ?? 0, ...witnesses.map(({ sequence }) => sequence))
  if (furthest <= head.sequence) return undefined
  const [from, to] = [head.sequence + 1, furthest]
  return { sequence: from, what: from === to ? `row ${from} is missing at the end` : `rows ${from} to ${to} are missing at the end` }
}

/** Every row fits; but who wrote the heads that they were compared with? */
function sealedFault(anchor: Anchor | null | undefined, { publicKey, witnesses = [] }: VerifyOptions): Fault | undefined {
  if (publicKey === undefined) return undefined
  const heads = [...(anchor ? [{ head: anchor, name: 'the anchor' }] : []), ...witnesses.map((head) => ({ head, name: 'a witness' }))]
  for (const { head, name } of heads) {
    // the anchor of a ledger without a row says nothing that could be forged
    const what = head.sequence === 0 ? undefined : sealFault(head, publicKey, name)
    if (what !== undefined) return { sequence: head.sequence, what }
  }
  return undefined
}
