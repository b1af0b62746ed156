import type { Count } from '../messages/count.ts'
import type { StoreReader } from '../store/store.ts'

/** What a unit made for a job order in a span; `jobOrder` null: parts that no job order accounts for. */
export interface Made {
  readonly equipment: string
  readonly jobOrder: string | null
  readonly good: number
  readonly scrap: number
  /** First and last ledger events that say so. */
  readonly lineage: readonly [number, number]
}

/** A count that comes later than this after its span is not looked for any more. */
const LATEST_ARRIVAL_MS = 86_400_000

/**
 * Adds up the counted parts whose source time lies in a span, from the ledger's count events.
 * Asked again with the same `from`, it reads only what was recorded since; so a dashboard can ask every second.
 */
export class CountWindow {
  readonly from: number
  #read = 0
  readonly #made = new Map<string, Made>()

  constructor(from: number) {
    this.from = from
  }

  async upTo(store: StoreReader, to: number): Promise<readonly Made[]> {
    if (this.#read === 0) this.#read = await sequenceBefore(store, this.from)
    const rows = await store.db
      .selectFrom('ledger')
      .select(['sequence', 'after'])
      .where('type', '=', 'count.recorded')
      .where('sequence', '>', this.#read)
      .where('time', '<=', to + LATEST_ARRIVAL_MS)
      .orderBy('sequence')
      .execute()
    for (const { sequence, after } of rows) {
      this.#read = sequence
      const count = JSON.parse(after ?? 'null') as Count | null
      if (count === null || count.time < this.from || count.time >= to) continue
      const key = `${count.equipment} ${count.jobOrder ?? ''}`
      const { good, scrap, lineage } = this.#made.get(key) ?? { good: 0, scrap: 0, lineage: [sequence, sequence] }
      this.#made.set(key, {
        equipment: count.equipment,
        jobOrder: count.jobOrder,
        good: good + count.good,
        scrap: scrap + count.scrap,
        lineage: [lineage[0], sequence],
      })
    }
    return [...this.#made.values()]
  }
}

/** The last ledger event before a time; 0 when there is none. Found by the index on time, so that a long ledger is not read. */
async function sequenceBefore(store: StoreReader, time: number): Promise<number> {
  const row = await store.db
    .selectFrom('ledger')
    .select('sequence')
    .where('time', '<', time)
    .orderBy('time', 'desc')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.sequence ?? 0
}
