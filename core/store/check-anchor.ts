import { type Anchor, sealFault, signHead } from './anchor.ts'
import type { SigningKey } from './anchor-key.ts'
import { archivedUpTo } from './archived-ranges.ts'
import type { Backend, WriteSession } from './backend.ts'
import { GENESIS, nextRow, readHead } from './ledger.ts'
import type { LedgerHead } from './store.ts'

/** What was found wrong when the ledger was compared with its anchor. */
export interface AnchorFinding {
  readonly type: 'ledger.tail-lost' | 'ledger.anchor-mismatch' | 'ledger.anchor-lost' | 'ledger.anchor-unsigned' | 'ledger.anchor-begun'
  readonly what: string
}

/**
 * Compares the ledger with the head anchored outside the database, at opening. A difference becomes an event of the ledger itself, so that
 * going on does not cover it: a lost tail leaves its numbers missing, for later rows follow the anchored head and never take their place.
 */
export async function checkAnchor(backend: Backend, now: number, key: SigningKey | undefined): Promise<AnchorFinding | undefined> {
  const anchor = await backend.readAnchor()
  if (anchor === undefined) return undefined
  const session = backend.begin()
  try {
    const head = await readHead(session.db(() => {}))
    const found = (await compare(session, anchor, head, backend.shared)) ?? unsigned(anchor, head, key)
    if (found === undefined) {
      // a new database is anchored before its first event, so that no anchor always means a lost one
      await session.commit(anchor === null ? signHead(GENESIS, key) : null)
      return undefined
    }
    const { follows, type, what, after } = found
    const row = nextRow(follows, { type, subject: 'ledger', actor: 'store', why: what, before: null, after: JSON.stringify(after), time: now })
    session.append(row)
    await session.commit(signHead(row, key))
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

/** An anchor that our key did not sign, although there is one: said once, when the key comes into use. `verify` knows a second time for what it is. */
function unsigned(anchor: Anchor | null, head: LedgerHead, key: SigningKey | undefined): Found | undefined {
  if (anchor === null || key === undefined || head.sequence === 0) return undefined
  const fault = sealFault(anchor, key.publicKey, 'the anchor')
  if (fault === undefined) return undefined
  return { type: 'ledger.anchor-unsigned', what: `${fault}; from here on heads are signed by ${key.id}`, follows: head, after: { anchor, key: key.id } }
}

async function compare(session: WriteSession, anchor: Anchor | null, head: LedgerHead, shared: boolean): Promise<Found | undefined> {
  if (anchor === null) {
    if (head.sequence === 0) return undefined
    // where several instances write, each has an anchor of its own, and none at its first start
    if (shared)
      return { type: 'ledger.anchor-begun', what: `an instance without an anchor has one from row ${head.sequence} on`, follows: head, after: { head } }
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
  // of an instance that has not written since; the row is in the archive, whose hash is in the ledger
  if (row === undefined && anchor.sequence <= ((await archivedUpTo({ db: session.db(() => {}) }))?.sequence ?? 0)) return undefined
  const what = `row ${anchor.sequence} is not the one that was anchored`
  return { type: 'ledger.anchor-mismatch', what, follows: head, after: { sequence: anchor.sequence, anchor, found: row?.hash ?? null } }
}
