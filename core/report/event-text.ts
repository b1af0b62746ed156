import type { Anomaly } from '../messages/anomaly.ts'
import type { Disruption } from '../messages/disruption.ts'
import type { Gap } from '../messages/gap.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { Lot } from '../messages/lot.ts'
import type { MachineState } from '../messages/machine-state.ts'
import type { Plan } from '../messages/plan.ts'
import type { QualityResult } from '../messages/quality-result.ts'
import type { Report } from '../messages/report.ts'
import type { Signature } from '../messages/signature.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { LedgerEvent } from '../store/store.ts'
import type { Tone } from './content.ts'
import { numberText, timeText } from './format.ts'
import { productOf } from './names.ts'

export interface EventText {
  readonly text: string
  readonly tone: Exclude<Tone, 'neutral'>
}

const SIGNALS_NAMED = 3

type Told = readonly [text: string, tone?: EventText['tone']]
type Teller = (event: LedgerEvent, plant: Plant) => Told | undefined

/** A ledger event as one sentence for people; undefined for those too small to tell. */
export function eventText(event: LedgerEvent, plant: Plant): EventText | undefined {
  const told = Object.hasOwn(TELLERS, event.type) ? TELLERS[event.type]?.(event, plant) : undefined
  return told === undefined ? undefined : { text: told[0], tone: told[1] ?? 'info' }
}

const order = (tell: (order: WorkOrder, plant: Plant, why: string) => Told | undefined): Teller => {
  return (event, plant) => tell(event.after as WorkOrder, plant, because(event))
}
const job = (tell: (job: JobOrder, plant: Plant, why: string) => Told | undefined): Teller => {
  return (event, plant) => tell(event.after as JobOrder, plant, because(event))
}

/** `: the reason`, where there is one. */
function because({ why }: LedgerEvent): string {
  return why ? `: ${why}` : ''
}

const of = ({ operation, workOrder }: JobOrder): string => `${operation} of ${workOrder}`
const on = ({ equipment }: JobOrder, plant: Plant): string => (equipment === null ? '' : ` on ${plant.nameOf(equipment)}`)
const parts = ({ good, scrap }: Pick<JobOrder, 'good' | 'scrap'>): string => `${numberText(good)} good${scrap > 0 ? `, ${numberText(scrap)} scrap` : ''}`

function created(created: WorkOrder, plant: Plant, why: string): Told {
  const { id, type, quantity, due, cause, of: origin } = created
  if (type === 'maintenance') return [`Maintenance ${id} for ${productOf(created, plant)}: ${cause ?? 'requested'}`, 'warning']
  const what = `${numberText(quantity.value)} ${quantity.unit} ${productOf(created, plant)}`
  if (type === 'rework') return [`Rework ${id}: ${what} of lot ${origin?.lot ?? '?'}${why}`, 'warning']
  return [`Order ${id}: ${what}${due === null ? '' : `, due ${timeText(due, plant.timeZone)}`}`]
}

function machineState(event: LedgerEvent, plant: Plant): Told | undefined {
  const { state, mode, reason, jobOrder } = event.after as MachineState
  const unit = plant.nameOf(event.subject)
  const detail = reason === null ? '' : `: ${reason}`
  if (state === 'Aborted') return [`${unit} failed${jobOrder === null ? '' : ` during ${jobOrder}`}${detail}`, 'bad']
  if (state === 'NoSignal') return [`No signal from ${unit}${detail}`, 'warning']
  if (state === 'Held' || state === 'Suspended') return [`${unit} is ${state.toLowerCase()}${detail}`, 'warning']
  if (state === 'Execute' && mode === 'Maintenance') return [`${unit} is under maintenance`, 'info']
  return undefined
}

function anomaly(event: LedgerEvent, plant: Plant): Told {
  const { severity, state } = event.after as Anomaly
  if (state === 'cleared')
    return [`${plant.nameOf((event.after as Anomaly).equipment)}: ${(event.after as Anomaly).signals.join(', ')} is as usual again`, 'good']
  return [`${plant.nameOf((event.after as Anomaly).equipment)}: ${anomalyText(event.after as Anomaly)}`, severity === 'high' ? 'bad' : 'warning']
}

function verdict({ after, why }: LedgerEvent, plant: Plant): Told | undefined {
  const { equipment, signals, verdict: said } = after as Anomaly
  if (said === undefined) return undefined
  const what = `the alarm of ${plant.nameOf(equipment)} (${signals.slice(0, SIGNALS_NAMED).join(', ')})`
  const reason = why === null ? '' : `, ${why}`
  return said.decision === 'confirmed' ? [`Right: ${what}${reason}`, 'info'] : [`False: ${what}${reason}`, 'warning']
}

