import { TaktError } from '../base/error.ts'
import type { Anomaly, VerdictDecision } from '../messages/anomaly.ts'
import type { Store } from '../store/store.ts'

/** What a person says of an alarm. */
export interface Feedback {
  readonly anomaly: string
  readonly decision: VerdictDecision
  /** as the message says; a hint, not an identity */
  readonly by: string
  readonly why: string | undefined
}

export interface Recorded {
  readonly anomaly: Anomaly
  /** false: the same had been said before */
  readonly changed: boolean
}

/**
 * Keeps what a person says of an alarm with its event, `anomaly.confirmed` or `anomaly.refused`, whether the alarm stands or has cleared. A later word replaces
 * an earlier one, which stays in the ledger; the same word again changes nothing. Throws TAKT_ANOMALY_UNKNOWN.
 */
export function recordVerdict(
  store: Store,
  { anomaly: id, decision, by, why }: Feedback,
  actor: string,
  { unlessSpoken = false }: { /** leaves an earlier word */ readonly unlessSpoken?: boolean } = {},
): Promise<Recorded> {
  return store.transaction(async (tx) => {
    const stored = await tx.get('anomaly', id)
    if (stored === undefined) throw new TaktError('TAKT_ANOMALY_UNKNOWN', { what: `there is no anomaly '${id}'`, where: `anomaly ${id}` })
    const before = stored.verdict
    if (before !== undefined && unlessSpoken) return { anomaly: stored, changed: false }
    if (before !== undefined && before.decision === decision && before.by === by && before.why === why) return { anomaly: stored, changed: false }
    const verdict = { decision, by, time: tx.now, ...(why === undefined ? {} : { why }) }
    const said = `${decision} by ${by}${why === undefined ? '' : `: ${why}`}`
    const anomaly = await tx.save<'anomaly'>({ ...stored, verdict }, { type: `anomaly.${decision}`, actor, why: said })
    return { anomaly, changed: true }
  })
}
