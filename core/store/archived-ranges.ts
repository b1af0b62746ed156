import { createHash, type Hash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Anchor } from './anchor.ts'
import { GENESIS } from './ledger.ts'
import type { Tables } from './schema.ts'
import type { LedgerHead, StoreReader } from './store.ts'

export const ARCHIVED = 'ledger.archived'

/** What a `ledger.archived` event says: a stretch of the ledger that is in a file, of which some rows stayed. */
export interface ArchivedRange {
  readonly first: number
  readonly last: number
  /** in the file; all of the stretch */
  readonly rows: number
  /** what row `first` follows */
  readonly previousHash: string
  /** of row `last`, signed where the store has a key */
  readonly head: Anchor
  /** times of the first and the newest row, epoch ms */
  readonly from: number
  readonly to: number
  /** name of the file, its length, and SHA-256 over it, hex */
  readonly file: string
  readonly bytes: number
  readonly sha256: string
  /** Rows that stayed, and SHA-256 over a line `<sequence> <hash>` for each: without the file too it shows that they are those. */
  readonly kept: { readonly rows: number; readonly hash: string }
  /** versions of old plans that were removed with their rows */
  readonly plans: number
}

/** One hash over the rows that stayed, told in their order. */
export class KeptHash {
  readonly #hash: Hash = createHash('sha256')
  rows = 0

  add({ sequence, hash }: LedgerHead): void {
    this.#hash.update(`${sequence} ${hash}\n`)
    this.rows++
  }

  /** Ends it. */
  digest(): ArchivedRange['kept'] {
    return { rows: this.rows, hash: this.#hash.digest('hex') }
  }
}

interface ArchivedEvent {
  readonly sequence: number
  readonly after: string | null
}

/** What was archived, oldest first. Throws a sentence where the events do not make one stretch from the ledger's first row on. */
export async function archivedRanges(db: Kysely<Tables>): Promise<readonly ArchivedRange[]> {
  const rows = await db.selectFrom('ledger').select(['sequence', 'after']).where('type', '=', ARCHIVED).orderBy('sequence').execute()
  const ranges: ArchivedRange[] = []
  let head: LedgerHead = GENESIS
  for (const row of rows) {
    const range = rangeOf(row)
    const follows = range !== undefined && range.first === head.sequence + 1 && range.last < row.sequence && range.previousHash === head.hash
    if (!follows) throw new BrokenArchive(row.sequence, `row ${row.sequence} does not name a part of the ledger that follows row ${head.sequence}`)
    ranges.push(range)
    head = range.head
  }
  return ranges
}

/** The events contradict each other: somebody wrote one. */
export class BrokenArchive extends Error {
  readonly sequence: number

  constructor(sequence: number, what: string) {
    super(what)
    this.sequence = sequence
  }
}

/** The newest time that is archived, epoch ms, and the last row; undefined where all rows are there. What is asked of the ledger before that has no full answer any more. */
export async function archivedUpTo({ db }: Pick<StoreReader, 'db'>): Promise<{ readonly sequence: number; readonly time: number } | undefined> {
  const row = await db.selectFrom('ledger').select(['sequence', 'after']).where('type', '=', ARCHIVED).orderBy('sequence', 'desc').limit(1).executeTakeFirst()
  const range = row === undefined ? undefined : rangeOf(row)
  return range && { sequence: range.last, time: range.to }
}

function rangeOf({ after }: ArchivedEvent): ArchivedRange | undefined {
  const range = JSON.parse(after ?? 'null') as Partial<ArchivedRange> | null
  if (range === null || typeof range !== 'object') return undefined
  const numbers = [range.first, range.last, range.rows, range.from, range.to, range.bytes, range.kept?.rows, range.head?.sequence]
  const texts = [range.previousHash, range.head?.hash, range.file, range.sha256, range.kept?.hash]
  if (!numbers.every((value) => Number.isSafeInteger(value)) || !texts.every((value) => typeof value === 'string')) return undefined
  const whole = range as ArchivedRange
  const isStretch = whole.first >= 1 && whole.last >= whole.first && whole.rows === whole.last - whole.first + 1 && whole.head.sequence === whole.last
  // a name and nothing else: it is looked for in the folder that is given
  return isStretch && /^[\w.-]+$/.test(whole.file) ? whole : undefined
}
