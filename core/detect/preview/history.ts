import type { MachineState } from '../../messages/machine-state.ts'
import { type RingSample, sampleRingOf } from '../../store/sample-ring.ts'
import type { Store } from '../../store/store.ts'

/** What a unit did: a row of its past, told like a document. */
export type PastState = MachineState

export interface History {
  /** numbers, oldest first */
  readonly samples: ReadonlyArray<RingSample & { readonly value: number }>
  /** samples of a signal of the unit that tells its cycles, oldest first; none where there is no such signal */
  readonly cycles: readonly RingSample[]
  /** there are older ones that were not read */
  readonly isCut: boolean
  /** oldest first, from the one in force at the first sample on */
  readonly states: readonly PastState[]
}

/** States of a unit read at most: a machine that changes its state every few seconds must not fill the memory. */
const STATES = 20_000

/** What the store knows of a signal until `to`: at most `limit` samples, the newest, and what the unit did meanwhile. `cycle`: the signal that tells its cycles. */
export async function readHistory(store: Store, equipment: string, signal: string, to: number, limit: number, cycle?: string): Promise<History> {
  const ring = sampleRingOf(store)
  const stored = await ring.recent(equipment, signal, Number.MIN_SAFE_INTEGER, to, limit + 1)
  const samples = stored.slice(-limit).filter((sample): sample is RingSample & { readonly value: number } => typeof sample.value === 'number')
  const [first] = samples
  const states = first === undefined ? [] : await statesOf(store, equipment, first.time, to)
  const cycles = cycle === undefined ? [] : await ring.recent(equipment, cycle, Number.MIN_SAFE_INTEGER, to, limit)
  return { samples, cycles, isCut: stored.length > limit, states }
}

async function statesOf(store: Store, equipment: string, from: number, to: number): Promise<PastState[]> {
  const rows = await store.db
    .selectFrom('machine_state')
    .select(['state', 'mode', 'element', 'reason', 'job_order', 'since'])
    .where('equipment', '=', equipment)
    .where('since', '<=', to)
    .where((is) => is.or([is('until', 'is', null), is('until', '>=', from)]))
    .orderBy('since', 'desc')
    .orderBy('id', 'desc')
    .limit(STATES)
    .execute()
  return rows.reverse().map(({ state, mode, element, reason, job_order: jobOrder, since }) => ({
    kind: 'machine-state',
    equipment,
    state: state as MachineState['state'],
    mode: mode as MachineState['mode'],
    since,
    element: element as MachineState['element'],
    reason,
    jobOrder,
    time: since,
  }))
}
