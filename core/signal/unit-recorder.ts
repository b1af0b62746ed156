import type { Count } from '../messages/count.ts'
import type { MachineState } from '../messages/machine-state.ts'
import type { PartsChange, Present, UnitFact } from './unit.ts'

/** What a unit did, to be told to others: recorded already where there is a store. */
export interface Happened {
  readonly states: readonly MachineState[]
  readonly counts: readonly Count[]
}

export const NOTHING_HAPPENED: Happened = { states: [], counts: [] }

/**
 * Remembers units and tells what happened to them. Call it for one unit at a time: the next facts of a unit after the last ones are done.
 * The first call for a unit also tells its present state and what it made for its present job order, for whoever missed it before a restart.
 */
export interface UnitRecorder {
  record(equipment: string, facts: readonly UnitFact[]): Promise<Happened>
}

export interface Totals {
  readonly good: number
  readonly scrap: number
}

/** `time`: when it is told; for a change the moment it came. */
export function machineStateOf(equipment: string, present: Present, time: number): MachineState {
  const { state, mode, since, element, reason, jobOrder } = present
  return { kind: 'machine-state', equipment, state, mode, since, element, reason, jobOrder, time }
}

export function countOf(equipment: string, change: Pick<PartsChange, 'jobOrder' | 'added' | 'last'>, total: Totals): Count {
  const { jobOrder, added, last } = change
  return { kind: 'count', equipment, jobOrder, good: added.good, scrap: added.scrap, total: { good: total.good, scrap: total.scrap }, time: last }
}
