import { type Anomaly, SEVERITIES } from '../../messages/anomaly.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { MaintenanceEvidence, ServiceReturn } from '../../messages/maintenance.ts'
import type { QualityResult } from '../../messages/quality-result.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'
import { openProcedure } from '../procedure-gate.ts'
import { freePieces } from './cut-job-order.ts'
import { evidenceOfAnomaly, evidenceOfResult, withEvidence } from './evidence.ts'
import { type Returning, toTrial } from './service.ts'

/** An alarm on trial counts when it has stood for so long: what goes away by itself was nothing. */
const ALARM_STANDS_MS = 5 * 60_000
const MINUTE_MS = 60_000
const LEAST_SEVERITY = SEVERITIES.indexOf('medium')

/** When to look again although nothing new is said, epoch ms. */
export interface Settled {
  readonly again?: number
}

/**
 * Brings the return of a repaired unit to where the facts in the store put it: from its check to its trial, from the trial to full work, or to a repair that did not
 * help. Doing it again changes nothing.
 */
export async function settleReturn(tx: StoreTransaction, plant: Plant, workOrder: string, because: Because): Promise<Settled> {
  const order = (await tx.get('work-order', workOrder)) as Returning | undefined
  const state = order?.service?.state
  if (order === undefined || (state !== 'check' && state !== 'trial')) return {}
  const [repair] = await tx.list('job-order', { where: { work_order: order.id } })
  if (repair === undefined) return {}
  if (state === 'check') {
    if ((await leftToCheck(tx, order, repair)).length > 0) return {}
    return settleReturn(tx, plant, (await toTrial(tx, order, { ...because, why: 'everything was checked' })).id, because)
  }
  return settleTrial(tx, plant, order, repair, because)
}

/** What must be seen yet before a unit takes work: in words, one for each. */
export async function leftToCheck(reader: StoreReader, { service: { check } }: Pick<Returning, 'service'>, repair: JobOrder): Promise<string[]> {
  if (check === undefined) return []
  const { confirm, confirmed, signals = [], calm = [], procedure } = check
  const left = signals.flatMap(({ signal }) => (calm.includes(signal) ? [] : [`${signal} calm`]))
  if (confirm !== undefined && confirmed === undefined) left.push(`confirmed by ${confirm.person ?? confirm.role ?? 'a person'}`)
  if (procedure !== undefined && (await openProcedure(reader, repair, 'end')) !== undefined) left.push(`${procedure} done`)
  return left
}

async function settleTrial(tx: StoreTransaction, plant: Plant, order: Returning, repair: JobOrder, because: Because): Promise<Settled> {
  const { trial } = order.service
  if (trial?.from === undefined) return {}
  const seen = await trialFacts(tx, order.equipment, repair)
  const fault = faultIn(seen, trial.scrap, tx.now, plant.nameOf(order.equipment))
  const progress = { ...trial, good: seen.good, bad: seen.bad, jobOrders: seen.jobs.map(({ id }) => id) }
  if (fault !== undefined) {
    const service: ServiceReturn = { ...order.service, state: 'failed', since: tx.now, why: fault.why.slice(0, 500), trial: progress }
    const evidence = [...withEvidence(order.evidence ?? [], fault.evidence)]
    await confirmAlarms(tx, seen.alarms, order.id, because)
    await tx.save<'work-order'>({ ...order, service, evidence }, { type: 'work-order.trial-failed', actor: because.actor, why: fault.why })
    await freePieces(tx, order.equipment, { ...because, why: 'the trial of its unit has failed' })
    return {}
  }
  const due = [trial.from + trial.minutes * MINUTE_MS, ...seen.alarms.map(({ since }) => since + ALARM_STANDS_MS)].filter((time) => time > tx.now)
  const measured = await measures(tx, plant, seen.jobs)
  const isPassed = seen.good >= trial.parts && due.length === 0 && seen.alarms.length === 0 && (!measured || seen.results.length > 0)
  if (isPassed) {
    const why = `${seen.good} good parts${seen.results.length === 0 ? '' : `, ${seen.results.length} measured`}, and nothing unusual`
    const service: ServiceReturn = { ...order.service, state: 'full', since: tx.now, why, trial: progress }
    await tx.save<'work-order'>({ ...order, service }, { type: 'work-order.in-service', actor: because.actor, why })
    await freePieces(tx, order.equipment, { ...because, why: 'the trial of its unit has passed' })
    return {}
  }
  // written down with each job order that begins, not with each part
  if (progress.jobOrders.length > trial.jobOrders.length || progress.bad !== trial.bad)
    await tx.save<'work-order'>({ ...order, service: { ...order.service, trial: progress } }, { type: 'work-order.trial', ...because })
  return due.length === 0 ? {} : { again: Math.min(...due) }
}

