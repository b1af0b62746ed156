import { type Anomaly, SEVERITIES, type Severity, type Verdict } from '../../messages/anomaly.ts'
import type { Autonomy } from '../../messages/common.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { Prognosis } from '../../messages/prognosis.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../../store/store.ts'
import type { UnitState } from '../follow-machine.ts'
import { slug } from '../ids.ts'
import { addEvidence, evidenceOf, evidenceOfAnomaly } from '../maintenance/evidence.ts'
import { lastRepairEnd, openMaintenance } from '../maintenance.ts'
import { type Ask, type AskedBy, asksOf, together, withAsk } from './asks.ts'
import { askedBy, askedNoLonger, isShadowOnly, openDisruption, refuseDisruption, standingDisruptions, withdrawDisruption } from './disruptions.ts'
import type { DisruptionSettings } from './settings.ts'
import { clockText, spanText, whyOfAnomaly, whyOfPrognosis } from './why.ts'

/** What came of looking at something: the disruptions that changed, and when to look again although nothing new is said. */
export interface Judgement {
  readonly changed: readonly Disruption[]
  readonly again?: number
}

export interface JudgeContext {
  readonly plant: Plant
  readonly settings: DisruptionSettings
  readonly autonomy: Autonomy
  readonly actor: string
}

const NOTHING: Judgement = { changed: [] }
const WEEK_MS = 7 * 86_400_000
/** States out of which a unit works without having been repaired. */
const WELL: ReadonlySet<string> = new Set(['Idle', 'Starting', 'Execute', 'Complete', 'Stopped'])

/**
 * An anomaly that stands asks for a repair before it becomes a failure; one that clears takes back what was only proposed, one that a person calls false also
 * the repair, where that has not begun. Idempotent.
 */
export async function judgeAnomaly(tx: StoreTransaction, anomaly: Anomaly, context: JudgeContext): Promise<Judgement> {
  const { plant, settings, actor } = context
  const { equipment, severity } = anomaly
  const standing = await standingFor(tx, equipment, context)
  if (anomaly.verdict?.decision === 'refused') return falseAlarm(tx, anomaly, anomaly.verdict, standing, context)
  if (anomaly.state === 'cleared') {
    const own = standing.filter(({ cause, status }) => cause.anomaly === anomaly.id && status === 'proposed')
    return {
      changed: await Promise.all(
        own.map((disruption) => askedNoLonger(tx, plant, disruption, 'anomaly', `the anomaly cleared at ${clockText(anomaly.time, tx.now, plant)}`, { actor })),
      ),
    }
  }
  if (rank(severity) < rank(settings.minSeverity) || anomaly.score < settings.minScore) return NOTHING
  const persistent = anomaly.since + settings.persistMs
  if (persistent > tx.now) return { changed: [], again: persistent }
  const rested = (await lastRepairEnd(tx, equipment)) + settings.cooldownMs
  if (rested > tx.now) return { changed: [], again: rested }

  const deadline = tx.now + settings.deadlineMs[severity]
  const seen = whyOfAnomaly(anomaly, plant)
  await noteAlarm(tx, anomaly, seen, actor)
  // decided at this severity already, whatever the decision was
  const id = `dis-${anomaly.id}-${severity}`
  const decided = await tx.get('disruption', id)
  if (decided !== undefined && !isShadowOnly(decided, context.autonomy)) return NOTHING
  return wantRepair(tx, { id, equipment, by: 'anomaly', name: anomaly.id, deadline, seen }, standing, context)
}

async function falseAlarm(
  tx: StoreTransaction,
  { id }: Anomaly,
  { by, why }: Verdict,
  standing: readonly Disruption[],
  context: JudgeContext,
): Promise<Judgement> {
  const { plant, actor } = context
  const said = `the alarm is false${why === undefined ? '' : `: ${why}`}`
  const changed: Disruption[] = []
  for (const disruption of standing.filter(({ cause }) => cause.anomaly === id)) {
    const isAlone = asksOf(disruption).length <= 1
    if (disruption.status === 'proposed' && isAlone) changed.push(await refuseDisruption(tx, disruption.id, by, said, actor))
    else {
      const without = await askedNoLonger(tx, plant, disruption, 'anomaly', `${by} says that ${said}`, { actor, decidedBy: by })
      if (without !== disruption) changed.push(without)
    }
  }
  return { changed }
}

