import { TaktError } from '../base/error.ts'
import type { Count } from '../messages/count.ts'
import { archivedUpTo } from '../store/archived-ranges.ts'
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

interface Track {
  readonly equipment: string
  readonly jobOrder: string | null
  /** What the unit had made for the job order when the span began. */
  readonly before: Pick<Count, 'good' | 'scrap'>
  total: Pick<Count, 'good' | 'scrap'>
  readonly first: number
  last: number
}

/**
 * The parts counted with a source time in a span, from the ledger's count events. It goes by their running totals, so that a part which was booked
 * on another job order later counts there. Asked again, it reads only what was recorded since: a dashboard can ask every second.
 */
export class CountWindow {
  readonly from: number
  #read: number | undefined
  readonly #tracks = new Map<string, Track>()

  constructor(from: number) {
    this.from = from
  }

  async upTo(store: StoreReader, to: number): Promise<readonly Made[]> {
    this.#read ??= await sequenceBefore(store, this.from)
    const rows = await store.db
      .selectFrom('ledger')
      .select(['sequence', 'after'])
      .where('type', '=', 'count.recorded')
      .where('sequence', '>', this.#read)
      .where('time', '<=', to + LATEST_ARRIVAL_MS)
      .orderBy('sequence')
      .execute()
    let allTaken = true
    for (const { sequence, after } of rows) {
      const count = JSON.parse(after ?? 'null') as Count | null
      // what lies beyond is read again when the span has grown; taking an event twice changes nothing
      allTaken &&= count === null || count.time < to
      if (allTaken) this.#read = sequence
      if (count !== null && count.time >= this.from && count.time < to) this.#take(count, sequence)
    }
    return [...this.#tracks.values()].map(({ equipment, jobOrder, before, total, first, last }) => ({
      equipment,
      jobOrder,
      good: total.good - before.good,
      scrap: total.scrap - before.scrap,
      lineage: [first, last],
    }))
  }

  #take({ equipment, jobOrder, good, scrap, total }: Count, sequence: number): void {
    const key = `${equipment} ${jobOrder ?? ''}`
    const known = this.#tracks.get(key)
    if (known === undefined) {
      const before = { good: total.good - good, scrap: total.scrap - scrap }
      this.#tracks.set(key, { equipment, jobOrder, before, total, first: sequence, last: sequence })
    } else if (sequence > known.last) {
      known.total = total
      known.last = sequence
    }
  }
}

/** Throws TAKT_LEDGER_ARCHIVED where counts since a time are not all in the ledger any more: a figure without them would lie. */
export async function assertCounted(store: StoreReader, from: number): Promise<void> {
  const archived = await archivedUpTo(store)
  if (archived === undefined || from > archived.time) return
  const [asked, until] = [from, archived.time].map((time) => new Date(time).toISOString())
  throw new TaktError('TAKT_LEDGER_ARCHIVED', {
    what: `parts counted since ${asked} are asked for, and the ledger's rows up to ${until} are in the archive`,
    where: 'counts',
  })
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
