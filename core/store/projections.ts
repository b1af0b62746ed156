import { TaktError } from '../base/error.ts'
import type { DocumentOf } from '../messages/document.ts'
import type { StoredKind } from './store.ts'

export type Column = string | number | null

/** Where a kind of document is kept, and which of its fields have columns that queries can ask for. */
export interface Projection<K extends StoredKind> {
  readonly table: string
  id(document: DocumentOf<K>): string
  columns(document: DocumentOf<K>): Readonly<Record<string, Column>>
  /** the names of `columns` */
  readonly names: readonly string[]
  /** Others than its id must be its alone: whether it can be written is known only once it is. */
  readonly unique?: true
}

/** A repaired unit with such a maintenance order takes no work, or little. */
const LIMITED: ReadonlySet<string> = new Set(['check', 'trial', 'failed'])

export const PROJECTIONS: { readonly [K in StoredKind]: Projection<K> } = {
  'work-order': {
    table: 'work_order',
    id: ({ id }) => id,
    names: ['type', 'state', 'due', 'external_system', 'external_id', 'equipment', 'service'],
    columns: (order) => ({
      type: order.type,
      state: order.state,
      due: order.due,
      external_system: order.external?.system ?? null,
      external_id: order.external?.id ?? null,
      equipment: order.equipment ?? null,
      service: order.service !== undefined && LIMITED.has(order.service.state) ? order.service.state : null,
    }),
  },
  'job-order': {
    table: 'job_order',
    id: ({ id }) => id,
    names: ['work_order', 'operation', 'state', 'substate', 'equipment', 'lot', 'planned_start', 'actual_start', 'actual_end'],
    columns: (job) => ({
      work_order: job.workOrder,
      operation: job.operation,
      state: job.state,
      substate: job.substate,
      equipment: job.equipment,
      lot: job.lot,
      planned_start: job.plannedStart,
      actual_start: job.actualStart,
      actual_end: job.actualEnd,
    }),
  },
  'job-response': {
    table: 'job_response',
    id: ({ id }) => id,
    names: ['job_order', 'work_order', 'equipment', 'end'],
    columns: (response) => ({ job_order: response.jobOrder, work_order: response.workOrder, equipment: response.equipment, end: response.end }),
  },
  plan: {
    table: 'plan',
    unique: true,
    // a plan is named by its version alone
    id: ({ version }) => String(version),
    names: ['version', 'now'],
    columns: ({ version, now }) => ({ version, now }),
  },
  disruption: {
    table: 'disruption',
    id: ({ id }) => id,
    names: ['equipment', 'status', 'action', 'time'],
    columns: ({ equipment, status, action, time }) => ({ equipment, status, action, time }),
  },
  anomaly: {
    table: 'anomaly',
    id: ({ id }) => id,
    names: ['equipment', 'state', 'since', 'time'],
    columns: ({ equipment, state, since, time }) => ({ equipment, state, since, time }),
  },
  'quality-result': {
    table: 'quality_result',
    id: ({ id }) => id,
    names: ['lot', 'job_order', 'characteristic', 'decision', 'time'],
    columns: ({ lot, jobOrder, characteristic, decision, time }) => ({ lot, job_order: jobOrder, characteristic, decision, time }),
  },
  lot: {
    table: 'lot',
    id: ({ id }) => id,
    names: ['material', 'disposition', 'work_order'],
    columns: (lot) => ({ material: lot.material, disposition: lot.disposition, work_order: lot.workOrder }),
  },
  genealogy: {
    table: 'genealogy',
    // the store is given none without one
    id: ({ id = '' }) => id,
    names: ['event', 'job_order', 'equipment', 'time', 'pooled'],
    columns: ({ event, jobOrder, equipment, time, inputs, outputs }) => ({
      event,
      job_order: jobOrder,
      equipment: equipment ?? null,
      time,
      pooled: inputs.length * outputs.length > POOLED * (inputs.length + outputs.length) ? 1 : 0,
    }),
  },
  containment: {
    table: 'containment',
    id: ({ id }) => id,
    names: ['anomaly', 'equipment', 'status', 'time'],
    columns: ({ anomaly, equipment, status, time }) => ({ anomaly, equipment, status, time }),
  },
  person: {
    table: 'person',
    unique: true,
    id: ({ id }) => id,
    names: ['badge', 'login', 'active'],
    columns: ({ badge, login, active }) => ({ badge, login: login ?? null, active: active ? 1 : 0 }),
  },
  signature: {
    table: 'signature',
    unique: true,
    id: ({ id }) => id,
    names: ['record_kind', 'record_id', 'record_ledger', 'meaning', 'person', 'time'],
    columns: ({ record, meaning, person, time }) => ({
      record_kind: record.kind,
      record_id: record.id,
      record_ledger: record.ledger,
      meaning,
      person,
      time,
    }),
  },
  procedure: {
    table: 'procedure_version',
    unique: true,
    id: ({ id }) => id,
    names: ['name', 'version', 'state'],
    columns: ({ name, version, state }) => ({ name, version, state }),
  },
  'procedure-run': {
    table: 'procedure_run',
    id: ({ id }) => id,
    names: ['procedure', 'equipment', 'phase'],
    columns: ({ procedure, equipment, phase }) => ({ procedure, equipment, phase }),
  },
  'erp-message': {
    table: 'erp_message',
    id: ({ id }) => id,
    names: ['channel', 'subject', 'version', 'work_order', 'state'],
    columns: ({ channel, of, version, workOrder, state }) => ({ channel, subject: of.id, version, work_order: workOrder, state }),
  },
  'order-template': {
    table: 'order_template',
    id: ({ id }) => id,
    names: ['name', 'version', 'active'],
    columns: ({ name, version, active }) => ({ name, version, active: active ? 1 : 0 }),
  },
}

export function projectionOf<K extends StoredKind>(kind: K, where: string): Projection<K> {
  if (!Object.hasOwn(PROJECTIONS, kind)) throw new TaktError('TAKT_STORE_QUERY', { what: `documents of kind '${kind}' are not stored`, where })
  return PROJECTIONS[kind]
}

/** Pairs of input and output for each of its lots, from which an event of genealogy counts as pooled. */
const POOLED = 16

/** Columns that every kind's table has, besides the document itself. */
const KEY_COLUMNS = ['id', 'revision', 'ledger']
export const COMMON_COLUMNS: readonly string[] = [...KEY_COLUMNS, 'document']

/** The column of a kind's table by that name; names come from callers, so they are checked and never spliced. */
export function columnOf(kind: StoredKind, name: string, where: string): string {
  const { names } = projectionOf(kind, where)
  if (!names.includes(name) && !KEY_COLUMNS.includes(name)) {
    throw new TaktError('TAKT_STORE_QUERY', { what: `'${name}' is not a column of ${kind}: ${[...KEY_COLUMNS, ...names].join(', ')}`, where })
  }
  return name
}
