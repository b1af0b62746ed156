import type { Findings } from './findings.ts'
import type { LedgerLine, Source } from './source.ts'

/** What may follow on what in a document's history; own tables, after OPC 10031-4 and docs/orders.md. */
const JOB_ORDER: Readonly<Record<string, readonly string[]>> = {
  '': ['NotAllowedToStart', 'AllowedToStart'],
  NotAllowedToStart: ['NotAllowedToStart', 'AllowedToStart', 'Aborted'],
  AllowedToStart: ['AllowedToStart', 'NotAllowedToStart', 'Running', 'Aborted'],
  Running: ['Running', 'Interrupted', 'Ended', 'Aborted'],
  Interrupted: ['Interrupted', 'Running', 'Ended', 'Aborted'],
  Ended: ['Ended'],
  Aborted: ['Aborted'],
}
const WORK_ORDER: Readonly<Record<string, readonly string[]>> = {
  '': ['Planned', 'Released'],
  Planned: ['Planned', 'Released', 'Held', 'Canceled'],
  Released: ['Released', 'Running', 'Held', 'Canceled'],
  Running: ['Running', 'Held', 'Completed', 'Canceled'],
  Held: ['Held', 'Planned', 'Released', 'Running', 'Canceled'],
  Completed: ['Completed', 'Closed'],
  Closed: [],
  Canceled: [],
}

/** Where a document of this kind stands, and the column that repeats a field of it. */
const TABLES: Readonly<Record<string, { readonly table: string; readonly columns: Readonly<Record<string, string>> }>> = {
  'work-order': { table: 'work_order', columns: { state: 'state' } },
  'job-order': { table: 'job_order', columns: { state: 'state', substate: 'substate', work_order: 'workOrder', equipment: 'equipment' } },
  'job-response': { table: 'job_response', columns: { job_order: 'jobOrder' } },
  lot: { table: 'lot', columns: { disposition: 'disposition', material: 'material' } },
  genealogy: { table: 'genealogy', columns: { event: 'event' } },
  plan: { table: 'plan', columns: { version: 'version' } },
}

interface Stored {
  readonly kind?: unknown
  readonly id?: unknown
  readonly version?: unknown
  readonly revision?: number
  readonly ledger?: number
  readonly state?: string
  readonly [field: string]: unknown
}

/** Follows every document through the ledger: each row goes on from the one before it, by a legal way, and its table says what its last row says. */
export class HistoryCheck {
  readonly #findings: Findings
  readonly #last = new Map<string, { readonly text: string; readonly sequence: number; readonly revision: number; readonly state: string }>()
  /** unit → job order under way on it */
  readonly #busy = new Map<string, string>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  row({ sequence, before, after, subject }: LedgerLine): void {
    if (after === null || !after.startsWith('{"kind":"')) return
    const document = JSON.parse(after) as Stored
    const kind = String(document.kind)
    // events tell of documents too, which only a save gives a revision and this row's number
    if (!Object.hasOwn(TABLES, kind) || document.ledger !== sequence) return
    const key = `${kind} ${subject}`
    const known = this.#last.get(key)
    if ((known?.text ?? null) !== before) this.#findings.wrong(`row ${sequence}: ${key} does not go on from row ${known?.sequence ?? 'none'}`)
    const revision = document.revision ?? 0
    if (revision !== (known?.revision ?? 0) + 1) this.#findings.wrong(`row ${sequence}: ${key} has revision ${revision} after ${known?.revision ?? 0}`)
    const state = document.state ?? ''
    const legal = kind === 'job-order' ? JOB_ORDER : kind === 'work-order' ? WORK_ORDER : undefined
    if (legal !== undefined && !(legal[known?.state ?? ''] ?? []).includes(state))
      this.#findings.wrong(`row ${sequence}: ${key} goes from ${known?.state ?? 'nothing'} to ${state}`)
    if (kind === 'job-order') this.#watchUnit(sequence, subject, document, known === undefined ? undefined : (JSON.parse(known.text) as Stored))
    this.#last.set(key, { text: after, sequence, revision, state })
  }

  /** A unit works on one job order at a time, and a job order under way stays on its unit. */
  #watchUnit(sequence: number, id: string, job: Stored, before: Stored | undefined): void {
    const was = before !== undefined && isUnderWay(before) ? String(before.equipment) : undefined
    const is = isUnderWay(job) ? String(job.equipment) : undefined
    if (was !== undefined && is !== undefined && was !== is) this.#findings.wrong(`row ${sequence}: ${id} goes from ${was} to ${is} while it runs`)
    if (was !== undefined && is === undefined && this.#busy.get(was) === id) this.#busy.delete(was)
    if (is === undefined) return
    const other = this.#busy.get(is)
    if (other !== undefined && other !== id) this.#findings.wrong(`row ${sequence}: ${is} works on ${id} and on ${other}`)
    this.#busy.set(is, id)
  }

  async end(source: Source): Promise<void> {
    const left = new Set([...this.#last.keys()])
    for (const [kind, { table, columns }] of Object.entries(TABLES)) {
      for (const row of await source.rows(`SELECT * FROM ${table} ORDER BY id`)) {
        const key = `${kind} ${row.id}`
        left.delete(key)
        const last = this.#last.get(key)
        if (last === undefined) {
          this.#findings.wrong(`${key} stands in ${table} and never in the ledger`)
          continue
        }
        if (row.document !== last.text || Number(row.ledger) !== last.sequence || Number(row.revision) !== last.revision)
          this.#findings.wrong(`${key} is not what row ${last.sequence} says of it`)
        const document = JSON.parse(String(row.document)) as Stored
        for (const [column, field] of Object.entries(columns))
          if ((row[column] ?? null) !== (document[field] ?? null)) this.#findings.wrong(`${key}: its column ${column} is ${String(row[column])}`)
      }
    }
    for (const key of left) this.#findings.missing(`${key} of row ${this.#last.get(key)?.sequence} is in no table`)
  }
}

function isUnderWay({ state }: Stored): boolean {
  return state === 'Running' || state === 'Interrupted'
}