/**
 * A unit that will probably not last as long as repairs are planned ahead asks for one before it fails: before a share of the lower end of the prognosis has passed. One whose trend has gone
 * takes that back, as long as the repair has not been allowed to begin. Idempotent.
 */
export async function judgePrognosis(tx: StoreTransaction, prognosis: Prognosis, context: JudgeContext): Promise<Judgement> {
  const { plant, settings } = context
  const { equipment, indicator, remainingMs, time } = prognosis
  const repaired = await lastRepairEnd(tx, equipment)
  if (time <= repaired) return NOTHING
  const standing = await standingFor(tx, equipment, context)
  const own = standing.filter((disruption) => asksOf(disruption).some((ask) => ask.prognosis === indicator))
  if (remainingMs === null) return trendGone(tx, prognosis, own, context)
  const deadline = Math.max(tx.now, time + settings.prognosisShare * remainingMs.lower)
  if (own.length === 0) {
    if (deadline - tx.now > settings.deadlineMs.low) return NOTHING
    if (repaired + settings.cooldownMs > tx.now) return { changed: [], again: repaired + settings.cooldownMs }
    // a person's no holds until the unit was repaired, or it becomes more urgent
    const refused = await tx.list('disruption', { where: { equipment, status: 'refused' }, orderBy: 'time' })
    const urgency = (left: number): number => (left <= settings.deadlineMs.high ? 2 : left <= settings.deadlineMs.medium ? 1 : 0)
    const said = refused.filter((disruption) => disruption.time >= repaired && asksOf(disruption).some((ask) => ask.prognosis === indicator))
    if (said.some((disruption) => urgency((disruption.deadline ?? 0) - disruption.time) >= urgency(deadline - tx.now))) return NOTHING
  }
  const id = `dis-${slug(plant.nameOf(equipment))}-${slug(indicator)}-${Math.round(time)}`
  return wantRepair(
    tx,
    { id, equipment, by: 'prognosis', name: indicator, deadline, seen: whyOfPrognosis(prognosis, remainingMs, plant), remainingMs },
    standing,
    context,
  )
}

/** A repaired unit that fails its trial asks for another repair: the last one did not help. Idempotent. */
export async function judgeTrial(tx: StoreTransaction, workOrder: string, context: JudgeContext): Promise<Judgement> {
  const { settings, actor } = context
  const order = await tx.get('work-order', workOrder)
  const { equipment, service } = order ?? {}
  if (equipment === undefined || service?.state !== 'failed') return NOTHING
  const id = `dis-${workOrder}-trial`
  const decided = await tx.get('disruption', id)
  if (decided !== undefined && !isShadowOnly(decided, context.autonomy)) return NOTHING
  const severities = (order?.evidence ?? []).flatMap(({ time, severity }) => (time >= (service.trial?.from ?? 0) && severity !== undefined ? [severity] : []))
  const severity = severities.reduce<Severity>((worst, next) => (rank(next) > rank(worst) ? next : worst), 'medium')
  const seen = `${service.why ?? 'the trial has failed'}: repair ${workOrder} did not help`
  const standing = await standingFor(tx, equipment, context)
  // it is under repair for another reason already: that one knows of it
  const open = await openMaintenance(tx, equipment)
  if (open !== undefined && standing.some(({ action }) => action === 'repair-now')) {
    const draft = { cause: { repair: workOrder }, time: tx.now, why: seen, asks: [{ repair: workOrder, deadline: tx.now, why: seen }] }
    const noted = await addEvidence(tx, open.workOrder, await evidenceOf(tx, draft), { actor, why: seen })
    if (noted.follows === undefined) await tx.save<'work-order'>({ ...noted, follows: workOrder }, { type: 'work-order.evidence', actor, why: seen })
    return NOTHING
  }
  return wantRepair(tx, { id, equipment, by: 'repair', name: workOrder, deadline: tx.now + settings.deadlineMs[severity], seen }, standing, context)
}

/** An open repair keeps what speaks for it, also what comes later. */
async function noteAlarm(tx: StoreTransaction, anomaly: Anomaly, why: string, actor: string): Promise<void> {
  const open = await openMaintenance(tx, anomaly.equipment)
  if (open !== undefined) await addEvidence(tx, open.workOrder, [evidenceOfAnomaly(anomaly, why)], { actor, why })
}

