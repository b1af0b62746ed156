import type { DocumentOf, Kind } from '../messages/document.ts'

/** Where a document stands in the unified namespace. */
export interface Place {
  /** Without one it belongs to the plant as a whole. */
  readonly equipment?: string | undefined
  /** Tells documents of one kind and place apart: a signal, an id. */
  readonly name?: string | undefined
  /** The present state of something, worth keeping for who comes later; everything else is news and is past when it was told. */
  readonly isState: boolean
  /** The state is the last one: nothing will follow. */
  readonly ended?: boolean
}

/**
 * Orders, jobs and lots move between units, so they stand under the plant: a retained copy would stay behind at each unit that they left.
 * A command must never be kept, because a machine that comes back would obey it again.
 */
const PLACES: { readonly [K in Kind]: (document: DocumentOf<K>) => Place } = {
  sample: ({ equipment, signal }) => ({ equipment, name: signal, isState: true }),
  'machine-state': ({ equipment }) => ({ equipment, isState: true }),
  count: ({ equipment }) => ({ equipment, isState: true }),
  anomaly: ({ equipment, signals, state }) => ({ equipment, name: signals.join(','), isState: true, ended: state === 'cleared' }),
  prognosis: ({ equipment, indicator }) => ({ equipment, name: indicator, isState: true }),
  disruption: ({ equipment, id, status }) => ({ equipment, name: id, isState: true, ended: status === 'refused' || status === 'withdrawn' }),
  'work-order': ({ id, state }) => ({ name: id, isState: true, ended: state === 'Closed' || state === 'Canceled' }),
  'job-order': ({ id, state, substate }) => ({ name: id, isState: true, ended: state === 'Aborted' || substate === 'Closed' }),
  'job-response': ({ id }) => ({ name: id, isState: false }),
  'order-template': ({ name, active }) => ({ name, isState: true, ended: !active }),
  'work-performance': ({ id }) => ({ name: id, isState: false }),
  'erp-message': ({ id, state }) => ({ name: id, isState: true, ended: state === 'received' }),
  plan: () => ({ isState: true }),
  'what-if': ({ id }) => ({ name: id, isState: false }),
  'quality-result': ({ id }) => ({ name: id, isState: false }),
  lot: ({ id, disposition }) => ({ name: id, isState: true, ended: disposition === 'scrapped' }),
  genealogy: () => ({ isState: false }),
  trace: ({ lot }) => ({ name: lot, isState: false }),
  containment: ({ equipment, id, status }) => ({ equipment, name: id, isState: true, ended: status === 'refused' }),
  kpi: ({ scope }) => ({ equipment: scope.includes('/') ? scope : undefined, name: scope.includes('/') ? undefined : scope, isState: true }),
  report: ({ type, subject }) => ({ name: `${type}_${subject}`, isState: false }),
  // who works here is nobody's state to keep
  person: ({ id }) => ({ name: id, isState: false }),
  signature: ({ id }) => ({ name: id, isState: false }),
  procedure: ({ id, state }) => ({ name: id, isState: true, ended: state === 'refused' || state === 'replaced' }),
  'procedure-run': ({ id, phase }) => ({ name: id, isState: true, ended: phase === 'done' }),
  command: ({ to, name }) => ({ equipment: to, name, isState: false }),
  receipt: ({ to, of }) => ({ equipment: to, name: of, isState: false }),
  quarantined: ({ code }) => ({ name: code, isState: false }),
  gap: ({ source, equipment }) => ({ equipment, name: source, isState: false }),
}

export function placeOf(document: DocumentOf<Kind>): Place {
  return (PLACES[document.kind] as (document: DocumentOf<Kind>) => Place)(document)
}
