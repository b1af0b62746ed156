import type { StoreReader } from '../../store/store.ts'
import type { PastStop } from './score-alarms.ts'

interface Stay {
  readonly equipment: string
  readonly element: string | null
  readonly mode: string | null
  readonly since: number
  readonly until: number | null
}

const MAINTENANCE = 'Maintenance'
/** So much earlier a stop may have begun that goes on in the span. */
const LOOK_BACK_MS = 86_400_000

/**
 * Failures and repairs that began in a span, in order of time. A failure is the beginning of a stay in ISO 22400's ADET (Aborting, Aborted, Clearing); a repair
 * the beginning of mode Maintenance. Until the unit has worked again (APT, AUST) further stays belong to the same stop, whatever lies between them.
 * `units` undefined: all.
 */
export async function pastStops(store: StoreReader, units: readonly string[] | undefined, from: number, to: number): Promise<PastStop[]> {
  const stops: PastStop[] = []
  for (const [equipment, stays] of Map.groupBy(await stillStays(store, units, from - LOOK_BACK_MS, to), (stay) => stay.equipment)) {
    let failing = false
    let repairing = false
    let until: number | null = null
    for (const stay of stays) {
      if (until !== stay.since && (until === null || (await worked(store, equipment, until, stay.since)))) failing = repairing = false
      until = stay.until
      const kind = stay.mode === MAINTENANCE ? 'repair' : 'failure'
      const isNew = kind === 'repair' ? !repairing : !failing && !repairing
      if (kind === 'repair') repairing = true
      else failing = true
      if (isNew && stay.since >= from) stops.push({ equipment, at: stay.since, kind })
    }
  }
  return stops.sort((a, b) => a.at - b.at)
}

/** Stays in a failure or under maintenance, also the one that lasted into the span, in order of time. */
async function stillStays(store: StoreReader, units: readonly string[] | undefined, from: number, to: number): Promise<Stay[]> {
  const still = store.db
    .selectFrom('machine_state')
    .select(['id', 'equipment', 'element', 'mode', 'since', 'until'])
    .where('since', '<', to)
    .where((is) => is.or([is('element', '=', 'ADET'), is('mode', '=', MAINTENANCE)]))
  const all = units === undefined ? still : still.where('equipment', 'in', units)
  // in two, so that the database finds them by `until` and reads no long past
  const [past, present] = await Promise.all([all.where('until', '>=', from).execute(), all.where('until', 'is', null).execute()])
  return [...past, ...present].sort((a, b) => a.since - b.since || a.id - b.id)
}

async function worked(store: StoreReader, equipment: string, from: number, to: number): Promise<boolean> {
  const row = await store.db
    .selectFrom('machine_state')
    .select('id')
    .where('equipment', '=', equipment)
    .where('since', '>=', from)
    .where('since', '<', to)
    .where('element', 'in', ['APT', 'AUST'])
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