/** What is unusual: `spindle.vibration 5.9 against 2.2–4 expected`. */
export function anomalyText({ signals, evidence, method }: Pick<Anomaly, 'signals' | 'evidence' | 'method'>): string {
  const subject = signals.join(', ')
  const [first] = evidence
  if (first?.text !== undefined) return `${subject}: ${first.text}`
  if (first?.value === undefined) return `${subject} is unusual (${method})`
  const value = `${subject} ${short(first.value)}`
  if (first.lower !== undefined && first.upper !== undefined) return `${value} against ${short(first.lower)}–${short(first.upper)} expected`
  return first.expected === undefined ? `${value} is unusual (${method})` : `${value} against ${short(first.expected)} expected`
}

/** Three significant digits. */
function short(value: number): string {
  return numberText(Number(value.toPrecision(3)))
}

const ACTIONS = { 'maintain-before': 'repair before it fails', 'repair-now': 'repair now', block: 'keep work off it' } as const

export function actionText(disruption: Pick<Disruption, 'action' | 'deadline'>, timeZone: string): string {
  const { action, deadline } = disruption
  return action === 'maintain-before' && deadline !== null ? `repair before ${timeText(deadline, timeZone)}` : ACTIONS[action]
}

function disruption(event: LedgerEvent, plant: Plant): Told {
  const document = event.after as Disruption
  const unit = plant.nameOf(document.resource?.id ?? document.equipment)
  const who = document.decidedBy === undefined ? '' : ` by ${document.decidedBy}`
  const action = actionText(document, plant.timeZone)
  switch (document.status) {
    case 'proposed':
      return [`Proposal for ${unit}: ${action}, because ${document.why}`, 'warning']
    case 'accepted':
      return [`Accepted${who}: ${unit}, ${action}`]
    case 'refused':
      return [`Refused${who}: ${unit}, ${action}`, 'warning']
    case 'acted':
      if (document.resource !== undefined) return [document.why, 'warning']
      return [`${unit}: ${action}, because ${document.why}`, 'warning']
    case 'withdrawn':
      if (document.resource !== undefined) return [`${unit}: ${document.resource.count} back`, 'good']
      return [`No longer needed for ${unit}: ${action}`, 'good']
  }
}

function plan(event: LedgerEvent): Told {
  const { version, objective, trigger, problems } = event.after as Plan
  const moved = objective.moved === 0 ? 'nothing moved' : `${objective.moved} job${objective.moved === 1 ? '' : 's'} moved`
  const unplanned = problems.length === 0 ? '' : `, ${problems.length} problem${problems.length === 1 ? '' : 's'}`
  return [`Plan ${version} after ${trigger.id ?? trigger.type}: ${moved}${unplanned}`, problems.length > 0 ? 'warning' : 'info']
}

function gapText({ source, equipment, signals, from, to, why, backfilled }: Gap, plant: Plant): string {
  const what = signals === undefined ? (equipment === undefined ? source : plant.nameOf(equipment)) : signals.slice(0, SIGNALS_NAMED).join(', ')
  const more = signals !== undefined && signals.length > SIGNALS_NAMED ? ` and ${signals.length - SIGNALS_NAMED} more` : ''
  const span = `${timeText(from, plant.timeZone)} to ${timeText(to, plant.timeZone)}`
  return `${what}${more}: values ${backfilled === true ? 'came later' : 'missing'} from ${span}: ${why}`
}

