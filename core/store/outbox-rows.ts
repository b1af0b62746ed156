import type { Selectable } from 'kysely'
import { TaktError } from '../base/error.ts'
import type { Tables } from './schema.ts'
import type { StoreTransaction } from './store.ts'
import { toStorableText } from './values.ts'

export type OutboxRow = Selectable<Tables['outbox']>

export interface Lease {
  /** real time, epoch ms */
  readonly now: number
  readonly until: number
  readonly limit: number
  /** the longest that a message waits after a failure, ms */
  readonly longestPauseMs: number
}

export interface Leased {
  readonly rows: readonly OutboxRow[]
  /** of this destination, leased or not */
  readonly waiting: number
  /** when the oldest was written */
  readonly oldest: number | undefined
}

/**
 * Takes the oldest rows of a destination that nobody has and that are due. A topic whose oldest row is not due, or belongs to another worker,
 * has to wait as a whole: its order is kept. What is said of a time that lies further ahead than anybody could have said it was said by a clock that has been set back since.
 */
export async function lease(tx: StoreTransaction, destination: string, owner: string, { now, until, limit, longestPauseMs }: Lease): Promise<Leased> {
  const leaseMs = until - now
  // clocks of other instances may be ahead of this one by a lease
  const [held, due] = [until + leaseMs, until + longestPauseMs]
  const blocked = tx.db
    .selectFrom('outbox')
    .select('topic')
    .where('destination', '=', destination)
    .where((either) =>
      either.or([
        either.and([either('due', '>', now), either('due', '<=', due)]),
        either.and([either('leased_until', '>', now), either('leased_until', '<=', held), either('leased_by', '!=', owner)]),
      ]),
    )
  const rows = await tx.db
    .selectFrom('outbox')
    .selectAll()
    .where('destination', '=', destination)
    .where('topic', 'not in', blocked)
    .orderBy('id')
    .limit(limit)
    .execute()
  const { waiting = 0, oldest = null } =
    (await tx.db
      .selectFrom('outbox')
      .select(({ fn }) => [fn.countAll<number>().as('waiting'), fn.min('created').as('oldest')])
      .where('destination', '=', destination)
      .executeTakeFirst()) ?? {}
  if (rows.length > 0) {
    await tx.db
      .updateTable('outbox')
      .set({ leased_by: owner, leased_until: until })
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .execute()
  }
  return { rows, waiting, oldest: oldest ?? undefined }
}

/** Lets go of what was taken and not delivered. */
export async function release(tx: StoreTransaction, destination: string, owner: string): Promise<void> {
  await tx.db.updateTable('outbox').set({ leased_by: null, leased_until: null }).where('destination', '=', destination).where('leased_by', '=', owner).execute()
}

/** Lets go of what anybody had taken; only where no other process can have it under way. */
export async function freeAll(tx: StoreTransaction, destination: string): Promise<void> {
  await tx.db.updateTable('outbox').set({ leased_by: null, leased_until: null }).where('destination', '=', destination).execute()
}

/** The receiver has them. */
export async function discard(tx: StoreTransaction, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await tx.db.deleteFrom('outbox').where('id', 'in', ids).execute()
}

/** Nothing where another worker has taken it meanwhile: this one stood still for longer than its lease. */
export async function postpone(tx: StoreTransaction, owner: string, { id, attempts }: OutboxRow, due: number): Promise<void> {
  await tx.db
    .updateTable('outbox')
    .set({ attempts: attempts + 1, due })
    .where('id', '=', id)
    .where('leased_by', '=', owner)
    .execute()
}

/**
 * Puts a message aside that is refused again and again, so that those behind it can go: into the quarantine, and the ledger tells.
 * False, and nothing is done, where another worker has taken it meanwhile.
 */
export async function giveUp(tx: StoreTransaction, owner: string, row: OutboxRow, error: TaktError, now: number): Promise<boolean> {
  const { id, destination, topic, body, attempts } = row
  const { code, remedy } = new TaktError('TAKT_OUTBOX_GIVEN_UP', { where: destination })
  const what = toStorableText(`refused ${attempts + 1} times, the last time because of ${error.code}: ${error.what}`)
  const where = toStorableText(`${destination}, ${topic}`)
  const { numDeletedRows } = await tx.db.deleteFrom('outbox').where('id', '=', id).where('leased_by', '=', owner).executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) return false
  await tx.db
    .insertInto('quarantine')
    .values({ code, what, where, remedy, received: now, bytes: Buffer.byteLength(body), excerpt: toStorableText(body.slice(0, 2000)) })
    .execute()
  await tx.record({
    type: 'outbox.given-up',
    subject: where.slice(0, 200),
    actor: 'store',
    why: what,
    after: { destination, topic, body, attempts: attempts + 1 },
  })
  return true
}