async function trendGone(tx: StoreTransaction, { indicator, time }: Prognosis, own: readonly Disruption[], { plant, actor }: JudgeContext): Promise<Judgement> {
  const why = `${indicator} rises no longer since ${clockText(time, tx.now, plant)}`
  const changed: Disruption[] = []
  for (const disruption of own) {
    const without = await askedNoLonger(tx, plant, disruption, 'prognosis', why, { actor })
    if (without !== disruption) changed.push(without)
  }
  return { changed }
}

/** A unit that failed is to be repaired now; one that is silent for long takes no work; one that goes on by itself needs neither. Idempotent. */
export async function judgeUnit(tx: StoreTransaction, unit: UnitState, context: JudgeContext): Promise<Judgement> {
  const standing = await standingFor(tx, unit.equipment, context)
  if (unit.state === 'Aborted' && unit.mode !== 'Maintenance') return failed(tx, unit, standing, context)
  if (unit.state === 'NoSignal') return silent(tx, unit, standing, context)
  return back(tx, unit, standing, context)
}

async function failed(tx: StoreTransaction, unit: UnitState, standing: readonly Disruption[], { plant, autonomy, actor }: JudgeContext): Promise<Judgement> {
  const { equipment, state, since } = unit
  const name = plant.nameOf(equipment)
  const repair = await openMaintenance(tx, equipment)
  if (standing.some(({ action }) => action === 'repair-now') || repair?.jobOrder.state === 'Running' || unit.jobOrder === repair?.jobOrder.id) return NOTHING
  if ((await lastRepairEnd(tx, equipment)) >= since) return NOTHING
  const changed: Disruption[] = []
  for (const disruption of standing) {
    if (disruption.status === 'proposed')
      changed.push(
        await withdrawDisruption(tx, plant, disruption, `${name} failed at ${clockText(since, tx.now, plant)} before anybody answered`, {
          actor,
          decidedBy: 'the failure',
        }),
      )
  }
  // a repair that was agreed on before is only more urgent now
  const agreed = standing.some(({ status, action }) => status === 'acted' && action !== 'block')
  const making = unit.jobOrder === null ? '' : ` with ${unit.jobOrder}`
  const draft = {
    id: `dis-${slug(name)}-failed-${Math.round(since)}`,
    equipment,
    cause: { stop: state },
    action: 'repair-now' as const,
    deadline: tx.now,
    unavailable: { from: since, to: null },
    why: `${name} fell into ${state}${making} at ${clockText(since, tx.now, plant)}: repair it now; it takes no work until then`,
  }
  return { changed: [...changed, await openDisruption(tx, plant, draft, agreed && autonomy === 'approve' ? 'auto' : autonomy, actor)] }
}

async function silent(tx: StoreTransaction, unit: UnitState, standing: readonly Disruption[], context: JudgeContext): Promise<Judgement> {
  const { plant, settings, autonomy, actor } = context
  const { equipment, since } = unit
  if (standing.some(({ cause }) => cause.stop === 'NoSignal')) return NOTHING
  const due = since + settings.persistMs
  if (due > tx.now) return { changed: [], again: due }
  const name = plant.nameOf(equipment)
  const draft = {
    id: `dis-${slug(name)}-silent-${Math.round(since)}`,
    equipment,
    cause: { stop: 'NoSignal' },
    action: 'block' as const,
    deadline: null,
    unavailable: { from: since, to: null },
    why: `nothing has been heard of ${name} for ${spanText(tx.now - since)}: it gets no more work until it is heard again`,
  }
  return { changed: [await openDisruption(tx, plant, draft, autonomy, actor)] }
}

