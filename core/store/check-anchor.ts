import type { Backend, WriteSession } from './backend.ts'
import { GENESIS, nextRow, readHead } from './ledger.ts'
import type { LedgerHead } from './store.ts'

/** What was found wrong when the ledger was compared with its anchor. */
export interface AnchorFinding {
  readonly type: 'ledger.tail-lost' | 'ledger.anchor-mismatch' | 'ledger.anchor-lost'
  readonly what: string
}

/**
 * Compares the ledger with the head anchored outside the database, at opening. A difference becomes an event of the ledger itself, so that
 * going on does not cover it: a lost tail leaves its numbers missing, for later rows follow the anchored head and never take their place.
 */
export async function checkAnchor(backend: Backend, now: number): Promise<AnchorFinding | undefined> {
  const anchor = await backend.readAnchor()
  if (anchor === undefined) return undefined
  const session = backend.begin()
  try {
    const head = await readHead(session.db(() => {}))
    const found = await compare(session, anchor, head)
    if (found === undefined) {
      // a new database is anchored before its first event, so that no anchor always means a lost one
      await session.commit(anchor === null ? GENESIS : null)
      return undefined
    }
    const { follows, type, what, after } = found
    const row = nextRow(follows, { type, subject: 'ledger', actor: 'store', why: what, before: null, after: JSON.stringify(after), time: now })
    session.append(row)
    await session.commit({ sequence: row.sequence, hash: row.hash })
    return { type, what }
  } catch (error) {
    await session.rollback().catch(() => {})
    throw error
  }
}

interface Found extends AnchorFinding {
  readonly follows: LedgerHead
  readonly after: unknown
}

async function compare(session: WriteSession, anchor: LedgerHead | null, head: LedgerHead): Promise<Found | undefined> {
  if (anchor === null) {
    if (head.sequence === 0) return undefined
    return { type: 'ledger.anchor-lost', what: `the anchor of the ledger is gone; it was made anew at row ${head.sequence}`, follows: head, after: { head } }
  }
  if (anchor.sequence > head.sequence) {
    const [from, to] = [head.sequence + 1, anchor.sequence]
    const what = from === to ? `row ${from} is missing` : `rows ${from} to ${to} are missing`
    return { type: 'ledger.tail-lost', what, follows: anchor, after: { from, to, anchor, head } }
  }
  if (anchor.sequence === 0) return undefined
  const row = await session
    .db(() => {})
    .selectFrom('ledger')
    .select('hash')
    .where('sequence', '=', anchor.sequence)
    .executeTakeFirst()
  if (row?.hash === anchor.hash) return undefined
  const what = `row ${anchor.sequence} is not the one that was anchored`
  return { type: 'ledger.anchor-mismatch', what, follows: head, after: { sequence: anchor.sequence, anchor, found: row?.hash ?? null } }
}
