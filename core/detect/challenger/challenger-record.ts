import { QUIET } from '../latch.ts'
import type { RecordMemory } from '../record-memory.ts'
import type { TrackState } from '../track.ts'
import { isOfWatch, partsOf, type WatchRecords } from '../watch-records.ts'
import type { SavedAlarms } from './alarm-log.ts'

/** What is kept of a challenger besides what it learned. */
export interface ChallengerRecord {
  /** what tells its settings from others */
  readonly key: string
  /** plant time since which it judges, epoch ms */
  readonly since: number
  readonly shadow?: SavedAlarms
  readonly running?: SavedAlarms
  readonly units?: readonly string[]
}

/** Its key in the challenger's memory. */
export const LOG = 'challenger'

const BATCH = 40

export function recordOf(records: WatchRecords): ChallengerRecord | undefined {
  const saved = records.get(LOG)
  if (typeof saved !== 'object' || saved === null) return undefined
  const { key, since } = saved as Partial<ChallengerRecord>
  return typeof key === 'string' && typeof since === 'number' ? (saved as ChallengerRecord) : undefined
}

/**
 * Before a detector begins: what is to be done with a challenger of before. When the running settings are now those that it had, what it learned becomes the running
 * detector's own; when it is challenged by others or by none, its memory is removed; else its records are returned, to go on with. It may be cut off anywhere
 * and is then done again.
 */
export async function settleChallenger(own: RecordMemory, shadow: RecordMemory, running: string, challenger: string | undefined): Promise<WatchRecords> {
  const records = await shadow.load()
  const before = recordOf(records)
  if (before !== undefined && before.key === challenger) return records
  if (before !== undefined && before.key === running) await move(records, own)
  if (records.size > 0) await shadow.remove()
  return new Map()
}

/** Its alarms were told to nobody: those that stand are raised anew. */
async function move(records: WatchRecords, own: RecordMemory): Promise<void> {
  const taken = [...records].filter(([key]) => isOfWatch(key))
  const stale = [...(await own.load()).keys()].filter((key) => isOfWatch(key) && !records.has(key))
  for (let from = 0; from < taken.length; from += BATCH) {
    const put = new Map(taken.slice(from, from + BATCH).map(([key, state]) => [key, partsOf(key).length === 2 ? quiet(state) : state]))
    await own.write({ put, drop: [] })
  }
  if (stale.length > 0) await own.write({ put: new Map(), drop: stale })
}

function quiet(state: unknown): unknown {
  return typeof state === 'object' && state !== null ? { ...(state as TrackState), latch: QUIET } : state
}
