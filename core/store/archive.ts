import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { TaktError } from '../base/error.ts'
import { type Anchor, signHead } from './anchor.ts'
import type { SigningKey } from './anchor-key.ts'
import { keptRows, removePlans, removeRows, type Stretch } from './archive-keep.ts'
import { checkSegment, readSegment, removeSegment, segmentName, type WrittenSegment, writeNote, writeSegment } from './archive-segment.ts'
import { ARCHIVED, type ArchivedRange, archivedRanges, KeptHash } from './archived-ranges.ts'
import { folderError } from './backup-folder.ts'
import { GENESIS, type LedgerRow, readRows } from './ledger.ts'
import type { Actor, LedgerHead, Store, StoreTransaction } from './store.ts'

export interface ArchiveOptions {
  /** Rows with an earlier plant time go, epoch ms. */
  readonly before: number
  /** Plant time now, epoch ms. */
  readonly now: number
  /** Folder that the files are written into; made where there is none. */
  readonly folder: string
  /** Who moves them. */
  readonly actor: Actor
  readonly key?: SigningKey | undefined
  /** Rows a file; writers wait while one is settled. Default 10,000. */
  readonly rowsAtOnce?: number
  /** Hears of each file that is done. */
  readonly progress?: (range: ArchivedRange) => void
}

export interface Archived {
  readonly segments: readonly ArchivedRange[]
  /** rows that are in the files, and of them those that stayed in the table too */
  readonly rows: number
  readonly kept: number
}

const DAY_MS = 86_400_000
/** What works on the last weeks reads the ledger: figures of shifts, how often alarms were false. */
const YOUNGEST_DAYS = 31
const ROWS_AT_ONCE = 10_000
/** Plans are large. */
const PAGE = 100

/**
 * Moves old rows of the ledger into files. Each file is written, flushed and read back whole before a single row leaves the table; then one transaction records
 * `ledger.archived` with the file's hash, removes what need not stay and records `ledger.trimmed`. Killed midway, nothing is lost: the next call begins with the file
 * that was not finished. Of a ledger with a fault only rows before it are moved. Throws TAKT_ARCHIVE_BOUNDARY, TAKT_BACKUP_FOLDER, TAKT_BACKUP_SPACE, TAKT_ARCHIVE_SEGMENT and what the store throws.
 */
export async function archiveLedger(store: Store, options: ArchiveOptions): Promise<Archived> {
  const { before, now, rowsAtOnce = ROWS_AT_ONCE, progress = () => {} } = options
  if (!Number.isFinite(before) || before > now - YOUNGEST_DAYS * DAY_MS) {
    const day = Number.isFinite(before) ? new Date(before).toISOString().slice(0, 10) : String(before)
    throw refused(`${day} is not ${YOUNGEST_DAYS} days back; what happened since is still worked on`)
  }
  const folder = resolve(options.folder)
  const { fault } = await store.verify()
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw folderError(error, folder)
  })

  const segments: ArchivedRange[] = []
  let follows = (await archivedRanges(store.db)).at(-1)?.head ?? GENESIS
  const end = Math.min(await lastBefore(store, follows, before), (fault?.sequence ?? Number.POSITIVE_INFINITY) - 1)
  if (fault !== null && end <= follows.sequence)
    throw refused(`the ledger is not whole (row ${fault.sequence}: ${fault.what}), and what is wrong must stay to be seen`)
  while (follows.sequence < end) {
    const stretch = { first: follows.sequence + 1, last: Math.min(end, follows.sequence + rowsAtOnce) }
    const range = await archiveStretch(store, stretch, follows, folder, options)
    segments.push(range)
    progress(range)
    follows = range.head
  }
  return { segments, rows: sum(segments, (range) => range.rows), kept: sum(segments, (range) => range.kept.rows) }
}