interface TrialFacts {
  /** What the unit has run since its repair. */
  readonly jobs: readonly JobOrder[]
  readonly good: number
  readonly bad: number
  readonly results: readonly QualityResult[]
  /** Those that stand, and came after the repair. */
  readonly alarms: readonly Anomaly[]
  /** When it failed since its repair, epoch ms. */
  readonly failed: number | undefined
}

async function trialFacts(tx: StoreTransaction, equipment: string, repair: JobOrder): Promise<TrialFacts> {
  const begun = repair.actualStart ?? tx.now
  const ended = repair.actualEnd ?? tx.now
  const [running, responses, standing, failure] = await Promise.all([
    tx.list('job-order', { where: { equipment, state: ['Running', 'Interrupted'] } }),
    tx.db.selectFrom('job_response').select('job_order').where('end', '>=', ended).where('equipment', '=', equipment).execute(),
    tx.list('anomaly', { where: { equipment, state: ['raised', 'updated'] } }),
    tx.db
      .selectFrom('machine_state')
      .select('since')
      .where('equipment', '=', equipment)
      .where('state', '=', 'Aborted')
      .where('since', '>=', ended)
      .orderBy('since')
      .limit(1)
      .executeTakeFirst(),
  ])
  const over = responses.length === 0 ? [] : await tx.list('job-order', { where: { id: responses.map((row) => row.job_order) } })
  const known = new Map([...over, ...running].map((job) => [job.id, job]))
  const jobs = [...known.values()].filter(({ maintenance, actualStart }) => maintenance === undefined && actualStart !== null && actualStart >= begun)
  const measured = jobs.length === 0 ? [] : await tx.list('quality-result', { where: { job_order: jobs.map(({ id }) => id) }, orderBy: 'time' })
  return {
    jobs,
    good: jobs.reduce((sum, job) => sum + job.good, 0),
    bad: jobs.reduce((sum, job) => sum + job.scrap, 0),
    results: measured.filter((result) => result.equipment === null || result.equipment === equipment),
    alarms: standing.filter(
      ({ since, severity, verdict }) => since >= ended && SEVERITIES.indexOf(severity) >= LEAST_SEVERITY && verdict?.decision !== 'refused',
    ),
    failed: failure?.since,
  }
}

/** Why the repair did not help; undefined: nothing says so. */
function faultIn(
  { failed, alarms, results, bad, jobs }: TrialFacts,
  scrap: number,
  now: number,
  name: string,
): { readonly why: string; readonly evidence: readonly MaintenanceEvidence[] } | undefined {
  if (failed !== undefined) {
    const why = `${name} failed on trial`
    return { why, evidence: [{ source: 'stop', id: 'Aborted', time: Math.max(failed, now), why }] }
  }
  const alarm = alarms.find(({ since }) => since + ALARM_STANDS_MS <= now)
  if (alarm !== undefined) {
    const why = `${alarm.signals.join(', ')} of ${name} is unusual again (score ${Number(alarm.score.toPrecision(3))}, severity ${alarm.severity})`
    return { why, evidence: [{ ...evidenceOfAnomaly(alarm, why), time: now }] }
  }
  const result = results.find(({ decision }) => decision !== 'pass')
  if (result !== undefined) {
    const evidence = evidenceOfResult(result)
    return { why: `a part made on trial does not pass: ${evidence.why}`, evidence: [{ ...evidence, time: now }] }
  }
  if (bad <= scrap) return undefined
  const why = `${bad} of the first parts are scrap, and ${scrap} may be`
  return {
    why,
    evidence: [{ source: 'quality-result', id: `scrap of ${jobs.map(({ id }) => id).join(', ')}`.slice(0, 200), time: now, why, value: bad, upper: scrap }],
  }
}

/** Does the plant measure what these job orders make? Then a part that passed must have been seen. */
async function measures(reader: StoreReader, plant: Plant, jobs: readonly JobOrder[]): Promise<boolean> {
  for (const { workOrder, operation } of jobs) {
    const master = (await reader.get('work-order', workOrder))?.workMaster
    if (master != null && (plant.operation(master, operation)?.characteristics?.length ?? 0) > 0) return true
  }
  return false
}

/** The repair did not take away what they see, so it is no new way of being well: a detector does not learn from what is confirmed. A person's word stays. */
async function confirmAlarms(tx: StoreTransaction, alarms: readonly Anomaly[], workOrder: string, { actor }: Because): Promise<void> {
  for (const alarm of alarms) {
    if (alarm.verdict !== undefined) continue
    const why = `it came again on the trial after ${workOrder}: the repair did not help`
    const verdict = { decision: 'confirmed' as const, by: 'trial after repair', time: tx.now, why }
    await tx.save<'anomaly'>({ ...alarm, verdict }, { type: 'anomaly.confirmed', actor, why })
  }
}
