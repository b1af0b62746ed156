import { TaktError } from '../base/error.ts'
import type { Genealogy } from '../messages/genealogy.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { JobResponse } from '../messages/job-response.ts'
import type { Plant } from '../plant/plant.ts'
import { type SignatureCheck, signaturesAbout } from '../sign/check-signature.ts'
import { archivedUpTo } from '../store/archived-ranges.ts'
import type { StoreReader } from '../store/store.ts'
import { nodesOf } from './lineage.ts'
import { readMany } from './rows.ts'

/** A span in which a unit worked on a lot; epoch ms, `to` null while it still does. */
export interface Work {
  readonly jobOrder: string
  readonly operation: string
  readonly equipment: string
  readonly from: number
  readonly to: number | null
  readonly state: string
}

export interface Touched {
  readonly lot: string
  readonly work: readonly Work[]
  readonly workOrders: readonly string[]
  /** signals of those units in those spans: how many samples the store's ring still has; ask the historian with the same span for the rest */
  readonly samples: ReadonlyArray<{ equipment: string; signal: string; from: number; to: number; kept: number }>
  readonly anomalies: ReadonlyArray<{ id: string; equipment: string; signals: readonly string[]; severity: string; from: number; to: number | null }>
  readonly qualityResults: ReadonlyArray<{ id: string; characteristic: string; decision: string; time: number }>
  /** Epoch ms up to which rows of the ledger are in the archive: people of before may be missing here. Null: none are. */
  readonly archivedUpTo: number | null
  /** names as they were told; who signed in is in the ledger */
  readonly people: readonly string[]
  readonly tools: readonly string[]
  readonly procedures: readonly string[]
  /** of the lot, its job orders, their procedures and its quality results: printed name, time with offset, meaning, and whether it holds */
  readonly signatures: ReadonlyArray<{
    record: string
    meaning: string
    name: string
    person: string
    at: string
    state: SignatureCheck['state']
    what: string
    signature: string
  }>
  readonly events: readonly Genealogy[]
}

const EVENTS_AT_MOST = 1000
const ANOMALIES_AT_MOST = 1000

/** Everything that touched a lot, by what stands in the store. Throws TAKT_LOT_UNKNOWN. */
export async function touched(reader: StoreReader, plant: Plant, lot: string, now: number): Promise<Touched> {
  if ((await reader.get('lot', lot)) === undefined) throw new TaktError('TAKT_LOT_UNKNOWN', { what: `there is no lot '${lot}'`, where: 'trace' })
  const events = await eventsOf(reader, lot)
  const jobs = await jobsOf(reader, lot, events)
  const responses = await readMany(
    jobs.map(({ id }) => id),
    (some) => reader.list('job-response', { where: { job_order: some } }),
  )
  const work = await workOf(reader, jobs)
  const results = await reader.list('quality-result', { where: { lot }, orderBy: 'time' })
  return {
    lot,
    work,
    workOrders: sorted(jobs.map(({ workOrder }) => workOrder)),
    samples: await samplesOf(reader, plant, work, now),
    anomalies: await anomaliesOf(reader, work, now),
    qualityResults: results.map(({ id, characteristic, decision, time }) => ({ id, characteristic, decision, time })),
    archivedUpTo: (await archivedUpTo(reader))?.time ?? null,
    people: sorted([
      ...events.flatMap(({ people = [] }) => people),
      ...responses.flatMap(({ people }) => people),
      ...(await peopleOf(reader, [lot, ...[...jobs, ...responses].map(({ id }) => id)])),
    ]),
    tools: sorted([...events.flatMap(({ tools = [] }) => tools), ...responses.flatMap(toolsOf), ...(await scannedTools(reader, jobs))]),
    procedures: sorted([...events.flatMap(({ procedure }) => procedure ?? []), ...(await proceduresOf(reader, plant, jobs))]),
    signatures: await signaturesOn(reader, lot, jobs, results),
    events,
  }
}

/** The events of genealogy that a lot stands in, oldest first. */
export async function eventsOf(reader: StoreReader, lot: string): Promise<readonly Genealogy[]> {
  const node = (await nodesOf(reader, [lot])).get(lot)
  if (node === undefined) return []
  const { db } = reader
  const into = db.selectFrom('genealogy_edge').select('target as event').where('source', '=', node)
  const out = db.selectFrom('genealogy_edge').select('source as event').where('target', '=', node)
  const rows = await db.selectFrom('genealogy').select('document').where('ledger', 'in', into.union(out)).orderBy('ledger').limit(EVENTS_AT_MOST).execute()
  return rows.map(({ document }) => JSON.parse(document) as Genealogy)
}

async function jobsOf(reader: StoreReader, lot: string, events: readonly Genealogy[]): Promise<readonly JobOrder[]> {
  const own = await reader.list('job-order', { where: { lot } })
  const known = new Set(own.map(({ id }) => id))
  const named = sorted(events.flatMap(({ jobOrder }) => jobOrder ?? [])).filter((id) => !known.has(id))
  return [...own, ...(await readMany(named, (some) => reader.list('job-order', { where: { id: some } })))]
}

