import type { Anomaly, VerdictDecision } from '../../core/messages/anomaly.ts'
import type { Store } from '../../core/store/store.ts'

/** Hears what is said of a detector's alarms elsewhere, by who repaired the unit or by its trial, so that the detector learns from it. Gives the way to stop. */
export function hearVerdicts(store: Store, detector: string, learn: (anomaly: string, decision: VerdictDecision) => void): () => void {
  const own = `node:${detector}`
  return store.subscribe(({ type, actor, after }) => {
    if ((type !== 'anomaly.confirmed' && type !== 'anomaly.refused') || actor === own) return
    const { id, detector: raisedBy, verdict } = after as Anomaly
    if (raisedBy === detector && verdict !== undefined) learn(id, verdict.decision)
  })
}
