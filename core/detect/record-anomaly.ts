import type { Anomaly } from '../messages/anomaly.ts'
import type { Store, StoreReader } from '../store/store.ts'

/** Keeps an anomaly and its event; resolves with what is stored. One that was recorded already as far as this changes nothing. */
export function recordAnomaly(store: Store, anomaly: Anomaly, actor: string): Promise<Anomaly> {
  return store.transaction(async (tx) => {
    const stored = await tx.get('anomaly', anomaly.id)
    if (stored !== undefined && (stored.state === 'cleared' || (stored.state === anomaly.state && stored.time >= anomaly.time))) return stored
    const revision = stored === undefined ? {} : { revision: stored.revision ?? 0 }
    return tx.save({ ...anomaly, ...revision }, { type: `anomaly.${anomaly.state}`, actor })
  })
}

/** Anomalies that are not cleared. */
export function standingAnomalies(store: StoreReader): Promise<Anomaly[]> {
  return store.list('anomaly', { where: { state: ['raised', 'updated'] }, orderBy: 'since' })
}
