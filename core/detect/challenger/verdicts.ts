import type { VerdictDecision } from '../../messages/anomaly.ts'
import type { StoreReader } from '../../store/store.ts'
import type { PastAlarm } from '../scorecard/score-alarms.ts'

/** An alarm, and the signal that it is about. */
export interface SignalAlarm extends PastAlarm {
  readonly signal: string
}

export interface PastVerdict {
  readonly equipment: string
  readonly signal: string
  readonly since: number
  readonly cleared: number | null
  readonly decision: VerdictDecision
}

/** Anomalies looked through for verdicts, the newest. */
const LOOKED_AT = 2000

/** What people said of the alarms of these units. */
export async function verdictsOf(store: Pick<StoreReader, 'list'>, units: readonly string[]): Promise<PastVerdict[]> {
  const anomalies = await store.list('anomaly', { where: { equipment: units }, orderBy: 'since', descending: true, limit: LOOKED_AT })
  return anomalies.flatMap(({ equipment, signals, since, time, state, verdict }) =>
    verdict === undefined
      ? []
      : signals.map((signal) => ({ equipment, signal, since, cleared: state === 'cleared' ? time : null, decision: verdict.decision })),
  )
}

type Matter = Pick<SignalAlarm, 'equipment' | 'signal' | 'since' | 'cleared'>

/** Whether two alarms are about the same: on one signal, at one time. */
export function isSameMatter(one: Matter, other: Matter): boolean {
  if (one.equipment !== other.equipment || one.signal !== other.signal) return false
  return one.since <= (other.cleared ?? Number.POSITIVE_INFINITY) && other.since <= (one.cleared ?? Number.POSITIVE_INFINITY)
}

/**
 * People speak of the alarms that they saw. An alarm of another detector on the same signal at the same time is about the same thing: it takes on the
 * newest verdict of those that it overlaps with.
 */
export function withVerdicts(alarms: readonly SignalAlarm[], verdicts: readonly PastVerdict[]): SignalAlarm[] {
  if (verdicts.length === 0) return [...alarms]
  return alarms.map((alarm) => {
    const about = verdicts
      .filter((verdict) => isSameMatter(verdict, alarm))
      .sort((a, b) => a.since - b.since)
      .at(-1)
    return about === undefined ? alarm : { ...alarm, verdict: about.decision }
  })
}
