import { type TaktError, toTaktError } from '../base/error.ts'
import type { Genealogy } from '../messages/genealogy.ts'
import type { JobResponse } from '../messages/job-response.ts'
import type { Plant } from '../plant/plant.ts'
import type { Store, StoreTransaction } from '../store/store.ts'
import { idFrom } from './canonical.ts'
import { followCounted } from './counted-lots.ts'
import { kept } from './quantity.ts'
import { type Recorded, recordEvent, type TraceOptions } from './record-event.ts'

export interface FollowedJob {
  readonly recorded: readonly Recorded[]
  /** What could not be booked of it, with why; told again it is tried again. */
  readonly refused: ReadonlyArray<{ readonly event: Genealogy; readonly problem: TaktError }>
}

/**
 * Genealogy of what a job order used, from its response: each material lot that it consumed goes into the lot that it makes. A response that is written anew books only
 * the difference. Each lot is a transaction of its own, so that one that cannot be booked keeps nothing else back.
 */
export async function followResponse(store: Store, plant: Plant, id: string, options: TraceOptions): Promise<FollowedJob> {
  const response = await store.get('job-response', id)
  const recorded: Recorded[] = []
  const refused: Array<FollowedJob['refused'][number]> = []
  if (response === undefined) return { recorded, refused }
  for (const [lot, wanted] of consumedBy(response)) {
    let event: Genealogy | undefined
    try {
      const done = await store.transaction(async (tx) => {
        event = await missing(tx, response, lot, wanted.value, wanted.unit)
        return event === undefined ? undefined : recordEvent(tx, plant, event, options)
      })
      if (done !== undefined && !done.replayed) recorded.push(done)
    } catch (thrown) {
      const problem = toTaktError(thrown, `lot ${lot} of ${response.jobOrder}`)
      if (event === undefined || problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') throw problem
      refused.push({ event, problem })
    }
  }
  return { recorded, refused }
}

/** Brings what a work order has counted for its lots into stock. */
export function followLot(store: Store, lot: string, actor: string): Promise<void> {
  return store.transaction((tx) => followCounted(tx, lot, actor))
}

function consumedBy({ materials }: JobResponse): ReadonlyMap<string, { value: number; unit: string }> {
  const lots = new Map<string, { value: number; unit: string }>()
  for (const { lot, quantity, use, event } of materials) {
    // what an event of genealogy says is booked already
    if (use !== 'consumed' || event !== undefined) continue
    lots.set(lot, { unit: quantity.unit, value: kept((lots.get(lot)?.value ?? 0) + quantity.value) })
  }
  return lots
}

/** What of it is not booked yet; where more was booked than the response says now, the rest is given back. */
async function missing(tx: StoreTransaction, response: JobResponse, lot: string, wanted: number, unit: string): Promise<Genealogy | undefined> {
  const { jobOrder, equipment, end, start, people } = response
  const events = (await tx.list('genealogy', { where: { job_order: jobOrder } })).filter(({ id }) => id?.startsWith('response-') === true)
  const of = (side: Genealogy['inputs']): number => side.reduce((sum, entry) => (entry.lot === lot ? kept(sum + entry.quantity.value) : sum), 0)
  const booked = events.reduce((sum, event) => kept(sum + of(event.inputs) - of(event.outputs)), 0)
  const change = kept(wanted - booked)
  if (change === 0) return undefined
  const entry = [{ lot, quantity: { value: Math.abs(change), unit } }]
  return {
    kind: 'genealogy',
    id: idFrom('response', response.id, lot, String(events.filter((event) => of(event.inputs) > 0 || of(event.outputs) > 0).length + 1)),
    event: change > 0 ? 'consume' : 'adjust',
    inputs: change > 0 ? entry : [],
    outputs: change > 0 ? [] : entry,
    jobOrder,
    ...(equipment === null ? {} : { equipment }),
    ...(people.length === 0 ? {} : { people: people.slice(0, 100) }),
    ...(change > 0 ? {} : { reason: `job response ${response.id} says that less was used` }),
    time: end ?? start ?? tx.now,
  }
}
