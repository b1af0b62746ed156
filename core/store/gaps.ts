import type { Gap } from '../messages/gap.ts'
import type { Store, StoreTransaction } from './store.ts'

/** Records that values are missing, with their bounds: the ledger's event `source.gap`. */
export async function recordGap(store: Store, gap: Gap, actor: string): Promise<void> {
  await store.transaction((tx) => writeGap(tx, gap, actor))
}

/** The same inside a transaction. */
export async function writeGap(tx: StoreTransaction, gap: Gap, actor: string): Promise<void> {
  await tx.record({ type: 'source.gap', subject: gap.source, actor, why: gap.why, after: gap })
}