/** The row up to which all are older than that. The newest always stays. */
async function lastBefore({ db }: Store, { sequence }: LedgerHead, before: number): Promise<number> {
  const younger = await db
    .selectFrom('ledger')
    .select((expression) => expression.fn.min('sequence').as('sequence'))
    .where('sequence', '>', sequence)
    .where('time', '>=', before)
    .executeTakeFirst()
  const head = await db
    .selectFrom('ledger')
    .select((expression) => expression.fn.max('sequence').as('sequence'))
    .executeTakeFirst()
  return Math.min(younger?.sequence ?? Number.POSITIVE_INFINITY, head?.sequence ?? 0) - 1
}

async function archiveStretch(store: Store, stretch: Stretch, follows: LedgerHead, folder: string, options: ArchiveOptions): Promise<ArchivedRange> {
  const [lastRow] = await readRows(store.db, stretch.last - 1, 1)
  if (lastRow === undefined) throw refused(`row ${stretch.last} is missing`)
  const path = join(folder, segmentName(stretch.first, lastRow))
  const facts: Facts = { from: undefined, to: 0, head: follows }
  try {
    const written = await writeSegment(path, rowsOf(store, stretch, facts))
    await checkSegment(folder, written, follows, facts.head)
    if (facts.head.sequence !== stretch.last) throw refused(`row ${facts.head.sequence + 1} is missing`)
    const head = signHead(facts.head, options.key)
    const { first, last } = stretch
    const told = { first, last, rows: last - first + 1, previousHash: follows.hash, head, from: facts.from ?? 0, to: facts.to, ...written }
    await writeNote(path, { kind: 'takt-ledger-segment', ...told })
    return await store.transaction((tx) => trim(tx, stretch, told, options.actor))
  } catch (error) {
    await removeSegment(`${path}.new`)
    throw folderError(error, path)
  }
}

interface Facts {
  from: number | undefined
  to: number
  head: LedgerHead
}

async function* rowsOf({ db }: Store, { first, last }: Stretch, facts: Facts): AsyncGenerator<LedgerRow> {
  for (let at = first - 1; at < last; ) {
    const page = await readRows(db, at, Math.min(PAGE, last - at))
    if (page.length === 0) return
    for (const row of page) {
      facts.from ??= row.time
      facts.to = Math.max(facts.to, row.time)
      facts.head = { sequence: row.sequence, hash: row.hash }
      at = row.sequence
      yield row
    }
  }
}

type Told = Omit<ArchivedRange, 'kept' | 'plans' | 'head'> & WrittenSegment & { readonly head: Anchor }

async function trim(tx: StoreTransaction, stretch: Stretch, told: Told, actor: Actor): Promise<ArchivedRange> {
  const { first, last } = stretch
  const ranges = await archivedRanges(tx.db)
  if ((ranges.at(-1)?.head.sequence ?? 0) !== first - 1) throw refused(`row ${first} was archived by another in the meantime`)
  const plans = await removePlans(tx, stretch)
  const kept = await keptRows(tx.db, stretch)
  const hash = new KeptHash()
  for (const row of kept) hash.add(row)
  const range: ArchivedRange = { ...told, kept: hash.digest(), plans }
  const why = `rows ${first} to ${last} are in ${told.file}`
  await tx.record({ type: ARCHIVED, subject: 'ledger', actor, why, after: range })
  const removed = await removeRows(tx.db, stretch)
  if (removed !== told.rows - kept.length) throw refused(`${removed} rows would be removed instead of ${told.rows - kept.length}`)
  // from here on the database refuses again to remove a row
  await tx.record({ type: 'ledger.trimmed', subject: 'ledger', actor, why: `${removed} rows removed, ${kept.length} stay`, after: { first, last, removed } })
  return range
}

/** Every row of what was archived, from its files in their order. Throws TAKT_ARCHIVE_SEGMENT. */
export async function* archivedRows(ranges: readonly ArchivedRange[], folder: string): AsyncGenerator<LedgerRow> {
  for (const range of ranges) yield* readSegment(folder, range)
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}

function refused(what: string): TaktError {
  return new TaktError('TAKT_ARCHIVE_BOUNDARY', { what, where: 'ledger' })
}