/** The unit is there and works: what was said of its silence, or of a failure that somebody cleared without a repair, is over. */
async function back(tx: StoreTransaction, unit: UnitState, standing: readonly Disruption[], { plant, actor }: JudgeContext): Promise<Judgement> {
  // the usual case, with every state of every unit: nothing is said about it
  if (standing.length === 0) return NOTHING
  const at = clockText(unit.since, tx.now, plant)
  const changed: Disruption[] = []
  for (const disruption of standing) {
    const { stop } = disruption.cause
    if (stop === undefined) continue
    const name = plant.nameOf(unit.equipment)
    if (stop === 'NoSignal') changed.push(await withdrawDisruption(tx, plant, disruption, `${name} was heard again at ${at}`, { actor }))
    else if (WELL.has(unit.state) && unit.mode !== 'Maintenance' && (disruption.unavailable?.from ?? 0) < unit.since) {
      const repair = await openMaintenance(tx, unit.equipment)
      if (repair !== undefined && repair.jobOrder.id === unit.jobOrder) continue
      const withdrawn = await withdrawDisruption(tx, plant, disruption, `${name} is ${unit.state} again since ${at}, without a repair`, { actor })
      if (withdrawn.status === 'withdrawn') changed.push(withdrawn)
    }
  }
  return { changed }
}

interface Wanted {
  readonly id: string
  readonly equipment: string
  readonly by: AskedBy
  /** the anomaly's id, the prognosis' indicator, or the order of the repair before */
  readonly name: string
  readonly deadline: number
  readonly seen: string
  readonly remainingMs?: Ask['remainingMs']
}

/** One repair for a unit, however many anomalies and prognoses ask for it: what stands already is at most given another deadline, and says who else asks. */
async function wantRepair(tx: StoreTransaction, wanted: Wanted, standing: readonly Disruption[], context: JudgeContext): Promise<Judgement> {
  const { plant, settings, autonomy, actor } = context
  const { id, equipment, by, name, deadline, seen, remainingMs } = wanted
  if (standing.some(({ action }) => action === 'repair-now')) return NOTHING
  const ask: Ask = { [by]: name, deadline, why: seen, ...(remainingMs === undefined ? {} : { remainingMs }) }
  const repair = standing.find(({ action }) => action === 'maintain-before')
  if (repair !== undefined) {
    const asks = withAsk(asksOf(repair), by, ask, tx.now, settings.deadlineMs.low)
    const changed = asks === undefined ? repair : await askedBy(tx, plant, repair, asks, actor)
    return changed === repair ? NOTHING : { changed: [changed] }
  }
  const falseAlarms = autonomy === 'auto' ? await falseAlarmsSince(tx, tx.now - WEEK_MS) : 0
  const overdrawn = falseAlarms >= settings.falseAlarmBudget
  const doubt = overdrawn ? `. Only proposed: ${falseAlarms} alarms of the last week were false, the budget is ${settings.falseAlarmBudget}` : ''
  const { why, cause } = together([ask], equipment, tx.now, plant)
  const draft = { id, equipment, cause, action: 'maintain-before' as const, deadline, unavailable: null, why: why + doubt, asks: [ask] }
  return { changed: [await openDisruption(tx, plant, draft, overdrawn && autonomy === 'auto' ? 'approve' : autonomy, actor)] }
}

/** What stands at a unit; what was only computed in shadow does not, once the autonomy is another. */
async function standingFor(tx: StoreTransaction, equipment: string, { autonomy }: JudgeContext): Promise<Disruption[]> {
  return (await standingDisruptions(tx, equipment)).filter((disruption) => !isShadowOnly(disruption, autonomy))
}

/** Alarms that people called false, or that went away before anybody answered. What a failure overtook, or a person confirmed, was true. */
async function falseAlarmsSince(reader: StoreReader, from: number): Promise<number> {
  const ended = await reader.list('disruption', {
    where: { status: ['refused', 'withdrawn'], action: 'maintain-before' },
    orderBy: 'time',
    descending: true,
    limit: 1000,
  })
  const unanswered = ended.filter(({ time, status, decidedBy }) => time >= from && (status === 'refused' || decidedBy === undefined))
  const events = await reader.db
    .selectFrom('ledger')
    .select(['subject', 'type'])
    .where('type', 'in', ['anomaly.confirmed', 'anomaly.refused'])
    .where('time', '>=', from)
    .orderBy('sequence')
    .execute()
  const verdicts = new Map(events.map(({ subject, type }) => [subject, type]))
  const wrong = new Set(unanswered.map(({ id, cause }) => cause.anomaly ?? id))
  for (const [anomaly, verdict] of verdicts) {
    if (verdict === 'anomaly.refused') wrong.add(anomaly)
    else wrong.delete(anomaly)
  }
  return wrong.size
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity)
}