const TELLERS: Readonly<Record<string, Teller>> = {
  'work-order.created': order(created),
  'work-order.released': order(({ id }) => [`Order ${id} released`]),
  'work-order.updated': order(({ id }, _, why) => [`Order ${id} changed${why}`]),
  'work-order.held': order(({ id }, _, why) => [`Order ${id} held${why}`, 'warning']),
  'work-order.resumed': order(({ id }) => [`Order ${id} resumed`]),
  'work-order.completed': order(({ id, progress, quantity }) => [
    `Order ${id} completed: ${numberText(progress.good)} of ${numberText(quantity.value)} good`,
    'good',
  ]),
  'work-order.closed': order(({ id }) => [`Order ${id} closed`]),
  'work-order.spare-missing': order(({ id }, _, why) => [`Maintenance ${id} waits for spares${why}`, 'warning']),
  'work-order.found': order(({ id }, _, why) => [`Found at ${id}${why}`]),
  'work-order.awaiting-check': order((document, plant) => [`${productOf(document, plant)} takes no work before its return is checked`, 'warning']),
  'work-order.return-confirmed': order((document, plant, why) => [`The return of ${productOf(document, plant)} is confirmed${why}`]),
  'work-order.on-trial': order((document, plant) => [`${productOf(document, plant)} is on trial after its repair`]),
  'work-order.in-service': order((document, plant, why) => [`${productOf(document, plant)} is back to full work${why}`, 'good']),
  'work-order.trial-failed': order((document, plant, why) => [`${productOf(document, plant)} fails its trial${why}`, 'bad']),
  'work-order.canceled': order(({ id }, _, why) => [`Order ${id} canceled${why}`, 'warning']),
  'job-order.allowed': job((document, plant) => [`${of(document)} may start${on(document, plant)}`]),
  'job-order.revoked': job((document, _, why) => [`${of(document)} may not start${why}`, 'warning']),
  'job-order.material': job(({ materialAt, ...document }, plant, why) =>
    materialAt === undefined || materialAt === null
      ? [`${of(document)} waits for no material any more${why}`]
      : [`${of(document)}: its material is there ${timeText(materialAt, plant.timeZone)}${why}`, 'warning'],
  ),
  'job-order.running': job((document, plant) => [`${of(document)} runs${on(document, plant)}`]),
  'job-order.interrupted': job((document, plant) => [`${of(document)} is interrupted${on(document, plant)}`, 'warning']),
  'job-order.completed': job((document, plant) => [
    document.maintenance === undefined ? `${of(document)} done${on(document, plant)}: ${parts(document)}` : `Maintenance${on(document, plant)} is done`,
    'good',
  ]),
  'job-order.aborted': job((document, plant, why) => [`${of(document)} aborted${on(document, plant)}${why}`, 'bad']),
  'machine-state.changed': machineState,
  'anomaly.raised': anomaly,
  'anomaly.cleared': anomaly,
  'anomaly.confirmed': verdict,
  'anomaly.refused': verdict,
  'disruption.proposed': disruption,
  'disruption.accepted': disruption,
  'disruption.refused': disruption,
  'disruption.acted': disruption,
  'disruption.withdrawn': disruption,
  'plan.published': plan,
  'quality-result.recorded': ({ after }) => {
    const { decision, characteristic, jobOrder, reasons } = after as QualityResult
    if (decision === 'pass') return undefined
    return [`${decision === 'hold' ? 'Hold' : 'Reject'}: ${characteristic} of ${jobOrder ?? '?'}, ${reasons[0] ?? ''}`, decision === 'hold' ? 'warning' : 'bad']
  },
  'lot.held': (event) => [`Lot ${event.subject} held${because(event)}`, 'warning'],
  'lot.released': (event) => [`Lot ${event.subject} ${(event.after as Lot).disposition === 'released' ? 'released' : 'goes on'}${because(event)}`, 'good'],
  'lot.steps-conceded': (event) => [`Lot ${event.subject} is let go although steps are open${because(event)}`, 'warning'],
  'lot.scrapped': (event) => [`Lot ${event.subject} scrapped${because(event)}`, 'bad'],
  'source.gap': ({ after }, plant) => [gapText(after as Gap, plant), (after as Gap).backfilled === true ? 'info' : 'warning'],
  'inbox.given-up': (event) => [`Messages of ${event.subject} given up${because(event)}`, 'bad'],
  'outbox.given-up': (event) => [`Not told to ${event.subject}${because(event)}`, 'bad'],
  'store.clock-jumped': ({ why }) => [`Clock: ${why ?? ''}`, 'warning'],
  'store.disk': (event) => [`Disk: ${event.why ?? ''}`, (event.after as { level?: unknown }).level === 'free' ? 'good' : 'warning'],
  'record.signed': ({ after }) => {
    const { record, meaning, name, at } = after as Signature
    return [`${record.kind} ${record.id} signed as ${meaning} by ${name}, ${at}`, meaning === 'rejected' ? 'warning' : 'info']
  },
  'plan.approved': ({ after, actor }) => [`Plan ${(after as { version: number | null }).version ?? ''} approved by ${who(actor)}`],
  'plan.refused': ({ actor }) => [`Proposed plan refused by ${who(actor)}`, 'warning'],
  'person.locked': (event) => [`${event.subject} is locked${because(event)}`, 'warning'],
  'report.written': ({ after }) => {
    const { type, subject, format } = after as Report
    return [`Report written: ${type} ${subject} (${format})`]
  },
}

/** Who did a thing, for people: a known person by id, one who was only named by that name, any node as Takt. */
export function who(actor: string): string {
  return actor.startsWith('node:') ? 'Takt' : actor.replace(/^person:/, '')
}

/** Types that `eventText` may have a sentence for, to ask the ledger for. */
export const TOLD_TYPES: readonly string[] = Object.keys(TELLERS)
