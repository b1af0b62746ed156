import { kept } from '../base/quantity.ts'
import type { Genealogy, LotQuantity } from '../messages/genealogy.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { JobResponse, MaterialActual, PersonnelActual, Segment } from '../messages/job-response.ts'
import type { ProcedureRun } from '../messages/procedure-run.ts'
import type { StoreReader } from '../store/store.ts'

/** What of a job response the store knows beside times and quantities. Nothing is reckoned that nobody saw: null says so. */
export type JobActuals = Required<Pick<JobResponse, 'materials' | 'people' | 'personnel' | 'setupMs' | 'runMs'>>

/** Who did it, what went in and came out, and how long set-up and run took. `known`: the response as it stands; what it was told from outside stays. */
export async function actualsOf(reader: StoreReader, job: JobOrder, known: Partial<JobResponse>): Promise<JobActuals> {
  const events = await reader.list('genealogy', { where: { job_order: job.id }, orderBy: 'time' })
  const acts: Act[] = [...(await actsOf(reader, job))]
  for (const { people = [], time } of events) for (const person of people) acts.push({ person, from: time, to: time })
  for (const { person, start, end } of known.segments ?? []) if (person !== undefined) acts.push({ person, from: start, to: end })
  const personnel = personnelOf(acts, known)
  return {
    materials: materialsOf(job, events, known),
    people: personnel.map(({ person }) => person),
    personnel,
    ...(await timesOf(reader, job, known.segments)),
  }
}

interface Act {
  readonly person: string
  readonly from: number
  readonly to: number
}

/** What people did under it: steps of its procedure, badges that were scanned, and commands to the job order itself. Nodes that act on their own are nobody. */
async function actsOf(reader: StoreReader, job: JobOrder): Promise<readonly Act[]> {
  const run = await reader.get('procedure-run', job.id)
  const badges = await badgeStepsOf(reader, run)
  const steps = run?.done.map(({ step, by, value, time }) => ({ actor: badges.has(step) ? `person:${value}` : by, time })) ?? []
  const commands = await reader.db
    .selectFrom('ledger')
    .select(['actor', 'time'])
    .where('subject', '=', job.id)
    .where('actor', 'like', 'person:%')
    .where('type', 'like', 'job-order.%')
    .orderBy('sequence')
    .execute()
  return [...steps, ...commands].flatMap(({ actor, time }) => (isMachine(actor) ? [] : [{ person: actor, from: time, to: time }]))
}

/** Steps whose value is the person of a badge. */
async function badgeStepsOf(reader: StoreReader, run: ProcedureRun | undefined): Promise<ReadonlySet<string>> {
  if (run === undefined || !run.done.some(({ type }) => type === 'scan')) return new Set()
  const procedure = await reader.get('procedure', run.procedure)
  return new Set(procedure?.steps.flatMap(({ id, scan }) => (scan === 'badge' ? [id] : [])))
}

/** Actors that are no people, as the ledger names them. */
function isMachine(actor: string): boolean {
  return /^(node:|containment:|store$|command-line$)/.test(actor)
}

function personnelOf(acts: readonly Act[], { people = [], personnel = [] }: Partial<JobResponse>): PersonnelActual[] {
  const spans = new Map<string, { from: number | null; to: number | null }>()
  // told from outside, by a machine or a log: not to be forgotten
  for (const { person, from, to } of personnel) spans.set(person, { from, to })
  for (const person of people) if (!spans.has(person)) spans.set(person, { from: null, to: null })
  for (const { person, from, to } of acts) {
    const span = spans.get(person)
    spans.set(person, { from: Math.min(from, span?.from ?? from), to: Math.max(to, span?.to ?? to) })
  }
  return Array.from(spans, ([person, span]) => ({ person, ...span }))
}

/** Counted parts in the job order's own lot, what was told with the response, and what genealogy says of lots that went in or came out. */
function materialsOf(job: JobOrder, events: readonly Genealogy[], { materials = [] }: Partial<JobResponse>): MaterialActual[] {
  const counted = job.lot === null || job.good === 0 ? [] : [{ lot: job.lot, quantity: { ...job.quantity, value: job.good }, use: 'produced' as const }]
  // what was told of consumption is booked by trace, whose events say the same again
  const told = materials.filter(({ use, event }) => use === 'consumed' && event === undefined)
  const traced = events.flatMap(({ id = '', event, inputs, outputs }): MaterialActual[] => {
    if (id.startsWith('response-')) return []
    const takes = event === 'consume' || event === 'transform' ? inputs : []
    const gives = event === 'produce' || event === 'transform' ? outputs.filter(({ lot }) => lot !== job.lot) : []
    return [...takes.map((entry) => actualOf(entry, 'consumed', id)), ...gives.map((entry) => actualOf(entry, 'produced', id))]
  })
  return [...counted, ...told, ...traced]
}

function actualOf({ lot, quantity, material }: LotQuantity, use: MaterialActual['use'], event: string): MaterialActual {
  return { lot, quantity, use, ...(material === undefined ? {} : { material }), event }
}

/** Set-up and production as the unit's states show them, or as a log recorded them. A set-up that was never shown is unknown, not nothing. */
async function timesOf(reader: StoreReader, job: JobOrder, segments: readonly Segment[] | undefined): Promise<Pick<JobActuals, 'setupMs' | 'runMs'>> {
  if (job.maintenance !== undefined) return { setupMs: null, runMs: null }
  if (segments !== undefined) {
    const spent = (activity: Segment['activity']) => sum(segments.flatMap((segment) => (segment.activity === activity ? segment.end - segment.start : [])))
    return { setupMs: spent('setup'), runMs: spent('run') }
  }
  const until = job.actualEnd ?? Number.MAX_SAFE_INTEGER
  const rows = await reader.db
    .selectFrom('machine_state')
    .select(['element', 'since', 'until'])
    .where('job_order', '=', job.id)
    .where('element', 'in', ['AUST', 'APT'])
    .execute()
  const shown = (element: string) =>
    sum(rows.flatMap((row) => (row.element === element && row.since < until ? Math.min(row.until ?? until, until) - row.since : [])))
  return { setupMs: shown('AUST'), runMs: shown('APT') }
}

/** Null of nothing. */
function sum(spans: readonly number[]): number | null {
  return spans.length === 0 ? null : kept(spans.reduce((total, span) => total + span, 0))
}
