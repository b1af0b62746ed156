import type { Anomaly } from '../../messages/anomaly.ts'
import { SEVERITIES } from '../../messages/anomaly.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { MaintenanceEvidence } from '../../messages/maintenance.ts'
import type { QualityResult } from '../../messages/quality-result.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { StoreReader, StoreTransaction } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'

/** A maintenance order keeps so many at most: the first, which it was made for, and the latest. */
const MOST = 50
const FIRST = 10
const WHY_LONGEST = 500

export function evidenceOfAnomaly(anomaly: Anomaly, why: string, disruption?: string): MaintenanceEvidence {
  const { id, signals, method, score, severity, since, time, evidence } = anomaly
  const seen = evidence.find(({ value }) => value !== undefined)
  const numbers = Object.fromEntries(
    (['value', 'expected', 'lower', 'upper'] as const).flatMap((name) => (seen?.[name] === undefined ? [] : [[name, seen[name]] as const])),
  )
  return {
    ...{ source: 'anomaly', id, time, why: why.slice(0, WHY_LONGEST), signals: signals.slice(0, 20), method, score, severity, since },
    ...numbers,
    ...(disruption === undefined ? {} : { disruption }),
  }
}

export function evidenceOfResult({ id, characteristic, values, specification, decision, reasons, time }: QualityResult): MaintenanceEvidence {
  const { target, lower, upper } = specification
  const why = `${characteristic}: ${decision}${reasons.length === 0 ? '' : `, ${reasons.join('; ')}`}`
  return {
    ...{ source: 'quality-result', id, time, why: why.slice(0, WHY_LONGEST), signals: [characteristic.slice(0, 200)] },
    ...(values[0] === undefined ? {} : { value: values[0] }),
    ...(target === null ? {} : { expected: target }),
    ...(lower === null ? {} : { lower }),
    ...(upper === null ? {} : { upper }),
  }
}

/** What speaks for the repair that a disruption asks for: each that asks, with what it saw. */
export async function evidenceOf(
  reader: StoreReader,
  disruption: Pick<Disruption, 'cause' | 'asks' | 'time' | 'why'> & { readonly id?: string },
): Promise<MaintenanceEvidence[]> {
  const { id: by, cause, asks = [], time, why } = disruption
  const common = { time, why: why.slice(0, WHY_LONGEST), ...(by === undefined ? {} : { disruption: by }) }
  const pieces: MaintenanceEvidence[] = []
  if (cause.stop !== undefined) pieces.push({ source: 'stop', id: cause.stop, ...common })
  if (cause.person !== undefined) pieces.push({ source: 'person', id: cause.person.slice(0, 200), ...common })
  for (const ask of asks) {
    const said = { ...common, why: ask.why.slice(0, WHY_LONGEST) }
    const anomaly = ask.anomaly === undefined ? undefined : await reader.get('anomaly', ask.anomaly)
    if (anomaly !== undefined) pieces.push(evidenceOfAnomaly(anomaly, ask.why, by))
    else if (ask.anomaly !== undefined) pieces.push({ source: 'anomaly', id: ask.anomaly, ...said })
    if (ask.prognosis !== undefined)
      pieces.push({ source: 'prognosis', id: ask.prognosis.slice(0, 200), ...said, ...(ask.remainingMs === undefined ? {} : { remainingMs: ask.remainingMs }) })
    if (ask.repair !== undefined) pieces.push({ source: 'repair', id: ask.repair, ...said }, ...(await sinceTrialOf(reader, ask.repair)))
  }
  return pieces
}

/** What a unit's trial failed for. */
async function sinceTrialOf(reader: StoreReader, order: string): Promise<MaintenanceEvidence[]> {
  const { evidence = [], service } = (await reader.get('work-order', order)) ?? {}
  const from = service?.trial?.from
  return from === undefined ? [] : evidence.filter(({ time, source }) => time >= from && source !== 'repair')
}

/** Evidence with some more of it; the same list where nothing is new. What is known is told anew when it has become more severe, or says another remaining life. */
export function withEvidence(known: readonly MaintenanceEvidence[], more: readonly MaintenanceEvidence[]): readonly MaintenanceEvidence[] {
  let all = known
  for (const piece of more) {
    const same = all.find(({ source, id }) => source === piece.source && id === piece.id)
    if (same === undefined) all = [...all, piece]
    else if (saysMore(piece, same)) all = all.map((other) => (other === same ? { ...linkOf(same), ...piece } : other))
  }
  return all.length <= MOST ? all : [...all.slice(0, FIRST), ...all.slice(FIRST - MOST)]
}

/** Keeps evidence with a maintenance order. */
export async function addEvidence(tx: StoreTransaction, order: WorkOrder, more: readonly MaintenanceEvidence[], because: Because): Promise<WorkOrder> {
  const known = order.evidence ?? []
  const evidence = withEvidence(known, more)
  if (evidence === known) return order
  return tx.save<'work-order'>({ ...order, evidence: [...evidence] }, { type: 'work-order.evidence', ...because })
}

/** Through which disruption it came first; what comes later need not say. */
function linkOf({ disruption }: MaintenanceEvidence): Pick<MaintenanceEvidence, 'disruption'> {
  return disruption === undefined ? {} : { disruption }
}

function saysMore(piece: MaintenanceEvidence, known: MaintenanceEvidence): boolean {
  const rank = ({ severity }: MaintenanceEvidence): number => (severity === undefined ? -1 : SEVERITIES.indexOf(severity))
  return rank(piece) > rank(known) || (piece.remainingMs !== undefined && piece.remainingMs.median !== known.remainingMs?.median)
}
