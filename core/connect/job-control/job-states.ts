import type { JobOrderState, JobOrderSubstate } from '../../messages/job-order.ts'

/** Numbers of ISA95JobOrderReceiverObjectType's states, and of those of its substate machines. */
const STATE_NUMBERS = { NotAllowedToStart: 1, AllowedToStart: 2, Running: 3, Interrupted: 4, Ended: 5, Aborted: 6 } as const satisfies Record<
  JobOrderState,
  number
>
const SUBSTATE_NUMBERS = { Waiting: 1, Ready: 2, Loaded: 3, Held: 1, Suspended: 2, Completed: 1, Closed: 2 } as const satisfies Record<JobOrderSubstate, number>

export interface JobState {
  readonly state: JobOrderState
  readonly substate: JobOrderSubstate | null
}

/** A state as an array of ISA95StateDataType: the top level first, its browse path empty, then the substate. `namespace` is Job Control's index on the server. */
export function stateFields({ state, substate }: JobState, namespace: number): readonly object[] {
  const top = { browsePath: { elements: [] }, stateText: { text: state }, stateNumber: STATE_NUMBERS[state] }
  if (substate === null) return [top]
  const element = { isInverse: false, includeSubtypes: true, targetName: { namespaceIndex: namespace, name: `${state}Substates` } }
  return [top, { browsePath: { elements: [element] }, stateText: { text: substate }, stateNumber: SUBSTATE_NUMBERS[substate] }]
}

/** Reads what another server says; `undefined` where it is no state of Job Control. By number, because texts may be translated. */
export function readState(value: unknown): JobState | undefined {
  if (!Array.isArray(value)) return undefined
  const entries = value.filter((entry): entry is StateEntry => typeof entry === 'object' && entry !== null)
  const top = entries.find((entry) => (entry.browsePath?.elements?.length ?? 0) === 0) ?? entries[0]
  const state = STATES.find((name) => STATE_NUMBERS[name] === top?.stateNumber)
  if (state === undefined) return undefined
  const below = entries.find((entry) => entry !== top)
  const substate = below === undefined ? undefined : SUBSTATES_OF[state].find((name) => SUBSTATE_NUMBERS[name] === below.stateNumber)
  return { state, substate: substate ?? null }
}

const STATES = Object.keys(STATE_NUMBERS) as JobOrderState[]
const SUBSTATES_OF: Readonly<Record<JobOrderState, readonly JobOrderSubstate[]>> = {
  NotAllowedToStart: ['Waiting', 'Ready', 'Loaded'],
  AllowedToStart: ['Waiting', 'Ready', 'Loaded'],
  Running: [],
  Interrupted: ['Held', 'Suspended'],
  Ended: ['Completed', 'Closed'],
  Aborted: [],
}

interface StateEntry {
  readonly browsePath?: { readonly elements?: readonly unknown[] | null }
  readonly stateNumber?: number
}
