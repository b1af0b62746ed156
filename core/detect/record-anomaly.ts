import type { Anomaly } from '../messages/anomaly.ts'
import type { Store, StoreReader } from '../store/store.ts'
import { readScopes } from './scorecard/detector-scopes.ts'

/** Keeps an anomaly and its event; resolves with what is stored. One that was recorded already as far as this changes nothing. */
export function recordAnomaly(store: Store, anomaly: Anomaly, actor: string): Promise<Anomaly> {
  return store.transaction(async (tx) => {
    const stored = await tx.get('anomaly', anomaly.id)
    if (stored !== undefined && (stored.state === 'cleared' || (stored.state === anomaly.state && stored.time >= anomaly.time))) return stored
    // a person may have spoken meanwhile
    const kept = stored === undefined ? {} : { revision: stored.revision ?? 0, ...(stored.verdict === undefined ? {} : { verdict: stored.verdict }) }
    return tx.save({ ...anomaly, ...kept }, { type: `anomaly.${anomaly.state}`, actor })
  })
}

/**
 * Anomalies that are not cleared. With `detector` those that are its to clear: its own, those that say of nobody that he raised them, and those of a detector that
 * is gone.
 */
export async function standingAnomalies(store: StoreReader, detector?: string): Promise<Anomaly[]> {
  const standing = await store.list('anomaly', { where: { state: ['raised', 'updated'] }, orderBy: 'since' })
  if (detector === undefined) return standing
  const others = new Set((await readScopes(store)).map((scope) => scope.detector))
  return standing.filter(({ detector: by }) => by === undefined || by === detector || !others.has(by))
}
