import type { Clock } from '../base/clock.ts'
import { presentJob } from './tally.ts'
import { NEW_UNIT, stepUnit, type UnitFact, type UnitMemory } from './unit.ts'
import { countOf, type Happened, machineStateOf, type Totals, type UnitRecorder } from './unit-recorder.ts'

const JOBS_KEPT = 50

interface Remembered {
  readonly memory: UnitMemory
  /** parts by job order, the newest last */
  readonly totals: ReadonlyArray<readonly [string | null, Totals]>
}

/** The recorder of a node without a store: it counts from when it first sees a unit, and forgets unless its state is kept for it. */
export class VolatileRecorder implements UnitRecorder {
  readonly #clock: Clock
  readonly #units: Map<string, Remembered>
  readonly #greeted = new Set<string>()

  /** `state`: what `state` gave before a restart. */
  constructor(clock: Clock, state?: unknown) {
    this.#clock = clock
    this.#units = new Map(isSaved(state) ? Object.entries(state.units) : [])
  }

  /** Everything remembered, as plain JSON. */
  get state(): unknown {
    return { format: 1, units: Object.fromEntries(this.#units) }
  }

  async record(equipment: string, facts: readonly UnitFact[]): Promise<Happened> {
    const before = this.#units.get(equipment) ?? { memory: NEW_UNIT, totals: [] }
    const { memory, states, parts } = stepUnit(before.memory, facts, this.#clock.now(), this.#clock.rate)
    const totals = new Map(before.totals)
    const counts = parts.map((change) => {
      const old = totals.get(change.jobOrder) ?? { good: 0, scrap: 0 }
      const total = { good: old.good + change.difference.good, scrap: old.scrap + change.difference.scrap }
      totals.delete(change.jobOrder)
      totals.set(change.jobOrder, total)
      return countOf(equipment, change, total)
    })
    this.#units.set(equipment, { memory, totals: [...totals].slice(-JOBS_KEPT) })

    const told = states.map((present) => machineStateOf(equipment, present, present.since))
    if (!this.#greeted.has(equipment)) {
      this.#greeted.add(equipment)
      const now = this.#clock.now()
      if (told.length === 0 && memory.present !== null) told.push(machineStateOf(equipment, memory.present, now))
      const jobOrder = presentJob(memory.tally)
      const total = totals.get(jobOrder)
      if (jobOrder !== null && total !== undefined && !counts.some((count) => count.jobOrder === jobOrder))
        counts.push(countOf(equipment, { jobOrder, added: { good: 0, scrap: 0 }, last: now }, total))
    }
    return { states: told, counts }
  }
}

function isSaved(state: unknown): state is { units: Record<string, Remembered> } {
  return typeof state === 'object' && state !== null && (state as { format?: unknown }).format === 1
}
