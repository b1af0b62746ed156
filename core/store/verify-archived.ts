import type { Kysely } from 'kysely'
import { TaktError } from '../base/error.ts'
import { readSegment } from './archive-segment.ts'
import { type ArchivedRange, archivedRanges, BrokenArchive, KeptHash } from './archived-ranges.ts'
import { GENESIS, hashedText, type LedgerRow } from './ledger.ts'
import type { Tables } from './schema.ts'
import type { ArchivedPart, LedgerHead, Verification } from './store.ts'
import type { CheckedRow } from './verify.ts'

type Fault = NonNullable<Verification['fault']>

export interface ArchivedCheck {
  /** Rows of the table that follow a number, some of them; fewer than asked for only at its end. */
  page(after: number): Promise<readonly CheckedRow[]>
  /** What is wrong with a row that must follow another; of one that stayed alone only its own content can be asked. */
  rowFault(row: CheckedRow, previous: LedgerHead): Fault | undefined
  contentFault(row: CheckedRow): Fault | undefined
  /** Told each row of the table that is right, in order. */
  right(row: CheckedRow): void
  /** Folder of the files; undefined: they are not at hand. */
  readonly folder: string | undefined
}

export interface ArchivedResult {
  /** What the first row after them follows. */
  readonly head: LedgerHead
  readonly parts: readonly ArchivedPart[]
  readonly fault: Fault | null
}

/**
 * The part of the ledger that was archived: with the files, every row of it, each file by the hash that the ledger has, and the rows that stayed against them; without, that
 * the rows that stayed are the ones the ledger's events name. The events are rows of the chain, which is checked afterwards.
 */
export async function verifyArchived(db: Kysely<Tables>, check: ArchivedCheck): Promise<ArchivedResult> {
  let ranges: readonly ArchivedRange[]
  try {
    ranges = await archivedRanges(db)
  } catch (error) {
    if (!(error instanceof BrokenArchive)) throw error
    return { head: GENESIS, parts: [], fault: { sequence: error.sequence, what: error.message } }
  }
  const parts: ArchivedPart[] = []
  let head: LedgerHead = GENESIS
  const live = new LiveRows(check)
  for (const range of ranges) {
    const fault = await (check.folder === undefined ? withoutFile(range, live, check) : withFile(range, live, check, check.folder).catch(unreadable(range)))
    if (fault !== undefined) return { head, parts, fault }
    parts.push({ first: range.first, last: range.last, file: range.file, checked: check.folder !== undefined })
    head = { sequence: range.last, hash: range.head.hash }
  }
  return { head, parts, fault: null }
}

/** The rows of the table one by one. */
class LiveRows {
  readonly #check: ArchivedCheck
  #page: readonly CheckedRow[] = []
  #next = 0
  #after = 0
  #ended = false

  constructor(check: ArchivedCheck) {
    this.#check = check
  }

  /** The next row up to a number. */
  async upTo(last: number): Promise<CheckedRow | undefined> {
    if (this.#next === this.#page.length && !this.#ended) {
      this.#page = await this.#check.page(this.#after)
      this.#next = 0
      this.#after = this.#page.at(-1)?.sequence ?? this.#after
      this.#ended = this.#page.length === 0
    }
    const row = this.#page[this.#next]
    if (row === undefined || row.sequence > last) return undefined
    this.#next++
    return row
  }
}

async function withoutFile(range: ArchivedRange, live: LiveRows, check: ArchivedCheck): Promise<Fault | undefined> {
  const kept = new KeptHash()
  for (let row = await live.upTo(range.last); row !== undefined; row = await live.upTo(range.last)) {
    const fault = check.contentFault(row)
    if (fault !== undefined) return fault
    kept.add(row)
    check.right(row)
  }
  return keptFault(range, kept)
}

async function withFile(range: ArchivedRange, live: LiveRows, check: ArchivedCheck, folder: string): Promise<Fault | undefined> {
  const kept = new KeptHash()
  let previous: LedgerHead = { sequence: range.first - 1, hash: range.previousHash }
  let stayed = await live.upTo(range.last)
  for await (const row of readSegment(folder, range)) {
    const fault = check.rowFault(checked(row), previous)
    if (fault !== undefined) return fault
    previous = { sequence: row.sequence, hash: row.hash }
    if (stayed?.sequence !== row.sequence) continue
    if (stayed.hash !== row.hash) return { sequence: row.sequence, what: `row ${row.sequence} is not the one that was archived` }
    const changed = check.contentFault(stayed)
    if (changed !== undefined) return changed
    kept.add(stayed)
    check.right(stayed)
    stayed = await live.upTo(range.last)
  }
  if (previous.sequence !== range.last || previous.hash !== range.head.hash)
    return { sequence: previous.sequence + 1, what: `the archive file ${range.file} ends with row ${previous.sequence}, and the ledger says ${range.last}` }
  if (stayed !== undefined) return { sequence: stayed.sequence, what: `row ${stayed.sequence} was never there: the archive file does not have it` }
  return keptFault(range, kept)
}

/** A file that is missing or damaged is a fault of the ledger like any other. */
function unreadable({ first, last, file }: ArchivedRange): (error: unknown) => Fault {
  return (error) => {
    if (!(error instanceof TaktError) || error.code !== 'TAKT_ARCHIVE_SEGMENT') throw error
    return { sequence: first, what: `rows ${first} to ${last} cannot be checked, ${file}: ${error.what}` }
  }
}

function keptFault({ first, last, kept }: ArchivedRange, found: KeptHash): Fault | undefined {
  const { rows, hash } = found.digest()
  if (rows === kept.rows && hash === kept.hash) return undefined
  const what = rows === kept.rows ? 'are not the ones' : `are ${rows}, not the ${kept.rows}`
  return { sequence: first, what: `the rows that stayed of ${first} to ${last} ${what} that were left when the others were archived` }
}

function checked(row: LedgerRow): CheckedRow {
  return { ...row, text: hashedText(row) }
}
