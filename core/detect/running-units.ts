import type { MachineState, PackmlMode } from '../messages/machine-state.ts'
import type { Sample } from '../messages/sample.ts'
import type { SignalRole } from '../plant/model.ts'
import { packmlMode, packmlState } from '../signal/packml.ts'

interface Unit {
  readonly state: MachineState['state'] | null
  readonly mode: PackmlMode | null
  /** source time of the newest that was heard of it */
  readonly heard: number
  /** since when it runs, or does not */
  readonly since: number
  readonly runs: boolean
  readonly jobOrder: string | null
  /** source time at which it last came out of mode Maintenance; absent: never seen */
  readonly repaired?: number
}

/**
 * Which units run: idle, set-up and repair sound different, so values are learned and judged only in certain states. It hears of them from machine-state
 * documents, and from the state and mode samples that come in the same stream as the values: those are in step with them, a document may lag behind.
 * A unit of which nothing was heard is taken to run.
 */
export class RunningUnits {
  readonly #states: ReadonlySet<string>
  readonly #settleMs: number
  readonly #units = new Map<string, Unit>()
  #changes = 0

  /** `settleMs`: how long after the beginning of such a state values do not count yet. */
  constructor(states: readonly string[], settleMs: number) {
    this.#states = new Set(states)
    this.#settleMs = settleMs
  }

  told({ equipment, state, mode, since, jobOrder }: MachineState): void {
    const before = this.#units.get(equipment)
    // what the samples said later stands
    if (before !== undefined && before.heard > since) {
      if (before.jobOrder === jobOrder) return
      this.#units.set(equipment, { ...before, jobOrder })
      this.#changes++
    } else this.#set(equipment, { state, mode, jobOrder }, since)
  }

  /** A sample that may say what the unit does, by the role of its signal. */
  saw({ equipment, value, time }: Pick<Sample, 'equipment' | 'value' | 'time'>, role: SignalRole | undefined): void {
    if (role !== 'packml-state' && role !== 'packml-mode') return
    const before = this.#units.get(equipment)
    if (before !== undefined && before.heard > time) return
    try {
      const said = role === 'packml-state' ? { state: packmlState(value, equipment) } : { mode: packmlMode(value, equipment) }
      this.#set(equipment, { state: before?.state ?? null, mode: before?.mode ?? null, jobOrder: before?.jobOrder ?? null, ...said }, time)
    } catch {
      // a state that is none is for the machine state node to tell
    }
  }

  /** Whether a value of this source time counts. */
  runs(equipment: string, time: number): boolean {
    const unit = this.#units.get(equipment)
    return unit === undefined || (unit.runs && time >= unit.since + this.#settleMs)
  }

  /** When the unit last came out of mode Maintenance, source time: what was normal before may not be so any more. Undefined when that was never seen. */
  repairedAt(equipment: string): number | undefined {
    return this.#units.get(equipment)?.repaired
  }

  jobOrderOf(equipment: string): string | null {
    return this.#units.get(equipment)?.jobOrder ?? null
  }

  /** PackML state, null where none was heard of. */
  stateOf(equipment: string): MachineState['state'] | null {
    return this.#units.get(equipment)?.state ?? null
  }

  /** How often something was heard. */
  get changes(): number {
    return this.#changes
  }

  get state(): Record<string, Unit> {
    return Object.fromEntries(this.#units)
  }

  restore(state: unknown): void {
    if (typeof state !== 'object' || state === null) return
    for (const [equipment, unit] of Object.entries(state as Record<string, Unit>)) this.#units.set(equipment, unit)
  }

  #set(equipment: string, said: Pick<Unit, 'state' | 'mode' | 'jobOrder'>, time: number): void {
    const before = this.#units.get(equipment)
    this.#changes++
    // a mode alone says nothing yet
    const runs = said.state === null ? said.mode !== 'Maintenance' : this.#states.has(said.state) && said.mode !== 'Maintenance'
    const repaired = before?.mode === 'Maintenance' && said.mode !== null && said.mode !== 'Maintenance' ? time : before?.repaired
    const unit = { ...said, runs, heard: time, since: before?.runs === runs ? before.since : time }
    this.#units.set(equipment, repaired === undefined ? unit : { ...unit, repaired })
  }
}
