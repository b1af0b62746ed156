import type { Generated } from 'kysely'

/**
 * Every table, as Kysely sees it; `migrations/` creates them. A projection keeps its whole document as JSON in `document`,
 * and beside it the columns that queries ask for. Times are epoch ms.
 */
interface Projection {
  id: string
  revision: number
  ledger: number
  document: string
}

export interface Tables {
  ledger: {
    sequence: number
    type: string
    subject: string
    actor: string
    why: string | null
    before: string | null
    after: string | null
    time: number
    previous_hash: string
    hash: string
  }
  /** Effects that happened; `inbox` is the row of the inbox that one followed from, null where it followed from none. */
  effect: { key: string; ledger: number; time: number; inbox: number | null }
  /** What was received, known long after it was settled. Without a sender's key `session` and `sequence` are null. `received`: real time. */
  inbox: { id: number; source: string; session: string | null; sequence: number | null; content_hash: string; received: number }
  /** The messages of rows that are not settled: a JSON array of `{ topic, payload }`. */
  inbox_pending: { id: number; source: string; body: string }
  /** `created`, `leased_until` and `due` are real time. */
  outbox: {
    id: Generated<number>
    destination: string
    topic: string
    body: string
    created: number
    leased_by: string | null
    leased_until: number | null
    attempts: number
    due: Generated<number>
  }
  /** Recent samples for charts, a bounded number a signal. `value` is JSON. */
  sample_ring: { equipment: string; signal: string; time: number; value: string; quality: string; unit: string | null }
  quarantine: { id: Generated<number>; code: string; what: string; where: string; remedy: string; received: number; bytes: number; excerpt: string }
  node_state: { node: string; key: string; state: string; saved: number }

  work_order: Projection & {
    type: string
    state: string
    due: number | null
    external_system: string | null
    external_id: string | null
    equipment: string | null
    /** of a maintenance order whose unit is not back to full work: check, trial or failed */
    service: string | null
  }
  job_order: Projection & {
    work_order: string
    operation: string
    state: string
    substate: string | null
    equipment: string | null
    lot: string | null
    planned_start: number | null
    actual_start: number | null
    actual_end: number | null
  }
  job_response: Projection & { job_order: string; work_order: string; equipment: string | null; end: number | null }
  plan: Projection & { version: number; now: number }
  disruption: Projection & { equipment: string; status: string; action: string; time: number }
  anomaly: Projection & { equipment: string; state: string; since: number; time: number }
  quality_result: Projection & { lot: string | null; job_order: string | null; characteristic: string; decision: string; time: number }
  lot: Projection & { material: string; disposition: string; work_order: string | null }
  /** `pooled`: 1 for the few events that join so many inputs with so many outputs that traces go another way. */
  genealogy: Projection & { event: string; job_order: string | null; equipment: string | null; time: number; pooled: number }
  containment: Projection & { anomaly: string; equipment: string; status: string; time: number }

  person: Projection & { badge: string | null; login: string | null; active: number }
  /** Apart from the person's document, which travels. `secret`: the password's hash with its salt and cost; `failures`: wrong passwords since the last right one. */
  person_secret: { person: string; secret: string; failures: number; last_failure: number | null }
  /** `token` and `connection` are hashes. `ledger`: the row that says that the session was begun. */
  person_session: { token: string; person: string; connection: string | null; ledger: number; started: number; used: number; ends: number }
  procedure_version: Projection & { name: string; version: number; state: string }
  procedure_run: Projection & { procedure: string; equipment: string; phase: string }
  erp_message: Projection & { channel: string; subject: string; version: number; work_order: string; state: string }
  order_template: Projection & { name: string; version: number; active: number }
  signature: Projection & { record_kind: string; record_id: string; record_ledger: number; meaning: string; person: string; time: number }

  /** The graph of genealogy: a lot leads into the events that took from it, an event into the lots that it gave. Nodes are numbers of ledger rows. */
  genealogy_edge: { source: number; target: number; quantity: number }
  /**
   * What there is of a lot. `node`: its number in the graph. `packed`: the part of `on_hand` that lies in containers. `counted`: what its work order has made of it,
   * as far as it is in `on_hand`. `written`: the quantity in the lot's document as genealogy left it.
   */
  lot_stock: {
    lot: string
    node: number
    material: string
    unit: string
    on_hand: number
    packed: number
    counted: number
    written: number
    location: string | null
  }
  lot_content: { container: string; lot: string; quantity: number }
  /** What left the plant. `container` is empty for what was shipped by itself. */
  lot_shipment: { lot: string; event: string; container: string; party: string; quantity: number; time: number }
  /** An EPCIS document without its events, as it came; `frame` is JSON. */
  epcis_document: { id: string; frame: string; ledger: number; received: number }
  /** An EPCIS event as it came. `genealogy`: the event that it was booked as; `problem`: why it was not. */
  epcis_event: { id: string; hash: string; body: string; type: string; time: number; genealogy: string | null; problem: string | null }
  epcis_place: { document: string; position: number; event: string }

  /** A unit's past: one row a state, `until` null for the present one. */
  machine_state: {
    id: Generated<number>
    equipment: string
    state: string
    mode: string | null
    element: string | null
    reason: string | null
    job_order: string | null
    since: number
    until: number | null
  }
  /** The last value read from a machine's counter, and all it has counted through rollovers and resets. */
  counter: { equipment: string; signal: string; raw: number; total: number; time: number }
  /** What a unit made for a job order: the truth about quantities. */
  job_count: { equipment: string; job_order: string; good: number; scrap: number; first: number; last: number; ledger: number }
}