async function workOf({ db }: StoreReader, jobs: readonly JobOrder[]): Promise<readonly Work[]> {
  const ids = jobs.map(({ id }) => id)
  const rows = await readMany(ids, (some) =>
    db
      .selectFrom('machine_state')
      .select(['equipment', 'job_order', (expression) => expression.fn.min('since').as('from')])
      .select((expression) => expression.fn.max(expression.fn.coalesce('until', expression.val(Number.MAX_SAFE_INTEGER))).as('to'))
      .where('job_order', 'in', some)
      .groupBy(['equipment', 'job_order'])
      .execute(),
  )
  const seen = new Set(rows.map((row) => row.job_order))
  const byId = new Map(jobs.map((job) => [job.id, job]))
  const shown = rows.flatMap(({ equipment, job_order, from, to }): Work[] => {
    const job = byId.get(job_order ?? '')
    if (job === undefined) return []
    // a unit may name its last job order long after that has ended
    const ended = job.actualEnd === null ? Number(to) : Math.max(Number(from), Math.min(Number(to), job.actualEnd))
    return [
      { jobOrder: job.id, operation: job.operation, equipment, from: Number(from), to: ended === Number.MAX_SAFE_INTEGER ? null : ended, state: job.state },
    ]
  })
  // a job order whose unit shows no states, by its own times
  const told = jobs.flatMap(({ id, operation, equipment, actualStart, actualEnd, state }): Work[] =>
    seen.has(id) || equipment === null || actualStart === null ? [] : [{ jobOrder: id, operation, equipment, from: actualStart, to: actualEnd, state }],
  )
  return [...shown, ...told].sort((a, b) => a.from - b.from || (a.jobOrder < b.jobOrder ? -1 : 1))
}

async function samplesOf({ db }: StoreReader, plant: Plant, work: readonly Work[], now: number): Promise<Touched['samples']> {
  const samples: Array<Touched['samples'][number]> = []
  for (const { equipment, from, to } of work) {
    const until = to ?? now
    const rows = await db
      .selectFrom('sample_ring')
      .select(['signal', (expression) => expression.fn.countAll<number>().as('kept')])
      .where('equipment', '=', equipment)
      .where('time', '>=', from)
      .where('time', '<=', until)
      .groupBy('signal')
      .execute()
    const kept = new Map(rows.map((row) => [row.signal, Number(row.kept)]))
    for (const { name } of plant.signalsOf(equipment)) kept.set(name, kept.get(name) ?? 0)
    for (const signal of [...kept.keys()].sort()) samples.push({ equipment, signal, from, to: until, kept: kept.get(signal) ?? 0 })
  }
  return samples
}

async function anomaliesOf(reader: StoreReader, work: readonly Work[], now: number): Promise<Touched['anomalies']> {
  const found = new Map<string, Touched['anomalies'][number]>()
  for (const { equipment, from, to } of work) {
    const rows = await reader.db
      .selectFrom('anomaly')
      .select('document')
      .where('equipment', '=', equipment)
      .where('since', '<=', to ?? now)
      .where((where) => where.or([where('state', '<>', 'cleared'), where('time', '>=', from)]))
      .orderBy('since')
      .limit(ANOMALIES_AT_MOST)
      .execute()
    for (const { document } of rows) {
      const { id, signals, severity, since, time, state } = JSON.parse(document) as {
        id: string
        signals: string[]
        severity: string
        since: number
        time: number
        state: string
      }
      found.set(id, { id, equipment, signals, severity, from: since, to: state === 'cleared' ? time : null })
    }
  }
  return [...found.values()]
}

/** Who did something to the lot or its job orders, by the ledger: people, not nodes. */
async function peopleOf({ db }: StoreReader, subjects: readonly string[]): Promise<readonly string[]> {
  const rows = await readMany(subjects, (some) => db.selectFrom('ledger').select('actor').distinct().where('subject', 'in', some).execute())
  return rows.map(({ actor }) => actor).filter((actor) => !/^(node:|containment:)/.test(actor) && actor !== 'trace' && actor !== 'store')
}

async function proceduresOf(reader: StoreReader, plant: Plant, jobs: readonly JobOrder[]): Promise<readonly string[]> {
  const orders = await readMany(sorted(jobs.map(({ workOrder }) => workOrder)), (some) => reader.list('work-order', { where: { id: some } }))
  const masters = new Map(orders.map(({ id, workMaster }) => [id, workMaster]))
  return jobs.flatMap(({ workOrder, operation, procedure }) => {
    // as it was begun, with its version
    if (procedure !== undefined) return procedure
    const master = masters.get(workOrder)
    return (master === undefined || master === null ? undefined : plant.operation(master, operation)?.procedure) ?? []
  })
}

/** Tools that steps of procedures asked for, and that were scanned. */
async function scannedTools(reader: StoreReader, jobs: readonly JobOrder[]): Promise<readonly string[]> {
  const ids = jobs.map(({ id }) => id)
  const runs = await readMany(ids, (some) => reader.list('procedure-run', { where: { id: some } }))
  const versions = await readMany(sorted(runs.map(({ procedure }) => procedure)), (some) => reader.list('procedure', { where: { id: some } }))
  const asksForTool = new Set(versions.flatMap(({ id, steps }) => steps.filter(({ scan }) => scan === 'tool').map((step) => `${id} ${step.id}`)))
  return runs.flatMap(({ procedure, done }) => done.filter(({ step }) => asksForTool.has(`${procedure} ${step}`)).map(({ value }) => String(value)))
}

async function signaturesOn(
  reader: StoreReader,
  lot: string,
  jobs: readonly JobOrder[],
  results: ReadonlyArray<{ readonly id: string }>,
): Promise<Touched['signatures']> {
  const ids = jobs.map(({ id }) => id)
  const orders = sorted(jobs.map(({ workOrder }) => workOrder))
  const records = { lot: [lot], 'work-order': orders, 'job-order': ids, 'procedure-run': ids, 'quality-result': results.map(({ id }) => id) }
  return (await signaturesAbout(reader, records)).map(({ signature: { id, record, meaning, name, person, at }, state, what }) => ({
    record: `${record.kind} ${record.id}`,
    meaning,
    name,
    person,
    at,
    state,
    what,
    signature: id,
  }))
}

function toolsOf({ data }: JobResponse): readonly string[] {
  return data.filter(({ name }) => /^tools?\b/i.test(name)).map(({ value }) => String(value))
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
