import type { Anomaly } from '../../messages/anomaly.ts'
import type { StoreReader } from '../../store/store.ts'
import { type DetectorScope, readScopes } from './detector-scopes.ts'
import { pastStops } from './past-stops.ts'
import { type AlarmScore, type PastAlarm, type PastStop, scoreAlarms } from './score-alarms.ts'

/** One shift: what comes later than that after an alarm which has cleared is not taken for what it meant. */
export const DEFAULT_HORIZON_MS = 8 * 3_600_000

export interface ScoreSpan {
  readonly from: number
  readonly to: number
  readonly horizonMs?: number
  /** Only of these units; absent: of all that the detector watches. */
  readonly equipment?: readonly string[]
  /** Until when the store is asked; absent: `to`. A span that is over may be judged by what came after it. */
  readonly now?: number
}

export interface DetectorScore extends AlarmScore {
  /** id of the node; empty for alarms that do not say who raised them */
  readonly detector: string
  readonly name: string
  readonly method: string
  /** since when it is scored: the span's beginning, or its own */
  readonly from: number
}

/** Scores of every detector that watched in the span or has alarms in it, by name. */
export async function scorecard(store: StoreReader, span: ScoreSpan): Promise<DetectorScore[]> {
  const { from, to, horizonMs = DEFAULT_HORIZON_MS, equipment, now = to } = span
  const [scopes, alarms, stops] = await Promise.all([
    readScopes(store),
    alarmsOf(store, from - horizonMs, now, equipment),
    pastStops(store, equipment, from - horizonMs, now),
  ])
  const byDetector = Map.groupBy(alarms, detectorOf)
  const scopeOf = new Map(scopes.map((scope) => [scope.detector, scope]))
  const watching = scopes.filter((scope) => scope.since < to && (equipment === undefined || scope.equipment.some((unit) => equipment.includes(unit))))
  const detectors = new Set([...watching.map(({ detector }) => detector), ...byDetector.keys()])
  const scores = [...detectors].map((detector) => scoreOf(scopeOf.get(detector), byDetector.get(detector) ?? [], stops, { from, to, horizonMs, now }))
  return scores.filter((score) => score !== undefined).sort((a, b) => a.name.localeCompare(b.name) || a.detector.localeCompare(b.detector))
}

type Bounds = Required<Pick<ScoreSpan, 'from' | 'to' | 'horizonMs' | 'now'>>

function scoreOf(scope: DetectorScope | undefined, alarms: readonly Anomaly[], stops: readonly PastStop[], bounds: Bounds): DetectorScore | undefined {
  const { from, to, horizonMs, now } = bounds
  const last = alarms.at(-1)
  // what it did before it was first heard of counts when there are alarms to show for it
  const begun = Math.max(from, Math.min(scope?.since ?? from, alarms[0]?.since ?? Number.POSITIVE_INFINITY))
  if (begun >= to) return undefined
  const watched = scope === undefined ? undefined : new Set([...scope.equipment, ...alarms.map((alarm) => alarm.equipment)])
  const own = watched === undefined ? stops : stops.filter((stop) => watched.has(stop.equipment))
  const score = scoreAlarms(alarms.map(pastAlarm), own, { from: begun, to, horizonMs, knownTo: now })
  if (scope === undefined && score.alarms === 0) return undefined
  const method = scope?.method ?? last?.method ?? ''
  return { detector: scope?.detector ?? last?.detector ?? '', name: scope?.name ?? last?.detectorName ?? method, method, from: begun, ...score }
}

/** Alarms that do not say who raised them are told apart by their method. */
function detectorOf({ detector, method }: Anomaly): string {
  return detector ?? `method:${method}`
}

function pastAlarm({ id, equipment, since, state, time, verdict }: Anomaly): PastAlarm {
  return { id, equipment, since, cleared: state === 'cleared' ? time : null, verdict: verdict?.decision }
}

/** Alarms that stood at some time from `from` on and began before `to`, oldest first. */
async function alarmsOf(store: StoreReader, from: number, to: number, equipment: readonly string[] | undefined): Promise<Anomaly[]> {
  const all = store.db
    .selectFrom('anomaly')
    .select('document')
    .where('since', '<', to)
    .where((is) => is.or([is('time', '>=', from), is('state', '!=', 'cleared')]))
    .orderBy('since')
    .orderBy('id')
  const rows = await (equipment === undefined ? all : all.where('equipment', 'in', equipment)).execute()
  return rows.map(({ document }) => JSON.parse(document) as Anomaly)
}
