import type { MachineState } from '../messages/machine-state.ts'

interface Unit {
  readonly runs: boolean
  readonly since: number
  readonly jobOrder: string | null
}

/**
 * Which units run, by what the machine-state documents say: idle, set-up and repair sound different, so values are learned and judged only in certain states.
 * A unit of which nothing was heard is taken to run.
 */
export class RunningUnits {
  readonly #states: ReadonlySet<string>
  readonly #settleMs: number
  readonly #units = new Map<string, Unit>()

  /** `settleMs`: how long after the beginning of such a state values do not count yet. */
  constructor(states: readonly string[], settleMs: number) {
    this.#states = new Set(states)
    this.#settleMs = settleMs
  }

  told({ equipment, state, mode, since, jobOrder }: MachineState): void {
    const runs = this.#states.has(state) && mode !== 'Maintenance'
    const before = this.#units.get(equipment)
    this.#units.set(equipment, { runs, jobOrder, since: before?.runs === true && runs ? before.since : since })
  }

  /** Whether a value of this source time counts. */
  runs(equipment: string, time: number): boolean {
    const unit = this.#units.get(equipment)
    return unit === undefined || (unit.runs && time >= unit.since + this.#settleMs)
  }

  jobOrderOf(equipment: string): string | null {
    return this.#units.get(equipment)?.jobOrder ?? null
  }

  get state(): Record<string, Unit> {
    return Object.fromEntries(this.#units)
  }

  restore(state: unknown): void {
    if (typeof state !== 'object' || state === null) return
    for (const [equipment, unit] of Object.entries(state as Record<string, Unit>)) this.#units.set(equipment, unit)
  }
}
